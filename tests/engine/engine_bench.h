#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "tests/engine/fake_model.h"

namespace hearth::testing {

using std::chrono::milliseconds;

inline std::vector<TokenId> promptOf(std::size_t length, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<TokenId> tokens(length);
  for (TokenId& token : tokens) token = static_cast<TokenId>(random() % 250);
  return tokens;
}

inline SamplingParams greedy() {
  SamplingParams params;
  params.temperature = 0;
  return params;
}

/// An engine around a fake model, and what tests do with it.
struct Bench {
  explicit Bench(EngineOptions options = {}, int trainedContext = 4096, int maxBatch = 512, int threads = 2,
                 std::unique_ptr<Model> draft = nullptr) {
    auto created = Engine::create(
        std::make_unique<FakeModel>(control, trainedContext, maxBatch), std::make_unique<FakeTokenizer>(), options,
        threads > 0 ? std::make_shared<ThreadPool>(ThreadPoolOptions{threads}) : nullptr, std::move(draft));
    EXPECT_TRUE(created) << created.error().describe();
    engine = *created;
  }
  ~Bench() {
    control->open();
    engine.reset();
    EXPECT_EQ(control->broken, 0) << "positions read back through the block tables were wrong";
  }

  EngineRequest request(std::vector<TokenId> prompt, Collector& collector, int maxTokens = 20,
                        SamplingParams sampling = greedy()) const {
    EngineRequest result;
    result.prompt = std::move(prompt);
    result.sampling = std::move(sampling);
    result.maxTokens = maxTokens;
    result.ignoreEnd = true;
    result.sink = collector.sink();
    return result;
  }
  RequestHandle submit(EngineRequest request) const {
    auto handle = engine->submit(std::move(request));
    EXPECT_TRUE(handle) << handle.error().describe();
    return handle ? *handle : RequestHandle{};
  }
  /// The output of a request that runs by itself, from the model's definition: no engine involved.
  std::vector<TokenId> expected(std::vector<TokenId> prompt, int count) const {
    const FakeModel model(control);
    std::vector<TokenId> output;
    std::vector<float> logits(kVocabulary);
    for (int i = 0; i < count; ++i) {
      model.fill(prompt, logits);
      output.push_back(static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
      prompt.push_back(output.back());
    }
    return output;
  }
  void waitUntil(const std::function<bool()>& condition) const {
    for (int i = 0; i < 20'000 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(1));
    EXPECT_TRUE(condition());
  }

  std::shared_ptr<FakeControl> control = std::make_shared<FakeControl>();
  std::shared_ptr<Engine> engine;
};

}  // namespace hearth::testing
