#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/text/jinja/print.h"
#include "core/text/jinja/text_ops.h"

namespace hearth::jinja {
namespace {

constexpr std::int64_t kMaxWidth = 10'000;
constexpr int kMaxPrecision = 400;

struct Spec {
  std::string fill = " ";
  char align = 0;  ///< '<' '>' '^' '=' or 0 for the type's own
  char sign = '-';
  bool alternate = false;
  bool comma = false;
  std::int64_t width = 0;
  std::optional<int> precision;
  char type = 0;
};

std::int64_t readNumber(std::string_view text, std::size_t& at) {
  std::int64_t number = 0;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
    number = number * 10 + (text[at++] - '0');
    if (number > kMaxWidth) raise("format width or precision is too large");
  }
  return number;
}

void withCommas(std::string& digits) {
  const std::size_t end = std::min(digits.find('.'), digits.size());
  for (std::size_t at = end; at > 3; at -= 3) digits.insert(at - 3, 1, ',');
}

// The digits of |value| in the wanted notation, without sign.
std::string magnitude(const Value& value, const Spec& spec) {
  std::string digits;
  const char type = spec.type == 'i' || spec.type == 'u' ? 'd' : spec.type;
  if (value.isIntegral() && (type == 0 || type == 'd' || type == 'x' || type == 'X' || type == 'o' || type == 'b')) {
    const std::int64_t number = value.integer();
    const std::uint64_t size = number < 0 ? ~static_cast<std::uint64_t>(number) + 1 : static_cast<std::uint64_t>(number);
    switch (type) {
      case 'x': digits = fmt::format("{:x}", size); break;
      case 'X': digits = fmt::format("{:X}", size); break;
      case 'o': digits = fmt::format("{:o}", size); break;
      case 'b': digits = fmt::format("{:b}", size); break;
      default: digits = fmt::format("{}", size);
    }
    if (spec.alternate && type != 0 && type != 'd') digits.insert(0, {'0', type});
  } else {
    const double size = std::abs(value.number());
    const int precision = std::min(spec.precision.value_or(6), kMaxPrecision);
    if (std::isnan(size) || std::isinf(size)) {
      digits = std::isnan(size) ? "nan" : "inf";
    } else {
      switch (type) {
        case 'f':
        case 'F': digits = fmt::format("{:.{}f}", size, precision); break;
        case 'e': digits = fmt::format("{:.{}e}", size, precision); break;
        case 'E': digits = fmt::format("{:.{}E}", size, precision); break;
        case '%': digits = fmt::format("{:.{}f}%", size * 100.0, precision); break;
        case 'g':
        case 'G': digits = fmt::format("{:.{}g}", size, std::max(precision, 1)); break;
        case 0:
          digits = spec.precision ? fmt::format("{:.{}g}", size, std::max(precision, 1)) : floatRepr(size);
          break;
        default: raise(fmt::format("Unknown format code '{}' for object of type '{}'", type, value.typeName()));
      }
    }
  }
  if (spec.comma) withCommas(digits);
  return digits;
}

void pad(const Text& body, std::string_view sign, const Spec& spec, char align, TextBuilder& out, Meter& meter) {
  const auto length = static_cast<std::int64_t>(countCharacters(body.bytes, meter) + sign.size());
  const std::int64_t missing = std::max<std::int64_t>(spec.width - length, 0);
  const std::int64_t before = align == '>' || align == '=' ? missing : align == '^' ? missing / 2 : 0;
  if (align == '=') out.append(sign);
  for (std::int64_t i = 0; i < before; ++i) out.append(spec.fill);
  if (align != '=') out.append(sign);
  out.append(body);
  for (std::int64_t i = before; i < missing; ++i) out.append(spec.fill);
}

void formatValue(const Value& value, const Spec& spec, TextBuilder& out, Meter& meter) {
  const bool numeric = value.isNumber() && !(value.is<bool>() && spec.type == 0) && spec.type != 's';
  if (numeric) {
    Text digits;
    digits.bytes = magnitude(value, spec);
    const bool negative = value.isIntegral() ? value.integer() < 0 : std::signbit(value.number());
    pad(digits, negative ? "-" : spec.sign == '+' ? "+" : spec.sign == ' ' ? " " : "", spec,
        spec.align == 0 ? '>' : spec.align, out, meter);
    return;
  }
  if (spec.type != 0 && spec.type != 's')
    raise(fmt::format("Unknown format code '{}' for object of type '{}'", spec.type, value.typeName()));
  TextPtr text = toText(value, meter);
  if (spec.precision) {
    const std::size_t end = byteOffset(text->bytes, static_cast<std::size_t>(*spec.precision), meter);
    text = *slice(*text, 0, end, meter).get<TextPtr>();
  }
  pad(*text, "", spec, spec.align == 0 ? '<' : spec.align, out, meter);
}

Spec parseSpec(std::string_view text) {
  Spec spec;
  std::size_t at = 0;
  const auto isAlign = [](char c) { return c == '<' || c == '>' || c == '^' || c == '='; };
  if (!text.empty()) {
    const std::size_t first = characterBytes(text, 0);
    if (first < text.size() && isAlign(text[first])) {
      spec.fill = text.substr(0, first);
      spec.align = text[first];
      at = first + 1;
    } else if (isAlign(text[0])) {
      spec.align = text[0];
      at = 1;
    }
  }
  const auto peek = [&] { return at < text.size() ? text[at] : '\0'; };
  if (peek() == '+' || peek() == '-' || peek() == ' ') spec.sign = text[at++];
  if (peek() == '#') {
    spec.alternate = true;
    ++at;
  }
  if (peek() == '0') {
    if (spec.align == 0) {
      spec.fill = '0';
      spec.align = '=';
    }
    ++at;
  }
  spec.width = readNumber(text, at);
  if (peek() == ',') {
    spec.comma = true;
    ++at;
  }
  if (peek() == '.') {
    ++at;
    spec.precision = static_cast<int>(readNumber(text, at));
  }
  if (at < text.size()) spec.type = text[at++];
  if (at != text.size()) raise(fmt::format("Invalid format specifier '{}'", text));
  return spec;
}

}  // namespace

TextPtr formatPercent(const Text& format, const Value& arguments, Meter& meter) {
  const std::string_view text = format.bytes;
  const List* list = arguments.list();
  const bool tuple = list != nullptr && list->kind == ListKind::Tuple;
  std::size_t next = 0;
  const auto take = [&]() -> Value {
    const std::size_t have = tuple ? list->items.size() : 1;
    if (next >= have) raise("not enough arguments for format string");
    ++next;
    return tuple ? list->items[next - 1] : arguments;
  };
  TextBuilder out(meter);
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '%') {
      ++at;
      continue;
    }
    meter.charge(1);
    out.append(format, begin, at++);
    std::optional<Value> named;
    if (at < text.size() && text[at] == '(') {
      const std::size_t close = text.find(')', at);
      if (close == std::string_view::npos) raise("incomplete format key");
      const Dict* dict = arguments.dict();
      if (dict == nullptr) raise("format requires a mapping");
      const Value* value = dict->find(text.substr(at + 1, close - at - 1));
      if (value == nullptr) raise(fmt::format("KeyError: '{}'", text.substr(at + 1, close - at - 1)));
      named = *value;
      at = close + 1;
    }
    Spec spec;
    spec.align = '>';
    for (bool flags = true; flags && at < text.size();) {
      switch (text[at]) {
        case '-': spec.align = '<'; break;
        case '0':
          if (spec.align == '>') {
            spec.align = '=';
            spec.fill = '0';
          }
          break;
        case '+': spec.sign = '+'; break;
        case ' ': spec.sign = spec.sign == '+' ? '+' : ' '; break;
        case '#': spec.alternate = true; break;
        default: flags = false; continue;
      }
      ++at;
    }
    spec.width = readNumber(text, at);
    if (at < text.size() && text[at] == '.') {
      ++at;
      spec.precision = static_cast<int>(readNumber(text, at));
    }
    if (at >= text.size()) raise("incomplete format");
    const char type = text[at++];
    begin = at;
    if (type == '%') {
      out.append("%");
      continue;
    }
    const Value value = named ? *named : take();
    if (type == 's' || type == 'r') {
      spec.type = 's';
      if (spec.fill == "0") spec.fill = ' ';
      if (spec.align == '=') spec.align = '>';
      formatValue(type == 'r' ? Value(repr(value, meter)) : Value(toText(value, meter)), spec, out, meter);
      continue;
    }
    constexpr std::string_view kNumeric = "diuxXofFeEgG";
    if (kNumeric.find(type) == std::string_view::npos) raise(fmt::format("unsupported format character '{}'", type));
    if (!value.isNumber()) raise(fmt::format("%{} format: a real number is required, not {}", type, value.typeName()));
    spec.type = type;
    Value number = value;
    const bool whole = type == 'd' || type == 'i' || type == 'u';
    if (whole && value.is<double>()) number = Value(static_cast<std::int64_t>(std::clamp(value.number(), -9e18, 9e18)));
    if (number.is<bool>()) number = Value(number.integer());
    formatValue(number, spec, out, meter);
  }
  out.append(format, begin, text.size());
  if (tuple && next < list->items.size()) raise("not all arguments converted during string formatting");
  if (!tuple && next == 0 && arguments.dict() == nullptr && list == nullptr)
    raise("not all arguments converted during string formatting");
  return std::move(out).finish(format.markup);
}

TextPtr formatBraces(const Text& format, const std::vector<Value>& arguments, const Keywords& keywords, Meter& meter) {
  const std::string_view text = format.bytes;
  TextBuilder out(meter);
  std::size_t automatic = 0;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '{' && text[at] != '}') {
      ++at;
      continue;
    }
    meter.charge(1);
    out.append(format, begin, at);
    if (at + 1 < text.size() && text[at + 1] == text[at]) {
      out.append(text.substr(at, 1));
      begin = at += 2;
      continue;
    }
    const std::size_t close = text.find('}', at);
    if (text[at] == '}' || close == std::string_view::npos) raise("Single '{' or '}' encountered in format string");
    std::string_view field = text.substr(at + 1, close - at - 1);
    std::string_view specText;
    if (const std::size_t colon = field.find(':'); colon != std::string_view::npos) {
      specText = field.substr(colon + 1);
      field = field.substr(0, colon);
    }
    char conversion = 0;
    if (const std::size_t bang = field.find('!'); bang != std::string_view::npos) {
      if (bang + 2 != field.size()) raise("bad conversion in format string");
      conversion = field[bang + 1];
      field = field.substr(0, bang);
    }
    Value value;
    std::size_t index = 0;
    const auto parsed = std::from_chars(field.data(), field.data() + field.size(), index);
    if (field.empty() || (parsed.ec == std::errc{} && parsed.ptr == field.data() + field.size())) {
      if (field.empty()) index = automatic++;
      if (index >= arguments.size()) raise("Replacement index out of range for positional args tuple");
      value = arguments[index];
    } else {
      const auto named = keywords.find(field);
      if (named == keywords.end()) raise(fmt::format("KeyError: '{}'", field));
      value = named->second;
    }
    if (conversion == 'r') value = Value(repr(value, meter));
    if (conversion == 's') value = Value(toText(value, meter));
    formatValue(value, parseSpec(specText), out, meter);
    begin = at = close + 1;
  }
  out.append(format, begin, text.size());
  return std::move(out).finish(format.markup);
}

}  // namespace hearth::jinja
