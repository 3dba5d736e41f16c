#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"

namespace hearth {

/// Finds tokens that stand literally in a text (control and user-defined ones): a trie over their bytes, the longest match
/// first. Immutable after construction, any thread.
class LiteralMatcher {
 public:
  struct Literal {
    std::string text;  ///< not empty
    TokenId token;
  };
  LiteralMatcher() = default;
  /// Of two equal texts the lower token wins. `spaceIsBlock`: a space of the searched text is read as U+2581.
  LiteralMatcher(std::vector<Literal> literals, bool spaceIsBlock);

  struct Match {
    TokenId token = -1;
    std::size_t length = 0;  ///< in bytes of the searched text
  };
  /// Whether a match can start with this byte; most bytes of a text are passed over by this alone.
  [[nodiscard]] bool canStart(unsigned char byte) const noexcept { return m_starts[byte]; }
  /// The longest match at `at` that `accept(token, length)` allows; token -1 when none.
  template <class Accept>
  [[nodiscard]] Match longestAt(std::string_view text, std::size_t at, Accept&& accept) const {
    Match best;
    std::uint32_t node = 0;
    for (std::size_t i = at; i < text.size(); ++i) {
      if (m_spaceIsBlock && text[i] == ' ') {
        node = step(step(step(node, 0xe2), 0x96), 0x81);
      } else {
        node = step(node, static_cast<unsigned char>(text[i]));
      }
      if (node == kNowhere) break;
      const TokenId token = m_nodes[node].token;
      if (token >= 0 && accept(token, i + 1 - at)) best = {token, i + 1 - at};
    }
    return best;
  }

 private:
  static constexpr std::uint32_t kNowhere = 0xffffffff;
  struct Node {
    std::uint32_t firstEdge = 0;
    std::uint32_t edges = 0;
    TokenId token = -1;
  };
  struct Edge {
    unsigned char byte;
    std::uint32_t node;
  };
  [[nodiscard]] std::uint32_t step(std::uint32_t node, unsigned char byte) const noexcept;

  std::vector<Node> m_nodes;
  std::vector<Edge> m_edges;  // those of one node are neighbours, sorted by byte
  std::array<bool, 256> m_starts{};
  bool m_spaceIsBlock = false;
};

}  // namespace hearth
