#pragma once

#include <memory>
#include <string>

#include "core/base/error.h"
#include "core/base/paths.h"
#include "core/store/store.h"
#include "core/team/team.h"

namespace hearth {

/// The team of a data folder for one short command, whether or not a host runs on it. Beside a host it writes to the same
/// database: the team's tables, and whole conversations that are imported; the host sees the change within a tenth of a second. A folder without a
/// database, or with one of an older version, is made ready first as the host would do it (under the folder's lock).
/// Owns store and team; one thread.
class TeamAccess {
 public:
  /// Errors: those of prepareDataPaths and Store::open; AlreadyExists (pid) when another program holds the folder and has
  /// not made it ready within five seconds; UnsupportedVersion when it is of another version than this build.
  [[nodiscard]] static Result<TeamAccess> open(const std::string& dataDir);

  [[nodiscard]] const DataPaths& paths() const noexcept { return m_paths; }
  [[nodiscard]] Store& store() noexcept { return *m_store; }
  [[nodiscard]] Team& team() noexcept { return *m_team; }

 private:
  TeamAccess() = default;
  DataPaths m_paths;
  std::unique_ptr<Store> m_store;
  std::unique_ptr<Team> m_team;
};

/// Puts a backup in the place of the folder's database. Returns where the old one is (empty: there was none). Errors:
/// AlreadyExists (pid) while a program uses the folder, those of Store::restore.
[[nodiscard]] Result<std::filesystem::path> restoreBackup(const std::string& dataDir, const std::filesystem::path& backup);

}  // namespace hearth
