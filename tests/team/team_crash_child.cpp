// Makes users and keys for ever, on as many threads as asked, and says on stdout what was acknowledged; team_crash_test.cpp
// kills it.   team_crash_child DATABASE THREADS     lines: "user NAME", "key SECRET", "gone SECRET"
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "core/team/team.h"

using namespace hearth;

namespace {

// One write() a line: whole or not at all in the pipe.
void say(const std::string& line) {
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::_Exit(4);
}

template <class T>
T need(Result<T> result) {
  if (!result) {
    say("error " + result.error().describe() + "\n");
    std::_Exit(3);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto store = need(Store::open(argv[1]));
  const auto team = need(Team::create(*store));
  std::vector<std::thread> threads;
  for (int t = 0; t < std::atoi(argv[2]); ++t) {
    threads.emplace_back([&, t] {
      const Actor actor{machinePrincipal(), "test"};
      for (int n = 0;; ++n) {
        const std::string name = fmt::format("u{}-{}-{}", ::getpid(), t, n);
        const TeamUser user = need(team->createUser(actor, {name, TeamRole::Member, {}, std::nullopt}));
        say("user " + name + "\n");
        const MadeKey kept = need(team->createKey(actor, {.userId = user.id, .label = {}, .models = {}}));
        say("key " + kept.secret + "\n");
        const MadeKey gone = need(team->createKey(actor, {.userId = user.id, .label = {}, .models = {}}));
        need(team->revokeKey(actor, gone.key.id));
        say("gone " + gone.secret + "\n");
        team->charge(need(team->authenticateKey(kept.secret)), "m", 1, 1, 0.001);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}
