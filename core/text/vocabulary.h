#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/text/literal_matcher.h"
#include "core/text/string_table.h"
#include "core/text/tokenizer.h"

namespace hearth {

/// The kinds of tokens; the values are those of tokenizer.ggml.token_type (and of SentencePiece's model format).
enum class TokenKind : std::uint8_t { Undefined, Normal, Unknown, Control, UserDefined, Unused, Byte };

/// How a vocabulary writes its tokens.
enum class Spelling {
  ByteLevel,      ///< GPT-2's alphabet: one letter for each byte
  SentencePiece,  ///< U+2581 for a space, <0x0A> for a byte
  WordPiece,      ///< U+2581 before what begins a word
};

/// U+2581, which SentencePiece writes for a space.
inline constexpr std::string_view kSpaceMark = "\xe2\x96\x81";

/// The tokens of a model, copied out of its GGUF file and checked. Owns all texts. Immutable, any thread.
class Vocabulary {
 public:
  /// Errors: Corrupt (what and which token in evidence).
  [[nodiscard]] static Result<Vocabulary> read(const GgufFile& file, Spelling spelling);
  Vocabulary(Vocabulary&&) noexcept = default;
  Vocabulary& operator=(Vocabulary&&) noexcept = default;

  [[nodiscard]] std::int32_t size() const noexcept { return static_cast<std::int32_t>(m_tokens.size()); }
  [[nodiscard]] bool contains(TokenId token) const noexcept { return token >= 0 && token < size(); }
  // For the next three the token must be contained.
  [[nodiscard]] TokenKind kind(TokenId token) const noexcept { return m_tokens[static_cast<std::size_t>(token)].kind; }
  [[nodiscard]] std::string_view text(TokenId token) const noexcept;   ///< as the file writes it
  [[nodiscard]] std::string_view bytes(TokenId token) const noexcept;  ///< as it stands in a text
  [[nodiscard]] bool isControl(TokenId token) const noexcept;
  [[nodiscard]] bool isEndOfGeneration(TokenId token) const noexcept;

  [[nodiscard]] TokenId find(std::string_view text) const noexcept { return m_byText.find(text); }
  [[nodiscard]] const LiteralMatcher& literals() const noexcept { return m_literals; }
  /// The tokens of single bytes (<0x0A>), -1 where there is none.
  [[nodiscard]] const std::array<TokenId, 256>& byteTokens() const noexcept { return m_byteTokens; }

  [[nodiscard]] TokenId bos() const noexcept { return m_bos; }
  [[nodiscard]] TokenId eos() const noexcept { return m_eos; }
  [[nodiscard]] TokenId unknown() const noexcept { return m_unknown; }

 private:
  struct Token {
    std::size_t text = 0;  // begins in m_texts
    std::size_t bytes = 0;
    std::uint32_t textSize = 0;
    std::uint32_t bytesSize = 0;
    TokenKind kind = TokenKind::Normal;
    bool endOfGeneration = false;
  };
  Vocabulary() = default;
  [[nodiscard]] Result<void> readTokens(const GgufFile& file, Spelling spelling);
  [[nodiscard]] Result<void> readSpecial(const GgufFile& file, Spelling spelling);
  void markEndOfGeneration(const GgufFile& file);
  [[nodiscard]] Result<void> buildLiterals(Spelling spelling);

  std::vector<char> m_texts;  // a vector: its storage stays where it is when the vocabulary moves
  std::vector<Token> m_tokens;
  StringTable m_byText;
  LiteralMatcher m_literals;
  std::array<TokenId, 256> m_byteTokens{};
  TokenId m_bos = -1;
  TokenId m_eos = -1;
  TokenId m_unknown = -1;
};

/// GPT-2's letter for each byte, and back: printable bytes stand for themselves, the others follow from U+0100 on.
[[nodiscard]] char32_t byteLevelLetter(unsigned char byte) noexcept;
/// The bytes that a byte-level token stands for; false when a character is not of the alphabet (`out` is then undefined).
[[nodiscard]] bool decodeByteLevel(std::string_view text, std::string& out);

}  // namespace hearth
