#include "core/host/team_access.h"

#include <chrono>
#include <thread>

#include "core/base/platform/file_lock.h"

namespace hearth {
namespace {

constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::milliseconds kPause{20};

}  // namespace

Result<TeamAccess> TeamAccess::open(const std::string& dataDir) {
  TeamAccess access;
  access.m_paths = chooseDataPaths(dataDir);
  HEARTH_CHECK(prepareDataPaths(access.m_paths));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto attached = Store::attach(access.m_paths.database());
    if (attached) {
      access.m_store = std::move(*attached);
      break;
    }
    if (attached.error().code != ErrorCode::NotFound && attached.error().code != ErrorCode::UnsupportedVersion)
      return fail(attached.error());
    // Nobody has made it ready: whoever gets the lock does.
    const auto lock = platform::FileLock::take(access.m_paths.root / "hearth.lock");
    if (lock) {
      HEARTH_TRY([[maybe_unused]] const auto ready, Store::open(access.m_paths.database()));
    } else if (lock.error().code != ErrorCode::AlreadyExists) {
      return fail(lock.error());
    } else if (std::chrono::steady_clock::now() >= deadline) {
      return fail(attached.error().code == ErrorCode::UnsupportedVersion ? attached.error() : lock.error());
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
  HEARTH_TRY(access.m_team, Team::create(*access.m_store, {.background = false, .nowMs = {}}));
  return access;
}

Result<std::filesystem::path> restoreBackup(const std::string& dataDir, const std::filesystem::path& backup) {
  const DataPaths paths = chooseDataPaths(dataDir);
  HEARTH_CHECK(prepareDataPaths(paths));
  HEARTH_TRY(const platform::FileLock lock, platform::FileLock::take(paths.root / "hearth.lock"));
  return Store::restore(backup, paths.database());
}

}  // namespace hearth
