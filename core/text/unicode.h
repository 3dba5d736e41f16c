#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Unicode as the tokenizers need it: UTF-8 that may be broken, the classes of their regular expressions, NFC.
/// Pure functions, any thread.
namespace hearth::unicode {

inline constexpr char32_t kReplacement = 0xfffd;

struct Decoded {
  char32_t codePoint;    ///< kReplacement when not valid
  std::uint8_t length;   ///< bytes taken, at least 1: of an invalid sequence its maximal valid part (Unicode 3.9, table 3-8)
  bool valid;
  bool incomplete;       ///< invalid only because the text ends: more bytes could complete it
};
/// The character at `at`, which must be below text.size().
[[nodiscard]] Decoded decodeAt(std::string_view text, std::size_t at) noexcept;
void append(std::string& out, char32_t codePoint);

[[nodiscard]] bool isValid(std::string_view text) noexcept;
/// Each maximal invalid part becomes U+FFFD, as Python's bytes.decode("utf-8", "replace") does it.
[[nodiscard]] std::string replaceInvalid(std::string_view text);
/// How many bytes at the end are the start of a character that more bytes could complete: 0 to 3.
[[nodiscard]] std::size_t incompleteTail(std::string_view text) noexcept;

enum class CharClass : std::uint8_t { Other, Letter, Number, Space };
/// \p{L}, \p{N} and \s of Hugging Face's tokenizers.
[[nodiscard]] CharClass classOf(char32_t codePoint) noexcept;

/// Normalisation form C of valid UTF-8; linear but for the sort of runs of combining marks. Text without characters from
/// U+0300 on is returned as it is.
[[nodiscard]] std::string toNfc(std::string_view validText);

}  // namespace hearth::unicode
