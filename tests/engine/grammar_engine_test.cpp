#include <gtest/gtest.h>

#include "core/engine/sampler.h"
#include "tests/engine/engine_bench.h"

namespace hearth {
namespace {

using namespace testing;

GrammarPtr grammarOf(OutputShape::Kind kind, std::string text) {
  OutputShape shape;
  shape.kind = kind;
  shape.text = std::move(text);
  auto made = compileShape(shape, "format");
  EXPECT_TRUE(made) << (made ? "" : made.error().describe());
  return made ? *made : nullptr;
}
GrammarPtr person() {
  return grammarOf(
      OutputShape::Kind::JsonSchema,
      R"({"type": "object", "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "minimum": 0, "maximum": 120},
      "tags": {"type": "array", "items": {"enum": ["a", "bb", "ccc"]}, "maxItems": 4}}, "required": ["name", "age", "tags"]})");
}

SamplingParams hot(std::uint64_t seed) {
  SamplingParams params;
  params.temperature = 1.5;
  params.topK = 0;
  params.topP = 1;
  params.minP = 0;
  params.seed = seed;
  return params;
}

EngineRequest shaped(const Bench& bench, Collector& collector, GrammarPtr grammar, std::uint64_t seed, int maxTokens = 600) {
  EngineRequest request = bench.request(promptOf(20, static_cast<std::uint32_t>(seed)), collector, maxTokens, hot(seed));
  request.ignoreEnd = false;
  request.grammar = std::move(grammar);
  return request;
}

TEST(GrammarEngine, AnswersHaveTheirShape) {
  const Bench bench;
  const GrammarPtr grammar = person();
  std::vector<Collector> collectors(24);
  for (std::size_t i = 0; i < collectors.size(); ++i) (void)bench.submit(shaped(bench, collectors[i], grammar, i));
  for (auto& collector : collectors) {
    ASSERT_TRUE(collector.wait());
    EXPECT_EQ(collector.problem(), "");
    EXPECT_EQ(collector.finished.reason, FinishReason::Stop)
        << (collector.finished.error ? collector.finished.error->describe() : "");
    EXPECT_EQ(collector.tokens.back(), kEnd);
    EXPECT_TRUE(grammar->matches(collector.text)) << collector.text;
  }
}

TEST(GrammarEngine, AloneOrTogetherGuessedOrNotIsTheSame) {
  constexpr std::size_t kCount = 8;
  const GrammarPtr grammar = person();
  std::vector<std::vector<TokenId>> alone(kCount);
  {
    EngineOptions plain;
    plain.speculation = Speculation::Off;
    const Bench bench(plain);
    for (std::size_t i = 0; i < kCount; ++i) {
      Collector collector;
      (void)bench.submit(shaped(bench, collector, i % 3 == 2 ? nullptr : grammar, i, 200));
      ASSERT_TRUE(collector.wait());
      alone[i] = collector.tokens;
    }
  }
  EngineOptions guessing;
  guessing.speculateAlways = true;
  guessing.kvTokens = 512;  // so little that sequences are preempted and computed again
  guessing.contextTokens = 256;
  const Bench bench(guessing);
  std::vector<Collector> collectors(kCount);
  for (std::size_t i = 0; i < kCount; ++i)
    (void)bench.submit(shaped(bench, collectors[i], i % 3 == 2 ? nullptr : grammar, i, 200));
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(collectors[i].wait());
    EXPECT_EQ(collectors[i].tokens, alone[i]) << i;
  }
}

TEST(GrammarEngine, GuessesMustHaveTheShape) {
  EngineOptions options;
  options.speculateAlways = true;
  const Bench bench(options);
  const GrammarPtr grammar = grammarOf(OutputShape::Kind::Regex, "(?:abcd){3,40}x");
  Collector collector;
  EngineRequest request = shaped(bench, collector, grammar, 5, 400);
  request.sampling = greedy();
  (void)bench.submit(std::move(request));
  ASSERT_TRUE(collector.wait());
  EXPECT_EQ(collector.finished.reason, FinishReason::Stop);
  EXPECT_TRUE(grammar->matches(collector.text)) << collector.text;
  EXPECT_GT(collector.finished.acceptedTokens, 0) << "a text that repeats itself is guessed";
}

TEST(GrammarEngine, BiasCannotOpenItAndLogprobsAreTheModelsOwn) {
  const Bench bench;
  const GrammarPtr grammar = grammarOf(OutputShape::Kind::Regex, "[xy]{8}");
  Collector collector, free;
  EngineRequest request = shaped(bench, collector, grammar, 3);
  request.sampling = greedy();
  request.sampling.logprobs = 2;
  request.sampling.logitBias[kEnd] = 100;
  request.sampling.logitBias['z'] = 100;
  request.sampling.logitBias['y'] = -100;
  (void)bench.submit(std::move(request));
  EngineRequest unshaped = bench.request(promptOf(20, 3), free, 1, greedy());
  unshaped.sampling.logprobs = 2;
  (void)bench.submit(std::move(unshaped));
  ASSERT_TRUE(collector.wait());
  ASSERT_TRUE(free.wait());
  EXPECT_EQ(collector.text, "xxxxxxxx");
  ASSERT_TRUE(collector.logprobs[0] && free.logprobs[0]);
  EXPECT_EQ(collector.logprobs[0]->top, free.logprobs[0]->top);
  EXPECT_EQ(collector.logprobs[0]->token, 'x');
  EXPECT_LT(collector.logprobs[0]->logprob, collector.logprobs[0]->top[0].second + 1e-6F);
}

TEST(GrammarEngine, WhatTheVocabularyCannotSpellIsAnError) {
  const Bench bench;
  GrammarBuilder b;
  const auto grammar = b.build(b.sequence({b.literal("ab"), b.literal(GrammarBuilder::control("no such token"))}));
  ASSERT_TRUE(grammar);
  Collector collector;
  (void)bench.submit(shaped(bench, collector, *grammar, 1));
  ASSERT_TRUE(collector.wait());
  EXPECT_EQ(collector.finished.reason, FinishReason::Error);
  ASSERT_TRUE(collector.finished.error);
  EXPECT_EQ(collector.finished.error->code, ErrorCode::InvalidArgument);
  EXPECT_EQ(collector.text, "ab");
}

TEST(GrammarEngine, TooAmbiguousOnesEndWithAnErrorAndSpareTheNeighbours) {
  const Bench bench;
  const GrammarPtr bad = grammarOf(OutputShape::Kind::Gbnf,
                                   "root ::= x{0,90000} \"!\"\nx ::= y{1,90000}\ny ::= (\"a\" | \"aa\" | \"aaa\"){1,90000}");
  Collector first, second;
  EngineRequest request = shaped(bench, first, bad, 1, 3000);
  request.sampling.logitBias['a'] = 100;
  (void)bench.submit(std::move(request));
  const GrammarPtr good = person();
  (void)bench.submit(shaped(bench, second, good, 2));
  ASSERT_TRUE(second.wait());
  EXPECT_TRUE(good->matches(second.text)) << second.text;
  ASSERT_TRUE(first.wait());
  EXPECT_TRUE(first.finished.reason == FinishReason::Error || bad->matches(first.text));
  EXPECT_TRUE(!first.finished.error || first.finished.error->code == ErrorCode::InvalidArgument);
}

TEST(GrammarEngine, ReasoningFirst) {
  const Bench bench;
  OutputShape shape;
  shape.kind = OutputShape::Kind::JsonSchema;
  shape.text = R"({"type": "integer", "minimum": 5, "maximum": 99})";
  const std::vector<std::string> after{"!"};
  const auto grammar = compileShape(shape, "format", after);
  ASSERT_TRUE(grammar);
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    Collector collector;
    EngineRequest request = shaped(bench, collector, *grammar, seed, 2000);
    request.sampling.logitBias['!'] = 4;
    (void)bench.submit(std::move(request));
    ASSERT_TRUE(collector.wait());
    ASSERT_EQ(collector.finished.reason, FinishReason::Stop);
    std::string bytes;  // the text as the model wrote it: what is no UTF-8 comes out replaced
    for (const TokenId token : collector.tokens) bytes += FakeTokenizer().bytes(token, false);
    EXPECT_TRUE((*grammar)->matches(bytes)) << bytes;
  }
}

TEST(Sampler, AMaskedRowLeavesAnError) {
  Sampler sampler(greedy(), 1);
  SamplerScratch scratch;
  std::vector<float> logits(100, 1.0F);
  const TokenMask none(100);
  const auto token = sampler.sample(logits, {}, 0, scratch, &none);
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(token.error().find("field"), "response_format");
}

}  // namespace
}  // namespace hearth
