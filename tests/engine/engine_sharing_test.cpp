// Requests that share an engine: pages, prefixes and turns.
#include <gtest/gtest.h>

#include "core/engine/engine.h"
#include "tests/engine/engine_bench.h"

namespace hearth {
namespace {

using namespace testing;

TEST(Engine, PreemptionInATinyPoolGivesTheSame) {
  for (const bool prefixCache : {true, false}) {
    EngineOptions options;
    options.contextTokens = 256;
    options.kvTokens = 384;
    options.pageTokens = 8;
    options.prefixCache = prefixCache;
    Bench bench(options);
    bench.control->close();
    SamplingParams params;
    params.temperature = 1;
    params.seed = 77;
    std::vector<Collector> collectors(12), seeded(4);
    std::vector<std::vector<TokenId>> prompts;
    for (std::uint32_t i = 0; i < 12; ++i) {
      prompts.push_back(promptOf(10 + i * 5, i));
      bench.submit(bench.request(prompts[i], collectors[i], 120));
    }
    for (std::uint32_t i = 0; i < 4; ++i) bench.submit(bench.request(promptOf(33, 50), seeded[i], 100, params));
    bench.control->open();
    for (std::size_t i = 0; i < 12; ++i) {
      ASSERT_TRUE(collectors[i].wait());
      EXPECT_EQ(collectors[i].finished.reason, FinishReason::Length);
      EXPECT_EQ(collectors[i].tokens, bench.expected(prompts[i], 120)) << "request " << i;
      EXPECT_EQ(collectors[i].problem(), "");
    }
    for (auto& collector : seeded) {
      ASSERT_TRUE(collector.wait());
      EXPECT_EQ(collector.tokens, seeded[0].tokens);
    }
    EXPECT_GT(bench.engine->stats().preemptions, 3U);
    EXPECT_EQ(bench.engine->stats().failed, 0U);
    EXPECT_EQ(bench.engine->stats().kvPagesUsed, 0);
  }
}

TEST(Engine, ASequenceMayFillTheWholePool) {
  EngineOptions options;
  options.contextTokens = 128;
  options.kvTokens = 128;
  Bench bench(options);
  const auto prompt = promptOf(100, 4);
  for (int round = 0; round < 3; ++round) {  // later rounds find their prefix, and a page to copy, in a full pool
    auto own = prompt;
    own[static_cast<std::size_t>(90 + round)] = 251;
    Collector collector;
    bench.submit(bench.request(own, collector, -1));
    ASSERT_TRUE(collector.wait());
    EXPECT_EQ(collector.tokens, bench.expected(own, 28));
  }
}

TEST(Engine, TheInteractivePushOutTheBatchWhenThereIsNoRoom) {
  EngineOptions options;
  options.maxSequences = 2;
  Bench bench(options);
  bench.control->microseconds = 500;
  std::vector<Collector> batch(3);
  Collector interactive;
  std::vector<std::vector<TokenId>> prompts;
  for (std::uint32_t i = 0; i < 3; ++i) {
    prompts.push_back(promptOf(20, i));
    auto request = bench.request(prompts[i], batch[i], 300);
    request.priority = Priority::Batch;
    bench.submit(std::move(request));
  }
  bench.waitUntil([&] { return batch[0].tokenCount() > 5; });
  bench.submit(bench.request(promptOf(20, 9), interactive, 10));
  ASSERT_TRUE(interactive.wait());
  EXPECT_FALSE(batch[0].done() && batch[1].done());
  EXPECT_EQ(bench.engine->stats().preemptions, 1U);
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(batch[i].wait());
    EXPECT_EQ(batch[i].tokens, bench.expected(prompts[i], 300));
  }
}

TEST(Engine, PrefixHitsAreCountedAndGiveTheSame) {
  Bench bench;
  const auto system = promptOf(100, 1);
  std::uint64_t cached = 0;
  for (std::uint32_t i = 0; i < 5; ++i) {
    auto prompt = system;
    const auto question = promptOf(30, 10 + i);
    prompt.insert(prompt.end(), question.begin(), question.end());
    Collector collector;
    bench.submit(bench.request(prompt, collector, 20));
    ASSERT_TRUE(collector.wait());
    EXPECT_EQ(collector.tokens, bench.expected(prompt, 20));
    EXPECT_EQ(collector.startedEvent.cachedTokens, i == 0 ? 0 : 100) << "six pages and four tokens of the seventh";
    cached += static_cast<std::uint64_t>(collector.startedEvent.cachedTokens);
    // The next turn of the conversation finds the answer's pages too.
    prompt.insert(prompt.end(), collector.tokens.begin(), collector.tokens.end());
    prompt.push_back(3);
    Collector next;
    bench.submit(bench.request(prompt, next, 5));
    ASSERT_TRUE(next.wait());
    EXPECT_EQ(next.tokens, bench.expected(prompt, 5));
    EXPECT_EQ(next.startedEvent.cachedTokens, 144);
    cached += 144;
  }
  EXPECT_EQ(bench.engine->stats().cachedPromptTokens, cached);
}

TEST(Engine, PromptsThatWaitForTheSamePrefixComputeItOnce) {
  EngineOptions options;
  options.stepTokens = 64;
  Bench bench(options);
  bench.control->close();
  const auto prompt = promptOf(513, 6);
  std::vector<Collector> collectors(8);
  for (auto& collector : collectors) bench.submit(bench.request(prompt, collector, 4));
  bench.control->open();
  for (auto& collector : collectors) {
    ASSERT_TRUE(collector.wait());
    EXPECT_EQ(collector.tokens, bench.expected(prompt, 4));
  }
  EXPECT_LT(bench.control->tokens, 2 * 513) << "eight times the prompt would be 4,104";
}

TEST(Engine, PromptsOfOneStepComputeTheirSharedPrefixOnce) {
  Bench bench;  // all eight prompts fit into one step
  bench.control->close();
  const auto system = promptOf(50, 6);
  std::vector<Collector> collectors(8);
  std::vector<std::vector<TokenId>> prompts;
  for (std::uint32_t i = 0; i < 8; ++i) {
    prompts.push_back(system);
    const auto own = promptOf(5, 100 + i);
    prompts.back().insert(prompts.back().end(), own.begin(), own.end());
    bench.submit(bench.request(prompts.back(), collectors[i], 1));
  }
  bench.control->open();
  for (std::size_t i = 0; i < 8; ++i) {
    ASSERT_TRUE(collectors[i].wait());
    EXPECT_EQ(collectors[i].tokens, bench.expected(prompts[i], 1));
    if (i > 0) {
      EXPECT_EQ(collectors[i].startedEvent.cachedTokens, 48);
    }
  }
  EXPECT_EQ(bench.control->tokens, 55 + 7 * 7) << "the first whole, of the others what is not in the three shared pages";
}

TEST(Engine, APromptGoesOnWhenTheOneItWaitsForIsCancelled) {
  EngineOptions options;
  options.stepTokens = 32;
  Bench bench(options);
  const auto prompt = promptOf(1000, 6);
  Collector first, second, third;
  RequestHandle handle;
  std::atomic<int> steps{0};
  bench.control->onStep = [&](const Batch&) {
    if (++steps == 10) handle.cancel();
  };
  bench.control->close();
  handle = bench.submit(bench.request(prompt, first, 5));
  bench.submit(bench.request(prompt, second, 5));
  bench.submit(bench.request(prompt, third, 5));
  bench.control->open();
  ASSERT_TRUE(first.wait());
  EXPECT_EQ(first.finished.reason, FinishReason::Cancelled);
  for (Collector* collector : {&second, &third}) {
    ASSERT_TRUE(collector->wait());
    EXPECT_EQ(collector->tokens, bench.expected(prompt, 5));
  }
  EXPECT_LT(bench.control->tokens, 1200) << "what the cancelled one had computed was used";
}

TEST(Engine, AShortPromptPassesALongOneAndALongOneIsNotPassedForEver) {
  EngineOptions options;
  options.stepTokens = 64;
  options.maxQueued = 2000;
  Bench bench(options);
  bench.control->microsecondsPerToken = 20;
  Collector longOne, shortOne;
  bench.submit(bench.request(promptOf(3000, 1), longOne, 2));
  bench.waitUntil([&] { return longOne.hasStarted(); });
  bench.submit(bench.request(promptOf(30, 2), shortOne, 2));
  ASSERT_TRUE(shortOne.wait());
  EXPECT_EQ(longOne.tokenCount(), 0) << "3,000 tokens at 64 a step: they are not read yet";

  // A flood of short prompts, submitted as fast as they are answered: the long one still ends.
  std::vector<Collector> flood(400);
  std::size_t next = 0;
  Collector another;
  bench.submit(bench.request(promptOf(3000, 3), another, 2));
  for (std::size_t done = 0; !another.done() && next < flood.size();) {
    while (next < flood.size() && next < done + 12) {
      bench.submit(bench.request(promptOf(60, static_cast<std::uint32_t>(10 + next)), flood[next], 1));
      ++next;
    }
    ASSERT_TRUE(flood[done++].wait());
  }
  ASSERT_TRUE(another.wait());
  EXPECT_LT(next, flood.size()) << "it was answered among them, not after them";
  for (std::size_t i = 0; i < next; ++i) ASSERT_TRUE(flood[i].wait());
}

TEST(Engine, AFloodOfOnePrincipalDoesNotDelayAnother) {
  EngineOptions options;
  options.maxSequences = 2;
  Bench bench(options);
  bench.control->close();
  std::vector<Collector> flood(60), guest(3);
  std::mutex mutex;
  std::vector<std::string> started;
  const auto submit = [&](Collector& collector, const std::string& principal, std::uint32_t seed) {
    auto request = bench.request(promptOf(20, seed), collector, 10);
    request.principal = principal;
    request.sink = [&, principal](const EngineEvent& event) {
      if (event.kind == EngineEvent::Kind::Started) {
        std::lock_guard lock(mutex);
        started.push_back(principal);
      }
      return collector.take(event);
    };
    bench.submit(std::move(request));
  };
  for (std::uint32_t i = 0; i < 60; ++i) submit(flood[i], "flood", i);
  for (std::uint32_t i = 0; i < 3; ++i) submit(guest[i], "guest", 100 + i);
  bench.control->open();
  for (auto& collector : flood) ASSERT_TRUE(collector.wait());
  for (auto& collector : guest) ASSERT_TRUE(collector.wait());
  ASSERT_EQ(started.size(), 63U);
  EXPECT_EQ(std::count(started.begin(), started.begin() + 10, "guest"), 3) << "all three within the first ten";
}

TEST(Engine, APromptDoesNotWaitForAllThatAnotherPrincipalHasSent) {
  EngineOptions options;
  options.stepTokens = 64;
  Bench bench(options);
  bench.control->microsecondsPerToken = 50;
  std::vector<Collector> flood(40);
  Collector guest;
  for (std::uint32_t i = 0; i < 40; ++i) {
    auto request = bench.request(promptOf(200, i), flood[i], 50);
    request.principal = "flood";
    bench.submit(std::move(request));
  }
  // All 40 have a place, and only the first prompts are read.
  bench.waitUntil([&] { return flood[2].tokenCount() > 0; });
  auto request = bench.request(promptOf(200, 99), guest, 5);
  request.principal = "guest";
  bench.submit(std::move(request));
  ASSERT_TRUE(guest.wait());
  const auto begun = std::count_if(flood.begin(), flood.end(), [](auto& one) { return one.tokenCount() > 0; });
  EXPECT_LT(begun, 20) << "the guest's prompt went before theirs";
  for (std::uint32_t i = 0; i < 40; ++i) {
    ASSERT_TRUE(flood[i].wait());
    EXPECT_EQ(flood[i].tokens, bench.expected(promptOf(200, i), 50));
  }
}

TEST(Engine, WhoHasNothingRunningGetsAPlaceOfOneWhoHasAll) {
  EngineOptions options;
  options.maxSequences = 4;
  Bench bench(options);
  bench.control->microseconds = 500;
  std::vector<Collector> flood(8), guests(2);
  for (std::uint32_t i = 0; i < 8; ++i) {
    auto request = bench.request(promptOf(20, i), flood[i], 300);
    request.principal = "flood";
    bench.submit(std::move(request));
  }
  bench.waitUntil([&] { return flood[3].tokenCount() > 5; });
  for (std::uint32_t i = 0; i < 2; ++i) {
    auto request = bench.request(promptOf(20, 100 + i), guests[i], 10);
    request.principal = i == 0 ? "guest" : "another guest";
    bench.submit(std::move(request));
  }
  for (std::uint32_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(guests[i].wait());
    EXPECT_EQ(guests[i].tokens, bench.expected(promptOf(20, 100 + i), 10));
  }
  EXPECT_TRUE(std::none_of(flood.begin(), flood.end(), [](auto& one) { return one.done(); })) << "none had to end first";
  EXPECT_LE(bench.engine->stats().preemptions, 2U);
  for (std::uint32_t i = 0; i < 8; ++i) {
    ASSERT_TRUE(flood[i].wait());
    EXPECT_EQ(flood[i].tokens, bench.expected(promptOf(20, i), 300)) << "pushed out or not, the same";
  }
}

TEST(Engine, DecodingGoesOnWhileALongPromptIsRead) {
  EngineOptions options;
  options.targetInterTokenSeconds = 0.02;
  Bench bench(options);
  bench.control->microsecondsPerToken = 100;  // a whole budget of 512 would take 51 ms
  Collector talker, reader;
  const auto prompt = promptOf(20, 1), book = promptOf(3000, 2);
  bench.submit(bench.request(prompt, talker, 200));
  bench.waitUntil([&] { return talker.tokenCount() > 10; });
  const int before = talker.tokenCount();
  bench.submit(bench.request(book, reader, 2));
  bench.waitUntil([&] { return reader.done(); });
  EXPECT_GT(talker.tokenCount() - before, 12) << "3,000 tokens at once would leave room for six";
  EXPECT_EQ(reader.tokens, bench.expected(book, 2));
  ASSERT_TRUE(talker.wait());
  EXPECT_EQ(talker.tokens, bench.expected(prompt, 200));
}

TEST(Engine, AStepOfACrowdIsGivenUpForANewcomer) {
  Bench bench;
  bench.control->microsecondsPerToken = 1000;  // a step of 512 tokens takes half a second
  std::vector<Collector> flood(6);
  std::vector<Collector> guests(2);
  const auto submit = [&](Collector& collector, const std::string& principal, std::size_t length, std::uint32_t seed, int most) {
    auto request = bench.request(promptOf(length, seed), collector, most);
    request.principal = principal;
    bench.submit(std::move(request));
  };
  for (std::uint32_t i = 0; i < 6; ++i) submit(flood[i], "flood", 450, i, 6);
  bench.waitUntil([&] { return flood[5].hasStarted(); });  // the first step may have been one's alone: no crowd's
  std::this_thread::sleep_for(milliseconds(20));
  const auto came = std::chrono::steady_clock::now();
  submit(guests[0], "guest", 40, 100, 3);
  bench.waitUntil([&] { return guests[0].tokenCount() > 0; });
  EXPECT_EQ(bench.control->abandoned, 1);
  EXPECT_EQ(flood[5].tokenCount(), 0) << "the crowd was not read to its end before";
  bench.waitUntil([&] { return guests[0].done(); });
  submit(guests[1], "another", 40, 101, 3);
  for (auto& collector : guests) ASSERT_TRUE(collector.wait());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - came).count();
  EXPECT_LE(bench.control->abandoned, 1 + seconds) << "not twice within a second";
  bench.control->microsecondsPerToken = 0;
  for (std::uint32_t i = 0; i < 6; ++i) {
    ASSERT_TRUE(flood[i].wait());
    EXPECT_EQ(flood[i].tokens, bench.expected(promptOf(450, i), 6));
  }
  for (std::uint32_t i = 0; i < 2; ++i) EXPECT_EQ(guests[i].tokens, bench.expected(promptOf(40, 100 + i), 3));
}

TEST(Engine, AStepMostOfWhichWasCancelledIsGivenUpAndTheOthersGoOn) {
  Bench bench;
  bench.control->microsecondsPerToken = 4000;  // a step of 512 tokens takes two seconds
  std::vector<Collector> collectors(3);
  std::vector<RequestHandle> handles;
  bench.control->close();
  for (std::uint32_t i = 0; i < 3; ++i) handles.push_back(bench.submit(bench.request(promptOf(i == 0 ? 40 : 230, i), collectors[i], 4)));
  bench.control->open();
  bench.waitUntil([&] { return collectors[2].hasStarted(); });
  handles[1].cancel();
  const auto begin = std::chrono::steady_clock::now();
  handles[2].cancel();
  for (std::size_t i = 1; i < 3; ++i) {
    ASSERT_TRUE(collectors[i].wait());
    EXPECT_EQ(collectors[i].finished.reason, FinishReason::Cancelled);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(1000)) << "not until the step's end";
  EXPECT_EQ(bench.control->abandoned, 1);
  ASSERT_TRUE(collectors[0].wait());
  EXPECT_EQ(collectors[0].tokens, bench.expected(promptOf(40, 0), 4));
}

TEST(Engine, StepsAreNotGivenUpTwiceInARow) {
  Bench bench;
  bench.control->microsecondsPerToken = 200;
  Collector staying;
  bench.submit(bench.request(promptOf(100, 1), staying, 2));
  // All of the time others come with long prompts and go again at once.
  std::vector<Collector> others(400);
  std::size_t next = 0;
  for (; next < others.size() && !staying.done(); ++next) {
    auto handle = bench.submit(bench.request(promptOf(400, static_cast<std::uint32_t>(100 + next)), others[next], 2));
    std::this_thread::sleep_for(milliseconds(8));
    handle.cancel();
  }
  ASSERT_TRUE(staying.wait());
  EXPECT_LT(next, others.size());
  EXPECT_EQ(staying.tokens, bench.expected(promptOf(100, 1), 2));
  for (std::size_t i = 0; i < next; ++i) ASSERT_TRUE(others[i].wait());
}

TEST(Engine, WaitingRequestsHearTheirPosition) {
  EngineOptions options;
  options.maxSequences = 1;
  Bench bench(options);
  bench.control->microseconds = 3000;
  std::vector<Collector> collectors(6);
  for (std::uint32_t i = 0; i < 6; ++i) bench.submit(bench.request(promptOf(10, i), collectors[i], 100));
  for (auto& collector : collectors) ASSERT_TRUE(collector.wait());
  EXPECT_TRUE(collectors[0].queued.empty());
  const auto& last = collectors[5];
  ASSERT_GE(last.queued.size(), 2U);
  // It may have arrived while earlier ones were still being taken in, but never ahead of them.
  EXPECT_EQ(last.queued.front().queuePosition, 5);
  EXPECT_LT(last.queued.front().queueEstimateSeconds, 0) << "nothing is known yet";
  EXPECT_LT(last.queued.back().queuePosition, 5);
  EXPECT_GE(last.queued.back().queueEstimateSeconds, 0);
  EXPECT_LT(last.queued.back().queueEstimateSeconds, 5);
  for (std::size_t i = 1; i < last.queued.size(); ++i) {
    EXPECT_NE(last.queued[i].queuePosition, last.queued[i - 1].queuePosition);
    EXPECT_GE(last.queuedAt[i] - last.queuedAt[i - 1], milliseconds(490));
  }
  EXPECT_GT(last.finished.queueSeconds, 0.5);
}

}  // namespace
}  // namespace hearth
