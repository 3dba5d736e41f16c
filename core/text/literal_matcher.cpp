#include "core/text/literal_matcher.h"

#include <algorithm>
#include <tuple>

namespace hearth {

LiteralMatcher::LiteralMatcher(std::vector<Literal> literals, bool spaceIsBlock) : m_spaceIsBlock(spaceIsBlock) {
  std::ranges::sort(literals, [](const Literal& a, const Literal& b) {
    return std::tie(a.text, a.token) < std::tie(b.text, b.token);
  });
  // Breadth first: a node owns the literals [begin, end) that share its `depth` first bytes.
  struct Pending {
    std::size_t begin;
    std::size_t end;
    std::size_t depth;
  };
  std::vector<Pending> pending{{0, literals.size(), 0}};
  m_nodes.emplace_back();
  for (std::size_t index = 0; index < pending.size(); ++index) {
    auto [begin, end, depth] = pending[index];
    if (begin < end && literals[begin].text.size() == depth) {
      m_nodes[index].token = literals[begin].token;
      while (begin < end && literals[begin].text.size() == depth) ++begin;
    }
    m_nodes[index].firstEdge = static_cast<std::uint32_t>(m_edges.size());
    while (begin < end) {
      const char byte = literals[begin].text[depth];
      std::size_t same = begin;
      while (same < end && literals[same].text[depth] == byte) ++same;
      m_edges.push_back({static_cast<unsigned char>(byte), static_cast<std::uint32_t>(m_nodes.size())});
      m_nodes.emplace_back();
      pending.push_back({begin, same, depth + 1});
      begin = same;
    }
    m_nodes[index].edges = static_cast<std::uint32_t>(m_edges.size()) - m_nodes[index].firstEdge;
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    m_starts[byte] = step(0, static_cast<unsigned char>(byte)) != kNowhere;
  }
  if (spaceIsBlock && m_starts[0xe2]) m_starts[' '] = true;
}

std::uint32_t LiteralMatcher::step(std::uint32_t node, unsigned char byte) const noexcept {
  if (node == kNowhere) return kNowhere;
  const auto first = m_edges.begin() + m_nodes[node].firstEdge;
  const auto last = first + m_nodes[node].edges;
  const auto at = std::lower_bound(first, last, byte, [](const Edge& edge, unsigned char value) { return edge.byte < value; });
  return at != last && at->byte == byte ? at->node : kNowhere;
}

}  // namespace hearth
