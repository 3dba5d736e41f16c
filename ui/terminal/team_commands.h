#pragma once

#include "ui/terminal/common.h"

namespace CLI {
class App;
}

namespace hearth::terminal {

/// user, key, group, invite. The callbacks set `status`; both references outlive parsing.
void addTeamCommands(CLI::App& app, const GlobalOptions& global, int& status);
/// quota, usage, audit, backup, restore.
void addRecordCommands(CLI::App& app, const GlobalOptions& global, int& status);

}  // namespace hearth::terminal
