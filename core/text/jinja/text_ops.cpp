#include "core/text/jinja/text_ops.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>

namespace hearth::jinja {

std::int32_t codePoint(std::string_view text, std::size_t at) noexcept {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return first;
  utf8proc_int32_t point = -1;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                                       static_cast<utf8proc_ssize_t>(text.size() - at), &point);
  return length > 0 ? point : -1;
}

std::size_t characterBytes(std::string_view text, std::size_t at) noexcept {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return 1;
  utf8proc_int32_t point = -1;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                                       static_cast<utf8proc_ssize_t>(text.size() - at), &point);
  return length > 0 ? static_cast<std::size_t>(length) : 1;
}

void appendCodePoint(std::string& out, std::int32_t point) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto length = utf8proc_encode_char(point, bytes.data());
  out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(std::max<utf8proc_ssize_t>(length, 0)));
}

std::size_t countCharacters(std::string_view text, Meter& meter) {
  meter.chargeBytes(text.size());
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += characterBytes(text, at)) ++count;
  return count;
}

std::size_t byteOffset(std::string_view text, std::size_t characters, Meter& meter) {
  std::size_t at = 0;
  while (characters > 0 && at < text.size()) {
    at += characterBytes(text, at);
    --characters;
  }
  meter.chargeBytes(at);
  return at;
}

bool isSpace(std::int32_t point) noexcept {
  return (point >= 0x09 && point <= 0x0d) || (point >= 0x1c && point <= 0x20) || point == 0x85 || point == 0xa0 ||
         point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
         point == 0x202f || point == 0x205f || point == 0x3000;
}

bool isPrintable(std::int32_t point) noexcept {
  if (point < 0) return false;
  if (point == ' ') return true;
  switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return false;
    default: return true;
  }
}

bool isLetter(std::int32_t point) noexcept {
  if (point < 0) return false;
  const auto category = utf8proc_category(point);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool isDigit(std::int32_t point) noexcept { return point >= 0 && utf8proc_category(point) == UTF8PROC_CATEGORY_ND; }
bool isUpper(std::int32_t point) noexcept { return point >= 0 && utf8proc_category(point) == UTF8PROC_CATEGORY_LU; }
bool isLower(std::int32_t point) noexcept { return point >= 0 && utf8proc_category(point) == UTF8PROC_CATEGORY_LL; }

std::size_t findBytes(std::string_view hay, std::string_view needle, std::size_t from, Meter& meter) {
  constexpr std::size_t kShort = 32;
  if (from > hay.size() || needle.size() > hay.size() - from) return std::string_view::npos;
  if (needle.size() <= kShort) {
    const std::size_t found = hay.find(needle, from);
    meter.chargeBytes((found == std::string_view::npos ? hay.size() : found) - from);
    return found;
  }
  // Knuth, Morris, Pratt: a long needle must not make the search quadratic.
  meter.chargeBytes(hay.size() - from + needle.size());
  std::vector<std::size_t> fallback(needle.size(), 0);
  for (std::size_t i = 1, k = 0; i < needle.size(); ++i) {
    while (k > 0 && needle[i] != needle[k]) k = fallback[k - 1];
    if (needle[i] == needle[k]) ++k;
    fallback[i] = k;
  }
  for (std::size_t i = from, k = 0; i < hay.size(); ++i) {
    while (k > 0 && hay[i] != needle[k]) k = fallback[k - 1];
    if (hay[i] == needle[k]) ++k;
    if (k == needle.size()) return i + 1 - k;
  }
  return std::string_view::npos;
}

std::size_t rfindBytes(std::string_view hay, std::string_view needle, Meter& meter) {
  std::size_t last = std::string_view::npos;
  for (std::size_t at = 0;; at = last + 1) {
    const std::size_t found = findBytes(hay, needle, at, meter);
    if (found == std::string_view::npos) return last;
    meter.charge(1);
    last = found;
  }
}

Value slice(const Text& text, std::size_t begin, std::size_t end, Meter& meter) {
  TextBuilder builder(meter);
  builder.append(text, begin, end);
  return std::move(builder).finish(text.markup);
}

Value strip(const Text& text, const Text* characters, bool left, bool right, Meter& meter) {
  const std::string_view bytes = text.bytes;
  const auto drops = [&](std::size_t at, std::size_t length) {
    if (characters == nullptr) return isSpace(codePoint(bytes, at));
    meter.charge(1);
    const std::string_view wanted = bytes.substr(at, length);
    const std::string_view set = characters->bytes;
    for (std::size_t i = 0; i < set.size();) {
      const std::size_t size = characterBytes(set, i);
      if (set.substr(i, size) == wanted) return true;
      i += size;
    }
    meter.chargeBytes(set.size());
    return false;
  };
  std::size_t begin = 0;
  std::size_t end = bytes.size();
  while (left && begin < end) {
    const std::size_t length = characterBytes(bytes, begin);
    if (!drops(begin, length)) break;
    begin += length;
  }
  while (right && end > begin) {
    std::size_t at = end - 1;
    while (at > begin && end - at < 4 && (static_cast<unsigned char>(bytes[at]) & 0xc0U) == 0x80U) --at;
    if (characterBytes(bytes, at) != end - at) at = end - 1;  // an invalid tail: one byte is one character
    if (!drops(at, end - at)) break;
    end = at;
  }
  return slice(text, begin, end, meter);
}

std::vector<Value> split(const Text& text, const Text* separator, std::int64_t limit, bool fromRight, Meter& meter) {
  const std::string_view bytes = text.bytes;
  std::vector<TextRange> cuts;  // the separators' places
  if (separator != nullptr) {
    const std::string_view needle = separator->bytes;
    if (needle.empty()) raise("empty separator");
    if (!fromRight) {
      for (std::size_t at = 0; limit < 0 || cuts.size() < static_cast<std::size_t>(limit);) {
        const std::size_t found = findBytes(bytes, needle, at, meter);
        if (found == std::string_view::npos) break;
        meter.charge(1);
        cuts.push_back({found, found + needle.size()});
        at = found + needle.size();
      }
    } else {
      std::size_t end = bytes.size();
      meter.charge(bytes.size() / Meter::kBytesPerStep * needle.size());  // rfind may compare the needle everywhere
      while (limit < 0 || cuts.size() < static_cast<std::size_t>(limit)) {
        const std::size_t found = end < needle.size() ? std::string_view::npos
                                                      : bytes.substr(0, end).rfind(needle);
        if (found == std::string_view::npos) break;
        meter.charge(1 + needle.size() / Meter::kBytesPerStep);
        cuts.push_back({found, found + needle.size()});
        end = found;
      }
      std::reverse(cuts.begin(), cuts.end());
    }
    std::vector<Value> parts;
    std::size_t begin = 0;
    for (const TextRange& cut : cuts) {
      parts.push_back(slice(text, begin, cut.begin, meter));
      begin = cut.end;
    }
    parts.push_back(slice(text, begin, bytes.size(), meter));
    return parts;
  }
  std::vector<TextRange> words;
  meter.chargeBytes(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = characterBytes(bytes, at);
    if (isSpace(codePoint(bytes, at))) {
      at += length;
      continue;
    }
    const std::size_t begin = at;
    while (at < bytes.size() && !isSpace(codePoint(bytes, at))) at += characterBytes(bytes, at);
    words.push_back({begin, at});
    meter.charge(1);
  }
  if (limit >= 0 && words.size() > static_cast<std::size_t>(limit) + 1) {
    const auto keep = static_cast<std::ptrdiff_t>(limit);
    if (fromRight) {
      const std::size_t end = words[words.size() - static_cast<std::size_t>(limit) - 1].end;
      words.erase(words.begin() + 1, words.end() - keep);
      words.front().end = end;
      words.front().begin = 0;  // str.rsplit keeps the rest's own head
    } else {
      words.erase(words.begin() + keep + 1, words.end());
      words.back().end = bytes.size();  // str.split keeps the rest's own tail
    }
  }
  std::vector<Value> parts;
  parts.reserve(words.size());
  for (const TextRange& word : words) parts.push_back(slice(text, word.begin, word.end, meter));
  return parts;
}

std::vector<Value> splitLines(const Text& text, bool keepEnds, Meter& meter) {
  std::vector<Value> lines;
  const std::string_view bytes = text.bytes;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::int32_t point = codePoint(bytes, at);
    std::size_t length = characterBytes(bytes, at);
    const bool breaks = (point >= 0x0a && point <= 0x0d) || (point >= 0x1c && point <= 0x1e) || point == 0x85 ||
                        point == 0x2028 || point == 0x2029;
    if (breaks) {
      if (point == '\r' && at + 1 < bytes.size() && bytes[at + 1] == '\n') length = 2;
      lines.push_back(slice(text, begin, keepEnds ? at + length : at, meter));
      meter.charge(1);
      begin = at + length;
    }
    at += length;
  }
  meter.chargeBytes(bytes.size());
  if (begin < bytes.size()) lines.push_back(slice(text, begin, bytes.size(), meter));
  return lines;
}

Value replace(const Text& text, const Text& from, const Text& to, std::int64_t limit, Meter& meter) {
  const std::string_view bytes = text.bytes;
  TextBuilder builder(meter);
  std::size_t begin = 0;
  if (from.bytes.empty()) {  // Python puts `to` before every character and at the end
    for (std::size_t at = 0; limit != 0; --limit) {
      builder.append(to);
      meter.charge(1);
      if (at >= bytes.size()) {
        begin = at;
        break;
      }
      const std::size_t next = at + characterBytes(bytes, at);
      builder.append(text, at, next);
      begin = at = next;
    }
  } else {
    for (; limit != 0; --limit) {
      const std::size_t found = findBytes(bytes, from.bytes, begin, meter);
      if (found == std::string_view::npos) break;
      meter.charge(1);
      builder.append(text, begin, found);
      builder.append(to);
      begin = found + from.bytes.size();
    }
  }
  builder.append(text, begin, bytes.size());
  return std::move(builder).finish(text.markup);
}

Value concatenate(const Text& a, const Text& b, Meter& meter) {
  const bool markup = a.markup || b.markup;
  TextBuilder builder(meter);
  const auto add = [&](const Text& part) {
    if (markup && !part.markup) {
      builder.append(*escapeHtml(part, meter).text());
    } else {
      builder.append(part);
    }
  };
  add(a);
  add(b);
  return std::move(builder).finish(markup);
}

Value repeat(const Text& text, std::int64_t times, Meter& meter) {
  TextBuilder builder(meter);
  if (times > 0 && !text.bytes.empty()) {
    if (static_cast<std::uint64_t>(times) > (std::uint64_t{1} << 40U) / text.bytes.size()) times = std::int64_t{1} << 40U;
    meter.checkOutput(static_cast<std::size_t>(times) * text.bytes.size());
    meter.charge(static_cast<std::size_t>(times));
    for (std::int64_t i = 0; i < times; ++i) builder.append(text);
  }
  return std::move(builder).finish(text.markup);
}

Value escapeHtml(const Text& text, Meter& meter) {
  TextBuilder builder(meter);
  std::size_t begin = 0;
  std::size_t range = 0;
  for (std::size_t at = 0; at < text.bytes.size(); ++at) {
    std::string_view entity;
    switch (text.bytes[at]) {
      case '&': entity = "&amp;"; break;
      case '<': entity = "&lt;"; break;
      case '>': entity = "&gt;"; break;
      case '\'': entity = "&#39;"; break;
      case '"': entity = "&#34;"; break;
      default: continue;
    }
    while (range < text.input.size() && text.input[range].end <= at) ++range;
    builder.append(text, begin, at);
    builder.append(entity, range < text.input.size() && text.input[range].begin <= at);
    begin = at + 1;
  }
  builder.append(text, begin, text.bytes.size());
  return std::move(builder).finish(true);
}

}  // namespace hearth::jinja
