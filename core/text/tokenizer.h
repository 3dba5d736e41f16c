#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace hearth {

class GgufFile;
using TokenId = std::int32_t;

/// Half-open byte range of a text.
struct TextRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct EncodeOptions {
  bool addSpecial = true;    ///< BOS/EOS where the model asks for them
  bool parseSpecial = true;  ///< text like <|im_end|> becomes its control token …
  std::span<const TextRange> plain = {};  ///< … but not where it touches these ranges (text that a person typed); sorted
};

/// Text to tokens and back. Immutable, any thread. Input is arbitrary bytes: invalid UTF-8 is handled as Hugging Face
/// tokenizers do after Python's errors="replace" decoding (each maximal invalid part becomes U+FFFD).
class Tokenizer {
 public:
  /// Reads tokenizer.ggml.*. Errors: UnsupportedFormat (model or pre-tokenizer named in evidence), Corrupt.
  [[nodiscard]] static Result<std::unique_ptr<Tokenizer>> fromGguf(const GgufFile& file);
  virtual ~Tokenizer() = default;

  [[nodiscard]] virtual std::vector<TokenId> encode(std::string_view text, const EncodeOptions& options = {}) const = 0;
  /// The bytes of one token as they stand in text (a control token gives its name only when `special`). Out-of-range: empty.
  [[nodiscard]] virtual std::string_view bytes(TokenId token, bool special = false) const = 0;
  /// The whole text, as valid UTF-8 (broken parts as U+FFFD). Skips control tokens unless `special`; SPM's leading space is removed where the model added it.
  [[nodiscard]] virtual std::string decode(std::span<const TokenId> tokens, bool special = false) const = 0;

  [[nodiscard]] virtual std::int32_t vocabularySize() const noexcept = 0;
  [[nodiscard]] virtual bool isControl(TokenId token) const noexcept = 0;
  /// EOS, EOT, <|im_end|>, <end_of_turn> …: generation stops there.
  [[nodiscard]] virtual bool isEndOfGeneration(TokenId token) const noexcept = 0;
  [[nodiscard]] virtual TokenId bos() const noexcept = 0;  ///< -1 when none
  [[nodiscard]] virtual TokenId eos() const noexcept = 0;
  [[nodiscard]] virtual bool addsBos() const noexcept = 0;
  [[nodiscard]] virtual TokenId find(std::string_view text) const = 0;  ///< the token with this exact vocabulary text, or -1
};

/// Turns a stream of tokens into a stream of valid UTF-8: holds back a character whose bytes are not all there yet.
class StreamDecoder {
 public:
  /// `shown`: control tokens whose text is part of the stream all the same.
  explicit StreamDecoder(const Tokenizer& tokenizer, std::vector<TokenId> shown = {}) : m_tokenizer(&tokenizer), m_shown(std::move(shown)) {}
  [[nodiscard]] std::string push(TokenId token);
  [[nodiscard]] std::string flush();  ///< what is left, invalid bytes as U+FFFD

 private:
  const Tokenizer* m_tokenizer;
  std::vector<TokenId> m_shown;
  std::string m_pending;
};

}  // namespace hearth
