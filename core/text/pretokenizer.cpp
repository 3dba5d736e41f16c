#include "core/text/pretokenizer.h"

#include <array>
#include <utility>

#include "core/text/unicode.h"

namespace hearth {
namespace {

using unicode::CharClass;

// One step through valid UTF-8.
struct Char {
  char32_t point = 0;
  CharClass kind = CharClass::Other;
  std::size_t length = 0;  // 0 = the end of the text
};

// The classes of ASCII, so that most text never reaches the table.
constexpr auto kAscii = [] {
  std::array<CharClass, 128> classes{};
  for (std::size_t c = 0; c < 128; ++c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) classes[c] = CharClass::Letter;
    if (c >= '0' && c <= '9') classes[c] = CharClass::Number;
    if (c == ' ' || (c >= 9 && c <= 13)) classes[c] = CharClass::Space;
  }
  return classes;
}();

Char charAt(std::string_view text, std::size_t at) noexcept {
  if (at >= text.size()) return {};
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x80) return {byte, kAscii[byte], 1};
  const unicode::Decoded decoded = unicode::decodeAt(text, at);
  return {decoded.codePoint, unicode::classOf(decoded.codePoint), decoded.length};
}

bool isNewline(char32_t point) noexcept { return point == '\r' || point == '\n'; }

// The end of the run of this class that starts at `at`.
std::size_t runEnd(std::string_view text, std::size_t at, CharClass kind) noexcept {
  for (Char c = charAt(text, at); c.length != 0 && c.kind == kind; c = charAt(text, at)) at += c.length;
  return at;
}

// 's 't 're 've 'm 'll 'd at the start, where an apostrophe stands: its length with the apostrophe, or 0. Case-insensitive
// matching follows Unicode's folding: the long s counts as an s (none of the other letters has such a twin).
std::size_t contraction(std::string_view text, bool anyCase) noexcept {
  const auto letter = [&](std::size_t i) -> char {
    if (i >= text.size()) return '\0';
    const char c = text[i];
    return anyCase && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  const char first = letter(1);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  const char second = letter(2);
  if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l')) return 3;
  if (anyCase && text.substr(1).starts_with("\xc5\xbf")) return 3;
  return 0;
}

// \s+(?!\S)|\s+ over the run [0, end): all of it at the end of the text, else all but its last character (which the next
// word may want), unless that is the only one.
std::size_t spaces(std::string_view text, std::size_t end) noexcept {
  if (end == text.size()) return end;
  std::size_t last = end - 1;
  while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xc0U) == 0x80) --last;
  return last > 0 ? last : end;
}

// With `digitsApart` as if each number character had been cut out before the expression saw the text: then a run of spaces
// before a number stands at the end of its piece.
std::size_t gpt2Word(std::string_view text, bool digitsApart) noexcept {
  const Char first = charAt(text, 0);
  if (digitsApart && first.kind == CharClass::Number) return first.length;
  if (first.point == '\'') {
    if (const std::size_t length = contraction(text, false); length != 0) return length;
  }
  const std::size_t start = first.point == ' ' ? 1 : 0;
  const Char c = start == 0 ? first : charAt(text, start);
  if (c.length != 0 && c.kind != CharClass::Space && !(digitsApart && c.kind == CharClass::Number)) {
    return runEnd(text, start + c.length, c.kind);
  }
  const std::size_t end = runEnd(text, 0, CharClass::Space);
  if (digitsApart && charAt(text, end).kind == CharClass::Number) return end;
  return spaces(text, end);
}

std::size_t qwenWord(std::string_view text, int digits) noexcept {
  const Char first = charAt(text, 0);
  if (first.point == '\'') {
    if (const std::size_t length = contraction(text, true); length != 0) return length;
  }
  if (first.kind == CharClass::Letter) return runEnd(text, first.length, CharClass::Letter);
  if (first.kind == CharClass::Number) {
    std::size_t end = first.length;
    for (int i = 1; i < digits; ++i) {
      const Char next = charAt(text, end);
      if (next.length == 0 || next.kind != CharClass::Number) break;
      end += next.length;
    }
    return end;
  }
  // From here on a space or another character. One of them may lead a word of letters.
  const Char second = charAt(text, first.length);
  if (!isNewline(first.point) && second.length != 0 && second.kind == CharClass::Letter) {
    return runEnd(text, first.length + second.length, CharClass::Letter);
  }
  const bool spaceThenOther = first.point == ' ' && second.length != 0 && second.kind == CharClass::Other;
  if (first.kind == CharClass::Other || spaceThenOther) {
    std::size_t end = runEnd(text, first.length, CharClass::Other);
    while (end < text.size() && isNewline(static_cast<unsigned char>(text[end]))) ++end;
    return end;
  }
  // \s*[\r\n]+ ends behind the last newline of the run of spaces.
  const std::size_t end = runEnd(text, 0, CharClass::Space);
  const std::size_t newline = text.substr(0, end).find_last_of("\r\n");
  return newline != std::string_view::npos ? newline + 1 : spaces(text, end);
}

}  // namespace

std::optional<PreTokenizer> findPreTokenizer(std::string_view name) noexcept {
  // "default" is what converters wrote before they told pre-tokenizers apart: GPT-2's expression, the ancestor of all.
  static constexpr std::pair<std::string_view, PreTokenizer> kKnown[] = {
      {"default", {WordPattern::Gpt2}},
      {"gpt-2", {WordPattern::Gpt2}},
      {"smollm", {WordPattern::DigitsThenGpt2}},
      {"starcoder", {WordPattern::DigitsThenGpt2}},
      {"qwen2", {.pattern = WordPattern::Qwen2, .nfc = true}},
      {"deepseek-r1-qwen", {.pattern = WordPattern::Qwen2, .nfc = true}},
      {"llama-bpe", {.pattern = WordPattern::Llama3, .ignoreMerges = true, .addsBos = true}},
      {"llama3", {.pattern = WordPattern::Llama3, .ignoreMerges = true, .addsBos = true}},
      {"llama-v3", {.pattern = WordPattern::Llama3, .ignoreMerges = true, .addsBos = true}},
  };
  for (const auto& [known, preTokenizer] : kKnown) {
    if (known == name) return preTokenizer;
  }
  return std::nullopt;
}

std::size_t firstWord(std::string_view text, WordPattern pattern) noexcept {
  switch (pattern) {
    case WordPattern::Gpt2: return gpt2Word(text, false);
    case WordPattern::DigitsThenGpt2: return gpt2Word(text, true);
    case WordPattern::Qwen2: return qwenWord(text, 1);
    case WordPattern::Llama3: return qwenWord(text, 3);
  }
  return text.size();
}

}  // namespace hearth
