#include <algorithm>
#include <array>

#include "core/formats/gguf.h"
#include "core/text/merge.h"
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
  void encodeStretch(std::string_view text, WordCache& cache, std::vector<TokenId>& out) const override;

 private:
  void encodeWord(std::string_view word, std::vector<TokenId>& out) const;

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

void BpeTokenizer::encodeStretch(std::string_view text, WordCache& cache, std::vector<TokenId>& out) const {
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
    const std::size_t length = std::min(firstWord(text, m_preTokenizer.pattern), merging::kMaxWordBytes);
    cache.encode(text.substr(0, length), out, [this](std::string_view word, auto& tokens) { encodeWord(word, tokens); });
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
  const auto look = [this](TokenId left, TokenId right) {
    const MergeTable::Merge merge = m_merges.find(left, right);
    return std::pair(merge.rank, merge.result);
  };
  // A byte that the vocabulary lacks is dropped, as Hugging Face does where the model has no unknown token.
  if (word.size() <= merging::kShort) {
    std::array<TokenId, merging::kShort> items;
    std::size_t count = 0;
    for (const char c : word) {
      if (const TokenId token = m_single[static_cast<unsigned char>(c)]; token >= 0) items[count++] = token;
    }
    count = merging::mergeShort(items.data(), count, look);
    out.insert(out.end(), items.begin(), items.begin() + static_cast<std::ptrdiff_t>(count));
    return;
  }
  std::vector<TokenId> items;
  items.reserve(word.size());
  for (const char c : word) {
    if (const TokenId token = m_single[static_cast<unsigned char>(c)]; token >= 0) items.push_back(token);
  }
  merging::mergeLong(items, look, [&](TokenId token) { out.push_back(token); });
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
