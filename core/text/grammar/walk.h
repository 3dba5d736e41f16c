#pragma once

#include "core/text/grammar/stepper.h"
#include "core/text/grammar/token_trie.h"

namespace hearth::grammar {

/// Work (threads followed by a byte) after which a mask is given up: about a second.
inline constexpr std::uint64_t kMostWork = 30'000'000;

/// Follows the threads that stand at `root` (threads from `begin` on) through the tree below it. `visit(node, begin, end)`
/// for each node that is reached, with its threads. False when it takes too much work.
template <class Bottom, class Visit>
[[nodiscard]] bool walk(Stepper& stepper, const TokenTrie& trie, std::uint32_t root, Threads& threads, std::size_t begin,
                        Bottom& bottom, Visit visit) {
  struct Level {
    std::uint32_t end;        // first node behind the subtree
    std::size_t begin, last;  // its threads
  };
  const Automaton& automaton = stepper.automaton();
  const std::uint64_t most = stepper.work() + kMostWork;
  std::vector<Level> levels{{trie.end(root), begin, threads.size()}};
  for (std::uint32_t node = root + 1; node < levels.front().end;) {
    while (node >= levels.back().end) levels.pop_back();
    const Level level = levels.back();
    threads.resize(level.last);
    const std::uint8_t byte = trie.byte(node);
    bottom.node = node;
    bool stepped = false;
    if (level.last - level.begin == 1) {
      // Most of a walk is one thread inside a string: it needs none of the machinery.
      const Thread& t = threads[level.begin];
      const State& state = automaton.states[t.state];
      if (state.dense != kNone) {
        const std::uint32_t to = automaton.dense[state.dense + byte];
        if (to == kNone) {
          stepped = true;
        } else {
          const State& next = automaton.states[to];
          if (!next.accepts && next.calls == automaton.states[to + 1].calls) {
            threads.push_back({to, t.count, t.frame});
            stepped = true;
          }
        }
      }
    }
    if (!stepped) {
      if (!stepper.follow(threads, level.begin, level.last, byte, threads, bottom) || stepper.work() > most) return false;
    }
    if (threads.size() > level.last || bottom.hit == node) visit(node, level.last, threads.size());
    if (threads.size() == level.last) {
      node = trie.end(node);
      continue;
    }
    if (trie.end(node) > node + 1) levels.push_back({trie.end(node), level.last, threads.size()});
    ++node;
  }
  return true;
}

/// For walks whose stacks are all known.
struct NoExit {
  std::uint32_t node = 0, hit = kNone;
  void operator()(std::uint32_t) const {}
};

}  // namespace hearth::grammar
