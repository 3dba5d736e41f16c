#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/text_ops.h"

namespace hearth::jinja {
namespace {

// Jinja's soft_str: text stays, anything else becomes its str().
TextPtr soft(const Value& value, Meter& meter) { return toText(value, meter); }

Value filterDefault(Interpreter&, const Value& v, const Arguments& a) {
  const auto bound = a.bind("default", {"default_value", "boolean"});
  const bool boolean = bound[1] && bound[1]->truthy();
  if (!v.isUndefined() && !(boolean && !v.truthy())) return v;
  return bound[0] ? *bound[0] : makeText({});
}

Value filterReplace(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("replace", {"old", "new", "count"});
  if (!bound[0] || !bound[1]) raise("replace() wants an old and a new string");
  Meter& meter = in.meter();
  Text plain = *soft(v, meter);
  plain.markup = false;
  meter.chargeBytes(plain.bytes.size());
  return replace(plain, *toText(*bound[0], meter), *toText(*bound[1], meter), integerOr(bound[2], -1, "count"), meter);
}

Value filterTrim(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("trim", {"chars"});
  return strip(*soft(v, in.meter()), textOrNull(bound[0], "chars"), true, true, in.meter());
}

Value filterIndent(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("indent", {"width", "first", "blank"});
  Meter& meter = in.meter();
  if (v.text() == nullptr) {
    requireDefined(v);
    raise(fmt::format("indent() wants a string, not {}", v.typeName()));
  }
  Text indentation;
  if (bound[0] && bound[0]->text() != nullptr) {
    indentation = *bound[0]->text();
  } else {
    const std::int64_t width = std::max<std::int64_t>(integerOr(bound[0], 4, "width"), 0);
    if (width > 10'000) raise("indent() is too wide");
    indentation.bytes.assign(static_cast<std::size_t>(width), ' ');
  }
  const bool first = bound[1] && bound[1]->truthy();
  const bool blank = bound[2] && bound[2]->truthy();
  TextBuilder ended(meter);  // Jinja's own: a newline is added so that the last line break is kept
  ended.append(*v.text());
  ended.append("\n");
  const std::vector<Value> lines = splitLines(*std::move(ended).finish(), false, meter);
  TextBuilder out(meter);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Text& line = *lines[i].text();
    if (i > 0) out.append("\n");
    if (i == 0 ? first : blank || !line.bytes.empty()) out.append(indentation);
    out.append(line);
  }
  return std::move(out).finish(v.text()->markup);
}

Value filterTruncate(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("truncate", {"length", "killwords", "end", "leeway"});
  Meter& meter = in.meter();
  const TextPtr text = soft(v, meter);
  const std::int64_t length = integerOr(bound[0], 255, "length");
  const Value end = bound[2] ? *bound[2] : makeText("...");
  const std::int64_t leeway = integerOr(bound[3], 5, "leeway");
  if (end.text() == nullptr) raise("truncate()'s end must be a string");
  const auto endLength = static_cast<std::int64_t>(countCharacters(end.text()->bytes, meter));
  if (length < endLength || leeway < 0) raise("truncate()'s length is shorter than its end, or its leeway negative");
  const auto size = static_cast<std::int64_t>(countCharacters(text->bytes, meter));
  if (leeway >= size || size - leeway <= length) return text;
  Value kept = slice(*text, 0, byteOffset(text->bytes, static_cast<std::size_t>(length - endLength), meter), meter);
  if (!(bound[1] && bound[1]->truthy())) {
    const std::size_t space = kept.text()->bytes.rfind(' ');
    if (space != std::string::npos) kept = slice(*kept.text(), 0, space, meter);
  }
  return concatenate(*kept.text(), *end.text(), meter);
}

// Python's int(text, base) after strip: sign, prefix, single underscores between digits.
std::optional<std::int64_t> parseInteger(const Text& text, std::int64_t base, Meter& meter) {
  std::string digits = strip(text, nullptr, true, true, meter).text()->bytes;
  bool negative = false;
  if (!digits.empty() && (digits[0] == '+' || digits[0] == '-')) {
    negative = digits[0] == '-';
    digits.erase(0, 1);
  }
  if (digits.size() > 2 && digits[0] == '0') {
    const char prefix = static_cast<char>(digits[1] | 0x20);
    if ((base == 16 && prefix == 'x') || (base == 8 && prefix == 'o') || (base == 2 && prefix == 'b')) digits.erase(0, 2);
  }
  if (digits.empty() || digits.front() == '_' || digits.back() == '_' || digits.find("__") != std::string::npos) return std::nullopt;
  std::erase(digits, '_');
  if (digits.front() == '-') return std::nullopt;
  std::int64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, static_cast<int>(base));
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return negative ? -value : value;
}

std::optional<double> parseFloat(const Text& text, Meter& meter) {
  std::string digits = strip(text, nullptr, true, true, meter).text()->bytes;
  if (!digits.empty() && digits[0] == '+') digits.erase(0, 1);
  if (digits.empty() || digits[0] == '+') return std::nullopt;
  double value = 0.0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ptr != digits.data() + digits.size()) return std::nullopt;
  if (read.ec == std::errc::result_out_of_range) return std::strtod(digits.c_str(), nullptr);
  if (read.ec != std::errc{}) return std::nullopt;
  return value;
}

std::optional<std::int64_t> truncated(double value) {
  if (!(std::abs(value) < 9.2e18)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

Value filterInt(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("int", {"default", "base"});
  const std::int64_t base = integerOr(bound[1], 10, "base");
  if (base < 2 || base > 36) raise("int() base must be between 2 and 36");
  const Value fallback = bound[0] ? *bound[0] : Value(std::int64_t{0});
  if (v.isIntegral()) return v.integer();
  if (v.is<double>()) {
    const auto whole = truncated(v.number());
    return whole ? Value(*whole) : fallback;
  }
  if (const Text* text = v.text()) {
    if (const auto whole = parseInteger(*text, base, in.meter())) return *whole;
    if (const auto real = parseFloat(*text, in.meter())) {
      if (const auto whole = truncated(*real)) return *whole;
    }
  }
  requireDefined(v);
  return fallback;
}

Value filterFloat(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("float", {"default"});
  if (v.isNumber()) return v.number();
  if (const Text* text = v.text()) {
    if (const auto real = parseFloat(*text, in.meter())) return *real;
  }
  requireDefined(v);
  return bound[0] ? *bound[0] : Value(0.0);
}

Value filterRound(Interpreter&, const Value& v, const Arguments& a) {
  const auto bound = a.bind("round", {"precision", "method"});
  requireDefined(v);
  if (!v.isNumber()) raise(fmt::format("type {} doesn't define __round__ method", v.typeName()));
  const std::int64_t precision = integerOr(bound[0], 0, "precision");
  const Text* method = textOrNull(bound[1], "method");
  const std::string_view how = method == nullptr ? "common" : std::string_view(method->bytes);
  if (how != "common" && how != "ceil" && how != "floor") raise("method must be common, ceil or floor");
  if (precision > 300 || precision < -300) raise("round()'s precision is out of range");
  if (how == "common") {
    if (v.isIntegral() && precision >= 0) return v.integer();
    const double scale = std::pow(10.0, static_cast<double>(-precision));
    if (v.isIntegral()) return truncated(std::nearbyint(v.number() / scale) * scale).value_or(v.integer());
    if (std::isnan(v.number()) || std::isinf(v.number())) return v;
    if (precision < 0) return std::nearbyint(v.number() / scale) * scale;
    return std::strtod(fmt::format("{:.{}f}", v.number(), static_cast<int>(precision)).c_str(), nullptr);
  }
  const double scale = std::pow(10.0, static_cast<double>(precision));
  return (how == "ceil" ? std::ceil(v.number() * scale) : std::floor(v.number() * scale)) / scale;
}

Value filterAbs(Interpreter&, const Value& v, const Arguments&) {
  requireDefined(v);
  if (v.is<double>()) return std::abs(v.number());
  if (!v.isIntegral()) raise(fmt::format("bad operand type for abs(): '{}'", v.typeName()));
  if (v.integer() == std::numeric_limits<std::int64_t>::min()) raise("an integer left the range of 64 bits");
  return std::abs(v.integer());
}

Value filterToJson(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ensureAscii = bound[0] && bound[0]->truthy();
  style.sortKeys = bound[3] && bound[3]->truthy();
  if (bound[1] && !bound[1]->is<None>()) {
    style.pretty = true;
    style.itemSeparator = ',';
    if (const Text* text = bound[1]->text()) {
      style.indent = text->bytes;
    } else {
      const std::int64_t width = std::max<std::int64_t>(integerOr(bound[1], 0, "indent"), 0);
      if (width > 1000) raise("tojson()'s indent is too wide");
      style.indent.assign(static_cast<std::size_t>(width), ' ');
    }
  }
  if (bound[2] && !bound[2]->is<None>()) {
    const List* pair = bound[2]->list();
    if (pair == nullptr || pair->items.size() != 2 || pair->items[0].text() == nullptr || pair->items[1].text() == nullptr)
      raise("tojson()'s separators are a pair of strings");
    style.itemSeparator = pair->items[0].text()->bytes;
    style.keySeparator = pair->items[1].text()->bytes;
  }
  return toJson(v, style, in.meter());
}

Value filterFormat(Interpreter& in, const Value& v, const Arguments& a) {
  const TextPtr format = soft(v, in.meter());
  if (!a.positional.empty() && !a.keywords.empty()) raise("can't handle positional and keyword arguments at the same time");
  if (a.keywords.empty()) return formatPercent(*format, makeList(a.positional, in.meter(), ListKind::Tuple), in.meter());
  Dict dict;
  for (const auto& [key, value] : a.keywords) dict.set(makeText(key), value, in.meter());
  return formatPercent(*format, makeDict(std::move(dict), in.meter()), in.meter());
}

Value filterCenter(Interpreter& in, const Value& v, const Arguments& a) {
  Arguments width = a;
  if (width.positional.empty() && width.keywords.empty()) width.positional.push_back(std::int64_t{80});
  return callMethod(in, Bound{soft(v, in.meter()), "center"}, width);
}

Value filterWordCount(Interpreter& in, const Value& v, const Arguments&) {
  const TextPtr text = soft(v, in.meter());
  in.meter().charge(text->bytes.size() / 16);
  std::int64_t words = 0;
  bool inside = false;
  for (std::size_t at = 0; at < text->bytes.size(); at += characterBytes(text->bytes, at)) {
    const std::int32_t point = codePoint(text->bytes, at);
    const bool word = point == '_' || isLetter(point) || isDigit(point);
    if (word && !inside) ++words;
    inside = word;
  }
  return words;
}

Value filterUrlEncode(Interpreter& in, const Value& v, const Arguments&) {
  const TextPtr text = soft(v, in.meter());
  TextBuilder out(in.meter());
  std::size_t range = 0;
  for (std::size_t at = 0; at < text->bytes.size(); ++at) {
    const char c = text->bytes[at];
    while (range < text->input.size() && text->input[range].end <= at) ++range;
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("_.-~/").find(c) != std::string_view::npos;
    out.append(plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c)),
               range < text->input.size() && text->input[range].begin <= at);
  }
  return std::move(out).finish();
}

Value withMarkup(const TextPtr& text) {
  Text marked = *text;
  marked.markup = true;
  return TextPtr(std::make_shared<const Text>(std::move(marked)));
}

template <Case kTo>
Value filterCase(Interpreter& in, const Value& v, const Arguments&) { return changeCase(*soft(v, in.meter()), kTo, in.meter()); }

Value filterEscape(Interpreter& in, const Value& v, const Arguments&) {
  const TextPtr text = soft(v, in.meter());
  return text->markup ? Value(text) : escapeHtml(*text, in.meter());
}

const FilterTable& table() {
  static const FilterTable filters{
      {"default", filterDefault}, {"d", filterDefault}, {"replace", filterReplace}, {"trim", filterTrim},
      {"indent", filterIndent}, {"truncate", filterTruncate}, {"int", filterInt}, {"float", filterFloat},
      {"round", filterRound}, {"abs", filterAbs}, {"tojson", filterToJson}, {"format", filterFormat},
      {"center", filterCenter}, {"wordcount", filterWordCount}, {"urlencode", filterUrlEncode},
      {"upper", filterCase<Case::Upper>}, {"lower", filterCase<Case::Lower>}, {"capitalize", filterCase<Case::Capitalize>},
      {"title", [](Interpreter& in, const Value& v, const Arguments&) { return titleFilter(*soft(v, in.meter()), in.meter()); }},
      {"string", [](Interpreter& in, const Value& v, const Arguments&) { return Value(soft(v, in.meter())); }},
      {"safe", [](Interpreter& in, const Value& v, const Arguments&) { return withMarkup(soft(v, in.meter())); }},
      {"e", filterEscape}, {"escape", filterEscape},
      {"forceescape", [](Interpreter& in, const Value& v, const Arguments&) { return escapeHtml(*soft(v, in.meter()), in.meter()); }},
  };
  return filters;
}

}  // namespace

FilterFunction findValueFilter(std::string_view name) {
  const auto found = table().find(name);
  return found == table().end() ? nullptr : found->second;
}

}  // namespace hearth::jinja
