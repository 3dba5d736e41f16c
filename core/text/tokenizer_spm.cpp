#include <algorithm>
#include <cmath>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "core/formats/gguf.h"
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
  void encodeStretch(std::string_view text, std::vector<TokenId>& out) const override;

 private:
  struct Symbol {
    std::string_view text;  // empty when merged away
    std::int64_t previous;
    std::int64_t next;
  };
  using Parts = std::unordered_map<std::string_view, std::pair<std::string_view, std::string_view>>;
  void encodeWord(std::string_view word, std::vector<TokenId>& out) const;
  void emit(std::string_view piece, const Parts& parts, std::vector<TokenId>& out) const;
  void emitUnknown(std::string_view piece, std::vector<TokenId>& out) const;
  [[nodiscard]] double score(TokenId token) const { return m_scores[static_cast<std::size_t>(token)]; }

  std::vector<double> m_scores;
  StringTable m_pieces;         // what merges may build: normal, user-defined and unused pieces
  std::size_t m_longest = 0;    // bytes of the longest of them
  bool m_allBytes = false;      // every byte has its token
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
  m_scores = *scores;
  m_pieces = StringTable(m_scores.size());
  for (TokenId token = 0; token < m_vocabulary.size(); ++token) {
    const TokenKind kind = m_vocabulary.kind(token);
    if (kind != TokenKind::Normal && kind != TokenKind::UserDefined && kind != TokenKind::Unused) continue;
    const std::string_view piece = m_vocabulary.text(token);
    if (piece.empty()) continue;
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

void SpmTokenizer::encodeStretch(std::string_view text, std::vector<TokenId>& out) const {
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
  std::size_t start = 0;
  std::size_t previous = 0;  // where the character before `at` begins
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t length = unicode::decodeAt(all, at).length;
    if (at > start && all.substr(at, length) == kSpaceMark && !m_beforeMark.contains(all.substr(previous, at - previous))) {
      encodeWord(all.substr(start, at - start), out);
      start = at;
    }
    previous = at;
    at += length;
  }
  if (start < all.size()) encodeWord(all.substr(start), out);
}

void SpmTokenizer::encodeWord(std::string_view word, std::vector<TokenId>& out) const {
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t length = unicode::decodeAt(word, at).length;
    const auto index = static_cast<std::int64_t>(symbols.size());
    symbols.push_back({word.substr(at, length), index - 1, index + 1});
    at += length;
  }
  symbols.back().next = -1;
  const auto symbol = [&](std::int64_t index) -> Symbol& { return symbols[static_cast<std::size_t>(index)]; };

  struct Candidate {
    double score;
    std::int64_t left;
    std::int64_t right;
    std::size_t size;  // of both texts when it was found: anything else now means that it is stale
  };
  const auto later = [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score < b.score : a.left > b.left;
  };
  std::priority_queue<Candidate, std::vector<Candidate>, decltype(later)> queue(later);
  Parts parts;
  const auto look = [&](std::int64_t left, std::int64_t right) {
    if (left < 0 || right < 0) return;
    const Symbol& first = symbol(left);
    const Symbol& second = symbol(right);
    const std::size_t size = first.text.size() + second.text.size();
    if (size > m_longest) return;
    const std::string_view joined(first.text.data(), size);  // neighbours in the word
    const TokenId piece = m_pieces.find(joined);
    if (piece < 0) return;
    queue.push({score(piece), left, right, size});
    // Unused pieces only help to reach longer ones; where one is left over it is taken apart again.
    if (m_vocabulary.kind(piece) == TokenKind::Unused) parts[joined] = {first.text, second.text};
  };
  for (std::size_t i = 1; i < symbols.size(); ++i) look(static_cast<std::int64_t>(i) - 1, static_cast<std::int64_t>(i));
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbol(best.left);
    Symbol& right = symbol(best.right);
    if (left.text.empty() || right.text.empty() || left.text.size() + right.text.size() != best.size) continue;
    left.text = {left.text.data(), best.size};
    right.text = {};
    left.next = right.next;
    if (left.next >= 0) symbol(left.next).previous = best.left;
    look(left.previous, best.left);
    look(best.left, left.next);
  }
  for (std::int64_t i = 0; i >= 0; i = symbol(i).next) emit(symbol(i).text, parts, out);
}

void SpmTokenizer::emit(std::string_view piece, const Parts& parts, std::vector<TokenId>& out) const {
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
