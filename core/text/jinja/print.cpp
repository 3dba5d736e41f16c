#include "core/text/jinja/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/text/jinja/text_ops.h"

namespace hearth::jinja {

std::string floatRepr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 40> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  std::string_view text(buffer.data(), static_cast<std::size_t>(result.ptr - buffer.data()));
  std::string out;
  if (text.front() == '-') {
    out = "-";
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  std::string digits;
  for (const char c : text.substr(0, e)) {
    if (c != '.') digits += c;
  }
  int exponent = 0;
  const char* from = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(from, text.data() + text.size(), exponent);
  const std::string_view all = digits;
  if (exponent < -4 || exponent >= 16) {
    out += fmt::format("{}{}{}e{}{:02}", all.substr(0, 1), all.size() > 1 ? "." : "", all.substr(1), exponent < 0 ? '-' : '+',
                       std::abs(exponent));
  } else if (exponent < 0) {
    out += fmt::format("0.{:0>{}}{}", "", -exponent - 1, all);
  } else if (const auto whole = static_cast<std::size_t>(exponent) + 1; all.size() <= whole) {
    out += fmt::format("{:0<{}}.0", all, whole);
  } else {
    out += fmt::format("{}.{}", all.substr(0, whole), all.substr(whole));
  }
  return out;
}

namespace {

// Walks a text's characters with their provenance.
template <class Visit>
void eachCharacter(const Text& text, Visit&& visit) {
  std::size_t range = 0;
  for (std::size_t at = 0; at < text.bytes.size();) {
    const std::size_t length = characterBytes(text.bytes, at);
    while (range < text.input.size() && text.input[range].end <= at) ++range;
    visit(at, length, codePoint(text.bytes, at), range < text.input.size() && text.input[range].begin <= at);
    at += length;
  }
}

void reprText(const Text& text, TextBuilder& out, Meter& meter) {
  const bool doubleQuotes = text.bytes.find('\'') != std::string::npos && text.bytes.find('"') == std::string::npos;
  const char quote = doubleQuotes ? '"' : '\'';
  meter.charge(text.bytes.size() / 16);
  out.append(std::string_view(&quote, 1));
  eachCharacter(text, [&](std::size_t at, std::size_t length, std::int32_t point, bool input) {
    if (point == quote || point == '\\') {
      const std::array<char, 2> escaped{'\\', static_cast<char>(point)};
      out.append({escaped.data(), 2}, input);
    } else if (point == '\n') {
      out.append("\\n", input);
    } else if (point == '\r') {
      out.append("\\r", input);
    } else if (point == '\t') {
      out.append("\\t", input);
    } else if (point < 0) {
      out.append(fmt::format("\\x{:02x}", static_cast<unsigned char>(text.bytes[at])), input);
    } else if (isPrintable(point)) {
      out.append(text, at, at + length);
    } else if (point < 0x100) {
      out.append(fmt::format("\\x{:02x}", point), input);
    } else if (point < 0x10000) {
      out.append(fmt::format("\\u{:04x}", point), input);
    } else {
      out.append(fmt::format("\\U{:08x}", point), input);
    }
  });
  out.append(std::string_view(&quote, 1));
}

void reprInto(const Value& value, TextBuilder& out, Meter& meter) {
  meter.charge(1);
  const DepthGuard guard(meter);
  if (const Text* text = value.text()) {
    if (text->markup) out.append("Markup(");
    reprText(*text, out, meter);
    if (text->markup) out.append(")");
  } else if (value.is<None>()) {
    out.append("None");
  } else if (const bool* flag = value.get<bool>()) {
    out.append(*flag ? "True" : "False");
  } else if (const std::int64_t* number = value.get<std::int64_t>()) {
    out.append(fmt::format("{}", *number));
  } else if (const double* real = value.get<double>()) {
    out.append(floatRepr(*real));
  } else if (value.isUndefined()) {
    out.append("Undefined");
  } else if (const List* list = value.list()) {
    if (list->kind == ListKind::Generator) {
      out.append("<generator object>");
      return;
    }
    if (list->kind == ListKind::Range) {
      const std::int64_t first = list->items.empty() ? 0 : list->items.front().integer();
      const std::int64_t step = list->items.size() < 2 ? 1 : list->items[1].integer() - first;
      const std::int64_t end = list->items.empty() ? 0 : list->items.back().integer() + step;
      out.append(step == 1 ? fmt::format("range({}, {})", first, end) : fmt::format("range({}, {}, {})", first, end, step));
      return;
    }
    const bool tuple = list->kind == ListKind::Tuple;
    out.append(list->kind == ListKind::View ? "dict_items([" : tuple ? "(" : "[");
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      if (i > 0) out.append(", ");
      reprInto(list->items[i], out, meter);
    }
    if (tuple && list->items.size() == 1) out.append(",");
    out.append(list->kind == ListKind::View ? "])" : tuple ? ")" : "]");
  } else if (const Dict* dict = value.dict()) {
    out.append("{");
    for (std::size_t i = 0; i < dict->entries.size(); ++i) {
      if (i > 0) out.append(", ");
      reprInto(dict->entries[i].first, out, meter);
      out.append(": ");
      reprInto(dict->entries[i].second, out, meter);
    }
    out.append("}");
  } else {
    out.append(fmt::format("<{}>", value.typeName()));
  }
}

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, Meter& meter) : m_style(style), m_meter(meter), m_out(meter) {}

  void write(const Value& value, std::size_t level) {
    m_meter.charge(1);
    const DepthGuard guard(m_meter);
    if (const Text* text = value.text()) {
      writeString(*text);
    } else if (value.is<None>()) {
      m_out.append("null");
    } else if (const bool* flag = value.get<bool>()) {
      m_out.append(*flag ? "true" : "false");
    } else if (const std::int64_t* number = value.get<std::int64_t>()) {
      m_out.append(fmt::format("{}", *number));
    } else if (const double* real = value.get<double>()) {
      m_out.append(std::isnan(*real) ? "NaN" : std::isinf(*real) ? (*real < 0 ? "-Infinity" : "Infinity") : floatRepr(*real));
    } else if (const List* list = value.list(); list != nullptr && (list->kind == ListKind::List || list->kind == ListKind::Tuple)) {
      writeSequence('[', ']', list->items.size(), level, [&](std::size_t i) { write(list->items[i], level + 1); });
    } else if (const Dict* dict = value.dict()) {
      writeDict(*dict, level);
    } else {
      raise(fmt::format("Object of type {} is not JSON serializable", value.typeName()));
    }
  }

  [[nodiscard]] TextPtr finish() && { return std::move(m_out).finish(); }

 private:
  template <class Item>
  void writeSequence(char open, char close, std::size_t count, std::size_t level, Item&& item) {
    m_out.append(std::string_view(&open, 1));
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) m_out.append(m_style.itemSeparator);
      newline(level + 1);
      item(i);
    }
    if (count > 0) newline(level);
    m_out.append(std::string_view(&close, 1));
  }

  void newline(std::size_t level) {
    if (!m_style.pretty) return;
    m_out.append("\n");
    for (std::size_t i = 0; i < level; ++i) m_out.append(m_style.indent);
  }

  void writeDict(const Dict& dict, std::size_t level) {
    std::vector<std::size_t> order(dict.entries.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (m_style.sortKeys) {
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return compare(dict.entries[a].first, dict.entries[b].first, "<", m_meter) < 0;
      });
    }
    writeSequence('{', '}', order.size(), level, [&](std::size_t i) {
      const auto& [key, value] = dict.entries[order[i]];
      writeKey(key);
      m_out.append(m_style.keySeparator);
      write(value, level + 1);
    });
  }

  void writeKey(const Value& key) {
    if (const Text* text = key.text()) return writeString(*text);
    Text plain;
    if (key.is<None>()) {
      plain.bytes = "null";
    } else if (const bool* flag = key.get<bool>()) {
      plain.bytes = *flag ? "true" : "false";
    } else if (key.is<std::int64_t>()) {
      plain.bytes = fmt::format("{}", key.integer());
    } else if (key.is<double>()) {
      plain.bytes = floatRepr(key.number());
    } else {
      raise(fmt::format("keys must be str, int, float, bool or None, not {}", key.typeName()));
    }
    writeString(plain);
  }

  void writeString(const Text& text) {
    m_meter.charge(text.bytes.size() / 64);
    m_out.append("\"");
    std::size_t done = 0;  // bytes before here are written; runs without escapes go out whole
    eachCharacter(text, [&](std::size_t at, std::size_t length, std::int32_t point, bool input) {
      std::string escape;
      switch (point) {
        case '"': escape = "\\\""; break;
        case '\\': escape = "\\\\"; break;
        case '\n': escape = "\\n"; break;
        case '\r': escape = "\\r"; break;
        case '\t': escape = "\\t"; break;
        case '\b': escape = "\\b"; break;
        case '\f': escape = "\\f"; break;
        default:
          if (point >= 0 && point < 0x20) {
            escape = fmt::format("\\u{:04x}", point);
          } else if (m_style.ensureAscii && point >= 0x7f) {
            if (point >= 0x10000) {
              const std::int32_t offset = point - 0x10000;
              escape = fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (offset >> 10), 0xdc00 + (offset & 0x3ff));
            } else {
              escape = fmt::format("\\u{:04x}", point);
            }
          } else {
            return;
          }
      }
      m_out.append(text, done, at);
      m_out.append(escape, input);
      done = at + length;
    });
    m_out.append(text, done, text.bytes.size());
    m_out.append("\"");
  }

  const JsonStyle& m_style;
  Meter& m_meter;
  TextBuilder m_out;
};

}  // namespace

TextPtr repr(const Value& value, Meter& meter) {
  TextBuilder out(meter);
  reprInto(value, out, meter);
  return std::move(out).finish();
}

TextPtr toText(const Value& value, Meter& meter) {
  if (const TextPtr* text = value.get<TextPtr>()) return *text;
  if (value.isUndefined()) return std::make_shared<const Text>();
  return repr(value, meter);
}

TextPtr toJson(const Value& value, const JsonStyle& style, Meter& meter) {
  JsonWriter writer(style, meter);
  writer.write(value, 0);
  return std::move(writer).finish();
}

}  // namespace hearth::jinja
