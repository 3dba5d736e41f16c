#pragma once

#include <string>

#include "core/base/error.h"

namespace hearth::terminal {

/// Asks twice on the terminal, without echo. Errors: InvalidArgument (no terminal, or the two differ), Cancelled.
[[nodiscard]] Result<std::string> askNewPassword(const std::string& name);
/// The first line of standard input, without its end. Error: InvalidArgument (longer than 4096 bytes).
[[nodiscard]] Result<std::string> passwordFromInput();

}  // namespace hearth::terminal
