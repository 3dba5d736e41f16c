#pragma once

#include "core/base/thread_pool.h"

namespace hearth::terminal {

/// What this machine can do at best, measured now with all compute threads: the yardstick of every speed figure.
struct Roof {
  double readGigabytesPerSecond = 0;  ///< streaming reads from memory
  double int8GigaMacsPerSecond = 0;   ///< int8 multiply-adds in registers
};
/// Takes about `seconds` for each of the two; uses 256 MiB.
[[nodiscard]] Roof measureRoof(ThreadPool& pool, double seconds = 0.4);

}  // namespace hearth::terminal
