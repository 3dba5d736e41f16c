#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/text/jinja/value.h"

namespace hearth::jinja {

// Python's string operations over UTF-8. Positions are bytes unless the name says characters; results keep provenance.

/// Bytes of the character that starts at `at` (1 for an invalid byte).
[[nodiscard]] std::size_t characterBytes(std::string_view text, std::size_t at) noexcept;
/// The code point at `at`; an invalid byte gives -1.
[[nodiscard]] std::int32_t codePoint(std::string_view text, std::size_t at) noexcept;
void appendCodePoint(std::string& out, std::int32_t point);
[[nodiscard]] std::size_t countCharacters(std::string_view text, Meter& meter);
/// Byte offset of the n-th character, the size when there are fewer.
[[nodiscard]] std::size_t byteOffset(std::string_view text, std::size_t characters, Meter& meter);

[[nodiscard]] bool isSpace(std::int32_t point) noexcept;      ///< str.isspace
[[nodiscard]] bool isPrintable(std::int32_t point) noexcept;  ///< str.isprintable
[[nodiscard]] bool isLetter(std::int32_t point) noexcept;
[[nodiscard]] bool isDigit(std::int32_t point) noexcept;      ///< decimal digit of any script
[[nodiscard]] bool isUpper(std::int32_t point) noexcept;
[[nodiscard]] bool isLower(std::int32_t point) noexcept;

/// Leftmost match at or after `from`, npos if none; linear time for any needle.
[[nodiscard]] std::size_t findBytes(std::string_view hay, std::string_view needle, std::size_t from, Meter& meter);
[[nodiscard]] std::size_t rfindBytes(std::string_view hay, std::string_view needle, Meter& meter);

[[nodiscard]] Value slice(const Text& text, std::size_t begin, std::size_t end, Meter& meter);

/// str.strip: `characters` null = white space.
[[nodiscard]] Value strip(const Text& text, const Text* characters, bool left, bool right, Meter& meter);
/// str.split and str.rsplit; `separator` null = runs of white space; `limit` < 0 = all.
[[nodiscard]] std::vector<Value> split(const Text& text, const Text* separator, std::int64_t limit, bool fromRight, Meter& meter);
[[nodiscard]] std::vector<Value> splitLines(const Text& text, bool keepEnds, Meter& meter);
[[nodiscard]] Value replace(const Text& text, const Text& from, const Text& to, std::int64_t limit, Meter& meter);
[[nodiscard]] Value concatenate(const Text& a, const Text& b, Meter& meter);
[[nodiscard]] Value repeat(const Text& text, std::int64_t times, Meter& meter);

enum class Case : std::uint8_t { Upper, Lower, Title, Capitalize, Swap };
[[nodiscard]] Value changeCase(const Text& text, Case to, Meter& meter);
/// Jinja's |title: a capital after each of white space - ( { [ <, the rest lower.
[[nodiscard]] Value titleFilter(const Text& text, Meter& meter);
/// & < > ' " as HTML entities; the result is markup.
[[nodiscard]] Value escapeHtml(const Text& text, Meter& meter);

}  // namespace hearth::jinja
