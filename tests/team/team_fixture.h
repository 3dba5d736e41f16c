#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/store/store.h"
#include "core/team/team.h"
#include "tests/support/scratch_folder.h"

namespace hearth::test {

inline constexpr const char* kPassword = "correct horse battery";
inline constexpr const char* kHere = "192.168.1.7:50000";

/// A team on a database of its own, with a clock that stands still until it is moved.
class TeamTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    auto opened = Store::open(path());
    ASSERT_TRUE(opened) << opened.error().describe();
    m_store = std::move(*opened);
    m_team = makeTeam(*m_store);
  }
  void close() {
    m_team.reset();
    m_store.reset();
  }
  std::unique_ptr<Team> makeTeam(Store& store) {
    Team::Options options;
    options.background = false;
    options.nowMs = [this] { return m_now; };
    options.refresh = std::chrono::milliseconds(0);
    auto team = Team::create(store, options);
    EXPECT_TRUE(team) << team.error().describe();
    return team ? std::move(*team) : nullptr;
  }
  std::filesystem::path path() const { return m_folder / "hearth.db"; }
  UserId addUser(const std::string& name, TeamRole role = TeamRole::Member, const std::vector<std::string>& groups = {}) {
    auto made = m_team->createUser(m_machine, {name, role, groups, kPassword});
    EXPECT_TRUE(made) << made.error().describe();
    return made ? made->id : 0;
  }
  MadeKey addKey(UserId user, Scopes scopes = bit(Scope::Inference)) {
    auto made = m_team->createKey(m_machine, {.userId = user, .label = "laptop", .scopes = scopes, .models = {}});
    EXPECT_TRUE(made) << made.error().describe();
    return made ? *made : MadeKey{};
  }
  static Actor as(const Principal& who) { return {who, kHere}; }

  std::int64_t m_now = 1'800'000'000'000;  // 2027-01-15T08:00Z
  ScratchFolder m_folder;
  Actor m_machine{machinePrincipal(), "terminal"};
  std::unique_ptr<Store> m_store;
  std::unique_ptr<Team> m_team;
};

template <class T>
ErrorCode codeOf(const Result<T>& result) {
  return result ? ErrorCode::Internal : result.error().code;
}

}  // namespace hearth::test
