#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace hearth {

/// How a byte-level BPE text is cut into words before merging. Each kind is the published regular expression of its
/// family's tokenizer.json, matched by hand: linear, no backtracking, no limits to hit.
enum class WordPattern {
  /// '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  Gpt2,
  /// Every \p{N} alone, then Gpt2 on what stands between (Digits(individual_digits) + ByteLevel).
  DigitsThenGpt2,
  /// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
  Qwen2,
  /// The same with \p{N}{1,3}.
  Llama3,
};

/// What a value of tokenizer.ggml.pre stands for.
struct PreTokenizer {
  WordPattern pattern = WordPattern::Gpt2;
  bool nfc = false;           ///< the text is brought to normalisation form C first
  bool ignoreMerges = false;  ///< a word that is a token is taken whole, without merging
  bool addsBos = false;       ///< whether BOS is added where the file does not say
};
/// nullopt for a name that we lack.
[[nodiscard]] std::optional<PreTokenizer> findPreTokenizer(std::string_view name) noexcept;

/// The length in bytes of the first word of `text`, which must be valid UTF-8 and not empty. Any thread.
[[nodiscard]] std::size_t firstWord(std::string_view text, WordPattern pattern) noexcept;

}  // namespace hearth
