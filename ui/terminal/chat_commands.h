#pragma once

#include "ui/terminal/common.h"

namespace CLI {
class App;
}

namespace hearth::terminal {

/// chats list, export, import, search. The callbacks set `status`; both references outlive parsing.
void addChatCommands(CLI::App& app, const GlobalOptions& global, int& status);

}  // namespace hearth::terminal
