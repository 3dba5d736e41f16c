#include "core/engine/engine.h"

#include <gtest/gtest.h>
#include <time.h>

#include <numeric>
#include <random>
#include <set>

#include "tests/engine/engine_bench.h"

namespace hearth {
namespace {

using namespace testing;

TEST(Engine, GeneratesWhatTheModelSays) {
  Bench bench;
  Collector collector;
  const auto prompt = promptOf(37, 1);
  bench.submit(bench.request(prompt, collector, 25));
  ASSERT_TRUE(collector.wait());
  EXPECT_EQ(collector.tokens, bench.expected(prompt, 25));
  EXPECT_EQ(collector.finished.reason, FinishReason::Length);
  EXPECT_EQ(collector.finished.generatedTokens, 25);
  EXPECT_EQ(collector.startedEvent.promptTokens, 37);
  EXPECT_EQ(collector.startedEvent.cachedTokens, 0);
  EXPECT_GT(collector.finished.firstTokenSeconds, 0);
  EXPECT_EQ(collector.problem(), "");
  const auto stats = bench.engine->stats();
  EXPECT_EQ(stats.promptTokens, 37U);
  EXPECT_EQ(stats.generatedTokens, 25U);
  EXPECT_EQ(stats.running, 0);
  EXPECT_EQ(stats.kvPagesUsed, 0);
}

TEST(Engine, LongPromptsAreCutAndGiveTheSame) {
  EngineOptions options;
  options.stepTokens = 48;
  Bench bench(options);
  Collector collector;
  const auto prompt = promptOf(1000, 2);
  bench.submit(bench.request(prompt, collector, 5));
  ASSERT_TRUE(collector.wait());
  EXPECT_EQ(collector.tokens, bench.expected(prompt, 5));
  EXPECT_LE(bench.control->mostTokens, 48);
  EXPECT_GE(bench.control->steps, 21);
}

TEST(Engine, ThirtyTwoTogetherEqualEachAlone) {
  for (const bool prefixCache : {true, false}) {
    EngineOptions options;
    options.stepTokens = 100;
    options.prefixCache = prefixCache;
    Bench bench(options);
    bench.control->close();
    std::vector<Collector> collectors(32);
    std::vector<std::vector<TokenId>> prompts;
    for (std::size_t i = 0; i < 32; ++i) {
      // A third share a beginning; lengths 1…~400.
      auto prompt = promptOf(i % 3 == 0 ? 40 : 1 + i * 12, i % 3 == 0 ? 7 : static_cast<std::uint32_t>(100 + i));
      if (i % 3 == 0) prompt.push_back(static_cast<TokenId>(i));
      prompts.push_back(prompt);
      bench.submit(bench.request(prompt, collectors[i], 10 + static_cast<int>(i)));
    }
    bench.control->open();
    for (std::size_t i = 0; i < 32; ++i) {
      ASSERT_TRUE(collectors[i].wait());
      EXPECT_EQ(collectors[i].tokens, bench.expected(prompts[i], 10 + static_cast<int>(i))) << "request " << i;
      EXPECT_EQ(collectors[i].problem(), "");
    }
    EXPECT_GT(bench.control->widestBatch, 10);
  }
}

TEST(Engine, CancellingHalfLeavesTheOthersAlone) {
  Bench bench;
  bench.control->microseconds = 200;
  std::vector<Collector> collectors(32);
  std::vector<RequestHandle> handles;
  std::vector<std::vector<TokenId>> prompts;
  for (std::uint32_t i = 0; i < 32; ++i) {
    prompts.push_back(promptOf(20 + i * 9, i));
    handles.push_back(bench.submit(bench.request(prompts.back(), collectors[i], 60)));
  }
  for (std::size_t i = 0; i < 32; i += 2) {
    std::this_thread::sleep_for(milliseconds(1));
    handles[i].cancel();
  }
  for (std::size_t i = 0; i < 32; ++i) {
    ASSERT_TRUE(collectors[i].wait());
    const auto expected = bench.expected(prompts[i], 60);
    if (i % 2 == 1) {
      EXPECT_EQ(collectors[i].tokens, expected);
      EXPECT_EQ(collectors[i].finished.reason, FinishReason::Length);
    } else {
      EXPECT_EQ(collectors[i].finished.reason, FinishReason::Cancelled);
      ASSERT_LE(collectors[i].tokens.size(), expected.size());
      EXPECT_TRUE(std::equal(collectors[i].tokens.begin(), collectors[i].tokens.end(), expected.begin()));
    }
  }
  EXPECT_EQ(bench.engine->stats().cancelled, 16U);
  EXPECT_EQ(bench.engine->stats().kvPagesUsed, 0);
}

TEST(Engine, CancelStorm) {
  EngineOptions options;
  options.maxQueued = 4000;
  options.kvTokens = 4096;
  Bench bench(options);
  Collector witness;
  const auto prompt = promptOf(64, 999);
  bench.submit(bench.request(prompt, witness, 1500));
  constexpr std::size_t kStorm = 2000;
  std::vector<Collector> collectors(kStorm);
  std::vector<RequestHandle> handles;
  std::mt19937 random(4);
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < kStorm; ++i) {
    handles.push_back(bench.submit(bench.request(promptOf(1 + random() % 600, i), collectors[i], 1 + static_cast<int>(random() % 50))));
    // Some at once (queued), some later (mid-prefill or decoding).
    if (random() % 2 == 0) handles.back().cancel();
    if (random() % 16 == 0) {
      while (next < handles.size()) handles[next++].cancel();
    }
  }
  for (auto& handle : handles) handle.cancel();
  const auto cancelledAt = std::chrono::steady_clock::now();
  for (auto& collector : collectors) ASSERT_TRUE(collector.wait());
  EXPECT_LT(std::chrono::steady_clock::now() - cancelledAt, std::chrono::seconds(5));
  ASSERT_TRUE(witness.wait());
  EXPECT_EQ(witness.tokens, bench.expected(prompt, 1500)) << "the neighbour of the storm";
  for (auto& collector : collectors) EXPECT_EQ(collector.problem(), "");
  EXPECT_EQ(bench.engine->stats().kvPagesUsed, 0);
  EXPECT_EQ(bench.engine->stats().requests, kStorm + 1);
}

TEST(Engine, ASinkThatSaysNoIsCancelled) {
  Bench bench;
  Collector gone, other;
  gone.stopAfter = 3;
  const auto prompt = promptOf(10, 5);
  bench.submit(bench.request(promptOf(10, 6), gone, 100));
  bench.submit(bench.request(prompt, other, 50));
  ASSERT_TRUE(gone.wait());
  EXPECT_EQ(gone.finished.reason, FinishReason::Cancelled);
  EXPECT_EQ(gone.tokens.size(), 3U);
  ASSERT_TRUE(other.wait());
  EXPECT_EQ(other.tokens, bench.expected(prompt, 50));
}

TEST(Engine, ASinkThatThrowsIsCancelled) {
  Bench bench;
  Collector after;
  std::atomic<int> calls{0};
  auto request = bench.request(promptOf(4, 1), after, 5);
  request.sink = [&](const EngineEvent&) -> bool {
    ++calls;
    throw std::runtime_error("sink");
  };
  bench.submit(std::move(request));
  bench.submit(bench.request(promptOf(4, 2), after, 5));
  ASSERT_TRUE(after.wait());
  bench.waitUntil([&] { return bench.engine->stats().cancelled == 1; });
}

TEST(Engine, ABoundedQueueRefuses) {
  EngineOptions options;
  options.maxSequences = 1;
  options.maxQueued = 4;
  Bench bench(options);
  bench.control->close();
  std::vector<Collector> collectors(6);
  bench.submit(bench.request(promptOf(5, 0), collectors[0], 5));
  bench.waitUntil([&] { return collectors[0].hasStarted(); });
  for (std::uint32_t i = 1; i < 5; ++i) bench.submit(bench.request(promptOf(5, i), collectors[i], 5));
  const auto refused = bench.engine->submit(bench.request(promptOf(5, 9), collectors[5], 5));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::QueueFull);
  bench.control->open();
  for (std::size_t i = 0; i < 5; ++i) ASSERT_TRUE(collectors[i].wait());
  EXPECT_EQ(collectors[5].started, 0);
  bench.submit(bench.request(promptOf(5, 9), collectors[5], 5));
  ASSERT_TRUE(collectors[5].wait());
}

TEST(Engine, RefusesBadRequests) {
  Bench bench({}, 100);
  Collector collector;
  const auto check = [&](const char* field, const std::function<void(EngineRequest&)>& spoil) {
    auto request = bench.request(promptOf(5, 1), collector);
    spoil(request);
    const auto result = bench.engine->submit(std::move(request));
    ASSERT_FALSE(result) << field;
    EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument) << field;
    EXPECT_EQ(result.error().find("field"), field);
  };
  check("prompt", [](EngineRequest& r) { r.prompt.clear(); });
  check("prompt", [](EngineRequest& r) { r.prompt[2] = kVocabulary; });
  check("prompt", [](EngineRequest& r) { r.prompt[2] = -1; });
  check("max_tokens", [](EngineRequest& r) { r.maxTokens = 0; });
  check("max_tokens", [](EngineRequest& r) { r.maxTokens = -2; });
  check("stop", [](EngineRequest& r) { r.stop = {""}; });
  check("stop", [](EngineRequest& r) { r.stop.assign(17, "x"); });
  check("stop", [](EngineRequest& r) { r.stop = {std::string(1025, 'x')}; });
  check("sink", [](EngineRequest& r) { r.sink = nullptr; });
  check("top_p", [](EngineRequest& r) { r.sampling.topP = 2; });
  check("priority", [](EngineRequest& r) { r.priority = static_cast<Priority>(7); });
  const auto overflow = bench.engine->submit(bench.request(promptOf(100, 1), collector));
  ASSERT_FALSE(overflow);
  EXPECT_EQ(overflow.error().code, ErrorCode::ContextOverflow);
  EXPECT_EQ(overflow.error().find("prompt_tokens"), "100");
  EXPECT_EQ(overflow.error().find("context_tokens"), "100");
  EXPECT_EQ(collector.started, 0);
}

TEST(Engine, StopsWithLengthWhenTheContextIsFull) {
  EngineOptions options;
  options.contextTokens = 50;
  options.kvTokens = 64;
  Bench bench(options);
  for (const int most : {-1, 1000, std::numeric_limits<int>::max()}) {
    Collector collector;
    const auto prompt = promptOf(40, 3);
    bench.submit(bench.request(prompt, collector, most));
    ASSERT_TRUE(collector.wait());
    EXPECT_EQ(collector.finished.reason, FinishReason::Length);
    EXPECT_EQ(collector.tokens, bench.expected(prompt, 10));
  }
}

/// The model says `answer` after any prompt that ends with token 0.
struct Scripted : Bench {
  explicit Scripted(std::vector<TokenId> answer) {
    control->script = [answer = std::move(answer)](std::span<const TokenId> history) -> TokenId {
      const auto mark = std::find(history.rbegin(), history.rend(), 0) - history.rbegin();
      return static_cast<std::size_t>(mark) < answer.size() ? answer[static_cast<std::size_t>(mark)] : kEnd;
    };
  }
  void run(Collector& collector, std::vector<std::string> stop = {}, bool ignoreEnd = false, int most = 50) {
    auto request = this->request({5, 6, 0}, collector, most);
    request.stop = std::move(stop);
    request.ignoreEnd = ignoreEnd;
    submit(std::move(request));
    ASSERT_TRUE(collector.wait());
  }
};

std::vector<TokenId> bytesOf(std::string_view text) {
  std::vector<TokenId> tokens;
  for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
  return tokens;
}

TEST(Engine, EndOfGenerationStops) {
  Scripted bench(bytesOf("Hello"));
  Collector collector;
  bench.run(collector);
  EXPECT_EQ(collector.text, "Hello");
  EXPECT_EQ(collector.finished.reason, FinishReason::Stop);
  EXPECT_EQ(collector.finished.stopString, "");
  EXPECT_EQ(collector.finished.generatedTokens, 6) << "the end token counts";
  EXPECT_EQ(collector.tokens.back(), kEnd);
  Collector on;
  bench.run(on, {}, true, 9);
  EXPECT_EQ(on.finished.reason, FinishReason::Length);
  EXPECT_EQ(on.tokens.size(), 9U);
  EXPECT_EQ(on.text, "Hello");
}

TEST(Engine, StopStringsMatchAcrossTokens) {
  Scripted bench(bytesOf("One\n\nTwo END of it"));
  Collector a, b, c;
  bench.run(a, {"\n\n"});
  EXPECT_EQ(a.text, "One");
  EXPECT_EQ(a.finished.reason, FinishReason::Stop);
  EXPECT_EQ(a.finished.stopString, "\n\n");
  bench.run(b, {"never", "END"});
  EXPECT_EQ(b.text, "One\n\nTwo ");
  EXPECT_EQ(b.finished.stopString, "END");
  bench.run(c, {" of it and more"});
  EXPECT_EQ(c.text, "One\n\nTwo END of it") << "what was held back comes at the end";
  EXPECT_EQ(c.finished.stopString, "");
  Collector d;
  bench.run(d, {"e\n\nX"}, false, 5);
  EXPECT_EQ(d.text, "One\n\n");
  EXPECT_EQ(d.finished.reason, FinishReason::Length);
}

TEST(Engine, CharactersSplitOverTokensComeWhole) {
  const std::string text = "naïve 日本語 🙂!";
  Scripted bench(bytesOf(text));
  std::vector<std::string> pieces;
  Collector collector;
  auto request = bench.request({0}, collector, 100);
  request.ignoreEnd = false;
  request.sink = [&](const EngineEvent& event) {
    if (event.kind == EngineEvent::Kind::Token) pieces.push_back(event.text);
    return collector.take(event);
  };
  bench.submit(std::move(request));
  ASSERT_TRUE(collector.wait());
  EXPECT_EQ(collector.text, text);
  EXPECT_EQ(pieces.size(), text.size() + 1) << "one event a token";
  for (const auto& piece : pieces) EXPECT_TRUE(piece.empty() || (static_cast<unsigned char>(piece[0]) & 0xC0U) != 0x80U) << "half a character";
  Scripted cut({0xE6, 0x97});
  Collector half;
  cut.run(half);
  EXPECT_EQ(half.text, "\xEF\xBF\xBD");
}

TEST(Engine, StopStringsOfSeveralBytesInUtf8) {
  Scripted bench(bytesOf("多分。はい"));
  Collector collector;
  bench.run(collector, {"。"});
  EXPECT_EQ(collector.text, "多分");
  EXPECT_EQ(collector.finished.stopString, "。");
}

TEST(Engine, ASeedGivesTheSameAloneAndInABatch) {
  SamplingParams params;
  params.temperature = 1.5;
  params.topK = 0;
  params.xtcProbability = 0.3;
  params.repetitionPenalty = 1.1;
  params.seed = 1234;
  const auto prompt = promptOf(30, 8);
  std::vector<TokenId> alone;
  {
    Bench bench({}, 4096, 512, 0);
    Collector collector;
    bench.submit(bench.request(prompt, collector, 80, params));
    ASSERT_TRUE(collector.wait());
    alone = collector.tokens;
  }
  Bench bench;
  bench.control->close();
  std::vector<Collector> others(20);
  Collector same, different;
  for (std::uint32_t i = 0; i < 20; ++i) {
    auto other = params;
    other.seed.reset();
    bench.submit(bench.request(promptOf(10 + i * 5, i), others[i], 60, other));
  }
  bench.submit(bench.request(prompt, same, 80, params));
  params.seed = 1235;
  bench.submit(bench.request(prompt, different, 80, params));
  bench.control->open();
  for (auto& other : others) ASSERT_TRUE(other.wait());
  ASSERT_TRUE(same.wait());
  ASSERT_TRUE(different.wait());
  EXPECT_EQ(same.tokens, alone);
  EXPECT_NE(different.tokens, alone);
}

TEST(Engine, WithoutASeedOutputsDiffer) {
  SamplingParams params;
  params.temperature = 2;
  Bench bench;
  Collector a, b;
  bench.submit(bench.request(promptOf(10, 1), a, 60, params));
  bench.submit(bench.request(promptOf(10, 1), b, 60, params));
  ASSERT_TRUE(a.wait());
  ASSERT_TRUE(b.wait());
  EXPECT_NE(a.tokens, b.tokens);
}

TEST(Engine, AFailedStepFailsItsRequestsAndNoOthers) {
  Bench bench;
  Collector first, second;
  bench.control->failures = 1;
  bench.submit(bench.request(promptOf(10, 1), first, 10));
  ASSERT_TRUE(first.wait());
  EXPECT_EQ(first.finished.reason, FinishReason::Error);
  ASSERT_TRUE(first.finished.error);
  EXPECT_EQ(first.finished.error->code, ErrorCode::Corrupt);
  const auto prompt = promptOf(10, 1);
  bench.submit(bench.request(prompt, second, 10));
  ASSERT_TRUE(second.wait());
  EXPECT_EQ(second.tokens, bench.expected(prompt, 10)) << "nothing of the failed step may be reused";
  EXPECT_EQ(second.startedEvent.cachedTokens, 0);
  EXPECT_EQ(bench.engine->stats().failed, 1U);
}

TEST(Engine, NanLogitsAreAnError) {
  Bench bench;
  bench.control->nan = true;
  Collector collector;
  bench.submit(bench.request(promptOf(10, 1), collector, 10));
  ASSERT_TRUE(collector.wait());
  EXPECT_EQ(collector.finished.reason, FinishReason::Error);
  EXPECT_EQ(collector.finished.error->code, ErrorCode::Corrupt);
}

TEST(Engine, DestructionFinishesEveryRequestOnce) {
  EngineOptions options;
  options.maxSequences = 4;
  std::vector<Collector> collectors(40);
  Bench bench(options);
  bench.control->microseconds = 500;
  for (std::uint32_t i = 0; i < 40; ++i) bench.submit(bench.request(promptOf(30, i), collectors[i], 2000));
  bench.waitUntil([&] { return collectors[0].tokenCount() > 2; });
  bench.engine.reset();
  for (auto& collector : collectors) {
    ASSERT_TRUE(collector.done());
    EXPECT_EQ(collector.finished.reason, FinishReason::Cancelled);
    ASSERT_TRUE(collector.finished.error);
    EXPECT_EQ(collector.finished.error->code, ErrorCode::ShuttingDown);
    EXPECT_EQ(collector.problem(), "");
  }
}

TEST(Engine, MayBeDestroyedFromASink) {
  auto control = std::make_shared<FakeControl>();
  auto engine = *Engine::create(std::make_unique<FakeModel>(control), std::make_unique<FakeTokenizer>(), {});
  auto collector = std::make_shared<Collector>();
  EngineRequest request;
  request.prompt = {1, 2, 3};
  request.maxTokens = 3;
  request.sink = [collector, holder = std::make_shared<std::shared_ptr<Engine>>(engine)](const EngineEvent& event) {
    if (event.kind == EngineEvent::Kind::Finished) holder->reset();
    return collector->take(event);
  };
  ASSERT_TRUE(engine->submit(std::move(request)));
  const std::weak_ptr<Engine> watch = engine;
  engine.reset();
  ASSERT_TRUE(collector->wait());
  for (int i = 0; i < 5000 && control.use_count() > 1; ++i) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_EQ(control.use_count(), 1) << "the model was let go";
  EXPECT_TRUE(watch.expired());
}

TEST(Engine, ASinkMaySubmit) {
  Bench bench;
  Collector first, second;
  auto request = bench.request(promptOf(5, 1), first, 5);
  request.sink = [&](const EngineEvent& event) {
    if (event.kind == EngineEvent::Kind::Finished) bench.submit(bench.request(promptOf(5, 2), second, 5));
    return first.take(event);
  };
  bench.submit(std::move(request));
  ASSERT_TRUE(second.wait());
  EXPECT_EQ(second.tokens, bench.expected(promptOf(5, 2), 5));
}

TEST(Engine, LogprobsComeWithTheTokens) {
  Bench bench;
  Collector collector;
  auto params = greedy();
  params.logprobs = 4;
  bench.submit(bench.request(promptOf(9, 1), collector, 6, params));
  ASSERT_TRUE(collector.wait());
  for (std::size_t i = 0; i < 6; ++i) {
    ASSERT_TRUE(collector.logprobs[i]);
    EXPECT_EQ(collector.logprobs[i]->token, collector.tokens[i]);
    ASSERT_EQ(collector.logprobs[i]->top.size(), 4U);
    EXPECT_EQ(collector.logprobs[i]->top[0].first, collector.tokens[i]);
    EXPECT_EQ(collector.logprobs[i]->top[0].second, collector.logprobs[i]->logprob);
    EXPECT_LT(collector.logprobs[i]->logprob, 0);
  }
}

TEST(Engine, LogitsOfAWindowWhileOthersRun) {
  EngineOptions options;
  options.contextTokens = 256;
  options.kvTokens = 320;
  options.stepTokens = 50;
  Bench bench(options);
  bench.control->microseconds = 200;
  const auto prompt = promptOf(60, 1), window = promptOf(200, 2);
  Collector collector;
  bench.submit(bench.request(prompt, collector, 150));
  bench.waitUntil([&] { return collector.tokenCount() > 3; });
  const auto logits = bench.engine->logits(window);
  ASSERT_TRUE(logits) << logits.error().describe();
  ASSERT_EQ(logits->size(), window.size() * kVocabulary);
  const FakeModel model(bench.control);
  std::vector<float> expected(kVocabulary);
  for (std::size_t i = 0; i < window.size(); ++i) {
    model.fill(std::span(window).first(i + 1), expected);
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), logits->begin() + static_cast<std::ptrdiff_t>(i * kVocabulary))) << "token " << i;
  }
  ASSERT_TRUE(collector.wait());
  EXPECT_EQ(collector.tokens, bench.expected(prompt, 150)) << "the one that was preempted for the window";
  EXPECT_EQ(bench.engine->logits({}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(bench.engine->logits(promptOf(257, 1)).error().code, ErrorCode::ContextOverflow);
  EXPECT_EQ(bench.engine->logits(std::vector<TokenId>{kVocabulary}).error().code, ErrorCode::InvalidArgument);
  bench.control->failures = 1;
  EXPECT_EQ(bench.engine->logits(window).error().code, ErrorCode::Corrupt);
  EXPECT_EQ(bench.engine->stats().kvPagesUsed, 0);
}

TEST(Engine, LogitsFromASinkAreRefused) {
  Bench bench;
  Collector collector;
  std::optional<ErrorCode> code;
  auto request = bench.request(promptOf(5, 1), collector, 1);
  request.sink = [&](const EngineEvent& event) {
    if (event.kind == EngineEvent::Kind::Started) code = bench.engine->logits(std::vector<TokenId>{1}).error().code;
    return collector.take(event);
  };
  bench.submit(std::move(request));
  ASSERT_TRUE(collector.wait());
  EXPECT_EQ(code, ErrorCode::InvalidArgument);
}

TEST(Engine, SubmitsFromManyThreads) {
  EngineOptions options;
  options.maxQueued = 1000;
  options.maxSequences = 8;
  Bench bench(options);
  constexpr std::size_t kThreads = 8, kEach = 25;
  std::vector<Collector> collectors(kThreads * kEach);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < kEach; ++i) {
        const auto index = t * kEach + i;
        const auto handle = bench.submit(bench.request(promptOf(1 + index % 90, static_cast<std::uint32_t>(index)), collectors[index], 12));
        if (index % 5 == 0) handle.cancel();
        (void)bench.engine->stats();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t index = 0; index < collectors.size(); ++index) {
    ASSERT_TRUE(collectors[index].wait());
    if (index % 5 == 0) continue;
    EXPECT_EQ(collectors[index].tokens, bench.expected(promptOf(1 + index % 90, static_cast<std::uint32_t>(index)), 12));
  }
}

double processSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

TEST(Engine, AnIdleEngineUsesNoProcessor) {
  Bench bench;
  Collector collector;
  bench.submit(bench.request(promptOf(5, 1), collector, 5));
  ASSERT_TRUE(collector.wait());
  std::this_thread::sleep_for(milliseconds(50));
  const int steps = bench.control->steps;
  const double before = processSeconds();
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_LT(processSeconds() - before, 0.02);
  EXPECT_EQ(bench.control->steps, steps);
}

TEST(Engine, RatesAreOverTheLastTwoSeconds) {
  Bench bench;
  bench.control->microseconds = 1000;
  Collector collector;
  bench.submit(bench.request(promptOf(100, 1), collector, 100));
  ASSERT_TRUE(collector.wait());
  const auto stats = bench.engine->stats();
  EXPECT_NEAR(stats.decodeTokensPerSecond, 50, 1);
  EXPECT_NEAR(stats.prefillTokensPerSecond, 50, 1);
}

TEST(Engine, RefusesWhatDoesNotFitBeforeAllocating) {
  EngineOptions options;
  options.contextTokens = 100;
  options.kvTokens = 1 << 28;
  auto control = std::make_shared<FakeControl>();
  const auto model = [&] { return std::make_unique<FakeModel>(control); };
  options.kvTokens = 50;
  EXPECT_EQ(Engine::create(model(), std::make_unique<FakeTokenizer>(), options).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(Engine::create(nullptr, std::make_unique<FakeTokenizer>(), {}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(Engine::create(model(), nullptr, {}).error().code, ErrorCode::InvalidArgument);
}

/// Everything at once in a small pool: whoever finishes has the right tokens, and the books balance.
TEST(Engine, RandomTraffic) {
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    std::mt19937 random(seed);
    EngineOptions options;
    options.contextTokens = 300;
    options.kvTokens = 600 + static_cast<int>(random() % 600);
    options.pageTokens = 1 + static_cast<int>(random() % 20);
    options.maxSequences = 2 + static_cast<int>(random() % 20);
    options.stepTokens = 2 + static_cast<int>(random() % 100);
    options.maxQueued = 1000;
    Bench bench(options);
    constexpr std::size_t kCount = 150;
    std::vector<Collector> collectors(kCount);
    std::vector<std::vector<TokenId>> prompts;
    std::vector<int> lengths;
    std::vector<RequestHandle> handles;
    for (std::size_t i = 0; i < kCount; ++i) {
      auto prompt = promptOf(1 + random() % 120, 1 + random() % 3);
      const auto tail = promptOf(random() % 40, static_cast<std::uint32_t>(i));
      prompt.insert(prompt.end(), tail.begin(), tail.end());
      prompts.push_back(prompt);
      lengths.push_back(1 + static_cast<int>(random() % 90));
      auto request = bench.request(prompt, collectors[i], lengths.back());
      request.priority = static_cast<Priority>(random() % 3);
      request.principal = std::string(1, static_cast<char>('a' + random() % 4));
      handles.push_back(bench.submit(std::move(request)));
      if (random() % 4 == 0) handles[random() % handles.size()].cancel();
      if (random() % 10 == 0) std::this_thread::sleep_for(milliseconds(1));
    }
    for (std::size_t i = 0; i < kCount; ++i) {
      ASSERT_TRUE(collectors[i].wait()) << "seed " << seed << " request " << i;
      EXPECT_EQ(collectors[i].problem(), "");
      const auto expected = bench.expected(prompts[i], lengths[i]);
      if (collectors[i].finished.reason == FinishReason::Cancelled) {
        EXPECT_TRUE(std::equal(collectors[i].tokens.begin(), collectors[i].tokens.end(), expected.begin()));
      } else {
        EXPECT_EQ(collectors[i].tokens, expected) << "seed " << seed << " request " << i;
      }
    }
    EXPECT_EQ(bench.engine->stats().kvPagesUsed, 0);
    EXPECT_EQ(bench.engine->stats().failed, 0U);
  }
}

}  // namespace
}  // namespace hearth
