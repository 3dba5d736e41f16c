// kill -9 at random points: every user and key that was acknowledged is there, every revoked key stays revoked, and the
// audit chain is whole. HEARTH_KILL_ROUNDS sets the number of rounds (15 here; 200 before a release).
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "core/team/team.h"
#include "tests/support/child_process.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

int rounds() {
  const char* wanted = std::getenv("HEARTH_KILL_ROUNDS");
  return wanted != nullptr ? std::max(1, std::atoi(wanted)) : 15;
}

TEST(TeamCrash, KilledAtRandomPointsNothingAcknowledgedIsLostAndTheChainHolds) {
  const ScratchFolder folder;
  const std::filesystem::path path = folder / "hearth.db";
  const Actor actor{machinePrincipal(), "test"};
  std::set<std::string> users, keys, gone;
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < rounds(); ++round) {
    const ChildProcess child = startChild({TEAM_CRASH_CHILD, path.string(), "3"});
    ASSERT_GT(child.pid, 0);
    std::string said;
    std::thread reader([&] {
      char buffer[65536];
      for (ssize_t n = 0; (n = ::read(child.out, buffer, sizeof buffer)) > 0;)
        said.append(buffer, static_cast<std::size_t>(n));
      ::close(child.out);
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<int>(1, 400)(random)));
    ::kill(child.pid, SIGKILL);
    int status = 0;
    ::waitpid(child.pid, &status, 0);
    reader.join();
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: "
                                     << said.substr(said.size() > 300 ? said.size() - 300 : 0);
    std::istringstream lines(said);
    for (std::string kind, value; lines >> kind >> value;) {
      (kind == "user" ? users : kind == "key" ? keys : gone).insert(value);
    }

    const auto store = Store::open(path);
    ASSERT_TRUE(store) << "round " << round << ": " << store.error().describe();
    Team::Options options;
    options.background = false;
    const auto team = Team::create(**store, options);
    ASSERT_TRUE(team) << team.error().describe();
    const auto known = (*team)->users(actor);
    ASSERT_TRUE(known);
    std::set<std::string> names;
    for (const TeamUser& user : *known) names.insert(user.name);
    for (const std::string& name : users)
      ASSERT_TRUE(names.contains(name)) << "round " << round << ": user " << name << " is lost";
    for (const std::string& key : keys) ASSERT_TRUE((*team)->authenticateKey(key)) << "round " << round << ": a key is lost";
    for (const std::string& key : gone)
      ASSERT_FALSE((*team)->authenticateKey(key)) << "round " << round << ": a revoked key is back";
    const auto check = (*team)->verifyAudit(actor);
    ASSERT_TRUE(check);
    ASSERT_EQ(check->brokenAt, 0) << "round " << round << ": " << check->problem;
    ASSERT_GE(check->rows, static_cast<std::int64_t>(users.size() + keys.size() + 2 * gone.size()));
  }
  EXPECT_GT(keys.size(), static_cast<std::size_t>(rounds()));
  std::printf("%d kills, %zu users, %zu keys and %zu revocations acknowledged, 0 lost\n", rounds(), users.size(),
              keys.size(), gone.size());
}

}  // namespace
}  // namespace hearth
