#include "core/text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>
#include <vector>

namespace hearth::unicode {
namespace {

struct CodePointRange {
  std::uint32_t first;
  std::uint32_t last;
};

#include "core/text/unicode_ranges.inc"

constexpr CodePointRange kSpaceRanges[] = {{0x9, 0xd},       {0x20, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},
                                           {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f},
                                           {0x205f, 0x205f}, {0x3000, 0x3000}};

// Two bits for each code point, unfolded once from the ranges: 272 KiB, of which a text touches a few pages.
class ClassTable {
 public:
  ClassTable() {
    fill(kLetterRanges, CharClass::Letter);
    fill(kNumberRanges, CharClass::Number);
    fill(kSpaceRanges, CharClass::Space);
  }
  [[nodiscard]] CharClass at(char32_t codePoint) const noexcept {
    if (codePoint >= kCodePoints) return CharClass::Other;
    return static_cast<CharClass>((m_bits[codePoint / 4] >> (codePoint % 4 * 2)) & 3U);
  }

 private:
  static constexpr std::size_t kCodePoints = 0x110000;
  template <std::size_t N>
  void fill(const CodePointRange (&ranges)[N], CharClass value) {
    for (const CodePointRange& range : ranges) {
      for (std::uint32_t c = range.first; c <= range.last; ++c) {
        m_bits[c / 4] = static_cast<std::uint8_t>(m_bits[c / 4] | static_cast<unsigned>(value) << (c % 4 * 2));
      }
    }
  }
  std::array<std::uint8_t, kCodePoints / 4> m_bits{};
};

}  // namespace

Decoded decodeAt(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1, true, false};
  // The second byte's range depends on the first: this excludes overlong forms, surrogates and what is above U+10FFFF.
  unsigned count = 0;
  unsigned low = 0x80;
  unsigned high = 0xbf;
  char32_t value = 0;
  if (lead >= 0xc2 && lead <= 0xdf) {
    count = 1, value = lead & 0x1fU;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    count = 2, value = lead & 0x0fU;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    count = 3, value = lead & 0x07U;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else {
    return {kReplacement, 1, false, false};
  }
  for (unsigned i = 1; i <= count; ++i) {
    if (at + i >= text.size()) return {kReplacement, static_cast<std::uint8_t>(i), false, true};
    const unsigned next = byte(i);
    if (next < low || next > high) return {kReplacement, static_cast<std::uint8_t>(i), false, false};
    value = value << 6U | (next & 0x3fU);
    low = 0x80, high = 0xbf;
  }
  return {value, static_cast<std::uint8_t>(count + 1), true, false};
}

void append(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0U | c >> 6U);
    out += static_cast<char>(0x80U | (c & 0x3fU));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0U | c >> 12U);
    out += static_cast<char>(0x80U | (c >> 6U & 0x3fU));
    out += static_cast<char>(0x80U | (c & 0x3fU));
  } else {
    out += static_cast<char>(0xf0U | c >> 18U);
    out += static_cast<char>(0x80U | (c >> 12U & 0x3fU));
    out += static_cast<char>(0x80U | (c >> 6U & 0x3fU));
    out += static_cast<char>(0x80U | (c & 0x3fU));
  }
}

namespace {
// The first byte from `at` on that is not ASCII, or the size.
std::size_t skipAscii(std::string_view text, std::size_t at) noexcept {
  while (at + 8 <= text.size()) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, 8);
    if ((eight & 0x8080808080808080ULL) != 0) break;
    at += 8;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}
}  // namespace

bool isValid(std::string_view text) noexcept {
  for (std::size_t at = skipAscii(text, 0); at < text.size(); at = skipAscii(text, at)) {
    const Decoded decoded = decodeAt(text, at);
    if (!decoded.valid) return false;
    at += decoded.length;
  }
  return true;
}

std::string replaceInvalid(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Decoded decoded = decodeAt(text, at);
    if (decoded.valid) {
      out.append(text.substr(at, decoded.length));
    } else {
      append(out, kReplacement);
    }
    at += decoded.length;
  }
  return out;
}

std::size_t incompleteTail(std::string_view text) noexcept {
  // A character has at most four bytes, so its start lies in the last three when it is incomplete.
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0U) == 0x80) continue;
    const Decoded decoded = decodeAt(text, text.size() - back);
    return decoded.incomplete && decoded.length == back ? back : 0;
  }
  return 0;
}

CharClass classOf(char32_t codePoint) noexcept {
  static const ClassTable table;
  return table.at(codePoint);
}

std::string toNfc(std::string_view text) {
  // Below U+0300 every character is its own composed form and never combines with its neighbour.
  const bool inert = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0xcc; });
  if (inert) return std::string(text);

  std::vector<utf8proc_int32_t> points;
  points.reserve(text.size());
  std::array<utf8proc_int32_t, 16> parts{};  // the longest canonical decomposition has four
  for (std::size_t at = 0; at < text.size();) {
    const Decoded decoded = decodeAt(text, at);
    at += decoded.length;
    int lastBoundClass = 0;
    const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(decoded.codePoint), parts.data(), parts.size(),
                                               UTF8PROC_DECOMPOSE, &lastBoundClass);
    if (count <= 0 || count > static_cast<utf8proc_ssize_t>(parts.size())) {
      points.push_back(static_cast<utf8proc_int32_t>(decoded.codePoint));
    } else {
      points.insert(points.end(), parts.begin(), parts.begin() + count);
    }
  }
  // Canonical order. The library's own ordering is quadratic in a run of marks, which a sender may make very long.
  const auto combiningClass = [](utf8proc_int32_t point) { return utf8proc_get_property(point)->combining_class; };
  std::vector<std::tuple<int, std::ptrdiff_t, utf8proc_int32_t>> marks;
  for (auto first = points.begin(); first != points.end();) {
    if (combiningClass(*first) == 0) {
      ++first;
      continue;
    }
    const auto last = std::find_if(first, points.end(), [&](auto point) { return combiningClass(point) == 0; });
    marks.clear();
    for (auto at = first; at != last; ++at) marks.emplace_back(combiningClass(*at), at - first, *at);
    std::ranges::sort(marks);  // by class, then as they stood
    std::ranges::transform(marks, first, [](const auto& mark) { return std::get<2>(mark); });
    first = last;
  }
  const utf8proc_ssize_t composed = utf8proc_normalize_utf32(points.data(), static_cast<utf8proc_ssize_t>(points.size()),
                                                             static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (composed < 0) return std::string(text);  // cannot happen: it fails only for options that we do not pass
  std::string out;
  out.reserve(text.size());
  for (utf8proc_ssize_t i = 0; i < composed; ++i) append(out, static_cast<char32_t>(points[static_cast<std::size_t>(i)]));
  return out;
}

}  // namespace hearth::unicode
