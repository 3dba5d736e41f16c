#include "core/chat/title.h"

namespace hearth::chat {
namespace {

constexpr std::size_t kLongest = 60;
constexpr std::string_view kBlank = " \t\r\v\f";

bool isContinuation(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::string_view trimmed(std::string_view text, std::string_view marks) {
  const auto begin = text.find_first_not_of(marks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

}  // namespace

std::string titleFrom(std::string_view text) {
  std::string_view line;
  while (line.empty() && !text.empty()) {
    const auto end = text.find('\n');
    line = trimmed(text.substr(0, end), " \t\r\v\f#>*-");
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  std::size_t characters = 0;
  std::size_t cut = line.size();      // where the 60th character would begin
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (isContinuation(line[i])) continue;
    if (characters == kLongest - 1) cut = i;
    ++characters;
  }
  if (characters <= kLongest) return std::string(line);
  std::string_view kept = line.substr(0, cut);
  if (const auto space = kept.rfind(' '); line[cut] != ' ' && space != std::string_view::npos && space >= cut / 2) kept = kept.substr(0, space);
  return std::string(trimmed(kept, kBlank)) + "…";
}

}  // namespace hearth::chat
