#include "core/text/grammar/nfa.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text/grammar/compile.h"

namespace hearth::grammar {
namespace {

/// What is repeated is written out up to so many states; counters serve what is larger.
constexpr std::uint64_t kUnrolledStates = 24;
constexpr std::uint64_t kUnrolledNullable = 4096;
/// Smaller rules are put where they are used.
constexpr std::uint32_t kInlinedStates = 24;
constexpr std::size_t kMostInlined = 16;

class Builder {
 public:
  Builder(const Source& source, const Budget& budget)
      : m_source(source), m_budget(budget), m_nullable(source.parts.size(), false) {}

  Result<Nfa> run(std::uint32_t root) {
    if (m_source.problem) return fail(ErrorCode::InvalidArgument, *m_source.problem);
    for (const PartNode& part : m_source.parts) {
      if (part.depth > kMostDepth)
        return fail(ErrorCode::InvalidArgument, "the grammar is nested too deeply", {{"limit", std::to_string(kMostDepth)}});
    }
    for (const RuleSource& rule : m_source.rules) {
      if (rule.body == kNone)
        return fail(ErrorCode::InvalidArgument, fmt::format("the rule \"{}\" is not defined", rule.name),
                    {{"rule", rule.name}});
    }
    if (!findNullable()) return tooLarge();
    m_ruleOf.assign(m_source.rules.size(), kNone);
    addRule("root", root, false);
    for (std::size_t i = 0; i < m_todo.size(); ++i) {
      const auto [rule, part] = m_todo[i];
      const auto [start, end] = std::pair(m_nfa.rules[rule].start, m_nfa.rules[rule].end);
      build(part, start, end);
      if (m_failed || m_nfa.nodes.size() > kMostNfaNodes || !m_budget.left()) return tooLarge();
    }
    if (m_problem) return std::unexpected(*m_problem);
    return std::move(m_nfa);
  }

 private:
  std::uint32_t node() {
    m_nfa.nodes.emplace_back();
    if (m_nfa.nodes.size() > kMostNfaNodes) m_failed = true;
    if (m_nfa.nodes.size() % 4096 == 0 && !m_budget.left()) m_failed = true;
    return static_cast<std::uint32_t>(m_nfa.nodes.size() - 1);
  }
  void edge(std::uint32_t from, Nfa::Edge edge) { m_nfa.nodes[from].push_back(edge); }
  void empty(std::uint32_t from, std::uint32_t to) { edge(from, {Nfa::Edge::Kind::Empty, 0, 0, to}); }
  void bytes(std::uint32_t from, std::uint8_t first, std::uint8_t last, std::uint32_t to) {
    edge(from, {Nfa::Edge::Kind::Bytes, first, last, to});
  }

  std::uint32_t addRule(std::string name, std::uint32_t body, bool counted) {
    const std::uint32_t start = node(), end = node();
    m_nfa.rules.push_back({start, end, counted, std::move(name)});
    m_todo.emplace_back(static_cast<std::uint32_t>(m_nfa.rules.size() - 1), body);
    return static_cast<std::uint32_t>(m_nfa.rules.size() - 1);
  }

  /// Which parts match nothing at all: least fixed point, for rules may stand before their bodies.
  [[nodiscard]] bool findNullable() {
    for (bool changed = true; changed;) {
      changed = false;
      if (!m_budget.left()) return false;
      for (std::size_t i = 0; i < m_source.parts.size(); ++i) {
        if (m_nullable[i] || !nullable(m_source.parts[i])) continue;
        m_nullable[i] = changed = true;
      }
    }
    return true;
  }
  [[nodiscard]] bool nullable(const PartNode& part) const {
    switch (part.kind) {
      case PartKind::Literal: return part.b == 0;
      case PartKind::Set:
      case PartKind::Bytes: return false;
      case PartKind::Sequence:
      case PartKind::Choice: {
        const auto first = m_source.children.begin() + part.a;
        const auto is = [&](std::uint32_t child) -> bool { return m_nullable[child]; };
        return part.kind == PartKind::Sequence ? std::all_of(first, first + part.b, is)
                                               : std::any_of(first, first + part.b, is);
      }
      case PartKind::Repeat: return part.b == 0 || m_nullable[part.a];
      case PartKind::Rule: return m_nullable[m_source.rules[part.a].body];
      case PartKind::Graph: {
        const GraphSource& graph = m_source.graphs[part.a];
        std::vector<bool> reached(graph.nodes, false);
        reached[GrammarBuilder::kStart] = true;
        for (bool changed = true; changed;) {
          changed = false;
          for (const auto& e : graph.edges) {
            if (!reached[e.from] || reached[e.to] || (e.part && !m_nullable[e.part->id])) continue;
            reached[e.to] = changed = true;
          }
        }
        return reached[GrammarBuilder::kEnd];
      }
    }
    return false;
  }

  void build(std::uint32_t id, std::uint32_t from, std::uint32_t to) {
    if (m_failed) return;
    const PartNode& part = m_source.parts[id];
    switch (part.kind) {
      case PartKind::Literal: {
        for (std::uint32_t i = 0; i < part.b; ++i) {
          const auto byte = static_cast<std::uint8_t>(m_source.bytes[part.a + i]);
          const std::uint32_t next = i + 1 == part.b ? to : node();
          bytes(from, byte, byte, next);
          from = next;
        }
        if (part.b == 0) empty(from, to);
        return;
      }
      case PartKind::Set: return buildSet(m_source.sets[part.a], from, to);
      case PartKind::Bytes: return bytes(from, static_cast<std::uint8_t>(part.a), static_cast<std::uint8_t>(part.b), to);
      case PartKind::Sequence: {
        for (std::uint32_t i = 0; i < part.b; ++i) {
          const std::uint32_t next = i + 1 == part.b ? to : node();
          build(m_source.children[part.a + i], from, next);
          from = next;
        }
        return;
      }
      case PartKind::Choice: {
        for (std::uint32_t i = 0; i < part.b; ++i) {
          const std::uint32_t begin = node();
          empty(from, begin);
          build(m_source.children[part.a + i], begin, to);
        }
        return;
      }
      case PartKind::Repeat: return buildRepeat(part, from, to);
      case PartKind::Rule: return buildRule(part.a, from, to);
      case PartKind::Graph: {
        const GraphSource& graph = m_source.graphs[part.a];
        std::vector<std::uint32_t> placed(graph.nodes);
        for (std::uint32_t& one : placed) one = node();
        empty(from, placed[GrammarBuilder::kStart]);
        empty(placed[GrammarBuilder::kEnd], to);
        for (const auto& e : graph.edges) {
          if (e.part) {
            build(e.part->id, placed[e.from], placed[e.to]);
          } else {
            empty(placed[e.from], placed[e.to]);
          }
        }
        return;
      }
    }
  }

  // Characters that end alike share their last bytes.
  void buildSet(const CodePointSet& set, std::uint32_t from, std::uint32_t to) {
    std::vector<ByteSequence> sequences;
    for (const auto& range : set.ranges()) appendUtf8(range.first, range.last, sequences);
    std::map<std::pair<ByteRange, std::uint32_t>, std::uint32_t> tails;
    for (const ByteSequence& sequence : sequences) {
      std::uint32_t next = to;
      for (int i = sequence.length - 1; i > 0; --i) {
        const auto [it, fresh] = tails.try_emplace({sequence.bytes[i], next}, 0);
        if (fresh) {
          it->second = node();
          bytes(it->second, sequence.bytes[i].first, sequence.bytes[i].last, next);
        }
        next = it->second;
      }
      bytes(from, sequence.bytes[0].first, sequence.bytes[0].last, next);
    }
  }

  void buildRepeat(const PartNode& part, std::uint32_t from, std::uint32_t to) {
    const std::uint64_t size = std::max<std::uint64_t>(m_source.parts[part.a].size, 1);
    const bool nullable = m_nullable[part.a];
    const std::uint64_t times = part.c == kNone ? part.b : part.c;
    const std::uint64_t unrolled = nullable ? kUnrolledNullable : kUnrolledStates;
    const bool writeOut = times <= 1 || size * times <= unrolled;
    if (!writeOut && nullable && !m_problem) {
      m_problem = Error{ErrorCode::InvalidArgument,
                        "something that may be empty is repeated too often",
                        {{"times", std::to_string(times)}}};
      return;
    }
    if (writeOut) {
      for (std::uint32_t i = 0; i < part.b; ++i) {
        const std::uint32_t next = node();
        build(part.a, from, next);
        from = next;
      }
      if (part.c == kNone) return loop(part.a, from, to);
      for (std::uint32_t i = part.b; i < part.c; ++i) {
        const std::uint32_t next = node();
        empty(from, to);
        build(part.a, from, next);
        from = next;
      }
      return empty(from, to);
    }
    const auto [body, fresh] = m_bodies.try_emplace(part.a, 0);
    if (fresh) body->second = addRule("repeat", part.a, true);
    m_nfa.counters.push_back({part.b, part.c});
    edge(from, {Nfa::Edge::Kind::Call, 0, 0, to, body->second, static_cast<std::uint32_t>(m_nfa.counters.size() - 1)});
  }

  void loop(std::uint32_t part, std::uint32_t from, std::uint32_t to) {
    const std::uint32_t again = node(), end = node();
    empty(from, again);
    build(part, again, end);
    empty(end, again);
    empty(again, to);
  }

  void buildRule(std::uint32_t index, std::uint32_t from, std::uint32_t to) {
    const RuleSource& rule = m_source.rules[index];
    const bool open = std::find(m_inside.begin(), m_inside.end(), index) != m_inside.end();
    if (rule.inlined && !open && m_inside.size() < kMostInlined && m_source.parts[rule.body].size <= kInlinedStates) {
      m_inside.push_back(index);
      const std::uint32_t begin = node();
      empty(from, begin);
      build(rule.body, begin, to);
      m_inside.pop_back();
      return;
    }
    if (m_ruleOf[index] == kNone) m_ruleOf[index] = addRule(rule.name, rule.body, false);
    edge(from, {Nfa::Edge::Kind::Call, 0, 0, to, m_ruleOf[index], kNone});
  }

  const Source& m_source;
  const Budget& m_budget;
  Nfa m_nfa;
  std::vector<bool> m_nullable;
  std::vector<std::uint32_t> m_ruleOf;  // by the source's rules
  std::map<std::uint32_t, std::uint32_t> m_bodies;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> m_todo;
  std::vector<std::uint32_t> m_inside;
  std::optional<Error> m_problem;
  bool m_failed = false;
};

}  // namespace

Result<Nfa> buildNfa(const Source& source, std::uint32_t root, const Budget& budget) {
  return Builder(source, budget).run(root);
}

}  // namespace hearth::grammar
