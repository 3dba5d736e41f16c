#include <algorithm>
#include <map>
#include <unordered_map>

#include "core/text/grammar/compile.h"

namespace hearth::grammar {
namespace {

constexpr std::size_t kMostStates = 120'000;
constexpr std::size_t kMostEdges = 800'000;

using NodeSet = std::vector<std::uint32_t>;

struct HashSet {
  std::size_t operator()(const NodeSet& set) const noexcept {
    std::uint64_t hash = 0x9e3779b97f4a7c15U;
    for (const std::uint32_t node : set) hash = (hash ^ node) * 0xff51afd7ed558ccdU, hash ^= hash >> 32U;
    return static_cast<std::size_t>(hash);
  }
};

/// One rule at a time.
class Determiniser {
 public:
  Determiniser(const Nfa& nfa, const Budget& budget) : m_nfa(nfa), m_budget(budget), m_seen(nfa.nodes.size(), 0) {}

  Result<Draft> run() {
    for (std::uint32_t rule = 0; rule < m_nfa.rules.size(); ++rule) {
      const std::size_t before = m_draft.nodes.size();
      if (!subsets(rule)) {
        m_draft.nodes.resize(before);
        if (!withoutEmptyEdges(rule)) return tooLarge();
      }
      if (m_draft.nodes.size() > kMostStates || m_edges > kMostEdges || !m_budget.left()) return tooLarge();
    }
    return std::move(m_draft);
  }

 private:
  void close(NodeSet& set) {
    ++m_mark;
    NodeSet work = std::move(set);
    set.clear();
    for (const std::uint32_t node : work) m_seen[node] = m_mark;
    while (!work.empty()) {
      const std::uint32_t node = work.back();
      work.pop_back();
      bool needed = m_nfa.rules[m_rule].end == node;
      for (const auto& edge : m_nfa.nodes[node]) {
        if (edge.kind != Nfa::Edge::Kind::Empty) {
          needed = true;
        } else if (m_seen[edge.to] != m_mark) {
          m_seen[edge.to] = m_mark;
          work.push_back(edge.to);
        }
      }
      if (needed) set.push_back(node);  // others lead nowhere by themselves
    }
    std::sort(set.begin(), set.end());
  }

  std::uint32_t intern(NodeSet set) {
    close(set);
    m_cost += set.size();
    const auto [it, fresh] = m_ids.try_emplace(set, static_cast<std::uint32_t>(m_draft.nodes.size()));
    if (fresh) {
      m_sets.push_back(std::move(set));
      m_draft.nodes.emplace_back().rule = m_rule;
    }
    return it->second;
  }

  /// Subset construction; false when it grows out of proportion.
  bool subsets(std::uint32_t rule) {
    m_rule = rule;
    m_ids.clear();
    m_sets.clear();
    m_cost = 0;
    const std::size_t base = m_draft.nodes.size();
    const std::size_t nfaNodes = m_nfa.nodes.size();
    m_draft.starts.resize(m_nfa.rules.size());
    m_draft.starts[rule] = intern({m_nfa.rules[rule].start});
    for (std::size_t i = 0; i < m_sets.size(); ++i) {
      if (m_draft.nodes.size() - base > std::max<std::size_t>(2048, 2 * nfaNodes) || m_cost > 4'000'000) return false;
      if (m_edges > kMostEdges || (i % 64 == 0 && !m_budget.left())) return false;
      expand(base + i, NodeSet(m_sets[i]));
    }
    return true;
  }

  void expand(std::size_t id, const NodeSet& set) {
    std::vector<Nfa::Edge> edges;
    std::map<std::pair<std::uint32_t, std::uint32_t>, NodeSet> calls;
    for (const std::uint32_t node : set) {
      if (node == m_nfa.rules[m_rule].end) m_draft.nodes[id].accepts = true;
      for (const auto& edge : m_nfa.nodes[node]) {
        if (edge.kind == Nfa::Edge::Kind::Bytes) edges.push_back(edge);
        if (edge.kind == Nfa::Edge::Kind::Call) calls[{edge.rule, edge.counter}].push_back(edge.to);
      }
    }
    for (auto& [call, targets] : calls) {
      const std::uint32_t to = intern(std::move(targets));
      m_draft.nodes[id].calls.push_back({call.first, call.second, to});
      ++m_edges;
    }
    // Between two cuts all bytes have the same successors.
    std::vector<unsigned> cuts;
    for (const auto& edge : edges) cuts.insert(cuts.end(), {edge.first, edge.last + 1U});
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    std::sort(edges.begin(), edges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Nfa::Edge> open;
    std::size_t next = 0;
    NodeSet before;
    for (std::size_t c = 0; c + 1 < cuts.size(); ++c) {
      std::erase_if(open, [&](const auto& edge) { return edge.last < cuts[c]; });
      while (next < edges.size() && edges[next].first <= cuts[c]) open.push_back(edges[next++]);
      if (open.empty()) continue;
      m_cost += open.size();
      NodeSet targets;
      for (const auto& edge : open) targets.push_back(edge.to);
      std::sort(targets.begin(), targets.end());
      targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
      auto& own = m_draft.nodes[id].edges;
      if (!own.empty() && own.back().last + 1U == cuts[c] && targets == before) {
        own.back().last = static_cast<std::uint8_t>(cuts[c + 1] - 1);
        continue;
      }
      before = targets;
      const std::uint32_t to = intern(std::move(targets));
      auto& edgesNow = m_draft.nodes[id].edges;  // intern() may have moved the nodes
      if (!edgesNow.empty() && edgesNow.back().last + 1U == cuts[c] && edgesNow.back().to == to) {
        edgesNow.back().last = static_cast<std::uint8_t>(cuts[c + 1] - 1);
      } else {
        edgesNow.push_back({static_cast<std::uint8_t>(cuts[c]), static_cast<std::uint8_t>(cuts[c + 1] - 1), to});
        ++m_edges;
      }
    }
  }

  /// The NFA itself, each node with the edges of all that it reaches for nothing.
  bool withoutEmptyEdges(std::uint32_t rule) {
    m_rule = rule;
    std::unordered_map<std::uint32_t, std::uint32_t> ids;
    std::vector<std::uint32_t> order;
    const auto idOf = [&](std::uint32_t node) {
      const auto [it, fresh] = ids.try_emplace(node, static_cast<std::uint32_t>(m_draft.nodes.size()));
      if (fresh) {
        m_draft.nodes.emplace_back().rule = rule;
        order.push_back(node);
      }
      return it->second;
    };
    m_draft.starts[rule] = idOf(m_nfa.rules[rule].start);
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (m_edges > kMostEdges || m_draft.nodes.size() > kMostStates || !m_budget.left()) return false;
      NodeSet set{order[i]};
      close(set);
      const std::uint32_t id = ids[order[i]];
      for (const std::uint32_t node : set) {
        if (node == m_nfa.rules[rule].end) m_draft.nodes[id].accepts = true;
        for (const auto& edge : m_nfa.nodes[node]) {
          if (edge.kind == Nfa::Edge::Kind::Empty) continue;
          const std::uint32_t to = idOf(edge.to);
          ++m_edges;
          if (edge.kind == Nfa::Edge::Kind::Bytes) {
            m_draft.nodes[id].edges.push_back({edge.first, edge.last, to});
          } else {
            m_draft.nodes[id].calls.push_back({edge.rule, edge.counter, to});
          }
        }
      }
    }
    return true;
  }

  const Nfa& m_nfa;
  const Budget& m_budget;
  Draft m_draft;
  std::vector<std::uint64_t> m_seen;
  std::uint64_t m_mark = 0;
  std::uint32_t m_rule = 0;
  std::unordered_map<NodeSet, std::uint32_t, HashSet> m_ids;
  std::vector<NodeSet> m_sets;
  std::size_t m_cost = 0, m_edges = 0;
};

}  // namespace

Result<Draft> determinise(const Nfa& nfa, const Budget& budget) { return Determiniser(nfa, budget).run(); }

}  // namespace hearth::grammar
