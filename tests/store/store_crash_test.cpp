// kill -9 at random points: nothing that was acknowledged may be missing, and half-written replies become Interrupted.
// HEARTH_KILL_ROUNDS sets the number of rounds (15 here; 100 and more before a release). A killed process leaves its writes
// in the system's page cache, so this proves the order of commits and acknowledgements, not the disk's honesty.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "core/store/store.h"
#include "tests/store/crash_text.h"
#include "tests/support/child_process.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

struct Acknowledged {
  int key = 0;
  bool reply = false, final = false;
  std::size_t length = 0;
};

std::string readToEnd(int descriptor) {
  std::string all;
  char buffer[65536];
  for (ssize_t n = 0; (n = ::read(descriptor, buffer, sizeof buffer)) > 0;) all.append(buffer, static_cast<std::size_t>(n));
  ::close(descriptor);
  return all;
}

int rounds() {
  const char* wanted = std::getenv("HEARTH_KILL_ROUNDS");
  return wanted != nullptr ? std::max(1, std::atoi(wanted)) : 15;
}

TEST(StoreCrash, KilledAtRandomPointsNothingAcknowledgedIsLost) {
  const ScratchFolder folder;
  const std::filesystem::path path = folder / "hearth.db";
  std::map<MessageId, Acknowledged> acknowledged;
  std::mt19937 random(std::random_device{}());
  double slowestOpen = 0;
  std::size_t interrupted = 0;
  for (int round = 0; round < rounds(); ++round) {
    const ChildProcess child = startChild({STORE_CRASH_CHILD, "write", path.string(), "3"});
    ASSERT_GT(child.pid, 0);
    std::string said;
    std::thread reader([&] { said = readToEnd(child.out); });
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<int>(1, 300)(random)));
    ::kill(child.pid, SIGKILL);
    int status = 0;
    ::waitpid(child.pid, &status, 0);
    reader.join();
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << said.substr(said.size() > 300 ? said.size() - 300 : 0);

    std::istringstream lines(said);
    std::string kind;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      MessageId id = 0;
      std::size_t value = 0;
      words >> kind >> id >> value;
      if (kind == "added" || kind == "reply") {
        auto& fresh = acknowledged[id];
        ASSERT_EQ(fresh.key, 0) << "an id was given twice: " << id;
        fresh = {static_cast<int>(value), kind == "reply", false, 0};
      } else if (kind == "partial" || kind == "final") {
        acknowledged[id].length = value;
        acknowledged[id].final = kind == "final";
      }
    }

    const auto begin = std::chrono::steady_clock::now();
    const auto store = Store::open(path);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    ASSERT_TRUE(store) << "round " << round << ": " << store.error().describe();
    slowestOpen = std::max(slowestOpen, took.count());
    std::size_t checked = 0;
    for (const auto& [id, expected] : acknowledged) {
      const auto found = (*store)->message(id);
      ASSERT_TRUE(found) << "round " << round << ": acknowledged message " << id << " is lost";
      ++checked;
      if (!expected.reply) {
        ASSERT_EQ(found->text, crashText(expected.key, 40 + static_cast<std::size_t>(expected.key) % 4000)) << id;
        continue;
      }
      ASSERT_GE(found->text.size(), expected.length) << "acknowledged text of " << id << " is lost";
      ASSERT_EQ(found->text, crashText(expected.key, found->text.size())) << id;
      ASSERT_NE(found->state, MessageState::Streaming) << id;
      if (expected.final) {
        ASSERT_EQ(found->state, MessageState::Complete) << id;
      }
      if (found->state == MessageState::Interrupted) ++interrupted;
    }
    ASSERT_EQ(checked, acknowledged.size());
  }
  {
    SQLite::Database database(path.string(), SQLite::OPEN_READONLY);
    EXPECT_EQ(database.execAndGet("PRAGMA integrity_check").getString(), "ok");
    EXPECT_EQ(database.execAndGet("SELECT count(*) FROM pragma_foreign_key_check").getInt(), 0);
  }
  EXPECT_GT(acknowledged.size(), static_cast<std::size_t>(rounds()));
  EXPECT_GT(interrupted, 0U) << "no round hit a reply in its middle";
  EXPECT_LE(slowestOpen, 3.0);
  std::printf("%d kills, %zu messages acknowledged, 0 lost, slowest start %.0f ms\n", rounds(), acknowledged.size(), slowestOpen * 1000);
}

TEST(StoreCrash, AFullDiskIsATypedErrorAndTheStoreContinuesOnceThereIsSpace) {
  const ScratchFolder folder;
  const ChildProcess child = startChild({STORE_CRASH_CHILD, "full", (folder / "hearth.db").string()});
  ASSERT_GT(child.pid, 0);
  const std::string said = readToEnd(child.out);
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  ASSERT_TRUE(WIFEXITED(status)) << said;
  EXPECT_EQ(WEXITSTATUS(status), 0) << said;
  std::istringstream words(said);
  std::string full, first, again, readable, continued, wentOn, kept, expected;
  int extra = -1;
  int keptCount = 0;
  int expectedCount = -1;
  int before = 0;
  words >> full >> first >> again >> readable >> extra >> continued >> wentOn >> kept >> keptCount >> expected >> expectedCount >> before;
  EXPECT_EQ(first, "disk_full") << said;
  EXPECT_EQ(again, "disk_full") << said;
  EXPECT_EQ(extra, 0) << "what was stored before must stay readable: " << said;
  EXPECT_EQ(wentOn, "true") << said;
  EXPECT_EQ(keptCount, expectedCount) << said;
  EXPECT_GT(before, 3) << said;
}

}  // namespace
}  // namespace hearth
