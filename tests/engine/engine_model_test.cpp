#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "core/engine/engine_pool.h"
#include "tests/engine/fake_model.h"

namespace hearth {
namespace {

using testing::Collector;

/// A real model through the real loader: $HEARTH_TEST_MODELS/smollm2-135m-instruct-q4_1.gguf.
class EngineModel : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("HEARTH_TEST_MODELS");
    if (folder == nullptr) GTEST_SKIP() << "HEARTH_TEST_MODELS is not set";
    m_path = std::filesystem::path(folder) / "smollm2-135m-instruct-q4_1.gguf";
    if (!std::filesystem::exists(m_path)) GTEST_SKIP() << m_path << " is not there";
    EnginePoolOptions options;
    options.threads = 2;
    m_pool = EnginePool::create(options);
    EngineOptions engine;
    engine.contextTokens = 1024;
    engine.kvTokens = 4096;
    engine.stepTokens = 128;
    auto loaded = m_pool->load("smollm2", m_path, engine);
    ASSERT_TRUE(loaded) << loaded.error().describe();
    m_model = *loaded;
  }
  void TearDown() override {
    m_model.reset();
    m_pool.reset();
  }

  [[nodiscard]] RequestHandle ask(const std::string& prompt, Collector& collector, int tokens, std::optional<std::uint64_t> seed = {}, bool raw = false) const {
    EngineRequest request;
    request.prompt = m_model->engine->tokenizer().encode(raw ? prompt : "<|im_start|>user\n" + prompt + "<|im_end|>\n<|im_start|>assistant\n");
    request.sampling.temperature = seed ? 0.8 : 0;
    request.sampling.seed = seed;
    request.maxTokens = tokens;
    request.sink = collector.sink();
    auto handle = m_model->engine->submit(std::move(request));
    EXPECT_TRUE(handle);
    return handle ? *handle : RequestHandle{};
  }
  static std::string promptOf(int number) {
    static const char* const kThings[] = {"a lighthouse", "bread", "the moon", "a violin", "rain", "a map", "coffee", "a bridge"};
    std::string prompt = "Say something about " + std::string(kThings[number % 8]) + ".";
    for (int i = 0; i < number; ++i) prompt += " Mention the number " + std::to_string(number * 10 + i) + ".";
    return prompt;
  }

  std::filesystem::path m_path;
  std::unique_ptr<EnginePool> m_pool;
  LoadedModelPtr m_model;
};

TEST_F(EngineModel, AnswersAndStopsByItself) {
  Collector collector;
  (void)ask("What is the capital of France? Answer in one short sentence.", collector, 60);
  ASSERT_TRUE(collector.wait());
  EXPECT_NE(collector.text.find("Paris"), std::string::npos) << collector.text;
  EXPECT_EQ(collector.finished.reason, FinishReason::Stop);
  EXPECT_EQ(collector.text.find("<|im_end|>"), std::string::npos);
  EXPECT_NE(m_model->chatTemplate, nullptr) << m_model->templateProblem;
}

TEST_F(EngineModel, TogetherEqualsAloneAndCancellingChangesNothing) {
  constexpr int kCount = 12;
  std::vector<Collector> alone(kCount), together(kCount), half(kCount);
  for (int i = 0; i < kCount; ++i) {
    (void)ask(promptOf(i), alone[static_cast<std::size_t>(i)], 16);
    ASSERT_TRUE(alone[static_cast<std::size_t>(i)].wait());
  }
  for (int i = 0; i < kCount; ++i) (void)ask(promptOf(i), together[static_cast<std::size_t>(i)], 16);
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(together[i].wait());
    EXPECT_EQ(together[i].tokens, alone[i].tokens) << "request " << i << ": " << alone[i].text << " / " << together[i].text;
  }
  std::vector<RequestHandle> handles;
  for (int i = 0; i < kCount; ++i) handles.push_back(ask(promptOf(i), half[static_cast<std::size_t>(i)], 16));
  for (std::size_t i = 0; i < kCount; i += 2) handles[i].cancel();
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(half[i].wait());
    if (i % 2 == 1) {
      EXPECT_EQ(half[i].tokens, alone[i].tokens) << "request " << i;
    }
  }
  EXPECT_EQ(m_model->engine->stats().kvPagesUsed, 0);
}

TEST_F(EngineModel, ASeedGivesTheSameAloneAndInABatch) {
  Collector alone, together;
  std::vector<Collector> others(4);
  (void)ask(promptOf(3), alone, 24, 7);
  ASSERT_TRUE(alone.wait());
  for (int i = 0; i < 4; ++i) (void)ask(promptOf(i), others[static_cast<std::size_t>(i)], 24);
  (void)ask(promptOf(3), together, 24, 7);
  ASSERT_TRUE(together.wait());
  EXPECT_EQ(together.tokens, alone.tokens);
  for (auto& other : others) ASSERT_TRUE(other.wait());
}

TEST_F(EngineModel, APrefixHitGivesTheSame) {
  const std::string story = promptOf(6);
  Collector first, second;
  (void)ask(story, first, 20);
  ASSERT_TRUE(first.wait());
  (void)ask(story, second, 20);
  ASSERT_TRUE(second.wait());
  EXPECT_EQ(first.startedEvent.cachedTokens, 0);
  EXPECT_EQ(second.startedEvent.cachedTokens, second.startedEvent.promptTokens - 1);
  EXPECT_EQ(second.tokens, first.tokens);
}

TEST_F(EngineModel, LogitsOfAWindowAgreeWithWhatIsGenerated) {
  Collector collector;
  const std::string prompt = "The sun rises in the";
  (void)ask(prompt, collector, 1, {}, true);
  ASSERT_TRUE(collector.wait());
  const auto tokens = m_model->engine->tokenizer().encode(prompt);
  const auto logits = m_model->engine->logits(tokens);
  ASSERT_TRUE(logits) << logits.error().describe();
  const auto vocabulary = static_cast<std::size_t>(m_model->engine->config().vocabulary);
  ASSERT_EQ(logits->size(), tokens.size() * vocabulary);
  const auto last = std::span(*logits).last(vocabulary);
  EXPECT_EQ(std::max_element(last.begin(), last.end()) - last.begin(), collector.tokens[0]);
  EXPECT_TRUE(std::all_of(logits->begin(), logits->end(), [](float value) { return std::isfinite(value); }));
}

TEST_F(EngineModel, UnloadsAndLoadsAgain) {
  m_model.reset();
  ASSERT_TRUE(m_pool->unload("smollm2"));
  EXPECT_EQ(m_pool->find("smollm2"), nullptr);
  EngineOptions tooLong;
  tooLong.contextTokens = 1 << 20;
  EXPECT_EQ(m_pool->load("smollm2", m_path, tooLong).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(m_pool->load("none", m_path.parent_path() / "none.gguf", {}).error().code, ErrorCode::NotFound);
  auto again = m_pool->load("smollm2", m_path, {});
  ASSERT_TRUE(again) << again.error().describe();
  Collector collector;
  m_model = *again;
  (void)ask("Hello", collector, 4);
  ASSERT_TRUE(collector.wait());
  EXPECT_EQ(collector.tokens.size(), static_cast<std::size_t>(collector.finished.generatedTokens));
  EXPECT_FALSE(collector.text.empty());
}

}  // namespace
}  // namespace hearth
