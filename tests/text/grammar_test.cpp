#include <chrono>

#include "tests/text/grammar_cases.h"

namespace hearth {
namespace {

using test::compiled;
using test::expectTexts;
using test::refused;
using Kind = OutputShape::Kind;

TEST(CodePointSets, SpellUtf8Exactly) {
  // Every character of a range with awkward ends is spelt once, and nothing else.
  const CodePointSet set{{0x20, 0x20},     {0x7e, 0x85},      {0x7fe, 0x812},
                         {0xd7f0, 0xe010}, {0xfff0, 0x10010}, {0x10fff0, 0x10ffff}};
  GrammarBuilder b;
  const auto grammar = b.build(b.characters(set));
  ASSERT_TRUE(grammar);
  const auto encode = [](std::uint32_t c) {
    std::string out;
    if (c < 0x80) return std::string(1, static_cast<char>(c));
    const int length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (int i = length - 1; i > 0; --i, c >>= 6U) out.insert(out.begin(), static_cast<char>(0x80U | (c & 0x3fU)));
    out.insert(out.begin(), static_cast<char>((length == 2 ? 0xc0U : length == 3 ? 0xe0U : 0xf0U) | c));
    return out;
  };
  for (std::uint32_t c = 0; c < 0x110000; c += c < 0x11000 ? 1 : 251)
    EXPECT_EQ((*grammar)->matches(encode(c)), set.contains(c)) << c;
  for (std::uint32_t c = 0x10fff0; c < 0x110000; ++c) EXPECT_TRUE((*grammar)->matches(encode(c)));
  EXPECT_FALSE((*grammar)->matches("\xed\xa0\x80")) << "half a surrogate pair";
  EXPECT_FALSE((*grammar)->matches("\xc1\xbf")) << "longer than needed";
}

TEST(Gbnf, WhatTheFormatHas) {
  expectTexts(Kind::Gbnf, "root ::= \"a\" (\"b\" | \"c\")+ # comment\n", {"ab", "acb"}, {"a", "abd", ""});
  expectTexts(Kind::Gbnf, "root ::= item (\",\" item)*\nitem ::= [0-9]+ | \"x\"", {"1", "12,x,3"}, {"", ",", "1,", "x1"});
  expectTexts(Kind::Gbnf, "# first\nroot ::=\n  a\n  | b\n\na ::= \"1\"\nb ::= (\n \"2\"\n \"3\" )\n", {"1", "23"},
              {"2", "123"});
  expectTexts(Kind::Gbnf, "root ::= [^a-c\\n\\]]{2}", {"de", "é-"}, {"da", "d", "d\n", "]]"});
  expectTexts(Kind::Gbnf, "root ::= \"\\x41\\u00e9\\U0001F642\\\"\\\\\\t\"", {"Aé🙂\"\\\t"}, {"A"});
  expectTexts(Kind::Gbnf, "root ::= \"a\"{3} \"b\"{1,} \"c\"{,2} \"d\"{2,3}", {"aaabdd", "aaabbbccddd"},
              {"aabdd", "aaadd", "aaabcccdd", "aaabd", "aaabdddd"});
  expectTexts(Kind::Gbnf, "root ::= . .?", {"a", "é🙂"}, {"", "abc"});
  expectTexts(Kind::Gbnf, "root ::= ws-1 \"x\" ws-1\nws-1 ::= [ \\t]*", {"x", "  x\t"}, {"", "y"});
  expectTexts(Kind::Gbnf, "root ::= \"\" | \"a\" root", {"", "aaaa"}, {"b"});
  // Brackets of any depth.
  expectTexts(Kind::Gbnf, "root ::= \"(\" root \")\" | \"x\"", {"x", "((x))"}, {"(x", "x)", "()"});
}

TEST(Gbnf, AmbiguityIsFollowed) {
  std::string many(3000, 'a');
  const auto grammar = compiled(Kind::Gbnf, "root ::= item*\nitem ::= \"a\"+ | \"aa\" item?");
  EXPECT_TRUE(grammar->matches(many));
  EXPECT_FALSE(grammar->matches(many + "b"));
}

TEST(Gbnf, WrongOnesAreRefused) {
  for (const char* text : {"",
                           "root",
                           "root ::=",
                           "root ::= a",
                           "root ::= \"a",
                           "root ::= [a",
                           "root ::= (\"a\"",
                           "root ::= \"a\")",
                           "root ::= \"a\" ::= \"b\"",
                           "other ::= \"a\"",
                           "root ::= \"a\"\nroot ::= \"b\"",
                           "root ::= \"\\q\"",
                           "root ::= [z-a]",
                           "root ::= \"a\"{3,2}",
                           "root ::= \"a\"{999999999}",
                           "root ::= *",
                           "root ::= <think>",
                           "root ::= \"\\ud800\"",
                           "root ::= \xff",
                           "root ::= root",
                           "root ::= a \"x\"\na ::= root \"y\"",
                           "root ::= \"a\"* root \"b\"",
                           "root ::= \"a\" root"}) {
    if (std::string_view(text) == "root ::=") continue;  // nothing at all is a rule too
    (void)refused(Kind::Gbnf, text);
  }
  EXPECT_EQ(refused(Kind::Gbnf, "root ::= \"a\"\nb ::= ]").find("line"), "2");
  EXPECT_NE(refused(Kind::Gbnf, "root ::= a\na ::= a \"x\" | \"y\"").message.find("left recursion"), std::string::npos);
}

TEST(Gbnf, HostileOnesAreRefusedInTime) {
  std::vector<std::string> texts{"root ::= " + std::string(60'000, '('), "root ::= \"a\"" + std::string(60'000, '*'),
                                 "root ::= ((((((\"a\"{9}){99}){99}){99}){99}){99})?{99999}"};
  std::string chain;
  for (int i = 0; i < 40'000; ++i)
    chain.append("r").append(std::to_string(i)).append(" ::= r").append(std::to_string(i + 1)).append(" | \"\"\n");
  texts.push_back("root ::= r0 \"x\"{0,5}\n" + chain);
  std::string blowUp =
      "root ::= [ab]* \"a\" [ab] [ab] [ab] [ab] [ab] [ab] [ab] [ab] [ab] [ab] [ab] [ab] [ab] [ab] [ab] [ab] [ab] [ab] [ab] "
      "[ab]";
  for (const std::string& text : texts) {
    const auto begin = std::chrono::steady_clock::now();
    OutputShape shape;
    shape.kind = Kind::Gbnf;
    shape.text = text;
    const auto grammar = compileShape(shape, "grammar");
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    EXPECT_LT(took, 1.0) << text.substr(0, 60);  // 100 ms on a machine of its own
    EXPECT_FALSE(grammar && (*grammar)->matches("nothing like it"));
  }
  // Exponential as a table, cheap as what it is.
  const auto grammar = compiled(Kind::Gbnf, blowUp);
  ASSERT_TRUE(grammar);
  EXPECT_TRUE(grammar->matches("bba" + std::string(20, 'b')));
  EXPECT_FALSE(grammar->matches("bbb" + std::string(20, 'b')));
}

TEST(Regex, WhatIsDone) {
  expectTexts(Kind::Regex, "a|bc", {"a", "bc"}, {"b", "abc", ""});
  expectTexts(Kind::Regex, "^\\d{3}-[a-f]+?$", {"123-abc"}, {"12-a", "123-", "x123-a"});
  expectTexts(Kind::Regex, "(?:ab)*(c(d))?(?<name>e)(?P<other>f)", {"ef", "ababcdef"}, {"abef2", "ae"});
  expectTexts(Kind::Regex, "[^\\s\\d]\\w\\W.", {"_a-é"}, {" a-é", "a--é", "ab\n"});
  expectTexts(Kind::Regex, "\\p{Lu}\\p{L}*\\p{Nd}", {"Élan5", "Ωx٣"}, {"élan5", "É"});
  expectTexts(Kind::Regex, "\\u0041\\x42\\u{1F642}\\t\\.\\/", {"AB🙂\t./"}, {"AB"});
  expectTexts(Kind::Regex, "a{2}b{0,1}c{3,}", {"aaccc", "aabccccc"}, {"acc", "aabbccc"});
  expectTexts(Kind::Regex, "x{,2}", {"x{,2}"}, {"xx"});
  expectTexts(Kind::Regex, "a{0,70000}", {"", std::string_view("aaaa")}, {"b"});
}

TEST(Regex, WhatIsNotDoneIsRefusedByName) {
  const std::pair<const char*, const char*> cases[] = {{"(a)\\1", "backreference"},
                                                       {"(?=a)", "lookaround"},
                                                       {"(?<!a)b", "lookaround"},
                                                       {"\\bword", "word boundary"},
                                                       {"a++", "possessive"},
                                                       {"(?>a)", "atomic"},
                                                       {"a(^b)", "anchor"},
                                                       {"(a", "unmatched"},
                                                       {"a)", "unmatched"},
                                                       {"[a", "unmatched"},
                                                       {"*a", "nothing"},
                                                       {"a**", "repetition"},
                                                       {"[b-a]", "order"},
                                                       {"a{3,1}", "order"},
                                                       {"\\q", "escape"},
                                                       {"\\p{Nope}", "Unicode"},
                                                       {"[[:alpha:]]", "POSIX"},
                                                       {"a{5000000}", "limit"},
                                                       {"\\", "end"}};
  for (const auto& [pattern, word] : cases)
    EXPECT_NE(refused(Kind::Regex, pattern).message.find(word), std::string::npos) << pattern;
}

TEST(Choice, OneOfTheTexts) {
  OutputShape shape;
  shape.kind = Kind::Choice;
  EXPECT_FALSE(compileShape(shape, "choice"));
  shape.choices = {"yes", "no", "yes, but", ""};
  const auto grammar = compileShape(shape, "choice");
  ASSERT_TRUE(grammar);
  for (const char* text : {"yes", "no", "yes, but", ""}) EXPECT_TRUE((*grammar)->matches(text));
  for (const char* text : {"ye", "yesno", "maybe"}) EXPECT_FALSE((*grammar)->matches(text));
  // Thousands of choices share what they begin with.
  for (int i = 0; i < 5000; ++i) shape.choices.push_back("choice number " + std::to_string(i));
  const auto many = compileShape(shape, "choice");
  ASSERT_TRUE(many) << many.error().describe();
  EXPECT_TRUE((*many)->matches("choice number 4999"));
  EXPECT_FALSE((*many)->matches("choice number 5000"));
}

TEST(JsonObject, AnyObject) {
  expectTexts(Kind::JsonObject, "", {"{}", R"({"a": [1, {"b": null}], "c": "d"})", "{\n  \"a\": 1\n}"},
              {"[]", "1", "", "{", R"({"a"})", "{}{}"});
  const auto grammar = compiled(Kind::JsonObject, "");
  EXPECT_FALSE(grammar->matches("{" + std::string(60, '\n') + "}")) << "white space ends";
  std::string deep;
  for (int i = 0; i < 60'000; ++i) deep += R"({"a":)";
  EXPECT_TRUE(grammar->matches(deep + "{}" + std::string(60'000, '}')));
}

TEST(GrammarBuilder, TextUntil) {
  GrammarBuilder b;
  const auto grammar = b.build(b.sequence({b.textUntil({"</think>", "STOP"}), b.literal("{}")}));
  ASSERT_TRUE(grammar) << grammar.error().describe();
  for (const char* text : {"</think>{}", "I think </thin <</think>{}", "a STOP{}", "STSTOP{}"})
    EXPECT_TRUE((*grammar)->matches(text)) << text;
  for (const char* text : {"{}", "</think>", "a</think>b</think>{}", "</think>{}x", "<think>"})
    EXPECT_FALSE((*grammar)->matches(text)) << text;
}

TEST(GrammarBuilder, Tags) {
  const auto build = [](GrammarBuilder::TagOptions options) {
    GrammarBuilder b;
    const auto call =
        b.sequence({*b.jsonSchema(R"({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})", "x"),
                    b.literal("</call>")});
    auto grammar = b.build(b.tagged({{"<call>", call}, {"<stop>", b.literal(".")}}, options));
    EXPECT_TRUE(grammar) << grammar.error().describe();
    return *grammar;
  };
  const auto free = build({});
  for (const char* text : {"", "just text < call>", "a<call>{\"n\": 1}</call>", "a<call>{\"n\": 1}</call> b <stop>. c"})
    EXPECT_TRUE(free->matches(text)) << text;
  for (const char* text : {"<call>", "a<call>x", "<call>{\"n\": \"1\"}</call>", "<stop>!"})
    EXPECT_FALSE(free->matches(text)) << text;
  const auto required = build({.required = true});
  EXPECT_FALSE(required->matches("just text"));
  EXPECT_TRUE(required->matches("text <call>{\"n\": 1}</call> text"));
  const auto bare = build({.required = true, .bare = true, .textAfter = false});
  for (const char* text : {"<call>{\"n\": 1}</call>", "<call>{\"n\": 1}</call>\n<call>{\"n\": 2}</call>"})
    EXPECT_TRUE(bare->matches(text)) << text;
  for (const char* text : {"", "a<call>{\"n\": 1}</call>", "<call>{\"n\": 1}</call> and"})
    EXPECT_FALSE(bare->matches(text)) << text;
  const auto once = build({.once = true});
  EXPECT_TRUE(once->matches("a<stop>."));
  EXPECT_FALSE(once->matches("a<stop>. b"));
}

TEST(GrammarBuilder, ControlTokensAreNoText) {
  GrammarBuilder b;
  const std::string mark = GrammarBuilder::control("[CALL]");
  const auto grammar = b.build(b.tagged({{mark, b.literal("{}")}}));
  ASSERT_TRUE(grammar);
  EXPECT_TRUE((*grammar)->matches("text [CALL] text"));
  EXPECT_TRUE((*grammar)->matches("text" + mark + "{}"));
  EXPECT_FALSE((*grammar)->matches("text" + mark + "x"));
  EXPECT_FALSE((*grammar)->matches("text" + GrammarBuilder::control("[CAMEL]") + "x")) << "another control token";
  EXPECT_FALSE((*grammar)->matches("\xff"));
}

TEST(GrammarBuilder, LazyShapes) {
  OutputShape shape;
  shape.kind = Kind::JsonSchema;
  shape.text = R"({"type": "integer"})";
  const std::vector<std::string> after{"</think>"};
  const auto grammar = compileShape(shape, "format", after);
  ASSERT_TRUE(grammar);
  for (const char* text : {"hm</think>5", "</think>\n\n7"}) EXPECT_TRUE((*grammar)->matches(text)) << text;
  for (const char* text : {"5", "hm", "hm</think>", "</think>\n\n\n\n\n5"}) EXPECT_FALSE((*grammar)->matches(text)) << text;
}

TEST(GrammarBuilder, WrongUseIsAnError) {
  GrammarBuilder b;
  EXPECT_FALSE(b.build(b.rule("open"), "x")) << "never defined";
  EXPECT_FALSE(b.build(b.choice({}), "x")) << "never matches";
  GrammarBuilder deep;
  auto part = deep.literal("x");
  for (int i = 0; i < 100'000; ++i) part = deep.sequence({deep.literal("("), part});
  EXPECT_FALSE(deep.build(part, "x"));
}

}  // namespace
}  // namespace hearth
