#include <chrono>

#include "tests/text/grammar_cases.h"

namespace hearth {
namespace {

using test::expectField;
using test::expectSchema;
using test::refused;

TEST(JsonSchema, Types) {
  expectSchema(R"({"type": "null"})", {"null"}, {"nul", "true", ""});
  expectSchema(R"({"type": "boolean"})", {"true", "false"}, {"null", "True"});
  expectSchema(R"({"type": "integer"})", {"0", "-7", "120"}, {"01", "1.0", "-", "+1", ""});
  expectSchema(R"({"type": "number"})", {"0", "-0.5", "12e5", "1E-3", "7"}, {"1.", ".5", "1e", "00"});
  expectSchema(R"({"type": "string"})", {R"("")", R"("a b")", R"("\n\"\\\/\u00e9")", R"("\ud83d\ude00")", "\"Größe 🙂\""},
               {"\"a", "a", "\"\n\"", R"("\x")", R"("\ud83d")", "\"\xc3\"", "\"\xff\""});
  expectSchema(R"({"type": ["string", "null", "integer"]})", {"null", R"("x")", "5"}, {"true", "5.5", "[]"});
  expectSchema(R"({"type": "array"})", {"[]", "[1]", "[1, \"a\", [], {}]"}, {"[1,]", "{}", "[,]"});
  expectSchema(R"({"type": "object"})", {"{}", R"({"a": {"b": [null]}})"}, {"[]", R"({"a"})", R"({a: 1})"});
}

TEST(JsonSchema, AnythingAndNothing) {
  for (const char* any : {"{}", "true", R"({"description": "whatever", "title": "T", "default": 1, "x-extra": 2})"}) {
    expectSchema(any, {"1", "null", R"({"a": [true]})", R"("s")"}, {"", "nope", "{"});
  }
  EXPECT_NE(refused(OutputShape::Kind::JsonSchema, "false").message.find("no text"), std::string::npos);
  expectSchema(R"({"type": "object", "properties": {"a": false, "b": {"type": "null"}}})", {"{}", R"({"b": null})"},
               {R"({"a": 1})"});
  (void)refused(OutputShape::Kind::JsonSchema, R"({"type": "object", "properties": {"a": false}, "required": ["a"]})");
}

TEST(JsonSchema, Properties) {
  const std::string schema =
      R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": "null"}},
                                 "required": ["b"], "additionalProperties": false})";
  expectSchema(
      schema,
      {R"({"a": 1, "b": "x", "c": null})", R"({"b":"x"})", R"({"a":1,"b":"x"})", "{\n  \"b\": \"x\",\n  \"c\": null\n}"},
      {R"({})", R"({"a": 1})", R"({"b": "x", "a": 1})", R"({"b": "x", "b": "x"})", R"({"b": "x", "d": 1})", R"({"b": "x",})",
       R"({,"b": "x"})", R"({"b": 1})"});
  // Without additionalProperties only what is declared is written; with it further names follow, never a declared one.
  expectSchema(R"({"properties": {"a": {"type": "integer"}}})", {"{}", R"({"a": 1})"}, {R"({"z": 1})"});
  expectSchema(
      R"({"type": "object", "properties": {"ab": {"type": "integer"}, "aé": {}}, "additionalProperties": {"type": "boolean"}})",
      {"{}", R"({"ab": 1})", R"({"a": true, "abc": false})", R"({"ab": 1, "x": true, "": false})", R"({"aè": true})"},
      {R"({"ab": true})", R"({"x": true, "ab": 1})", R"({"x": 1})", R"({"a\u0062": true})"});
  expectSchema(R"({"type": "object", "additionalProperties": true, "required": ["q"]})",
               {R"({"q": 1})", R"({"q": 1, "r": 2})"}, {"{}", R"({"r": 2})"});
  expectSchema(R"({"type": "object", "properties": {"we\"ird\n": {"type": "null"}}, "required": ["we\"ird\n"]})",
               {R"({"we\"ird\n": null})"}, {"{}"});
}

TEST(JsonSchema, NumberOfProperties) {
  const std::string schema =
      R"({"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "null"}, "c": {"type": "null"}}, "minProperties": 1, "maxProperties": 2})";
  expectSchema(schema, {R"({"a": null})", R"({"b": null, "c": null})"}, {"{}", R"({"a": null, "b": null, "c": null})"});
  expectSchema(R"({"type": "object", "additionalProperties": {"type": "null"}, "minProperties": 2})",
               {R"({"a": null, "b": null})", R"({"a": null, "b": null, "c": null})"}, {"{}", R"({"a": null})"});
  expectSchema(R"({"type": "object", "maxProperties": 0})", {"{}"}, {R"({"a": 1})"});
}

TEST(JsonSchema, Items) {
  expectSchema(R"({"type": "array", "items": {"type": "integer"}})", {"[]", "[1]", "[1, 2,3]"}, {R"(["a"])", "[1 2]"});
  expectSchema(R"({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3})", {"[1,2]", "[1,2,3]"},
               {"[]", "[1]", "[1,2,3,4]"});
  expectSchema(R"({"items": {"type": "boolean"}, "maxItems": 0})", {"[]"}, {"[true]"});
  expectSchema(R"({"type": "array", "items": false})", {"[]"}, {"[1]"});
  expectSchema(R"({"type": "array", "items": {"type": "null"}, "minItems": 300, "maxItems": 300})", {}, {"[null]"});
  expectSchema(
      R"({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": {"type": "null"}, "minItems": 1, "maxItems": 4})",
      {"[1]", R"([1, "a"])", R"([1, "a", null, null])"}, {"[]", "[null]", R"([1, "a", null, null, null])", R"([1, null])"});
  expectSchema(R"({"type": "array", "prefixItems": [{"type": "integer"}], "items": false})", {"[]", "[1]"}, {"[1, 1]"});
  expectSchema(R"({"type": "array", "items": [{"type": "integer"}], "additionalItems": {"type": "null"}})", {"[1, null]"},
               {"[1, 1]"});
}

TEST(JsonSchema, ManyItemsAreCounted) {
  const auto grammar =
      test::compiled(OutputShape::Kind::JsonSchema,
                     R"({"type": "array", "items": {"type": "integer"}, "minItems": 1000, "maxItems": 20000})");
  const auto list = [](int n) {
    std::string text = "[1";
    for (int i = 1; i < n; ++i) text += ",1";
    return text + "]";
  };
  EXPECT_FALSE(grammar->matches(list(999)));
  EXPECT_TRUE(grammar->matches(list(1000)));
  EXPECT_TRUE(grammar->matches(list(20000)));
  EXPECT_FALSE(grammar->matches(list(20001)));
}

TEST(JsonSchema, Constants) {
  expectSchema(R"({"const": {"a": [1, "x"]}})", {R"({"a":[1,"x"]})", R"({"a": [1, "x"]})"}, {R"({"a": [1]})", "{}"});
  expectSchema(R"({"enum": ["red", "green", 3, null, 1.5, true]})", {R"("red")", "3", "null", "1.5", "true"},
               {R"("blue")", "4", "red"});
  expectSchema(R"({"type": "string", "enum": ["red", 3]})", {R"("red")"}, {"3"});
  expectSchema(R"({"enum": ["a\"\n"]})", {R"("a\"\n")"}, {});
  (void)refused(OutputShape::Kind::JsonSchema, R"({"enum": []})");
}

TEST(JsonSchema, Alternatives) {
  expectSchema(R"({"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]})", {"1", R"("a")", "null"},
               {"true"});
  expectSchema(
      R"({"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "null"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]})",
      {R"({"a": null})", R"({"b": null})", R"({"a": null, "b": null})"}, {"{}"});
  expectSchema(R"({"oneOf": [{"type": "integer"}, {"type": "string"}]})", {"1", R"("a")"}, {"null"});
  expectSchema(
      R"({"oneOf": [{"type": "object", "properties": {"kind": {"const": "a"}, "x": {"type": "integer"}}, "required": ["kind"]},
                             {"type": "object", "properties": {"kind": {"const": "b"}, "y": {"type": "string"}}, "required": ["kind", "y"]}]})",
      {R"({"kind": "a", "x": 1})", R"({"kind": "b", "y": "s"})"}, {R"({"kind": "b", "x": 1})", R"({"kind": "c"})"});
  expectField(R"({"oneOf": [{"type": "integer"}, {"type": "number"}]})", "format.oneOf[1]");
}

TEST(JsonSchema, AllOf) {
  expectSchema(
      R"({"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"b": {"type": "string"}}, "required": ["b"]}]})",
      {R"({"a": 1, "b": "x"})"}, {R"({"a": 1})", R"({"b": "x"})"});
  expectSchema(R"({"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 5}, {"minimum": 4}]})", {"4", "5"}, {"3", "6"});
  expectSchema(R"({"allOf": [{"enum": [1, 2, 3]}, {"enum": [2, 3, 4]}]})", {"2", "3"}, {"1", "4"});
  expectSchema(R"({"$defs": {"n": {"type": "integer"}}, "allOf": [{"$ref": "#/$defs/n"}], "maximum": 3})", {"3"}, {"4"});
  expectField(R"({"allOf": [{"pattern": "a"}, {"pattern": "b"}]})", "format.pattern");
}

TEST(JsonSchema, References) {
  const std::string tree =
      R"({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"value": {"type": "integer"},
      "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}, "required": ["value"], "additionalProperties": false}}})";
  expectSchema(tree, {R"({"value": 1})", R"({"value": 1, "children": [{"value": 2, "children": []}, {"value": 3}]})"},
               {R"({"children": []})", R"({"value": 1, "children": [1]})"});
  expectSchema(R"({"type": "object", "properties": {"next": {"$ref": "#"}}})", {"{}", R"({"next": {"next": {}}})"},
               {R"({"next": 1})"});
  expectSchema(R"({"$ref": "#/definitions/a~1b%20c", "definitions": {"a/b c": {"type": "null"}}})", {"null"}, {"1"});
  expectField(R"({"$ref": "#/$defs/none"})", "format.$ref");
  expectField(R"({"$ref": "http://example.com/schema"})", "format.$ref");
  (void)refused(OutputShape::Kind::JsonSchema, R"({"$ref": "#"})");
  (void)refused(
      OutputShape::Kind::JsonSchema,
      R"({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]}}, "$ref": "#/$defs/a"})");
  // Depth is bounded by nothing but the text.
  const auto grammar = test::compiled(OutputShape::Kind::JsonSchema, R"({"type": "array", "items": {"$ref": "#"}})");
  const std::string deep(100'000, '[');
  EXPECT_TRUE(grammar->matches(deep + std::string(100'000, ']')));
  EXPECT_FALSE(grammar->matches(deep + std::string(99'999, ']')));
}

TEST(JsonSchema, Lengths) {
  const auto quoted = [](std::size_t length) { return std::string(1, '"').append(length, 'x').append(1, '"'); };
  expectSchema(R"({"type": "string", "minLength": 2, "maxLength": 3})",
               {R"("ab")", R"("abc")", "\"éü🙂\"", R"("\n\u00e9\ud83d\ude00")"}, {R"("a")", R"("abcd")", R"("")"});
  expectSchema(R"({"type": "string", "maxLength": 0})", {R"("")"}, {R"("a")"});
  const auto grammar =
      test::compiled(OutputShape::Kind::JsonSchema, R"({"type": "string", "minLength": 500, "maxLength": 70000})");
  EXPECT_FALSE(grammar->matches(quoted(499)));
  EXPECT_TRUE(grammar->matches(quoted(500)));
  EXPECT_TRUE(grammar->matches(quoted(70000)));
  EXPECT_FALSE(grammar->matches(quoted(70001)));
}

TEST(JsonSchema, Patterns) {
  expectSchema(R"({"type": "string", "pattern": "^[A-Z]{2}-\\d+$"})", {R"("AB-1")", R"("ZZ-123")"},
               {R"("AB-")", R"("xAB-1")", R"("AB-1 ")"});
  expectSchema(R"({"type": "string", "pattern": "b+"})", {R"("abbc")", R"("b")"}, {R"("ac")", R"("")"});
  expectSchema(R"({"type": "string", "pattern": "^\"\\\\[\\n-]$"})", {R"("\"\\\n")", R"("\"\\-")"}, {"\"\"\\\n\""});
  expectField(R"({"type": "object", "properties": {"x": {"pattern": "(?=a)b"}}})", "format.properties.x.pattern");
}

TEST(JsonSchema, IntegerRanges) {
  expectSchema(R"({"type": "integer", "minimum": 8, "maximum": 1205})",
               {"8", "9", "10", "99", "100", "999", "1000", "1199", "1205"}, {"7", "1206", "2000", "08", "-8"});
  expectSchema(R"({"type": "integer", "exclusiveMinimum": -3, "exclusiveMaximum": 2})", {"-2", "-1", "0", "1"},
               {"-3", "2", "-0"});
  expectSchema(R"({"type": "integer", "minimum": -1250, "maximum": -37})", {"-37", "-40", "-99", "-1250", "-1000"},
               {"-36", "-1251", "37", "0"});
  expectSchema(R"({"type": "integer", "minimum": 1.5})", {"2", "100000"}, {"1", "-5"});
  expectSchema(R"({"type": "integer", "maximum": 9223372036854775807, "minimum": 9223372036854775800})",
               {"9223372036854775807"}, {"9223372036854775799", "9223372036854775808"});
  expectSchema(R"({"type": "integer", "multipleOf": 7})", {"0", "7", "14", "-21", "7000007"}, {"8", "13", "07"});
  expectSchema(R"({"type": "integer", "multipleOf": 5, "minimum": 3, "maximum": 22})", {"5", "20"}, {"0", "25", "7"});
  expectSchema(R"({"type": "number", "multipleOf": 4, "minimum": 0})", {"0", "4", "16"}, {"-4", "4.5", "6"});
  expectField(R"({"properties": {"age": {"type": "number", "multipleOf": 0.01}}})", "format.properties.age.multipleOf");
  (void)refused(OutputShape::Kind::JsonSchema, R"({"type": "integer", "minimum": 5, "maximum": 4})");
  const auto grammar =
      test::compiled(OutputShape::Kind::JsonSchema, R"({"type": "integer", "minimum": -57, "maximum": 1234})");
  for (int i = -2000; i <= 2000; ++i) EXPECT_EQ(grammar->matches(std::to_string(i)), i >= -57 && i <= 1234) << i;
}

TEST(JsonSchema, NumberRanges) {
  expectSchema(R"({"type": "number", "minimum": 0, "maximum": 1})", {"0", "1", "0.5", "0.0", "1.0", "0.999"},
               {"-0.1", "1.01", "2", "-0"});
  expectSchema(R"({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1})", {"0.5", "0.01"},
               {"0", "1", "0.0", "1.0", "0.00"});
  expectSchema(R"({"type": "number", "minimum": -2.5, "maximum": 3.25})",
               {"-2.5", "-2.49", "-2", "-0.1", "0", "3.25", "3.250", "3.2", "3"}, {"-2.51", "3.26", "3.251", "-3", "4"});
  expectSchema(R"({"type": "number", "minimum": 0.50, "maximum": 0.55})", {"0.5", "0.50", "0.52", "0.55", "0.5499"},
               {"0.49", "0.56", "0.551", "0", "1"});
  expectSchema(R"({"type": "number", "exclusiveMinimum": 99.5})", {"99.6", "99.51", "100", "12345.678"},
               {"99.5", "99.50", "99", "-100"});
  expectSchema(R"({"type": "number", "maximum": -1})", {"-1", "-1.5", "-20"}, {"-0.5", "0", "1"});
  const auto grammar =
      test::compiled(OutputShape::Kind::JsonSchema, R"({"type": "number", "minimum": -1.25, "exclusiveMaximum": 12.5})");
  for (int i = -300; i <= 1500; ++i) {
    const int whole = std::abs(i) / 100, part = std::abs(i) % 100;
    std::string text(i < 0 ? 1 : 0, '-');
    text.append(std::to_string(whole)).append(part < 10 ? ".0" : ".").append(std::to_string(part));
    EXPECT_EQ(grammar->matches(text), i >= -125 && i < 1250) << text;
  }
}

TEST(JsonSchema, Formats) {
  const auto format = [](const std::string& name) { return R"({"type": "string", "format": ")" + name + "\"}"; };
  expectSchema(format("date"), {R"("2024-02-29")", R"("1999-12-31")", R"("2000-02-29")"},
               {R"("2023-02-29")", R"("1900-02-29")", R"("2024-04-31")", R"("0000-01-01")", R"("2024-13-01")"});
  expectSchema(format("time"), {R"("23:59:59Z")", R"("00:00:00.5+01:30")"},
               {R"("24:00:00Z")", R"("1:00:00Z")", R"("10:00")"});
  expectSchema(format("date-time"), {R"("2024-05-06T07:08:09Z")"}, {R"("2024-05-06 07:08:09Z")", R"("2024-05-06")"});
  expectSchema(format("uuid"), {R"("123e4567-e89b-12d3-a456-426614174000")"},
               {R"("123e4567")", R"("123e4567-e89b-12d3-a456-42661417400g")"});
  expectSchema(format("email"), {R"("a.b+c@example.co.uk")"}, {R"("a@b")", R"("@b.de")", R"("a b@c.de")"});
  expectSchema(format("ipv4"), {R"("192.168.0.255")", R"("0.0.0.0")"}, {R"("256.1.1.1")", R"("01.1.1.1")", R"("1.1.1")"});
  expectSchema(format("ipv6"), {R"("::1")", R"("2001:db8::1")", R"("1:2:3:4:5:6:7:8")"}, {R"("1:2")", R"("12345::1")"});
  expectSchema(format("duration"), {R"("P1Y2M3D")", R"("PT5M")", R"("P2W")"}, {R"("P")", R"("PT")", R"("1Y")"});
  expectSchema(format("hostname"), {R"("example.com")", R"("a-b")"}, {R"("-a")", R"("a..b")"});
  expectSchema(format("color"), {R"("anything")"}, {});  // an annotation, as draft 2020-12 has it
}

TEST(JsonSchema, WhatIsNotDoneIsRefusedByItsPath) {
  expectField(R"({"type": "object", "properties": {"a": {"not": {}}}})", "format.properties.a.not");
  expectField(R"({"type": "array", "items": {"type": "array", "uniqueItems": true}})", "format.items.uniqueItems");
  expectField(R"({"patternProperties": {"a": {}}})", "format.patternProperties");
  expectField(R"({"type": "object", "properties": {"a b": {"minimun": 3}}})", "format.properties[\"a b\"].minimun");
  expectField(R"({"type": "strnig"})", "format.type");
  expectField(R"({"type": "string", "minLength": -1})", "format.minLength");
  expectField(R"({"type": "string", "minLength": 1.5})", "format.minLength");
  expectField(R"({"type": "array", "minItems": 9000000})", "format.minItems");
  expectField(R"({"required": "a"})", "format.required");
  expectField(R"({"properties": []})", "format.properties");
  expectField(R"({"anyOf": []})", "format.anyOf");
  expectField(R"({"anyOf": [{"type": "x"}]})", "format.anyOf[0].type");
  expectField(R"({"$defs": {"q": {"type": 3}}, "$ref": "#/$defs/q"})", "format.$defs.q.type");
  expectField("[]", "format");
  expectField("{", "format");
  expectField("", "format");
}

TEST(JsonSchema, HostileOnesAreRefusedInTime) {
  std::vector<std::string> schemas;
  std::string deep, close;
  for (int i = 0; i < 60'000; ++i) deep += R"({"items":)", close += "}";
  schemas.push_back(deep + "{}" + close);
  schemas.push_back(std::string(60'000, '['));
  schemas.push_back(R"({"pattern": ")" + std::string(60'000, '(') + R"("})");
  schemas.push_back(R"({"pattern": "^((a{1,1000}){1,1000}){1,1000}(x?){100000}$"})");
  std::string chain = R"({"$ref": "#/$defs/d0", "$defs": {)";
  for (int i = 0; i < 20'000; ++i)
    chain += "\"d" + std::to_string(i) + R"(": {"$ref": "#/$defs/d)" + std::to_string((i + 1) % 20'000) + "\"},";
  schemas.push_back(chain + R"("e": {}}})");
  std::string wide = R"({"type": "object", "maxProperties": 5000, "properties": {)";
  for (int i = 0; i < 5000; ++i) wide += "\"p" + std::to_string(i) + R"(": {"type": "string"},)";
  schemas.push_back(wide + R"("z": {}}})");
  std::string doubling = R"({"$defs": {"d0": {"type": "null"})";
  for (int i = 1; i < 60; ++i) {
    const std::string last = std::to_string(i - 1);
    doubling += ",\"d" + std::to_string(i) + R"(": {"allOf": [{"properties": {"a": {"$ref": "#/$defs/d)" + last +
                R"("}}}, {"properties": {"a": {"$ref": "#/$defs/d)" + last + R"(", "title": "t"}, "b": {}}}]})";
  }
  schemas.push_back(doubling + R"(}, "$ref": "#/$defs/d59"})");
  for (const std::string& schema : schemas) {
    const auto begin = std::chrono::steady_clock::now();
    OutputShape shape;
    shape.kind = OutputShape::Kind::JsonSchema;
    shape.text = schema;
    const auto grammar = compileShape(shape, "format");
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    EXPECT_TRUE(!grammar || &schema == &schemas.back()) << schema.substr(0, 100);  // the last one is only large
    EXPECT_LT(took, 1.0) << schema.substr(0, 100);                                 // 100 ms on a machine of its own
  }
}

}  // namespace
}  // namespace hearth
