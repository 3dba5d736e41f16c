#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/engine/speculation/prompt_lookup.h"
#include "core/engine/speculation/step_times.h"
#include "tests/engine/engine_bench.h"

namespace hearth {
namespace {

using namespace testing;

/// A model that goes on with a text of period `period`, but says something else at every `twist`-th position.
std::function<TokenId(std::span<const TokenId>)> repeating(std::size_t period, std::size_t twist) {
  return [=](std::span<const TokenId> history) {
    const std::size_t at = history.size();
    return static_cast<TokenId>(at % twist == 0 ? at * 31 % 250 : at % period * 7 % 250);
  };
}

SamplingParams warm(std::uint64_t seed) {
  SamplingParams params;
  params.temperature = 1;
  params.seed = seed;
  return params;
}

EngineOptions with(Speculation speculation) {
  EngineOptions options;
  options.speculation = speculation;
  return options;
}

TEST(PromptLookup, GuessesWhatFollowedTheLongestMatch) {
  PromptLookup lookup;
  //                               0  1  2  3  4  5  6  7  8  9  10 11
  const std::vector<TokenId> text{1, 2, 3, 4, 5, 9, 3, 4, 6, 1, 2, 3, 4};
  const auto guess = lookup.guess(text, 3);
  EXPECT_EQ(guess.matched, 4) << "1 2 3 4, not the later but shorter 3 4";
  EXPECT_EQ(std::vector<TokenId>(guess.tokens.begin(), guess.tokens.end()), (std::vector<TokenId>{5, 9, 3}));
}

TEST(PromptLookup, FindsNothingWhereNothingRepeats) {
  PromptLookup lookup;
  std::vector<TokenId> text(500);
  std::iota(text.begin(), text.end(), 0);
  EXPECT_EQ(lookup.guess(text, 8).matched, 0);
  EXPECT_EQ(lookup.guess(std::span(text).first(1), 8).matched, 0);
}

TEST(PromptLookup, PrefersTheLatestOfEqualMatches) {
  PromptLookup lookup;
  const std::vector<TokenId> text{1, 2, 7, 1, 2, 8, 1, 2};
  const auto guess = lookup.guess(text, 1);
  ASSERT_EQ(guess.matched, 2);
  EXPECT_EQ(guess.tokens[0], 8);
}

TEST(PromptLookup, EqualsABruteForceSearchAsTheTextGrows) {
  std::mt19937 random(5);
  std::vector<TokenId> text;
  PromptLookup lookup;
  int found = 0;
  for (int i = 0; i < 1500; ++i) {
    text.push_back(static_cast<TokenId>(random() % 40));
    if (i % 3 != 0) continue;  // what was not asked for is indexed later
    const auto guess = lookup.guess(text, 5);
    std::size_t longest = 0;
    for (std::size_t end = 1; end < text.size(); ++end) {
      std::size_t length = 0;
      while (length < end && length < 64 && text[end - 1 - length] == text[text.size() - 1 - length]) ++length;
      longest = std::max(longest, length);
    }
    // Few occurrences of a pair in so short a text: none is out of reach.
    EXPECT_EQ(guess.matched, longest >= 2 ? static_cast<int>(longest) : 0) << "at " << i;
    if (guess.matched == 0) continue;
    ++found;
    const auto at = static_cast<std::size_t>(guess.tokens.data() - text.data());
    EXPECT_TRUE(std::equal(text.end() - guess.matched, text.end(), text.begin() + static_cast<std::ptrdiff_t>(at) - guess.matched));
  }
  EXPECT_GT(found, 100);
}

TEST(StepTimes, InterpolatesAndForgets) {
  StepTimes times;
  EXPECT_EQ(times.at(1), 0);
  times.record(1, 0.010);
  EXPECT_DOUBLE_EQ(times.at(1), 0.010);
  EXPECT_GT(times.at(9), 0.010);
  EXPECT_LT(times.at(9), 0.020) << "what is not known is worth a try";
  times.record(9, 0.050);
  EXPECT_NEAR(times.at(5), 0.030, 1e-9);
  EXPECT_NEAR(times.at(13), 0.070, 1e-9) << "as steep as between those that are known";
  for (int i = 0; i < 200; ++i) times.record(1, 0.020);
  EXPECT_NEAR(times.at(1), 0.020, 1e-3);
  for (int i = 0; i < 5000; ++i) times.record(1, 0.020);
  EXPECT_LT(times.at(9), 0.040) << "a measurement of long ago is not believed";
}

TEST(Speculation, GuessesComeTrueAndTheOutputIsTheSame) {
  for (const auto mode : {Speculation::Off, Speculation::Lookup}) {
    Bench bench(with(mode));
    bench.control->script = repeating(23, 1'000'000);
    bench.control->microseconds = 300;
    Collector collector;
    const auto prompt = promptOf(30, 1);
    bench.submit(bench.request(prompt, collector, 400));
    ASSERT_TRUE(collector.wait());
    EXPECT_EQ(collector.tokens, bench.expected(prompt, 400));
    EXPECT_EQ(collector.finished.generatedTokens, 400);
    const auto stats = bench.engine->stats();
    EXPECT_EQ(stats.draftedTokens, static_cast<std::uint64_t>(collector.finished.draftedTokens));
    EXPECT_EQ(stats.acceptedTokens, static_cast<std::uint64_t>(collector.finished.acceptedTokens));
    if (mode == Speculation::Off) {
      EXPECT_EQ(bench.control->steps, 400);
      EXPECT_EQ(stats.draftedTokens, 0U);
    } else {
      EXPECT_LT(bench.control->steps, 120) << "several tokens a step";
      EXPECT_GT(collector.finished.acceptedTokens, 280);
      EXPECT_EQ(bench.control->steps + collector.finished.acceptedTokens, 400);
      EXPECT_GE(collector.finished.draftedTokens, collector.finished.acceptedTokens);
    }
    EXPECT_EQ(stats.generatedTokens, 400U);
    EXPECT_EQ(stats.kvPagesUsed, 0);
  }
}

TEST(Speculation, WrongGuessesAreForgottenAndNeverCached) {
  Bench bench(with(Speculation::Lookup));
  bench.control->script = repeating(11, 7);
  bench.control->microseconds = 300;
  const auto prompt = promptOf(40, 2);
  Collector first;
  bench.submit(bench.request(prompt, first, 300));
  ASSERT_TRUE(first.wait());
  EXPECT_EQ(first.tokens, bench.expected(prompt, 300));
  EXPECT_GT(first.finished.draftedTokens, first.finished.acceptedTokens + 10) << "some guesses were wrong";
  EXPECT_GT(first.finished.acceptedTokens, 10);
  // The whole answer is in the cache, right: the next turn goes on from it (the model reads its history back from the pages).
  auto next = prompt;
  next.insert(next.end(), first.tokens.begin(), first.tokens.end());
  next.push_back(3);
  Collector second;
  bench.submit(bench.request(next, second, 50));
  ASSERT_TRUE(second.wait());
  EXPECT_EQ(second.tokens, bench.expected(next, 50));
  EXPECT_GE(second.startedEvent.cachedTokens, 336 - 16);
}

TEST(Speculation, EverySettingGivesTheSameAloneTogetherAndWithout) {
  std::vector<SamplingParams> settings;
  settings.push_back(greedy());
  settings.push_back(warm(1));
  settings.push_back(warm(2));
  settings.back().repetitionPenalty = 1.1;
  settings.back().frequencyPenalty = 0.2;
  settings.back().presencePenalty = 0.1;
  settings.push_back(greedy());
  settings.back().dryMultiplier = 0.8;
  settings.push_back(warm(3));
  settings.back().mirostat = 2;
  settings.push_back(warm(4));
  settings.back().mirostat = 1;
  settings.push_back(warm(5));
  settings.back().xtcProbability = 0.5;
  settings.back().logitBias = {{5, 3.0F}, {7, -100.0F}};
  settings.push_back(warm(6));
  settings.back().logprobs = 3;
  settings.back().topK = 0;
  settings.push_back(warm(7));
  settings.back().typicalP = 0.9;
  settings.back().minP = 0;

  std::vector<std::vector<Collector>> runs;  // off one by one, on one by one, on together
  for (int run = 0; run < 3; ++run) {
    auto options = with(run == 0 ? Speculation::Off : Speculation::Lookup);
    options.pageTokens = 8;
    Bench bench(options);
    bench.control->peak = 9;  // likely, not certain: sampling draws something else now and then
    bench.control->script = repeating(13, 17);
    bench.control->microseconds = 300;
    auto& collectors = runs.emplace_back(settings.size());
    if (run == 2) bench.control->close();
    for (std::size_t i = 0; i < settings.size(); ++i) {
      bench.submit(bench.request(promptOf(20 + i * 7, static_cast<std::uint32_t>(i)), collectors[i], 200, settings[i]));
      if (run != 2) {
        ASSERT_TRUE(collectors[i].wait());
      }
    }
    bench.control->open();
    for (auto& collector : collectors) ASSERT_TRUE(collector.wait());
    if (run == 0) continue;
    EXPECT_GT(bench.engine->stats().acceptedTokens, 100U);
    EXPECT_GT(bench.engine->stats().draftedTokens, bench.engine->stats().acceptedTokens);
    for (std::size_t i = 0; i < settings.size(); ++i) {
      EXPECT_EQ(collectors[i].tokens, runs[0][i].tokens) << "settings " << i << " in run " << run;
      ASSERT_EQ(collectors[i].logprobs.size(), runs[0][i].logprobs.size());
      for (std::size_t t = 0; t < collectors[i].logprobs.size(); ++t) {
        const auto &one = collectors[i].logprobs[t], &other = runs[0][i].logprobs[t];
        ASSERT_EQ(one.has_value(), other.has_value());
        if (one) {
          EXPECT_EQ(one->logprob, other->logprob);
          EXPECT_EQ(one->top, other->top);
        }
      }
    }
  }
}

// The first two tokens of the answer are guessed from the prompt, over many seeds: how often each token comes second must be
// what the model's own logits say, whether the guess was right or not.
TEST(Speculation, TheDistributionIsTheModels) {
  const auto prompt = std::vector<TokenId>{1, 2, 3, 4, 5, 9, 9, 1, 2, 3};
  // Four tokens are possible after anything: 4 (the guess after 3), 5 (after 4), 6 and 7.
  const std::vector<double> chance{0.4, 0.3, 0.2, 0.1};
  auto options = with(Speculation::Lookup);
  options.maxQueued = 10'000;
  Bench bench(options);
  bench.control->fill = [&](std::span<const TokenId> history, std::span<float> logits) {
    std::fill(logits.begin(), logits.end(), -1000.0F);
    for (std::size_t i = 0; i < chance.size(); ++i) logits[4 + i] = static_cast<float>(std::log(chance[(i + history.size()) % 4]));
  };
  bench.control->microseconds = 50;
  constexpr int kRuns = 2000, kTokens = 6;
  std::vector<std::vector<int>> counts(kTokens, std::vector<int>(4));
  int drafted = 0, accepted = 0;
  for (int run = 0; run < kRuns; ++run) {
    Collector collector;
    auto params = warm(static_cast<std::uint64_t>(run) * 7919 + 1);
    params.topK = 0;
    params.topP = 1;
    params.minP = 0;
    bench.submit(bench.request(prompt, collector, kTokens, params));
    ASSERT_TRUE(collector.wait());
    drafted += collector.finished.draftedTokens;
    accepted += collector.finished.acceptedTokens;
    for (std::size_t t = 0; t < kTokens; ++t) ++counts[t][static_cast<std::size_t>(collector.tokens[t] - 4)];
  }
  EXPECT_GT(drafted, kRuns / 4);
  EXPECT_GT(accepted, kRuns / 20);
  EXPECT_GT(drafted, accepted);
  for (std::size_t t = 0; t < kTokens; ++t) {
    double squares = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const double wanted = kRuns * chance[(i + prompt.size() + t) % 4];
      squares += (counts[t][i] - wanted) * (counts[t][i] - wanted) / wanted;
    }
    EXPECT_LT(squares, 16.27) << "token " << t << ": chi-square, 3 degrees of freedom, p = 0.001";
  }
}

TEST(Speculation, EndsAreKeptInTheMiddleOfADraft) {
  for (const auto mode : {Speculation::Off, Speculation::Lookup}) {
    Bench bench(with(mode));
    bench.control->microseconds = 300;
    // "abcdefgh" over and over; at position 100 the model ends.
    bench.control->script = [](std::span<const TokenId> history) {
      return history.size() == 100 ? kEnd : static_cast<TokenId>('a' + history.size() % 8);
    };
    const std::vector<TokenId> prompt{'x', 'y'};
    for (int most = 40; most < 60; ++most) {
      Collector collector;
      bench.submit(bench.request(prompt, collector, most));
      ASSERT_TRUE(collector.wait());
      EXPECT_EQ(collector.tokens.size(), static_cast<std::size_t>(most));
      EXPECT_EQ(collector.finished.reason, FinishReason::Length);
    }
    Collector ended;
    auto request = bench.request(prompt, ended, 500);
    request.ignoreEnd = false;
    bench.submit(std::move(request));
    ASSERT_TRUE(ended.wait());
    EXPECT_EQ(ended.finished.reason, FinishReason::Stop);
    EXPECT_EQ(ended.tokens.size(), 99U);
    EXPECT_EQ(ended.tokens.back(), kEnd);

    std::string whole;
    for (std::size_t i = 2; i < 100; ++i) whole += static_cast<char>('a' + i % 8);
    for (const std::string stop : {"habc", "defghabcdefghabcdefgha"}) {
      Collector stopped;
      auto wanted = bench.request(prompt, stopped, 500);
      wanted.stop = {stop};
      bench.submit(std::move(wanted));
      ASSERT_TRUE(stopped.wait());
      EXPECT_EQ(stopped.finished.reason, FinishReason::Stop);
      EXPECT_EQ(stopped.finished.stopString, stop);
      EXPECT_EQ(stopped.text, whole.substr(0, whole.find(stop)));
    }

    Collector gone;
    gone.stopAfter = 50;
    bench.submit(bench.request(prompt, gone, 500));
    ASSERT_TRUE(gone.wait());
    EXPECT_EQ(gone.finished.reason, FinishReason::Cancelled);
    EXPECT_EQ(gone.tokens.size(), 50U) << "nothing after the sink said no";
    EXPECT_EQ(gone.problem(), "");
    EXPECT_EQ(bench.engine->stats().acceptedTokens > 0, mode == Speculation::Lookup);
    bench.waitUntil([&] { return bench.engine->stats().kvPagesUsed == 0; });
  }
}

TEST(Speculation, ARequestMayDoWithout) {
  Bench bench(with(Speculation::Lookup));
  bench.control->script = repeating(5, 1'000'000);
  Collector collector;
  auto request = bench.request(promptOf(30, 1), collector, 100);
  request.speculate = false;
  bench.submit(std::move(request));
  ASSERT_TRUE(collector.wait());
  EXPECT_EQ(collector.finished.draftedTokens, 0);
  EXPECT_EQ(bench.control->steps, 100);
}

TEST(Speculation, StopsWhereGuessesAreWrong) {
  Bench bench(with(Speculation::Lookup));
  bench.control->microseconds = 200;
  bench.control->microsecondsPerToken = 100;  // a row costs a third of a step: guesses must be right to pay
  // Pairs repeat all the time, what follows them never does.
  bench.control->script = [](std::span<const TokenId> history) {
    const std::size_t at = history.size();
    return static_cast<TokenId>(at % 3 == 0 ? 1 : at % 3 == 1 ? 2 : at * 7919 % 241 + 3);
  };
  Collector collector;
  const auto prompt = promptOf(30, 1);
  bench.submit(bench.request(prompt, collector, 600));
  ASSERT_TRUE(collector.wait());
  EXPECT_EQ(collector.tokens, bench.expected(prompt, 600));
  // 2% of 600 steps and the first credit pay for 13 tokens' time, that is some 40 rows.
  EXPECT_LT(collector.finished.draftedTokens - collector.finished.acceptedTokens, 80);
}

TEST(Speculation, IsOffWhereAStepIsBoundByArithmetic) {
  Bench bench(with(Speculation::Lookup));
  bench.control->microsecondsPerToken = 300;  // twice the rows take twice as long
  bench.control->script = repeating(13, 4);
  std::vector<Collector> collectors(8);
  bench.control->close();
  for (std::uint32_t i = 0; i < 8; ++i) bench.submit(bench.request(promptOf(20, i), collectors[i], 150));
  bench.control->open();
  for (auto& collector : collectors) ASSERT_TRUE(collector.wait());
  const auto stats = bench.engine->stats();
  EXPECT_LT(stats.draftedTokens - stats.acceptedTokens, 150U) << "of 1,200 tokens";
}

TEST(Speculation, TinyPoolsAndPreemptionGiveTheSame) {
  auto options = with(Speculation::Lookup);
  options.contextTokens = 256;
  options.kvTokens = 384;
  options.pageTokens = 4;
  Bench bench(options);
  bench.control->script = repeating(9, 31);
  bench.control->microseconds = 200;
  bench.control->close();
  std::vector<Collector> collectors(10);
  std::vector<std::vector<TokenId>> prompts;
  for (std::uint32_t i = 0; i < 10; ++i) {
    prompts.push_back(promptOf(10 + i * 5, i));
    bench.submit(bench.request(prompts[i], collectors[i], 130));
  }
  bench.control->open();
  for (std::size_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(collectors[i].wait());
    EXPECT_EQ(collectors[i].tokens, bench.expected(prompts[i], 130)) << "request " << i;
  }
  EXPECT_GT(bench.engine->stats().preemptions, 0U);
  EXPECT_GT(bench.engine->stats().acceptedTokens, 100U);
  EXPECT_EQ(bench.engine->stats().failed, 0U);
  EXPECT_EQ(bench.engine->stats().kvPagesUsed, 0);
}

}  // namespace
}  // namespace hearth
