#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/text/grammar/automaton.h"

namespace hearth::grammar {

inline constexpr std::size_t kMostNfaNodes = 250'000;

/// Rules as nondeterministic automata with empty edges. A rule is one of the source, or the body of a counter.
struct Nfa {
  struct Edge {
    enum class Kind : std::uint8_t { Empty, Bytes, Call } kind = Kind::Empty;
    std::uint8_t first = 0, last = 0;
    std::uint32_t to = 0;
    std::uint32_t rule = 0;
    std::uint32_t counter = kNone;
  };
  struct Rule {
    std::uint32_t start = 0, end = 0;
    bool counted = false;  ///< body of a counter
    std::string name;
  };
  std::vector<std::vector<Edge>> nodes;
  std::vector<Rule> rules;  ///< 0 is the root
  std::vector<Counter> counters;
};

[[nodiscard]] Result<Nfa> buildNfa(const Source& source, std::uint32_t root, const Budget& budget);

}  // namespace hearth::grammar
