#pragma once

#include <memory>

#include "core/base/error.h"
#include "core/text/grammar/automaton.h"
#include "core/text/grammar/nfa.h"

namespace hearth::grammar {

/// Source to automaton: rules become NFAs (nfa.cpp), each is made deterministic where that stays small (determinise.cpp),
/// what cannot match is cut off and left recursion refused (compile.cpp). Error: InvalidArgument.
[[nodiscard]] Result<std::unique_ptr<const Automaton>> compile(const Source& source, std::uint32_t root);

/// An automaton under construction: like Automaton, with lists instead of arrays.
struct Draft {
  struct Node {
    std::vector<ByteEdge> edges;
    struct Call {
      std::uint32_t rule = 0;  ///< of the NFA
      std::uint32_t counter = kNone;
      std::uint32_t to = 0;
    };
    std::vector<Call> calls;
    std::uint32_t rule = 0;
    bool accepts = false;
  };
  std::vector<Node> nodes;
  std::vector<std::uint32_t> starts;  ///< by rule
};

/// The rules of an NFA without empty edges, deterministic where that is not much larger. Error: too large.
[[nodiscard]] Result<Draft> determinise(const Nfa& nfa, const Budget& budget);

[[nodiscard]] std::unexpected<Error> tooLarge();

}  // namespace hearth::grammar
