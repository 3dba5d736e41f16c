#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"
#include "core/text/vocabulary.h"
#include "core/text/word_cache.h"

namespace hearth {

/// What all tokenizers share: the vocabulary, control tokens in the text, BOS and EOS, decoding. Owns the vocabulary.
/// Immutable, any thread.
class TokenizerBase : public Tokenizer {
 public:
  struct Settings {
    bool addsBos = false;
    bool addsEos = false;
    bool prefixesSpace = false;
  };
  [[nodiscard]] std::vector<TokenId> encode(std::string_view text, const EncodeOptions& options) const final;
  [[nodiscard]] std::string_view bytes(TokenId token, bool special) const final;
  [[nodiscard]] std::string decode(std::span<const TokenId> tokens, bool special) const final;
  [[nodiscard]] std::int32_t vocabularySize() const noexcept final { return m_vocabulary.size(); }
  [[nodiscard]] bool isControl(TokenId token) const noexcept final { return m_vocabulary.isControl(token); }
  [[nodiscard]] bool isEndOfGeneration(TokenId token) const noexcept final { return m_vocabulary.isEndOfGeneration(token); }
  [[nodiscard]] TokenId bos() const noexcept final { return m_vocabulary.bos(); }
  [[nodiscard]] TokenId eos() const noexcept final { return m_vocabulary.eos(); }
  [[nodiscard]] bool addsBos() const noexcept final { return m_addsBos; }
  [[nodiscard]] TokenId find(std::string_view text) const final { return m_vocabulary.find(text); }

 protected:
  TokenizerBase(Vocabulary vocabulary, const Settings& settings);
  /// Appends the tokens of a stretch without control tokens. Not empty; any bytes.
  virtual void encodeStretch(std::string_view text, WordCache& cache, std::vector<TokenId>& out) const = 0;

  const Vocabulary m_vocabulary;
  const bool m_addsBos;
  const bool m_addsEos;
  const bool m_prefixesSpace;
};

/// Byte-level BPE (tokenizer.ggml.model = "gpt2"). Errors: UnsupportedFormat (pre-tokenizer), Corrupt.
[[nodiscard]] Result<std::unique_ptr<Tokenizer>> makeBpeTokenizer(const GgufFile& file);
/// SentencePiece BPE with scores (tokenizer.ggml.model = "llama"). Error: Corrupt.
[[nodiscard]] Result<std::unique_ptr<Tokenizer>> makeSpmTokenizer(const GgufFile& file);
/// WordPiece (tokenizer.ggml.model = "bert"). Error: Corrupt.
[[nodiscard]] Result<std::unique_ptr<Tokenizer>> makeWordPieceTokenizer(const GgufFile& file);

}  // namespace hearth
