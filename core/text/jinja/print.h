#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/text/jinja/value.h"

namespace hearth::jinja {

/// Python's repr(float): shortest digits that read back, exponent below 1e-4 and from 1e16 on.
[[nodiscard]] std::string floatRepr(double value);

/// str(value): what {{ value }} prints.
[[nodiscard]] TextPtr toText(const Value& value, Meter& meter);
[[nodiscard]] TextPtr repr(const Value& value, Meter& meter);

struct JsonStyle {
  bool ensureAscii = false;
  bool sortKeys = false;
  bool pretty = false;            ///< one item a line
  std::string indent;             ///< one level, when pretty
  std::string itemSeparator = ", ";
  std::string keySeparator = ": ";
};
/// json.dumps; raises on values that JSON lacks.
[[nodiscard]] TextPtr toJson(const Value& value, const JsonStyle& style, Meter& meter);

using Keywords = std::map<std::string, Value, std::less<>>;

/// `format % arguments` (a tuple, a dict for %(name)s, or one value).
[[nodiscard]] TextPtr formatPercent(const Text& format, const Value& arguments, Meter& meter);
/// str.format: {} {0} {name} with !r/!s and fill, align, sign, width, comma, precision, type.
[[nodiscard]] TextPtr formatBraces(const Text& format, const std::vector<Value>& arguments, const Keywords& keywords, Meter& meter);

}  // namespace hearth::jinja
