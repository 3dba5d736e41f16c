#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/host/team_access.h"
#include "ui/terminal/common.h"

namespace hearth::terminal {

/// "30d", "24h", "90m", "45s": a whole number and a unit. Error: InvalidArgument.
[[nodiscard]] Result<std::chrono::seconds> parseDuration(const std::string& text);
/// "2027-01-15 08:00" in UTC; "never" for 0.
[[nodiscard]] std::string when(std::int64_t ms);

/// Rows of cells as a table with a heading; columns as wide as they need.
[[nodiscard]] std::string table(const std::vector<std::string>& heading, const std::vector<std::vector<std::string>>& rows);
[[nodiscard]] std::string joined(const std::vector<std::string>& words, const char* none = "–");

/// Who the log says did what is done at the terminal.
[[nodiscard]] Actor terminalActor();
/// report(), but a name that is taken is a plain failure: nothing is in use.
int refuse(const Error& error);

/// Opens the team of the data folder and calls `body(access, actor)`, which returns a Result<void>; gives the exit status.
template <class Body>
int withTeam(const GlobalOptions& global, Body&& body) {
  auto access = TeamAccess::open(global.dataDir);
  if (!access) return refuse(access.error());
  if (const Result<void> done = body(*access, terminalActor()); !done) return refuse(done.error());
  return kExitDone;
}

}  // namespace hearth::terminal
