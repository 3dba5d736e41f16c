#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

#include "core/store/store.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

std::string readAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
void writeAll(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
}

class StoreDamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::open(m_path);
    ASSERT_TRUE(opened) << opened.error().describe();
    const auto c = (*opened)->createConversation("c", "m");
    ASSERT_TRUE(c);
    for (int i = 0; i < 60; ++i) {
      Message message;
      message.conversation = c->id;
      message.text = std::string(700, static_cast<char>('a' + i % 26));
      ASSERT_TRUE((*opened)->addMessage(message));
    }
  }
  // As after a crash: without the mark that the last user closed it.
  void markUnclean() {
    SQLite::Database database(m_path.string(), SQLite::OPEN_READWRITE);
    database.exec("PRAGMA journal_mode=DELETE; UPDATE meta SET value = '0' WHERE key = 'clean'");
  }
  ScratchFolder m_folder;
  std::filesystem::path m_path = m_folder / "hearth.db";
};

TEST_F(StoreDamageTest, AnUncleanButWholeDatabaseOpens) {
  markUnclean();
  const auto opened = Store::open(m_path);
  ASSERT_TRUE(opened) << opened.error().describe();
  EXPECT_EQ((*opened)->conversations()->size(), 1U);
}

TEST_F(StoreDamageTest, APageOfNoiseIsReportedWithEvidenceAndTheFileIsLeftAsItIs) {
  markUnclean();
  std::string bytes = readAll(m_path);
  ASSERT_GT(bytes.size(), 4096U * 8U);
  std::mt19937 random(7);
  for (std::size_t i = 4096 * 6; i < 4096 * 8; ++i) bytes[i] = static_cast<char>(random());
  writeAll(m_path, bytes);
  const auto opened = Store::open(m_path);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::Corrupt) << opened.error().describe();
  EXPECT_EQ(opened.error().find("path"), m_path.string());
  EXPECT_EQ(readAll(m_path), bytes);
}

TEST_F(StoreDamageTest, ATruncatedDatabaseIsReportedAndLeftAsItIs) {
  markUnclean();
  const std::string bytes = readAll(m_path).substr(0, 4096 * 5);
  writeAll(m_path, bytes);
  const auto opened = Store::open(m_path);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::Corrupt) << opened.error().describe();
  EXPECT_EQ(readAll(m_path), bytes);
}

TEST_F(StoreDamageTest, AFileThatIsNoDatabaseIsReportedAndLeftAsItIs) {
  const std::string text = "This is a shopping list.\n" + std::string(5000, 'x');
  writeAll(m_path, text);
  const auto opened = Store::open(m_path);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::Corrupt) << opened.error().describe();
  EXPECT_EQ(readAll(m_path), text);
}

TEST_F(StoreDamageTest, AnEmptyDatabaseBesideAFullLogIsNotQuietlyReplaced) {
  writeAll(m_path, "");
  const std::filesystem::path log = m_folder / "hearth.db-wal";
  writeAll(log, std::string(9000, 'w'));
  const auto opened = Store::open(m_path);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::Corrupt);
  EXPECT_EQ(std::filesystem::file_size(log), 9000U);
}

TEST_F(StoreDamageTest, AnEmptyFileBecomesADatabase) {
  const std::filesystem::path empty = m_folder / "empty.db";
  writeAll(empty, "");
  const auto opened = Store::open(empty);
  ASSERT_TRUE(opened) << opened.error().describe();
  EXPECT_TRUE((*opened)->createConversation("c", "m"));
}

TEST_F(StoreDamageTest, NamesThatCannotBeADatabaseAreTypedErrors) {
  EXPECT_FALSE(Store::open(m_folder / "absent/hearth.db"));
  std::filesystem::create_directory(m_folder / "folder.db");
  const auto folder = Store::open(m_folder / "folder.db");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::Io);
}

}  // namespace
}  // namespace hearth
