#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "core/formats/gguf.h"
#include "core/text/merge.h"
#include "core/text/tokenizer_base.h"
#include "core/text/unicode.h"

namespace hearth {
namespace {

constexpr std::string_view kScoresKey = "tokenizer.ggml.scores";

/// SentencePiece BPE (Kudo & Richardson 2018): characters are merged into the piece of the highest score, leftmost of
/// equals; what is no piece falls back to bytes. Spaces are U+2581.
class SpmTokenizer final : public TokenizerBase {
 public:
  SpmTokenizer(Vocabulary vocabulary, const Settings& settings) : TokenizerBase(std::move(vocabulary), settings) {}
  [[nodiscard]] Result<void> readScores(const GgufFile& file);

 protected:
  void encodeStretch(std::string_view text, WordCache& cache, std::vector<TokenId>& out) const override;

 private:
  // How an unused piece was built. Filled by look-ups, so a later one of the same text wins, as in SentencePiece.
  using Parts = std::unordered_map<std::string_view, std::pair<std::string_view, std::string_view>>;
  void encodeWord(std::string_view word, std::vector<TokenId>& out) const;
  void emit(std::string_view piece, const Parts& parts, std::vector<TokenId>& out) const;
  void emitUnknown(std::string_view piece, std::vector<TokenId>& out) const;

  std::vector<std::uint32_t> m_ranks;  // by token: 0 for the highest score, equal scores equal
  StringTable m_pieces;         // what merges may build: normal, user-defined and unused pieces
  std::size_t m_longest = 0;    // bytes of the longest of them
  bool m_allBytes = false;      // every byte has its token
  bool m_hasUnused = false;
  // The characters after which a piece goes on with U+2581. Elsewhere no merge can cross the start of a word, so that
  // words are merged one by one: the same result in much less time.
  std::unordered_set<std::string_view> m_beforeMark;
};

Result<void> SpmTokenizer::readScores(const GgufFile& file) {
  const auto* scores = file.numbers(kScoresKey);
  if (scores == nullptr || scores->size() != static_cast<std::size_t>(m_vocabulary.size())) {
    return fail(ErrorCode::Corrupt, "there is not one score for each token",
                {{"key", std::string(kScoresKey)}, {"tokens", std::to_string(m_vocabulary.size())},
                 {"scores", scores == nullptr ? "none" : std::to_string(scores->size())}});
  }
  for (std::size_t i = 0; i < scores->size(); ++i) {
    if (std::isnan((*scores)[i])) {
      return fail(ErrorCode::Corrupt, "a score is not a number",
                  {{"key", std::string(kScoresKey)}, {"token", std::to_string(i)}});
    }
  }
  std::vector<TokenId> order(scores->size());
  std::iota(order.begin(), order.end(), 0);
  const auto scoreOf = [&](TokenId token) { return (*scores)[static_cast<std::size_t>(token)]; };
  std::ranges::sort(order, std::ranges::greater{}, scoreOf);
  m_ranks.resize(order.size());
  std::uint32_t rank = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && scoreOf(order[i]) != scoreOf(order[i - 1])) ++rank;
    m_ranks[static_cast<std::size_t>(order[i])] = rank;
  }
  m_pieces = StringTable(m_ranks.size());
  for (TokenId token = 0; token < m_vocabulary.size(); ++token) {
    const TokenKind kind = m_vocabulary.kind(token);
    if (kind != TokenKind::Normal && kind != TokenKind::UserDefined && kind != TokenKind::Unused) continue;
    const std::string_view piece = m_vocabulary.text(token);
    if (piece.empty()) continue;
    m_hasUnused = m_hasUnused || kind == TokenKind::Unused;
    m_pieces.insert(piece, token);
    m_longest = std::max(m_longest, piece.size());
    // User-defined pieces are found before merging; they never grow.
    if (kind == TokenKind::UserDefined) continue;
    for (std::size_t at = piece.find(kSpaceMark, 1); at != std::string_view::npos; at = piece.find(kSpaceMark, at + 1)) {
      std::size_t before = at - 1;
      while (before > 0 && (static_cast<unsigned char>(piece[before]) & 0xc0U) == 0x80) --before;
      m_beforeMark.insert(piece.substr(before, at - before));
    }
  }
  m_allBytes = std::ranges::none_of(m_vocabulary.byteTokens(), [](TokenId token) { return token < 0; });
  return {};
}

void SpmTokenizer::encodeStretch(std::string_view text, WordCache& cache, std::vector<TokenId>& out) const {
  std::string repaired;
  if (!unicode::isValid(text)) {
    repaired = unicode::replaceInvalid(text);
    text = repaired;
  }
  std::string marked;
  marked.reserve(text.size() + text.size() / 2 + kSpaceMark.size());
  if (m_prefixesSpace) marked += kSpaceMark;
  for (const char c : text) {
    if (c == ' ') {
      marked += kSpaceMark;
    } else {
      marked += c;
    }
  }
  // Cut before each mark that no piece can reach across.
  const std::string_view all = marked;
  const auto encode = [&](std::string_view word) {
    if (m_allBytes) {
      cache.encode(word, out, [this](std::string_view each, auto& tokens) { encodeWord(each, tokens); });
    } else {
      encodeWord(word, out);  // an unknown word joins an unknown token before it: not the same tokens everywhere
    }
  };
  std::size_t start = 0;
  std::size_t previous = 0;  // where the character before `at` begins
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t length = unicode::decodeAt(all, at).length;
    const bool wordStarts =
        all.substr(at, length) == kSpaceMark && !m_beforeMark.contains(all.substr(previous, at - previous));
    if (at > start && (wordStarts || at - start >= merging::kMaxWordBytes)) {
      encode(all.substr(start, at - start));
      start = at;
    }
    previous = at;
    at += length;
  }
  if (start < all.size()) encode(all.substr(start));
}

void SpmTokenizer::encodeWord(std::string_view word, std::vector<TokenId>& out) const {
  Parts parts;
  const auto look = [&](std::string_view left, std::string_view right) -> std::pair<std::uint32_t, std::string_view> {
    const std::size_t size = left.size() + right.size();
    if (size > m_longest) return {merging::kNoMerge, {}};
    const std::string_view joined(left.data(), size);  // neighbours in the word
    const TokenId piece = m_pieces.find(joined);
    if (piece < 0) return {merging::kNoMerge, {}};
    // Unused pieces only help to reach longer ones; where one is left over it is taken apart again.
    if (m_hasUnused && m_vocabulary.kind(piece) == TokenKind::Unused) parts[joined] = {left, right};
    return {m_ranks[static_cast<std::size_t>(piece)], joined};
  };
  if (word.size() <= merging::kShort) {
    std::array<std::string_view, merging::kShort> items;
    std::size_t count = 0;
    for (std::size_t at = 0; at < word.size(); at += items[count++].size()) {
      items[count] = word.substr(at, unicode::decodeAt(word, at).length);
    }
    count = merging::mergeShort(items.data(), count, look);
    for (std::size_t i = 0; i < count; ++i) emit(items[i], parts, out);
    return;
  }
  std::vector<std::string_view> items;
  items.reserve(word.size());
  for (std::size_t at = 0; at < word.size(); at += items.back().size()) {
    items.push_back(word.substr(at, unicode::decodeAt(word, at).length));
  }
  merging::mergeLong(items, look, [&](std::string_view piece) { emit(piece, parts, out); });
}

void SpmTokenizer::emit(std::string_view piece, const Parts& parts, std::vector<TokenId>& out) const {
  if (parts.empty()) {
    if (const TokenId token = m_pieces.find(piece); token >= 0) {
      out.push_back(token);
    } else {
      emitUnknown(piece, out);
    }
    return;
  }
  // A stack of our own: how deep pieces were built of pieces is the file's choice.
  std::vector<std::string_view> todo{piece};
  while (!todo.empty()) {
    const std::string_view text = todo.back();
    todo.pop_back();
    const TokenId token = m_pieces.find(text);
    if (token >= 0 && m_vocabulary.kind(token) == TokenKind::Unused) {
      if (const auto at = parts.find(text); at != parts.end()) {
        todo.push_back(at->second.second);
        todo.push_back(at->second.first);
        continue;
      }
    }
    if (token >= 0) {
      out.push_back(token);
    } else {
      emitUnknown(text, out);
    }
  }
}

void SpmTokenizer::emitUnknown(std::string_view piece, std::vector<TokenId>& out) const {
  if (m_allBytes) {
    for (const char c : piece) out.push_back(m_vocabulary.byteTokens()[static_cast<unsigned char>(c)]);
    return;
  }
  // Neighbouring unknown characters become one unknown token; without one they are lost.
  const TokenId unknown = m_vocabulary.unknown();
  if (unknown >= 0 && (out.empty() || out.back() != unknown)) out.push_back(unknown);
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> makeSpmTokenizer(const GgufFile& file) {
  HEARTH_TRY(Vocabulary vocabulary, Vocabulary::read(file, Spelling::SentencePiece));
  auto tokenizer = std::make_unique<SpmTokenizer>(
      std::move(vocabulary),
      SpmTokenizer::Settings{.addsBos = file.boolean("tokenizer.ggml.add_bos_token").value_or(true),
                             .addsEos = file.boolean("tokenizer.ggml.add_eos_token").value_or(false),
                             .prefixesSpace = file.boolean("tokenizer.ggml.add_space_prefix").value_or(true)});
  HEARTH_CHECK(tokenizer->readScores(file));
  return tokenizer;
}

}  // namespace hearth
