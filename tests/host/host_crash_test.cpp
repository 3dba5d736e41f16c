// kill -9 in the middle of replies of a real model: no acknowledged message is lost, partial text is kept as Interrupted.
// Each kill hits four replies at once; HEARTH_KILL_ROUNDS sets the number of kills (3 here, 25 for a hundred replies).
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "core/store/store.h"
#include "tests/host/real_model.h"
#include "tests/support/child_process.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

constexpr int kConversations = 4;
// The promise is two seconds; the rest is for a machine that is busy with other tests.
constexpr std::int64_t kPromiseMs = 2000 + 1500;

std::int64_t milliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Reply {
  int key = 0;
  MessageId user = 0;
  bool done = false;
  std::size_t doneBytes = 0;
  std::vector<std::pair<std::int64_t, std::size_t>> seen;  // when, how much
};

TEST(HostCrash, KilledInTheMiddleOfRepliesNothingAcknowledgedIsLost) {
  const auto models = realModelsFolder();
  if (!models) GTEST_SKIP() << "HEARTH_TEST_MODELS has no small model";
  const ScratchFolder folder;
  const char* wanted = std::getenv("HEARTH_KILL_ROUNDS");
  const int rounds = wanted != nullptr ? std::max(1, std::atoi(wanted)) : 3;
  std::mt19937 random(std::random_device{}());
  std::map<MessageId, Reply> all;
  int interrupted = 0;
  int withText = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto [pid, out] = startChild({HOST_CRASH_CHILD, (folder / "data").string(), models->string(), kSmallModel, std::to_string(kConversations)});
    ASSERT_GT(pid, 0);
    std::string said;
    std::atomic<bool> ready{false};
    std::atomic<bool> closed{false};
    std::thread reader([&, out = out] {
      char buffer[65536];
      for (ssize_t n = 0; (n = ::read(out, buffer, sizeof buffer)) > 0;) {
        said.append(buffer, static_cast<std::size_t>(n));
        ready = true;
      }
      ::close(out);
      closed = true;
    });
    for (int i = 0; i < 12'000 && !ready && !closed; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<int>(500, 7000)(random)));
    ::kill(pid, SIGKILL);
    const std::int64_t killed = milliseconds();
    int status = 0;
    ::waitpid(pid, &status, 0);
    reader.join();
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << said.substr(said.size() > 300 ? said.size() - 300 : 0);

    std::map<MessageId, Reply> current;
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream text(line);
      std::string kind;
      text >> kind;
      if (kind == "sent") {
        Reply reply;
        MessageId id = 0;
        text >> reply.user >> id >> reply.key;
        current[id].user = reply.user;
        current[id].key = reply.key;
      } else if (kind == "seen") {
        MessageId id = 0;
        std::size_t bytes = 0;
        std::int64_t when = 0;
        text >> id >> bytes >> when;
        current[id].seen.emplace_back(when, bytes);
      } else if (kind == "done") {
        MessageId id = 0;
        text >> id;
        text >> current[id].doneBytes;
        current[id].done = true;
      }
    }
    const auto store = Store::open(folder / "data/hearth.db");
    ASSERT_TRUE(store) << store.error().describe();
    for (const auto& [id, reply] : current) {
      const auto stored = (*store)->message(id);
      ASSERT_TRUE(stored) << "round " << round << ": reply " << id << " is lost";
      if (reply.done) {
        EXPECT_EQ(stored->state, MessageState::Complete) << id;
        EXPECT_EQ(stored->text.size(), reply.doneBytes) << id;
        continue;
      }
      // The end may have been stored without its event having been seen.
      EXPECT_TRUE(stored->state == MessageState::Interrupted || stored->state == MessageState::Complete) << id;
      if (stored->state == MessageState::Interrupted) ++interrupted;
      std::size_t promised = 0;
      for (const auto& [when, bytes] : reply.seen) {
        if (when <= killed - kPromiseMs) promised = bytes;
      }
      EXPECT_GE(stored->text.size(), promised) << "round " << round << ": text of reply " << id << " older than the promise is lost";
      if (!stored->text.empty()) ++withText;
    }
    all.merge(current);
    for (const auto& [id, reply] : all) {
      const auto user = (*store)->message(reply.user);
      ASSERT_TRUE(user) << "round " << round << ": acknowledged message " << reply.user << " is lost";
      ASSERT_EQ(user->text, "Tell me a long story, number " + std::to_string(reply.key) + ".");
      ASSERT_TRUE((*store)->message(id));
    }
  }
  EXPECT_GE(interrupted, rounds) << "the kills did not hit replies in their middle";
  std::printf("%d kills, %zu replies acknowledged, %d interrupted (%d with text), 0 lost\n", rounds, all.size(), interrupted, withText);
}

}  // namespace
}  // namespace hearth
