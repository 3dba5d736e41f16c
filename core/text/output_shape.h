#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hearth {

/// The shape that an answer must have; a grammar holds it while tokens are chosen (core/text/grammar).
struct OutputShape {
  enum class Kind : std::uint8_t {
    Any,
    JsonObject,  ///< any JSON object
    JsonSchema,  ///< `text`: the schema as JSON
    Gbnf,        ///< `text`: a grammar in GGML's BNF with the rule `root`
    Regex,       ///< `text`: a pattern for the whole answer
    Choice,      ///< exactly one of `choices`
  };
  Kind kind = Kind::Any;
  std::string text;
  std::vector<std::string> choices;
  friend bool operator==(const OutputShape&, const OutputShape&) = default;
};

}  // namespace hearth
