#include "core/text/grammar/token_trie.h"

#include <algorithm>

#include "core/text/grammar/grammar.h"

namespace hearth {
namespace {
/// Longer tokens (a hostile vocabulary's) are never chosen under a grammar.
constexpr std::size_t kLongestToken = 1024;
}  // namespace

std::shared_ptr<const TokenTrie> TokenTrie::build(const Tokenizer& tokenizer) {
  std::shared_ptr<TokenTrie> trie(new TokenTrie());
  trie->m_vocabulary = static_cast<std::size_t>(tokenizer.vocabularySize());
  trie->m_textOf.resize(trie->m_vocabulary);
  std::vector<TokenId> order;
  for (TokenId token = 0; token < tokenizer.vocabularySize(); ++token) {
    if (tokenizer.isEndOfGeneration(token)) {
      trie->m_endTokens.push_back(token);
      continue;
    }
    const bool control = tokenizer.isControl(token);
    const std::string_view bytes = tokenizer.bytes(token, control);
    if (bytes.empty() || bytes.size() > kLongestToken || bytes.find('\xff') != std::string_view::npos) continue;
    const std::string text = control ? GrammarBuilder::control(bytes) : std::string(bytes);
    trie->m_textOf[static_cast<std::size_t>(token)] = {trie->m_texts.size(), static_cast<std::uint32_t>(text.size())};
    trie->m_texts.insert(trie->m_texts.end(), text.begin(), text.end());
    trie->m_longest = std::max(trie->m_longest, text.size());
    order.push_back(token);
  }
  std::sort(order.begin(), order.end(), [&](TokenId a, TokenId b) {
    const auto left = trie->bytesOf(a), right = trie->bytesOf(b);
    return left < right || (left == right && a < b);
  });
  const auto open = [&](std::uint8_t byte) {
    trie->m_bytes.push_back(byte);
    trie->m_ends.push_back(0);
    trie->m_begins.push_back(static_cast<std::uint32_t>(trie->m_tokens.size()));
  };
  open(0);
  std::vector<std::uint32_t> path{0};  // nodes from the root to where we are
  std::string_view before;
  for (const TokenId token : order) {
    const std::string_view text = trie->bytesOf(token);
    const auto common = static_cast<std::size_t>(
        std::mismatch(before.begin(), before.end(), text.begin(), text.end()).first - before.begin());
    while (path.size() > common + 1) {
      trie->m_ends[path.back()] = static_cast<std::uint32_t>(trie->m_bytes.size());
      path.pop_back();
    }
    for (std::size_t i = common; i < text.size(); ++i) {
      path.push_back(static_cast<std::uint32_t>(trie->m_bytes.size()));
      open(static_cast<std::uint8_t>(text[i]));
    }
    trie->m_tokens.push_back(token);
    before = text;
  }
  for (const std::uint32_t node : path) trie->m_ends[node] = static_cast<std::uint32_t>(trie->m_bytes.size());
  trie->m_begins.push_back(static_cast<std::uint32_t>(trie->m_tokens.size()));
  return trie;
}

std::string_view TokenTrie::bytesOf(TokenId token) const noexcept {
  if (token < 0 || static_cast<std::size_t>(token) >= m_textOf.size()) return {};
  const auto [begin, size] = m_textOf[static_cast<std::size_t>(token)];
  return {m_texts.data() + begin, size};
}

bool TokenTrie::isEnd(TokenId token) const noexcept {
  return std::binary_search(m_endTokens.begin(), m_endTokens.end(), token);
}

}  // namespace hearth
