#pragma once

#include <boost/json/fwd.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/text/grammar/grammar.h"

/// What the front ends share. A builder's own thread.
namespace hearth::grammar {

using Part = GrammarBuilder::Part;

/// Fronts nested deeper than this are refused: their parsers recurse.
inline constexpr int kMostNesting = 256;
/// Longer source texts are refused unread.
inline constexpr std::size_t kMostSource = 1U << 20U;
inline constexpr int kMostRepeats = 100'000;

[[nodiscard]] std::unexpected<Error> refuse(std::string_view path, std::string message, std::vector<Evidence> evidence = {});

struct RegexOptions {
  /// How one character of a set stands in the text; none = as UTF-8.
  std::function<Part(const CodePointSet&)> character;
  bool search = false;  ///< the pattern may match anywhere in the text (JSON schema's `pattern`), else the whole of it
};
[[nodiscard]] Result<Part> regexPart(GrammarBuilder& builder, std::string_view pattern, std::string_view path,
                                     const RegexOptions& options);

/// \p{name} by Unicode's general category, or nothing when there is no such.
[[nodiscard]] std::optional<CodePointSet> unicodeCategory(std::string_view name);

// Pieces of JSON (json_parts.cpp).
/// One character of a string: as it is, or escaped.
[[nodiscard]] Part jsonCharacter(GrammarBuilder& builder);
/// One character of this set within a string, as it is or in its shortest escape.
[[nodiscard]] Part jsonCharacter(GrammarBuilder& builder, const CodePointSet& set);
[[nodiscard]] Part jsonNumber(GrammarBuilder& builder);
[[nodiscard]] Part jsonInteger(GrammarBuilder& builder);
/// This very value, with the white space that generated JSON has.
[[nodiscard]] Part jsonConstant(GrammarBuilder& builder, const boost::json::value& value);
[[nodiscard]] std::string jsonQuoted(std::string_view text);
/// A string that is none of these, written without escapes.
[[nodiscard]] Part jsonOtherString(GrammarBuilder& builder, std::span<const std::string> names);
/// The strings of a `format` that is held exactly, without quotes; nothing = it is an annotation only.
[[nodiscard]] std::optional<Part> stringFormat(GrammarBuilder& builder, std::string_view format);

/// Bounds of a number. A decimal number is written as its JSON text.
struct NumberBounds {
  std::optional<std::string> least, most;      ///< plain decimals: -12.5
  bool aboveLeast = false, belowMost = false;  ///< the bound itself is excluded
};
/// `text` of a JSON number (1e3, 0.5) as a plain decimal; nothing when it has too many digits.
[[nodiscard]] std::optional<std::string> plainDecimal(std::string_view text);
[[nodiscard]] Result<Part> integerBetween(GrammarBuilder& builder, const NumberBounds& bounds,
                                          std::optional<std::int64_t> multipleOf, std::string_view path);
[[nodiscard]] Result<Part> decimalBetween(GrammarBuilder& builder, const NumberBounds& bounds, std::string_view path);

}  // namespace hearth::grammar
