#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <random>

#include "core/formats/gguf.h"
#include "core/text/grammar/token_grammar.h"
#include "tests/text/grammar_cases.h"
#include "tests/text/small_vocabulary.h"

namespace hearth {
namespace {

using Kind = OutputShape::Kind;

std::unique_ptr<Tokenizer> smallTokenizer() {
  auto vocabulary = test::byteLevel();
  for (const char* text : {"\"a\"", "\":", "\",", "\"}", "{\"", "abc", "abcabcabc", "12", "0.5", "null", "]}", "\\n", "[["})
    vocabulary.add(text);
  auto tokenizer = vocabulary.open();
  EXPECT_TRUE(tokenizer) << tokenizer.error().describe();
  return std::move(*tokenizer);
}

std::unique_ptr<Tokenizer> realTokenizer() {
  const char* folder = std::getenv("HEARTH_TEST_MODELS");
  if (folder == nullptr) return nullptr;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().find("smollm2") == std::string::npos) continue;
    const auto file = GgufFile::open(entry.path());
    if (!file) continue;
    auto tokenizer = Tokenizer::fromGguf(*file);
    if (tokenizer) return std::move(*tokenizer);
  }
  return nullptr;
}

struct Named {
  Kind kind;
  const char* text;
};
const Named kShapes[] = {
    {Kind::JsonObject, ""},
    {Kind::JsonSchema,
     R"({"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 3, "maximum": 1205}, "tags": {"type": "array",
        "items": {"type": "string", "minLength": 2, "maxLength": 5}, "minItems": 1, "maxItems": 30}, "x": {"type": "number"}}, "required": ["name", "tags"]})"},
    {Kind::JsonSchema, R"({"type": "string", "minLength": 3, "maxLength": 400})"},
    {Kind::JsonSchema, R"({"type": "string", "pattern": "^[a-z]{2,60}( [a-z]+)*$"})"},
    {Kind::JsonSchema,
     R"({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"c": {"type": "array", "items": {"$ref": "#/$defs/n"}}, "v": {"format": "date-time"}}}}})"},
    {Kind::Gbnf, "root ::= item* \".\"\nitem ::= [a-zà-ü]+ \" \"? | [0-9]{1,40} | \"(\" item+ \")\""},
    {Kind::Regex, "(?:\\w+[ ,.]){0,50}\\p{L}{3,100}!"},
    {Kind::Gbnf, "root ::= ([ab] [ab]?){2,50} \"c\""},
};

/// Mask bit set ⇔ the token's bytes are accepted one after the other, at every place of some random answers.
void expectMasksRight(const Tokenizer& tokenizer, int walks, int stepsEach, std::size_t checkedTokens) {
  const auto trie = TokenTrie::build(tokenizer);
  std::mt19937 random(7);
  for (const Named& shape : kShapes) {
    const auto grammar = std::make_shared<const TokenGrammar>(test::compiled(shape.kind, shape.text), trie);
    for (int walk = 0; walk < walks; ++walk) {
      GrammarMatcher matcher(grammar);
      TokenMask mask = matcher.emptyMask();
      for (int step = 0; step < stepsEach; ++step) {
        ASSERT_TRUE(matcher.mask(mask));
        const auto here = matcher.state();
        std::vector<TokenId> allowed;
        for (TokenId token = 0; token < tokenizer.vocabularySize(); ++token) {
          if (mask.test(token)) allowed.push_back(token);
        }
        ASSERT_FALSE(allowed.empty()) << shape.text;
        const auto check = [&](TokenId token) {
          const bool taken = matcher.accept(token);
          matcher.restore(here);
          ASSERT_EQ(taken, mask.test(token))
              << shape.text << " token " << token << " \"" << tokenizer.bytes(token, true) << "\" step " << step;
        };
        const auto all = static_cast<std::size_t>(tokenizer.vocabularySize());
        for (std::size_t i = 0; i < std::min(checkedTokens, all); ++i)
          check(static_cast<TokenId>(checkedTokens >= all ? i : random() % all));
        for (std::size_t i = 0; i < std::min<std::size_t>(allowed.size(), 50); ++i)
          check(allowed[random() % allowed.size()]);
        const TokenId chosen = allowed[random() % allowed.size()];
        ASSERT_TRUE(matcher.accept(chosen));
        if (tokenizer.isEndOfGeneration(chosen)) break;
      }
    }
  }
}

TEST(TokenMask, IsWhatTheBytesSay) { expectMasksRight(*smallTokenizer(), 12, 60, 1000); }

TEST(TokenMask, IsWhatTheBytesSayOnARealVocabulary) {
  const auto tokenizer = realTokenizer();
  if (!tokenizer) GTEST_SKIP() << "HEARTH_TEST_MODELS has no smollm2 model";
  expectMasksRight(*tokenizer, 3, 25, 1500);
}

TEST(TokenMask, EndsOnlyWhereTheAnswerMayEnd) {
  const auto tokenizer = smallTokenizer();
  const auto trie = TokenTrie::build(*tokenizer);
  ASSERT_FALSE(trie->ends().empty());
  const TokenId end = trie->ends()[0];
  GrammarMatcher matcher(std::make_shared<const TokenGrammar>(test::compiled(Kind::Regex, "ab?"), trie));
  TokenMask mask = matcher.emptyMask();
  ASSERT_TRUE(matcher.mask(mask));
  EXPECT_EQ(mask.count(), 1U);
  EXPECT_FALSE(matcher.accept(end));
  ASSERT_TRUE(matcher.accept('a'));
  EXPECT_TRUE(matcher.state().mayEnd());
  EXPECT_FALSE(matcher.state().mustEnd());
  ASSERT_TRUE(matcher.mask(mask));
  EXPECT_TRUE(mask.test('b') && mask.test(end));
  ASSERT_TRUE(matcher.accept('b'));
  EXPECT_TRUE(matcher.state().mustEnd());
  ASSERT_TRUE(matcher.mask(mask));
  EXPECT_EQ(mask.count(), trie->ends().size()) << "only the ends are left";
  EXPECT_TRUE(matcher.accept(end));
  EXPECT_FALSE(matcher.accept('b'));
}

TEST(TokenMask, ControlTokensStandForTheirNameOnly) {
  const auto tokenizer = smallTokenizer();
  const auto trie = TokenTrie::build(*tokenizer);
  const TokenId start = tokenizer->find("<|im_start|>");
  ASSERT_GE(start, 0);
  for (const bool named : {false, true}) {
    GrammarBuilder b;
    const auto grammar = b.build(b.sequence(
        {named ? b.literal(GrammarBuilder::control("<|im_start|>")) : b.literal("<|im_start|>"), b.literal("x")}));
    ASSERT_TRUE(grammar);
    GrammarMatcher matcher(std::make_shared<const TokenGrammar>(*grammar, trie));
    TokenMask mask = matcher.emptyMask();
    ASSERT_TRUE(matcher.mask(mask));
    EXPECT_EQ(mask.test(start), named);
    EXPECT_EQ(mask.test('<'), !named);
    EXPECT_EQ(matcher.accept(start), named);
  }
}

TEST(TokenMask, PositionsCanBeRestored) {
  const auto tokenizer = smallTokenizer();
  const auto trie = TokenTrie::build(*tokenizer);
  const auto grammar = std::make_shared<const TokenGrammar>(test::compiled(Kind::JsonObject, ""), trie);
  GrammarMatcher matcher(grammar);
  std::vector<std::pair<GrammarMatcher::State, TokenMask>> path;
  const std::string text = R"({"a": [[1, {"b": "cc"}], null], "d": 0.5})";
  for (const char c : text) {
    TokenMask mask = matcher.emptyMask();
    ASSERT_TRUE(matcher.mask(mask));
    path.emplace_back(matcher.state(), mask);
    ASSERT_TRUE(matcher.acceptText(std::string_view(&c, 1)));
  }
  std::mt19937 random(3);
  for (int i = 0; i < 200; ++i) {
    const auto& [state, expected] = path[random() % path.size()];
    matcher.restore(state);
    TokenMask mask = matcher.emptyMask();
    ASSERT_TRUE(matcher.mask(mask));
    EXPECT_EQ(mask, expected);
    (void)matcher.accept(static_cast<TokenId>(random() % 256));  // whatever happens here is forgotten
  }
}

TEST(TokenMask, LongAnswersDoNotPileUp) {
  const auto tokenizer = smallTokenizer();
  const auto trie = TokenTrie::build(*tokenizer);
  GrammarMatcher matcher(std::make_shared<const TokenGrammar>(
      test::compiled(
          Kind::JsonSchema,
          R"({"type": "array", "items": {"type": "array", "minItems": 50, "maxItems": 90000, "items": {"type": "null"}}})"),
      trie));
  ASSERT_TRUE(matcher.acceptText("[["));
  TokenMask mask = matcher.emptyMask();
  ASSERT_TRUE(matcher.acceptText("null"));
  for (int i = 0; i < 80'000; ++i) {
    ASSERT_TRUE(matcher.acceptText(",null"));
    matcher.tidy();
  }
  ASSERT_TRUE(matcher.mask(mask));
  EXPECT_TRUE(mask.test(']'));
}

TEST(TokenMask, TooAmbiguousGrammarsAreRefusedNotOpened) {
  const auto tokenizer = smallTokenizer();
  const auto trie = TokenTrie::build(*tokenizer);
  // A thread for every split of the text.
  GrammarMatcher matcher(std::make_shared<const TokenGrammar>(
      test::compiled(Kind::Gbnf, "root ::= x{0,90000} \"!\"\nx ::= y{1,90000}\ny ::= (\"a\" | \"aa\" | \"aaa\"){1,90000}"),
      trie));
  bool open = true;
  for (int i = 0; i < 20'000 && open; ++i) open = matcher.acceptText("a");
  EXPECT_FALSE(open);
}

TEST(TokenMask, AppliesToLogits) {
  TokenMask mask(130);
  for (const TokenId token : {0, 63, 64, 129}) mask.set(token);
  std::vector<float> logits(200, 1.0F);
  mask.apply(logits);
  for (std::size_t i = 0; i < logits.size(); ++i) EXPECT_EQ(std::isinf(logits[i]), !mask.test(static_cast<TokenId>(i))) << i;
  EXPECT_EQ(mask.count(), 4U);
}

}  // namespace
}  // namespace hearth
