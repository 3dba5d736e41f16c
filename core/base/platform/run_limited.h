#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"

/// Other people's programs on other people's files: in a process of their own, with what they may use counted.
namespace hearth::platform {

struct RunLimits {
  std::chrono::milliseconds time{30'000};      ///< of the clock, and of computing
  std::uint64_t memoryBytes = 1ULL << 30;      ///< of address space
  std::uint64_t outputBytes = 64ULL << 20;     ///< of standard output; more ends it
  std::function<bool()> cancelled;             ///< asked about ten times a second; may be empty
};

struct RunOutcome {
  int exitCode = -1;  ///< −1: ended by a signal
  std::string output, errors;  ///< errors: the first 4 KiB of standard error
  bool outputCut = false;      ///< it wanted to say more than `outputBytes`
};

/// Runs `program` (a name that is looked for in PATH, or a path) without a shell, an input, other open files or the right
/// to write a file, and waits for it. Blocks. Errors: NotFound (program), Timeout, Cancelled, OutOfMemory, Io.
[[nodiscard]] Result<RunOutcome> runLimited(const std::string& program, const std::vector<std::string>& arguments, const RunLimits& limits);

}  // namespace hearth::platform
