#include <algorithm>
#include <array>
#include <queue>

#include "core/formats/gguf.h"
#include "core/text/pretokenizer.h"
#include "core/text/tokenizer_base.h"
#include "core/text/unicode.h"

namespace hearth {
namespace {

constexpr std::string_view kMergesKey = "tokenizer.ggml.merges";

/// Byte-level BPE: words are cut by a PreTokenizer, their bytes merged by rank (Sennrich et al. 2016; GPT-2's alphabet).
class BpeTokenizer final : public TokenizerBase {
 public:
  BpeTokenizer(Vocabulary vocabulary, const Settings& settings, const PreTokenizer& preTokenizer)
      : TokenizerBase(std::move(vocabulary), settings), m_preTokenizer(preTokenizer) {}

  [[nodiscard]] Result<void> readMerges(const GgufFile& file);
  void indexBytes();

 protected:
  void encodeStretch(std::string_view text, std::vector<TokenId>& out) const override;

 private:
  void encodeWord(std::string_view word, std::vector<TokenId>& out) const;
  void mergeShort(std::string_view word, std::vector<TokenId>& out) const;
  void mergeLong(std::string_view word, std::vector<TokenId>& out) const;

  // Above this many bytes a heap beats looking through all pairs for each merge.
  static constexpr std::size_t kShortWord = 32;

  const PreTokenizer m_preTokenizer;
  std::array<TokenId, 256> m_single{};  // the token of each byte, -1 where the vocabulary lacks it
  MergeTable m_merges;
  StringTable m_words;  // token bytes to token, only where words may be taken whole
};

Result<void> BpeTokenizer::readMerges(const GgufFile& file) {
  const auto* merges = file.strings(kMergesKey);
  if (merges == nullptr) {
    return fail(ErrorCode::Corrupt, "the vocabulary has no merges", {{"key", std::string(kMergesKey)}});
  }
  m_merges = MergeTable(merges->size());
  std::string joined;
  for (std::size_t rank = 0; rank < merges->size(); ++rank) {
    const std::string_view merge = (*merges)[rank];
    const auto refuse = [&](std::string message) {
      return fail(ErrorCode::Corrupt, std::move(message),
                  {{"key", std::string(kMergesKey)}, {"merge", std::to_string(rank)},
                   {"text", unicode::replaceInvalid(merge.substr(0, 80))}});
    };
    const std::size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merge.size()) return refuse("a merge is not two tokens");
    const std::string_view left = merge.substr(0, space);
    const std::string_view right = merge.substr(space + 1);
    joined.assign(left).append(right);
    const TokenId leftToken = m_vocabulary.find(left);
    const TokenId rightToken = m_vocabulary.find(right);
    const TokenId result = m_vocabulary.find(joined);
    if (leftToken < 0 || rightToken < 0 || result < 0) return refuse("a merge names a token that is not in the vocabulary");
    // Typed text must never become a control token, whatever the merges say.
    if (m_vocabulary.isControl(result)) return refuse("a merge makes a control token");
    // A pair that comes twice keeps its first, better rank.
    m_merges.insert(leftToken, rightToken, {static_cast<std::uint32_t>(rank), result});
  }
  return {};
}

void BpeTokenizer::indexBytes() {
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::string letter;
    unicode::append(letter, byteLevelLetter(static_cast<unsigned char>(byte)));
    const TokenId token = m_vocabulary.find(letter);
    m_single[byte] = m_vocabulary.isControl(token) ? -1 : token;
  }
  if (!m_preTokenizer.ignoreMerges) return;
  m_words = StringTable(static_cast<std::size_t>(m_vocabulary.size()));
  for (TokenId token = 0; token < m_vocabulary.size(); ++token) {
    if (m_vocabulary.kind(token) == TokenKind::Normal) m_words.insert(m_vocabulary.bytes(token), token);
  }
}

void BpeTokenizer::encodeStretch(std::string_view text, std::vector<TokenId>& out) const {
  std::string repaired;
  if (!unicode::isValid(text)) {
    repaired = unicode::replaceInvalid(text);
    text = repaired;
  }
  std::string composed;
  if (m_preTokenizer.nfc) {
    composed = unicode::toNfc(text);
    text = composed;
  }
  while (!text.empty()) {
    const std::size_t length = firstWord(text, m_preTokenizer.pattern);
    encodeWord(text.substr(0, length), out);
    text.remove_prefix(length);
  }
}

void BpeTokenizer::encodeWord(std::string_view word, std::vector<TokenId>& out) const {
  if (m_preTokenizer.ignoreMerges) {
    if (const TokenId token = m_words.find(word); token >= 0) {
      out.push_back(token);
      return;
    }
  }
  if (word.size() <= kShortWord) {
    mergeShort(word, out);
  } else {
    mergeLong(word, out);
  }
}

void BpeTokenizer::mergeShort(std::string_view word, std::vector<TokenId>& out) const {
  std::array<TokenId, kShortWord> symbols;
  std::array<MergeTable::Merge, kShortWord> merges;  // of symbols i and i + 1
  std::size_t count = 0;
  for (const char c : word) {
    // A byte that the vocabulary lacks is dropped, as Hugging Face does where the model has no unknown token.
    if (const TokenId token = m_single[static_cast<unsigned char>(c)]; token >= 0) symbols[count++] = token;
  }
  for (std::size_t i = 0; i + 1 < count; ++i) merges[i] = m_merges.find(symbols[i], symbols[i + 1]);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i) {
      if (merges[i].rank < merges[best].rank) best = i;
    }
    if (merges[best].rank == MergeTable::kNone) break;
    symbols[best] = merges[best].result;
    std::copy(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 2, symbols.begin() + static_cast<std::ptrdiff_t>(count),
              symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    std::copy(merges.begin() + static_cast<std::ptrdiff_t>(best) + 1, merges.begin() + static_cast<std::ptrdiff_t>(count) - 1,
              merges.begin() + static_cast<std::ptrdiff_t>(best));
    --count;
    if (best > 0) merges[best - 1] = m_merges.find(symbols[best - 1], symbols[best]);
    if (best + 1 < count) merges[best] = m_merges.find(symbols[best], symbols[best + 1]);
  }
  out.insert(out.end(), symbols.begin(), symbols.begin() + static_cast<std::ptrdiff_t>(count));
}

// The same by a heap and a linked list: O(n log n), so that a megabyte of one letter takes no longer than prose.
void BpeTokenizer::mergeLong(std::string_view word, std::vector<TokenId>& out) const {
  struct Symbol {
    TokenId token;
    std::int64_t previous;
    std::int64_t next;  // -1 at the end
  };
  struct Candidate {
    std::uint32_t rank;
    TokenId left;  // what stood there when it was found: anything else now means that it is stale
    TokenId right;
    TokenId result;
    std::int64_t at;
  };
  const auto later = [](const Candidate& a, const Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
  };
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  for (const char c : word) {
    const TokenId token = m_single[static_cast<unsigned char>(c)];
    if (token < 0) continue;
    const auto index = static_cast<std::int64_t>(symbols.size());
    symbols.push_back({token, index - 1, index + 1});
  }
  if (symbols.empty()) return;
  symbols.back().next = -1;
  const auto at = [&](std::int64_t index) -> Symbol& { return symbols[static_cast<std::size_t>(index)]; };

  std::vector<Candidate> found;
  found.reserve(symbols.size());
  const auto look = [&](std::int64_t left, auto&& keep) {
    if (left < 0 || at(left).next < 0) return;
    const TokenId first = at(left).token;
    const TokenId second = at(at(left).next).token;
    const MergeTable::Merge merge = m_merges.find(first, second);
    if (merge.rank != MergeTable::kNone) keep(Candidate{merge.rank, first, second, merge.result, left});
  };
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    look(static_cast<std::int64_t>(i), [&](const Candidate& candidate) { found.push_back(candidate); });
  }
  std::priority_queue<Candidate, std::vector<Candidate>, decltype(later)> queue(later, std::move(found));
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = at(best.at);
    if (left.token != best.left || left.next < 0 || at(left.next).token != best.right) continue;
    Symbol& right = at(left.next);
    left.token = best.result;
    right.token = -1;  // gone: no candidate names it any more
    left.next = right.next;
    if (left.next >= 0) at(left.next).previous = best.at;
    const auto push = [&](const Candidate& candidate) { queue.push(candidate); };
    look(left.previous, push);
    look(best.at, push);
  }
  for (std::int64_t i = 0; i >= 0; i = at(i).next) out.push_back(at(i).token);
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> makeBpeTokenizer(const GgufFile& file) {
  constexpr std::string_view kPreKey = "tokenizer.ggml.pre";
  const std::string_view pre = file.string(kPreKey).value_or("default");
  const auto preTokenizer = findPreTokenizer(pre);
  if (!preTokenizer) {
    return fail(ErrorCode::UnsupportedFormat, "this pre-tokenizer is not supported",
                {{"key", std::string(kPreKey)}, {"value", unicode::replaceInvalid(pre.substr(0, 80))}});
  }
  HEARTH_TRY(Vocabulary vocabulary, Vocabulary::read(file, Spelling::ByteLevel));
  auto tokenizer = std::make_unique<BpeTokenizer>(
      std::move(vocabulary),
      BpeTokenizer::Settings{.addsBos = file.boolean("tokenizer.ggml.add_bos_token").value_or(preTokenizer->addsBos),
                             .addsEos = file.boolean("tokenizer.ggml.add_eos_token").value_or(false)},
      *preTokenizer);
  HEARTH_CHECK(tokenizer->readMerges(file));
  tokenizer->indexBytes();
  return tokenizer;
}

}  // namespace hearth
