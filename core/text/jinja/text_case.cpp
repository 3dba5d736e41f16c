#include <utf8proc.h>

#include "core/text/jinja/text_ops.h"

namespace hearth::jinja {
namespace {

bool isCased(std::int32_t point) noexcept {
  return point >= 0 && (isUpper(point) || isLower(point) || utf8proc_category(point) == UTF8PROC_CATEGORY_LT);
}

// The few letters whose capital is several letters (Unicode SpecialCasing.txt); utf8proc maps one to one only.
std::string_view longUpper(std::int32_t point) noexcept {
  switch (point) {
    case 0xdf: return "SS";
    case 0x149: return "\xca\xbcN";
    case 0x1f0: return "J\xcc\x8c";
    case 0xfb00: return "FF";
    case 0xfb01: return "FI";
    case 0xfb02: return "FL";
    case 0xfb03: return "FFI";
    case 0xfb04: return "FFL";
    case 0xfb05:
    case 0xfb06: return "ST";
    default: return {};
  }
}

void appendUpper(std::string& out, std::int32_t point) {
  if (const std::string_view special = longUpper(point); !special.empty()) {
    out += special;
  } else {
    appendCodePoint(out, utf8proc_toupper(point));
  }
}

void appendTitle(std::string& out, std::int32_t point) {
  if (const std::string_view special = longUpper(point); !special.empty()) {
    out += special.substr(0, 1);
    for (const char c : special.substr(1)) out += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  } else {
    appendCodePoint(out, utf8proc_totitle(point));
  }
}

// A capital sigma that ends a word becomes ς.
bool endsWord(std::string_view text, std::size_t at, bool afterCased) {
  if (!afterCased) return false;
  const std::size_t next = at + characterBytes(text, at);
  return next >= text.size() || !isCased(codePoint(text, next));
}

void appendLower(std::string& out, std::string_view text, std::size_t at, std::int32_t point, bool afterCased) {
  if (point == 0x130) {
    out += "i\xcc\x87";
  } else if (point == 0x3a3) {
    appendCodePoint(out, endsWord(text, at, afterCased) ? 0x3c2 : 0x3c3);
  } else {
    appendCodePoint(out, utf8proc_tolower(point));
  }
}

// Walks the characters and asks `map(out, at, point)` for each one's replacement; provenance goes with the character.
template <class Map>
Value mapCharacters(const Text& text, Meter& meter, Map&& map) {
  TextBuilder builder(meter);
  const std::string_view bytes = text.bytes;
  meter.charge(bytes.size() / 16);
  std::size_t range = 0;
  std::string piece;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = characterBytes(bytes, at);
    const std::int32_t point = codePoint(bytes, at);
    piece.clear();
    if (point < 0) {
      piece.assign(bytes.substr(at, length));
    } else {
      map(piece, at, point);
    }
    while (range < text.input.size() && text.input[range].end <= at) ++range;
    builder.append(piece, range < text.input.size() && text.input[range].begin <= at);
    at += length;
  }
  return std::move(builder).finish(text.markup);
}

}  // namespace

Value changeCase(const Text& text, Case to, Meter& meter) {
  bool afterCased = false;
  return mapCharacters(text, meter, [&](std::string& out, std::size_t at, std::int32_t point) {
    switch (to) {
      case Case::Upper: appendUpper(out, point); break;
      case Case::Lower: appendLower(out, text.bytes, at, point, afterCased); break;
      case Case::Capitalize:
        at == 0 ? appendTitle(out, point) : appendLower(out, text.bytes, at, point, afterCased);
        break;
      case Case::Title:
        afterCased ? appendLower(out, text.bytes, at, point, afterCased) : appendTitle(out, point);
        break;
      case Case::Swap:
        if (isUpper(point)) {
          appendLower(out, text.bytes, at, point, afterCased);
        } else if (isLower(point)) {
          appendUpper(out, point);
        } else {
          appendCodePoint(out, point);
        }
        break;
    }
    afterCased = isCased(point);
  });
}

Value titleFilter(const Text& text, Meter& meter) {
  bool first = true;
  bool afterCased = false;
  return mapCharacters(text, meter, [&](std::string& out, std::size_t at, std::int32_t point) {
    if (first) {
      appendUpper(out, point);
    } else {
      appendLower(out, text.bytes, at, point, afterCased);
    }
    first = isSpace(point) || point == '-' || point == '(' || point == '{' || point == '[' || point == '<';
    afterCased = isCased(point) && !first;
  });
}

}  // namespace hearth::jinja
