#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "core/text/grammar/grammar.h"

namespace hearth::test {

inline GrammarPtr compiled(OutputShape::Kind kind, std::string text) {
  OutputShape shape;
  shape.kind = kind;
  shape.text = std::move(text);
  auto grammar = compileShape(shape, "format");
  EXPECT_TRUE(grammar) << shape.text << ": " << (grammar ? "" : grammar.error().describe());
  return grammar ? *grammar : nullptr;
}

inline Error refused(OutputShape::Kind kind, std::string text) {
  OutputShape shape;
  shape.kind = kind;
  shape.text = std::move(text);
  auto grammar = compileShape(shape, "format");
  EXPECT_FALSE(grammar) << shape.text;
  if (grammar) return {};
  EXPECT_EQ(grammar.error().code, ErrorCode::InvalidArgument);
  return grammar.error();
}

/// Both ways: what the grammar accepts and what it does not.
inline void expectTexts(OutputShape::Kind kind, const std::string& text, std::initializer_list<std::string_view> accepted,
                        std::initializer_list<std::string_view> rejected) {
  const GrammarPtr grammar = compiled(kind, text);
  if (!grammar) return;
  for (const auto one : accepted) EXPECT_TRUE(grammar->matches(one)) << text << " accepts " << one;
  for (const auto one : rejected) EXPECT_FALSE(grammar->matches(one)) << text << " rejects " << one;
}
inline void expectSchema(const std::string& schema, std::initializer_list<std::string_view> accepted,
                         std::initializer_list<std::string_view> rejected) {
  expectTexts(OutputShape::Kind::JsonSchema, schema, accepted, rejected);
}
inline void expectField(const std::string& schema, std::string_view field) {
  EXPECT_EQ(refused(OutputShape::Kind::JsonSchema, schema).find("field"), field) << schema;
}

}  // namespace hearth::test
