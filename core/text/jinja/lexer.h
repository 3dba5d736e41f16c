#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::jinja {

enum class TokenKind : std::uint8_t {
  Data,           ///< text between tags, white space control applied
  BlockBegin, BlockEnd, VariableBegin, VariableEnd,
  Name, String, Integer, Float, Operator, End,
};

struct Token {
  TokenKind kind = TokenKind::End;
  std::string text;  ///< data; name; a string's value; digits; the operator
  int line = 1;
};

/// Splits a template into tokens as Jinja does with trim_blocks and lstrip_blocks. Throws Failure with the line.
[[nodiscard]] std::vector<Token> tokenize(std::string_view source);

}  // namespace hearth::jinja
