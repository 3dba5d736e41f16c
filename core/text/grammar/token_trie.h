#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/text/tokenizer.h"

namespace hearth {

/// The bytes of all tokens of a vocabulary as a tree, so that what many tokens begin with is looked at once. Control tokens
/// stand in it under GrammarBuilder::control(name); ends of generation, tokens without bytes and those with a byte FF (which
/// no text has) do not. Immutable, any thread. About 16 bytes a node: 6 MB for 150,000 tokens.
class TokenTrie {
 public:
  [[nodiscard]] static std::shared_ptr<const TokenTrie> build(const Tokenizer& tokenizer);

  /// Nodes lie in the order of a walk: behind each one its subtree. Node 0 is the root, without a byte.
  [[nodiscard]] std::size_t nodeCount() const noexcept { return m_bytes.size(); }
  [[nodiscard]] std::uint8_t byte(std::uint32_t node) const noexcept { return m_bytes[node]; }
  [[nodiscard]] std::uint32_t end(std::uint32_t node) const noexcept {
    return m_ends[node];
  }  ///< first node behind the subtree
  [[nodiscard]] std::span<const TokenId> tokens(std::uint32_t node) const noexcept {
    return {m_tokens.data() + m_begins[node], m_begins[node + 1] - m_begins[node]};
  }
  [[nodiscard]] std::span<const TokenId> ends() const noexcept { return m_endTokens; }  ///< ends of generation
  [[nodiscard]] std::size_t vocabularySize() const noexcept { return m_vocabulary; }
  [[nodiscard]] std::size_t words() const noexcept { return (m_vocabulary + 63) / 64; }  ///< of a mask
  [[nodiscard]] std::size_t longest() const noexcept { return m_longest; }
  /// The bytes by which a token stands in the tree; empty = it does not.
  [[nodiscard]] std::string_view bytesOf(TokenId token) const noexcept;
  [[nodiscard]] bool isEnd(TokenId token) const noexcept;

 private:
  TokenTrie() = default;
  std::vector<std::uint8_t> m_bytes;
  std::vector<std::uint32_t> m_ends;
  std::vector<std::uint32_t> m_begins;
  std::vector<TokenId> m_tokens, m_endTokens;
  std::vector<char> m_texts;
  std::vector<std::pair<std::size_t, std::uint32_t>> m_textOf;  // begin and length, by token
  std::size_t m_vocabulary = 0, m_longest = 0;
};

}  // namespace hearth
