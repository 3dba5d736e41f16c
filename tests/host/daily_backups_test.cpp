#include "core/host/daily_backups.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

constexpr std::int64_t kHour = 3'600'000;

TEST(DailyBackups, OneADayAndTheNewestAreKept) {
  const ScratchFolder folder;
  auto store = Store::open(folder / "hearth.db");
  ASSERT_TRUE(store) << store.error().describe();
  ASSERT_TRUE((*store)->createConversation("kept", "m"));
  const std::filesystem::path backups = folder / "backups";
  std::int64_t now = 1'800'000'000'000;
  const auto first = backupIfDue(**store, backups, 3, now);
  ASSERT_TRUE(first && *first) << (first ? "not due" : first.error().describe());
  EXPECT_EQ((*first)->filename(), "hearth-20270115-080000.db");
  EXPECT_FALSE(backupIfDue(**store, backups, 3, now + 23 * kHour)->has_value());
  std::ofstream(backups / "mine.db") << "a person's own";
  for (int day = 1; day <= 5; ++day) {
    ASSERT_TRUE((*store)->createConversation("day", "m"));
    const auto made = backupIfDue(**store, backups, 3, now += 24 * kHour);
    ASSERT_TRUE(made && *made) << day;
  }
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(backups)) names.insert(file.path().filename().string());
  EXPECT_EQ(names, (std::set<std::string>{"hearth-20270118-080000.db", "hearth-20270119-080000.db",
                                          "hearth-20270120-080000.db", "mine.db"}));
  auto copy = Store::open(backups / "hearth-20270119-080000.db");
  ASSERT_TRUE(copy) << copy.error().describe();
  EXPECT_EQ((*copy)->conversations()->size(), 5U);
}

TEST(DailyBackups, NoneWhenSwitchedOffAndNothingIsLostWhereThereIsNoRoom) {
  const ScratchFolder folder;
  auto store = Store::open(folder / "hearth.db");
  ASSERT_TRUE(store);
  EXPECT_FALSE(backupIfDue(**store, folder / "backups", 0, 1'800'000'000'000)->has_value());
  EXPECT_FALSE(std::filesystem::exists(folder / "backups"));
  std::ofstream(folder / "file") << "x";
  EXPECT_FALSE(backupIfDue(**store, folder / "file", 3, 1'800'000'000'000)) << "no folder can be made there";
  // A clock that was set back a year: what it made then does not hold up the next.
  ASSERT_TRUE(backupIfDue(**store, folder / "backups", 3, 1'831'536'000'000)->has_value());
  EXPECT_TRUE(backupIfDue(**store, folder / "backups", 3, 1'800'000'000'000)->has_value());
}

}  // namespace
}  // namespace hearth
