#include <algorithm>
#include <array>

#include "core/base/platform/text_encoding.h"
#include "core/documents/readers.h"

namespace hearth::documents {
namespace {

void append(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

// Unpaired surrogates and half units become U+FFFD.
std::string fromUtf16(std::string_view bytes, bool big) {
  std::string out;
  out.reserve(bytes.size());
  const auto unit = [&](std::size_t at) {
    const auto first = static_cast<unsigned char>(bytes[at]);
    const auto second = static_cast<unsigned char>(bytes[at + 1]);
    return static_cast<char32_t>(big ? first << 8 | second : second << 8 | first);
  };
  std::size_t at = 0;
  for (; at + 1 < bytes.size(); at += 2) {
    const char32_t c = unit(at);
    if (c >= 0xD800 && c < 0xDC00 && at + 3 < bytes.size()) {
      if (const char32_t low = unit(at + 2); low >= 0xDC00 && low < 0xE000) {
        append(out, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
        at += 2;
        continue;
      }
    }
    append(out, c >= 0xD800 && c < 0xE000 ? 0xFFFD : c);
  }
  if (at < bytes.size()) append(out, 0xFFFD);
  return out;
}

// Length of the UTF-8 character at `at`; 0 when there is none.
std::size_t utf8Length(std::string_view bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xC2 && first < 0xE0 ? 2 : 0;
  if (length == 0 || at + length > bytes.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
  }
  if (first == 0xE0 && byte(at + 1) < 0xA0) return 0;
  if (first == 0xED && byte(at + 1) >= 0xA0) return 0;
  if (first == 0xF0 && byte(at + 1) < 0x90) return 0;
  if (first == 0xF4 && byte(at + 1) >= 0x90) return 0;
  return length;
}

bool isUtf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = utf8Length(bytes, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

char32_t codePoint(std::string_view text, std::size_t at, std::size_t length) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[at + i])); };
  switch (length) {
    case 2: return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
    case 3: return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    case 4: return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    default: return byte(0);
  }
}

// Western text read as GB18030 gives rare characters, Chinese text gives those of everyday use.
bool readsAsChinese(std::string_view text) {
  std::size_t foreign = 0;
  std::size_t common = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(1, utf8Length(text, at));
    const char32_t c = codePoint(text, at, length);
    if (c >= 0x80) ++foreign;
    if ((c >= 0x4E00 && c < 0x9FA6) || (c >= 0x3000 && c < 0x3030) || (c >= 0xFF00 && c < 0xFF60)) ++common;
    at += length;
  }
  return foreign > 0 && common * 10 >= foreign * 9;
}

// GB2312's two-byte area: what nearly all Chinese text consists of. A Western letter followed by another non-ASCII one is rare.
bool mostlyPairs(std::string_view bytes) {
  std::size_t pairs = 0;
  std::size_t lone = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto first = static_cast<unsigned char>(bytes[at]);
    if (first < 0x80) {
      ++at;
      continue;
    }
    const bool pair = at + 1 < bytes.size() && first >= 0xA1 && first <= 0xF7 && static_cast<unsigned char>(bytes[at + 1]) >= 0xA1;
    ++(pair ? pairs : lone);
    at += pair ? 2 : 1;
  }
  return pairs > lone * 4;
}

// Where zeros stand in text of two bytes a unit.
int utf16Order(std::string_view bytes) {
  if (bytes.size() < 4 || bytes.size() % 2 != 0) return 0;
  const std::size_t looked = std::min<std::size_t>(bytes.size(), 4096);
  std::size_t even = 0;
  std::size_t odd = 0;
  for (std::size_t at = 0; at < looked; ++at) {
    if (bytes[at] == 0) ++(at % 2 == 0 ? even : odd);
  }
  const std::size_t units = looked / 2;
  if (odd * 10 >= units * 4 && even * 50 <= units) return 1;   // little end first
  if (even * 10 >= units * 4 && odd * 50 <= units) return 2;
  return 0;
}

bool looksBinary(std::string_view bytes) {
  const auto controls = static_cast<std::size_t>(std::ranges::count_if(bytes, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t' && byte != '\f' && byte != '\v' && byte != 0x1B;
  }));
  return bytes.find('\0') != std::string_view::npos || controls * 100 > bytes.size();
}

std::string folded(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

}  // namespace

std::unexpected<Error> refuse(ErrorCode code, std::string message, std::string reason) {
  return fail(code, std::move(message), {{"reason", std::move(reason)}});
}

Result<Decoded> decodeText(std::string_view bytes, std::string_view hint) {
  if (bytes.starts_with("\xEF\xBB\xBF") && isUtf8(bytes)) return Decoded{std::string(bytes.substr(3)), "UTF-8"};
  if (bytes.starts_with("\xFF\xFE")) return Decoded{fromUtf16(bytes.substr(2), false), "UTF-16LE"};
  if (bytes.starts_with("\xFE\xFF")) return Decoded{fromUtf16(bytes.substr(2), true), "UTF-16BE"};
  if (const int order = utf16Order(bytes); order != 0) {
    if (Decoded wide{fromUtf16(bytes, order == 2), order == 2 ? "UTF-16BE" : "UTF-16LE"}; !looksBinary(wide.text)) return wide;
  }
  if (looksBinary(bytes)) {
    return refuse(ErrorCode::UnsupportedFormat, "this file is not a text", "binary");
  }
  if (isUtf8(bytes)) return Decoded{std::string(bytes), "UTF-8"};
  const std::string named = folded(hint);
  const bool chineseNamed = named == "gbk" || named == "gb2312" || named == "gb18030";
  if (chineseNamed || mostlyPairs(bytes)) {
    if (auto text = platform::toUtf8(bytes, "GB18030"); text && (chineseNamed || readsAsChinese(*text))) return Decoded{*std::move(text), "GB18030"};
  }
  // Every byte is a letter here (five are not assigned: they become U+FFFD), so that this cannot fail.
  constexpr std::array<char32_t, 32> kHigh{0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
                                           0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
                                           0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};
  Decoded out{{}, "windows-1252"};
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    append(out.text, byte >= 0x80 && byte < 0xA0 ? kHigh[byte - 0x80U] : byte);
  }
  return out;
}

void setText(Document& document, std::string text, const Limits& limits) {
  std::string out;
  out.reserve(text.size());
  std::int64_t characters = 0;
  std::size_t kept = std::string::npos;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte == '\r') {
      if (at + 1 < text.size() && text[at + 1] == '\n') ++at;
      text[at] = '\n';
      continue;
    }
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) {
      if (byte == '\f') {  // a page's end
        text[at] = '\n';
        continue;
      }
      ++at;
      continue;
    }
    const std::size_t length = utf8Length(text, at);
    if (characters == limits.characters && kept == std::string::npos) kept = out.size();
    ++characters;
    if (length == 0) {
      append(out, 0xFFFD);
      ++at;
    } else {
      out.append(text, at, length);
      at += length;
    }
  }
  if (kept != std::string::npos) {
    out.resize(kept);
    document.cut = true;
  }
  document.characters = characters;
  document.text = std::move(out);
}

}  // namespace hearth::documents
