#include "core/engine/speculation/prompt_lookup.h"

#include <algorithm>
#include <bit>

namespace hearth {
namespace {

/// Longer matches do not make a better guess.
constexpr std::size_t kLongestMatch = 64;
constexpr int kLongTries = 32, kShortTries = 16;

}  // namespace

std::size_t PromptLookup::Occurrences::slot(std::span<const TokenId> tokens, std::size_t end) const noexcept {
  std::uint64_t hash = 0x9E3779B97F4A7C15ULL;
  for (std::size_t i = end - m_length; i < end; ++i) {
    hash = (hash ^ static_cast<std::uint32_t>(tokens[i])) * 0xBF58476D1CE4E5B9ULL;
    hash ^= hash >> 29U;
  }
  return static_cast<std::size_t>(hash) & (m_latest.size() - 1);
}

void PromptLookup::Occurrences::add(std::span<const TokenId> tokens) {
  if (m_latest.size() < 2 * tokens.size()) {
    m_latest.assign(std::bit_ceil(std::max<std::size_t>(256, 4 * tokens.size())), -1);
    m_added = 0;
  }
  m_before.resize(tokens.size() + 1, -1);
  // The tail itself is not put in yet: it would only ever find itself.
  for (std::size_t end = std::max(m_added, m_length); end < tokens.size(); ++end) {
    auto& latest = m_latest[slot(tokens, end)];
    m_before[end] = latest;
    latest = static_cast<std::int32_t>(end);
  }
  m_added = std::max(m_added, tokens.size());
}

std::pair<std::size_t, int> PromptLookup::Occurrences::longest(std::span<const TokenId> tokens, int tries) const {
  const std::size_t size = tokens.size();
  if (size <= m_length) return {0, 0};
  std::size_t best = 0, bestLength = 0;
  for (std::int32_t end = m_latest[slot(tokens, size)]; end >= 0 && tries-- > 0;
       end = m_before[static_cast<std::size_t>(end)]) {
    const auto at = static_cast<std::size_t>(end);
    const std::size_t most = std::min(kLongestMatch, at);
    std::size_t length = 0;
    while (length < most && tokens[at - 1 - length] == tokens[size - 1 - length]) ++length;
    if (length < m_length || length <= bestLength) continue;
    best = at;
    bestLength = length;
    if (length == kLongestMatch) break;
  }
  return {best, static_cast<int>(bestLength)};
}

PromptLookup::Guess PromptLookup::guess(std::span<const TokenId> tokens, int most) {
  m_long.add(tokens);
  m_short.add(tokens);
  if (most <= 0) return {};
  auto [at, length] = m_long.longest(tokens, kLongTries);
  if (length == 0) std::tie(at, length) = m_short.longest(tokens, kShortTries);
  if (length == 0) return {};
  return {tokens.subspan(at, std::min(static_cast<std::size_t>(most), tokens.size() - at)), length};
}

}  // namespace hearth
