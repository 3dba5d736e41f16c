#pragma once

#include <cstdint>
#include <vector>

#include "core/text/grammar/source.h"

namespace hearth::grammar {

/// State 0: the whole grammar has been matched. It leads nowhere.
inline constexpr std::uint32_t kDoneState = 0;

struct ByteEdge {
  std::uint8_t first = 0, last = 0;
  std::uint32_t to = 0;
};

/// From a state into another rule, and where to go on when that has been matched.
struct CallEdge {
  std::uint32_t start = 0;        ///< first state of what is called
  std::uint32_t counter = kNone;  ///< index in counters: `start` is matched several times
  std::uint32_t to = 0;
};

/// A part that is matched `least` to `most` times (kNone = no bound). Its body matches at least one byte.
struct Counter {
  std::uint32_t least = 0;
  std::uint32_t most = kNone;
};

struct State {
  std::uint32_t edges = 0, calls = 0;  ///< where they begin; they end where the next state's begin
  std::uint32_t dense = kNone;         ///< index of 256 successors (kNone = none); only where bytes decide
  std::uint32_t start = 0;             ///< first state of its rule
  bool accepts = false;                ///< the rule may end here
  bool counted = false;                ///< its rule is the body of a counter
  bool returns = false;                ///< accepts and does nothing else
  bool single = true;                  ///< no byte has two successors
};

/// A pushdown automaton over bytes: the states of all rules, their edges, and calls between rules. Every state can still
/// reach the end of its rule, and no run of calls comes back to its beginning without a byte read. Immutable, any thread.
struct Automaton {
  std::vector<State> states;  ///< one more than there are, for the ends of the last one's edges
  std::vector<ByteEdge> edges;
  std::vector<CallEdge> calls;
  std::vector<Counter> counters;
  std::vector<std::uint32_t> dense;
  std::uint32_t start = 0;

  [[nodiscard]] std::size_t stateCount() const noexcept { return states.size() - 1; }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return states.size() * sizeof(State) + edges.size() * sizeof(ByteEdge) + calls.size() * sizeof(CallEdge) +
           dense.size() * 4;
  }
};

}  // namespace hearth::grammar
