#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <array>

#include "core/store/schema.h"
#include "core/store/sqlite_file.h"
#include "core/store/store.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

class StoreMigrationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::open(m_path);
    ASSERT_TRUE(opened) << opened.error().describe();
    ASSERT_TRUE((*opened)->createConversation("kept", "m"));
    ASSERT_TRUE((*opened)->setSetting("a", "1"));
  }
  int version() {
    SQLite::Database database(m_path.string(), SQLite::OPEN_READONLY);
    return database.execAndGet("PRAGMA user_version").getInt();
  }
  Result<void> migrateWith(const char* sql, int version) {
    const std::array steps{store::migrations().front(), store::Migration{version, sql}};
    SQLite::Database database = store::openConnection(m_path, SQLite::OPEN_READWRITE);
    return store::migrate(database, m_path, steps);
  }
  ScratchFolder m_folder;
  std::filesystem::path m_path = m_folder / "hearth.db";
};

TEST_F(StoreMigrationTest, AnUpgradeBacksUpFirstAndKeepsTheData) {
  ASSERT_TRUE(migrateWith("ALTER TABLE conversations ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'", 2));
  EXPECT_EQ(version(), 2);
  {
    SQLite::Database now(m_path.string(), SQLite::OPEN_READONLY);
    EXPECT_EQ(now.execAndGet("SELECT title || colour FROM conversations").getString(), "keptnone");
  }
  SQLite::Database before((m_folder / "hearth.db.v1.backup").string(), SQLite::OPEN_READONLY);
  EXPECT_EQ(before.execAndGet("PRAGMA user_version").getInt(), 1);
  EXPECT_EQ(before.execAndGet("SELECT title FROM conversations").getString(), "kept");
  EXPECT_EQ(before.execAndGet("PRAGMA application_id").getInt(), store::kApplicationId);
  EXPECT_FALSE(std::filesystem::exists(m_folder / "hearth.db.v1.backup.part"));
}

TEST_F(StoreMigrationTest, AFailingStepChangesNothingAndAnEarlierBackupIsKept) {
  const auto failed = migrateWith("CREATE TABLE fresh (x INTEGER); INSERT INTO absent VALUES (1)", 2);
  ASSERT_FALSE(failed);
  EXPECT_EQ(version(), 1);
  {
    SQLite::Database database(m_path.string(), SQLite::OPEN_READONLY);
    EXPECT_FALSE(database.tableExists("fresh"));
  }
  ASSERT_TRUE(migrateWith("CREATE TABLE fresh (x INTEGER)", 2));
  EXPECT_TRUE(std::filesystem::exists(m_folder / "hearth.db.v1.backup"));
  EXPECT_TRUE(std::filesystem::exists(m_folder / "hearth.db.v1-2.backup"));
}

TEST_F(StoreMigrationTest, ANewerSchemaIsRefusedAndNotTouched) {
  ASSERT_TRUE(migrateWith("CREATE TABLE future (x INTEGER)", 7));
  const auto bytes = std::filesystem::file_size(m_path);
  const auto time = std::filesystem::last_write_time(m_path);
  const auto opened = Store::open(m_path);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::UnsupportedVersion);
  EXPECT_EQ(opened.error().find("database_version"), "7");
  EXPECT_EQ(opened.error().find("supported_version"), "1");
  EXPECT_EQ(std::filesystem::file_size(m_path), bytes);
  EXPECT_EQ(std::filesystem::last_write_time(m_path), time);
}

TEST_F(StoreMigrationTest, AnotherProgramsDatabaseIsRefusedAndNotTouched) {
  const std::filesystem::path other = m_folder / "other.db";
  {
    SQLite::Database database(other.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec("CREATE TABLE theirs (x INTEGER); INSERT INTO theirs VALUES (5)");
  }
  const auto opened = Store::open(other);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::Corrupt);
  SQLite::Database database(other.string(), SQLite::OPEN_READONLY);
  EXPECT_EQ(database.execAndGet("SELECT x FROM theirs").getInt(), 5);
  EXPECT_FALSE(database.tableExists("meta"));
  EXPECT_EQ(database.execAndGet("PRAGMA journal_mode").getString(), "delete") << "its journal mode was changed";
}

}  // namespace
}  // namespace hearth
