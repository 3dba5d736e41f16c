#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/text/grammar/grammar.h"

/// A grammar as the front ends write it down, before it is compiled.
namespace hearth::grammar {

inline constexpr std::uint32_t kNone = 0xffffffff;
/// What is nested deeper is refused: everything that walks these trees may recurse.
inline constexpr std::uint32_t kMostDepth = 1024;
inline constexpr std::size_t kMostParts = 400'000;
inline constexpr std::size_t kMostBytes = 4U << 20U;
inline constexpr std::uint64_t kMostSize = 1U << 30U;

enum class PartKind : std::uint8_t {
  Literal,   ///< a = begin in bytes, b = length
  Set,       ///< a = index in sets: one character
  Bytes,     ///< a = first, b = last: one byte
  Sequence,  ///< a = begin in children, b = count
  Choice,    ///< as Sequence
  Repeat,    ///< a = part, b = least, c = most (kNone = no bound)
  Rule,      ///< a = index in rules
  Graph,     ///< a = index in graphs
};

struct PartNode {
  PartKind kind = PartKind::Literal;
  std::uint32_t a = 0, b = 0, c = 0;
  std::uint32_t depth = 0;
  std::uint32_t size = 0;  ///< about as many states as it takes, rules counted as one; at most kMostSize
};

struct RuleSource {
  std::string name;
  std::uint32_t body = kNone;
  bool inlined = true;  ///< may be put where it is used when it is small
};

struct GraphSource {
  std::uint32_t nodes = 0;
  std::vector<GrammarBuilder::Edge> edges;
};

struct Source {
  std::vector<PartNode> parts;
  std::vector<std::uint32_t> children;
  std::string bytes;
  std::vector<CodePointSet> sets;
  int largeSets = 0;  ///< how many of them have hundreds of states
  std::vector<RuleSource> rules;
  std::vector<GraphSource> graphs;
  std::optional<std::string> problem;  ///< the first thing that went wrong
};

/// The 100 ms that a grammar may take: what the front end may use of them, and what is left to the compiler.
inline constexpr std::chrono::milliseconds kFrontEndTime{35}, kCompileTime{60};

/// How long something may take.
class Budget {
 public:
  explicit Budget(std::chrono::milliseconds time) : m_end(std::chrono::steady_clock::now() + time) {}
  /// False when the time is up.
  [[nodiscard]] bool left() const { return std::chrono::steady_clock::now() < m_end; }

 private:
  std::chrono::steady_clock::time_point m_end;
};

}  // namespace hearth::grammar
