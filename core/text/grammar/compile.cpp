#include "core/text/grammar/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace hearth::grammar {

std::unexpected<Error> tooLarge() {
  return fail(ErrorCode::InvalidArgument, "the grammar is too large or takes too long to compile",
              {{"limit_ms", "100"}, {"limit_bytes", std::to_string(64U << 20U)}});
}

namespace {

constexpr std::size_t kMostMemory = 48U << 20U;
constexpr std::size_t kDenseFrom = 5;  ///< edges from which a table is worth its kilobyte
constexpr std::size_t kMostDense = 8192;

/// What is left of a draft: states that can still reach the end of their rule.
struct Alive {
  std::vector<bool> state;
  std::vector<bool> rule;
};

/// A rule lives when its first state does, a state when it accepts or leads to one that lives, by a byte or a living rule.
Alive findAlive(const Draft& draft, std::size_t rules, const std::vector<Counter>& counters) {
  const std::size_t count = draft.nodes.size();
  Alive alive{std::vector<bool>(count, false), std::vector<bool>(rules, false)};
  // Who must be looked at again when a state or a rule turns out to live.
  std::vector<std::vector<std::uint32_t>> before(count), callers(rules);
  for (std::uint32_t s = 0; s < count; ++s) {
    for (const auto& edge : draft.nodes[s].edges) before[edge.to].push_back(s);
    for (const auto& call : draft.nodes[s].calls) {
      before[call.to].push_back(s);
      callers[call.rule].push_back(s);
    }
  }
  std::vector<std::uint32_t> work;
  for (std::uint32_t s = 0; s < count; ++s) work.push_back(s);
  const auto lives = [&](std::uint32_t s) {
    const auto& node = draft.nodes[s];
    if (node.accepts) return true;
    for (const auto& edge : node.edges) {
      if (alive.state[edge.to]) return true;
    }
    return std::any_of(node.calls.begin(), node.calls.end(), [&](const auto& call) {
      const bool skipped = call.counter != kNone && counters[call.counter].least == 0;
      return alive.state[call.to] && (skipped || alive.rule[call.rule]);
    });
  };
  while (!work.empty()) {
    const std::uint32_t s = work.back();
    work.pop_back();
    if (alive.state[s] || !lives(s)) continue;
    alive.state[s] = true;
    work.insert(work.end(), before[s].begin(), before[s].end());
    const std::uint32_t rule = draft.nodes[s].rule;
    if (draft.starts[rule] == s) {
      alive.rule[rule] = true;
      work.insert(work.end(), callers[rule].begin(), callers[rule].end());
    }
  }
  return alive;
}

void prune(Draft& draft, const Alive& alive, const std::vector<Counter>& counters) {
  for (auto& node : draft.nodes) {
    std::erase_if(node.edges, [&](const auto& edge) { return !alive.state[edge.to]; });
    std::erase_if(node.calls, [&](const auto& call) {
      const bool skipped = call.counter != kNone && counters[call.counter].least == 0;
      return !alive.state[call.to] || (!alive.rule[call.rule] && !skipped);
    });
  }
}

/// The states that a state reaches without reading a byte, within its rule: through calls that may match nothing.
/// `visit(state)` for each, the state itself first.
template <class Visit>
void reachFree(const Draft& draft, const std::vector<bool>& nullable, const std::vector<Counter>& counters,
               std::uint32_t from, Visit visit) {
  std::vector<std::uint32_t> list{from};
  std::unordered_set<std::uint32_t> seen{from};
  for (std::size_t i = 0; i < list.size(); ++i) {
    visit(list[i]);
    for (const auto& call : draft.nodes[list[i]].calls) {
      const bool free = nullable[call.rule] || (call.counter != kNone && counters[call.counter].least == 0);
      if (free && seen.insert(call.to).second) list.push_back(call.to);
    }
  }
}

/// A rule that calls itself before a byte is read would push frames for ever.
Result<void> refuseLeftRecursion(const Draft& draft, const Nfa& nfa, const Budget& budget) {
  const std::size_t rules = nfa.rules.size();
  std::vector<bool> nullable(rules, false);
  for (bool changed = true; changed;) {
    changed = false;
    for (std::uint32_t r = 0; r < rules; ++r) {
      if (nullable[r]) continue;
      if (r % 64 == 0 && !budget.left()) return tooLarge();
      bool ends = false;
      reachFree(draft, nullable, nfa.counters, draft.starts[r],
                [&](std::uint32_t s) { ends = ends || draft.nodes[s].accepts; });
      if (ends) nullable[r] = changed = true;
    }
  }
  std::vector<std::vector<std::uint32_t>> first(rules);
  for (std::uint32_t r = 0; r < rules; ++r) {
    reachFree(draft, nullable, nfa.counters, draft.starts[r], [&](std::uint32_t s) {
      for (const auto& call : draft.nodes[s].calls) first[r].push_back(call.rule);
    });
  }
  // Depth first with a stack of our own: 1 = on the way, 2 = done.
  std::vector<std::uint8_t> colour(rules, 0);
  std::vector<std::pair<std::uint32_t, std::size_t>> stack;
  for (std::uint32_t root = 0; root < rules; ++root) {
    if (colour[root] != 0) continue;
    stack.emplace_back(root, 0);
    colour[root] = 1;
    while (!stack.empty()) {
      auto& [rule, next] = stack.back();
      if (next == first[rule].size()) {
        colour[rule] = 2;
        stack.pop_back();
        continue;
      }
      const std::uint32_t to = first[rule][next++];
      if (colour[to] == 1) {
        const std::string& name = nfa.rules[to].name;
        return fail(ErrorCode::InvalidArgument, fmt::format("the rule \"{}\" begins with itself (left recursion)", name),
                    {{"rule", name}});
      }
      if (colour[to] == 0) {
        colour[to] = 1;
        stack.emplace_back(to, 0);
      }
    }
  }
  return {};
}

void addDense(Automaton& automaton) {
  std::size_t tables = 0;
  for (std::size_t s = 1; s < automaton.stateCount(); ++s) {
    State& state = automaton.states[s];
    const auto first = automaton.edges.begin() + state.edges, last = automaton.edges.begin() + automaton.states[s + 1].edges;
    std::vector<std::uint32_t> table(256, kNone);
    for (auto edge = first; edge != last; ++edge) {
      for (unsigned byte = edge->first; byte <= edge->last; ++byte) {
        state.single = state.single && table[byte] == kNone;
        table[byte] = edge->to;
      }
    }
    if (!state.single || static_cast<std::size_t>(last - first) < kDenseFrom || tables >= kMostDense) continue;
    state.dense = static_cast<std::uint32_t>(automaton.dense.size());
    automaton.dense.insert(automaton.dense.end(), table.begin(), table.end());
    ++tables;
  }
}

}  // namespace

Result<std::unique_ptr<const Automaton>> compile(const Source& source, std::uint32_t root) {
  const Budget budget(kCompileTime);
  HEARTH_TRY(Nfa nfa, buildNfa(source, root, budget));
  HEARTH_TRY(Draft draft, determinise(nfa, budget));
  prune(draft, findAlive(draft, nfa.rules.size(), nfa.counters), nfa.counters);
  // What led into what was cut off is cut off as well; the rest is asked again, now without it.
  const Alive alive = findAlive(draft, nfa.rules.size(), nfa.counters);
  if (!alive.rule[0]) return fail(ErrorCode::InvalidArgument, "no text can have this shape");
  HEARTH_CHECK(refuseLeftRecursion(draft, nfa, budget));
  if (!budget.left()) return tooLarge();

  auto automaton = std::make_unique<Automaton>();
  std::vector<std::uint32_t> ids(draft.nodes.size(), kNone);
  std::uint32_t next = kDoneState + 1;
  for (std::size_t s = 0; s < ids.size(); ++s) {
    if (alive.state[s]) ids[s] = next++;
  }
  automaton->counters = nfa.counters;
  automaton->states.resize(next + 1U);
  for (std::size_t s = 0; s < ids.size(); ++s) {
    if (ids[s] == kNone) continue;
    const auto& node = draft.nodes[s];
    State& state = automaton->states[ids[s]];
    state.edges = static_cast<std::uint32_t>(automaton->edges.size());
    state.calls = static_cast<std::uint32_t>(automaton->calls.size());
    state.start = alive.rule[node.rule] ? ids[draft.starts[node.rule]] : ids[s];
    state.accepts = node.accepts;
    state.counted = nfa.rules[node.rule].counted;
    state.returns = node.accepts && node.edges.empty() && node.calls.empty();
    for (const auto& edge : node.edges) automaton->edges.push_back({edge.first, edge.last, ids[edge.to]});
    for (const auto& call : node.calls) {
      // The body of a counter that may be skipped may be impossible: then it is only skipped.
      const std::uint32_t start = alive.rule[call.rule] ? ids[draft.starts[call.rule]] : kNone;
      automaton->calls.push_back({start, call.counter, ids[call.to]});
    }
  }
  automaton->states.back().edges = static_cast<std::uint32_t>(automaton->edges.size());
  automaton->states.back().calls = static_cast<std::uint32_t>(automaton->calls.size());
  automaton->start = ids[draft.starts[0]];
  addDense(*automaton);
  if (automaton->bytes() > kMostMemory) return tooLarge();
  return std::unique_ptr<const Automaton>(std::move(automaton));
}

}  // namespace hearth::grammar
