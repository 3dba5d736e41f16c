#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/engine/speculation/draft_model.h"
#include "core/engine/speculation/prompt_lookup.h"
#include "core/engine/speculation/speculator.h"
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
  options.speculateAlways = true;  // what a step takes on a busy machine decides nothing here
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
    EXPECT_TRUE(
        std::equal(text.end() - guess.matched, text.end(), text.begin() + static_cast<std::ptrdiff_t>(at) - guess.matched));
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
  EXPECT_EQ(times.widest(), 1);
  times.record(9, 0.050);
  EXPECT_EQ(times.widest(), 9);
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
      EXPECT_LT(bench.control->steps, 60) << "several tokens a step";
      EXPECT_GT(collector.finished.acceptedTokens, 340);
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
  const auto prompt = promptOf(40, 2);
  Collector first;
  bench.submit(bench.request(prompt, first, 300));
  ASSERT_TRUE(first.wait());
  EXPECT_EQ(first.tokens, bench.expected(prompt, 300));
  EXPECT_GT(first.finished.draftedTokens, first.finished.acceptedTokens + 10) << "some guesses were wrong";
  EXPECT_GT(first.finished.acceptedTokens, 10);
  // The whole answer is in the cache, right: the next turn goes on from it (the model reads its history back from the
  // pages).
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
    for (std::size_t i = 0; i < chance.size(); ++i)
      logits[4 + i] = static_cast<float>(std::log(chance[(i + history.size()) % 4]));
  };
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

/// A Speculator in a world where time is what the test says: steps of one engine, without the engine.
class Simulation {
 public:
  explicit Simulation(std::size_t sequences) {
    for (std::size_t i = 0; i < sequences; ++i) {
      EngineRequest request;
      request.prompt = promptOf(30, static_cast<std::uint32_t>(i));
      m_sequences.push_back(std::make_unique<Sequence>(std::move(request), i + 1, 0, m_tokenizer));
      m_sequences.back()->tokenLimit = 100'000;
      auto& sequence = *m_sequences.back();
      EXPECT_TRUE(m_pages.reserve(sequence.table, sequence.pending()));
      m_pages.commit(sequence.table, sequence.tokens, sequence.pending() - 1);
    }
  }
  /// `next` says how each sequence goes on; `seconds` what a step of so many rows takes.
  void run(int steps, const std::function<TokenId(std::span<const TokenId>)>& next,
           const std::function<double(int)>& seconds) {
    for (int step = 0; step < steps; ++step) {
      std::vector<Scheduler::Slice> slices;
      for (const auto& sequence : m_sequences) {
        ASSERT_TRUE(m_pages.reserve(sequence->table, 1));
        slices.push_back({sequence.get(), 1, true});
      }
      m_speculator.propose(slices);
      int rows = 0;
      std::vector<int> accepted;
      std::vector<std::vector<TokenId>> drafts;
      for (const auto& sequence : m_sequences) drafts.push_back(sequence->speculation.draft);
      for (std::size_t i = 0; i < m_sequences.size(); ++i) {
        auto& sequence = *m_sequences[i];
        const auto& draft = drafts[i];
        rows += 1 + static_cast<int>(draft.size());
        int right = 0;
        for (;; ++right) {
          m_pages.commit(sequence.table, sequence.tokens, 1);
          sequence.tokens.push_back(next(sequence.tokens));
          ++tokens;
          if (static_cast<std::size_t>(right) == draft.size() ||
              draft[static_cast<std::size_t>(right)] != sequence.tokens.back())
            break;
        }
        m_pages.truncate(sequence.table, sequence.table.tokens);
        accepted.push_back(right);
        drafted += static_cast<int>(draft.size());
        m_accepted += right;
      }
      spent += seconds(rows);
      m_speculator.record(slices, accepted, seconds(rows));
    }
  }
  [[nodiscard]] double acceptedTokens() const { return m_accepted; }

  double spent = 0;
  int tokens = 0, drafted = 0;

 private:
  FakeTokenizer m_tokenizer;
  PageManager m_pages{4096, 16, false, {}};
  Speculator m_speculator{true, 512, m_pages};
  std::vector<std::unique_ptr<Sequence>> m_sequences;
  int m_accepted = 0;
};

/// Pairs repeat all the time; what follows them never does.
TokenId misleading(std::span<const TokenId> history) {
  const std::size_t at = history.size();
  return static_cast<TokenId>(at % 3 == 0 ? 1 : at % 3 == 1 ? 2 : at * 7919 % 241 + 3);
}

TEST(Speculator, LosesLittleWhereGuessesAreWrong) {
  for (const double row : {0.02, 0.2, 0.5}) {  // what a row more costs, of a step with one
    const auto seconds = [row](int rows) { return 0.010 * (1 + row * (rows - 1)); };
    Simulation simulation(1);
    simulation.run(1000, misleading, seconds);
    EXPECT_GT(simulation.drafted, 0) << "it was tried";
    const double plain = simulation.tokens * seconds(1);
    EXPECT_LT(simulation.spent, plain * 1.025) << "at " << row;
  }
}

TEST(Speculator, GainsWhereTextRepeatsAndStopsWhenItNoLongerDoes) {
  const auto seconds = [](int rows) { return 0.010 * (1 + 0.05 * (rows - 1)); };
  Simulation simulation(1);
  simulation.run(150, repeating(40, 1'000'000), seconds);
  EXPECT_GT(simulation.tokens * seconds(1) / simulation.spent, 4) << "times as fast";
  simulation.tokens = 0;
  simulation.spent = 0;
  simulation.run(600, misleading, seconds);
  EXPECT_LT(simulation.spent, simulation.tokens * seconds(1) * 1.035) << "what it had saved up is soon spent";
}

TEST(Speculator, ADisturbedStepIsForgotten) {
  Simulation simulation(1);
  int wide = 0;
  const auto disturbed = [&](int rows) { return rows > 1 && wide++ == 0 ? 5.0 : 0.010; };
  simulation.run(400, repeating(40, 1'000'000), disturbed);
  const int before = simulation.drafted;
  simulation.run(100, repeating(40, 1'000'000), disturbed);
  EXPECT_GT(simulation.drafted - before, 500) << "guesses are made again after one that took very long";
}

TEST(Speculator, IsOffWhereAStepIsBoundByArithmetic) {
  // Every row costs the same, and of the guesses a quarter is wrong at once.
  Simulation simulation(8);
  simulation.run(300, repeating(13, 4), [](int rows) { return 0.003 * rows; });
  EXPECT_LT(simulation.spent, simulation.tokens * 0.003 * 1.025);
  EXPECT_LT(simulation.drafted - simulation.acceptedTokens(), simulation.tokens * 0.03);
}

TEST(Speculator, ServesSeveralSequencesAtOnce) {
  Simulation simulation(4);
  simulation.run(200, repeating(40, 1'000'000), [](int rows) { return 0.010 * (1 + 0.02 * (rows - 1)); });
  EXPECT_GT(simulation.tokens, 4 * 200 * 4);
}

TEST(Speculation, TinyPoolsAndPreemptionGiveTheSame) {
  auto options = with(Speculation::Lookup);
  options.contextTokens = 256;
  options.kvTokens = 384;
  options.pageTokens = 4;
  Bench bench(options);
  bench.control->script = repeating(9, 31);
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

/// A small model beside the large one; it says what `script` says and takes no time.
struct DraftBench {
  explicit DraftBench(std::function<TokenId(std::span<const TokenId>)> script,
                      EngineOptions options = with(Speculation::Lookup), int trained = 4096) {
    control->script = std::move(script);
    bench = std::make_unique<Bench>(options, 4096, 512, 2, std::make_unique<FakeModel>(control, trained));
    bench->control->microseconds = 1500;
  }
  ~DraftBench() {
    bench.reset();
    EXPECT_EQ(control->broken, 0) << "the draft model read something else than was written";
  }
  std::shared_ptr<FakeControl> control = std::make_shared<FakeControl>();
  std::unique_ptr<Bench> bench;
};

/// Text in which nothing repeats, so that prompt lookup finds nothing.
TokenId unrepeated(std::span<const TokenId> history) {
  std::uint64_t mixed = history.size() * 0x9E3779B97F4A7C15ULL;
  mixed ^= mixed >> 31U;
  return static_cast<TokenId>(mixed % 250);
}

TEST(DraftModel, ItsGuessesComeTrueAndTheOutputIsTheSame) {
  for (const int every : {1'000'000, 5}) {  // a perfect draft, and one that is wrong every fifth time
    DraftBench draft([every](std::span<const TokenId> history) {
      return history.size() % static_cast<std::size_t>(every) == 0 ? 251 : unrepeated(history);
    });
    Bench& bench = *draft.bench;
    bench.control->script = unrepeated;
    std::vector<Collector> collectors(5);
    std::vector<std::vector<TokenId>> prompts;
    for (std::uint32_t i = 0; i < 5; ++i) {
      prompts.push_back(promptOf(20 + 150 * i, i));
      auto params = greedy();
      if (i == 4) params = warm(3);
      bench.submit(bench.request(prompts[i], collectors[i], 200, params));
    }
    for (std::size_t i = 0; i < 5; ++i) {
      ASSERT_TRUE(collectors[i].wait());
      EXPECT_EQ(collectors[i].tokens, bench.expected(prompts[i], 200)) << i;
      EXPECT_GT(collectors[i].finished.acceptedTokens, 80) << i;
    }
    EXPECT_GT(draft.control->steps, 0);
    const auto stats = bench.engine->stats();
    // Prompt lookup guesses too, where by chance two tokens come twice.
    EXPECT_EQ(stats.acceptedTokens * 10 > stats.draftedTokens * 8, every != 5) << stats.acceptedTokens << " of " << stats.draftedTokens;
    EXPECT_LT(bench.control->steps, 5 * 200);
    EXPECT_EQ(bench.engine->weightBytes(), 2000U) << "the draft's weights count";
  }
}

TEST(DraftModel, DrawsAsTheModelDoes) {
  // The same distribution and the same random numbers: what the draft draws is what the model draws.
  DraftBench draft({});
  Bench& bench = *draft.bench;
  auto params = warm(11);
  params.topK = 0;
  params.minP = 0;
  Collector collector;
  bench.submit(bench.request(promptOf(40, 1), collector, 200, params));
  ASSERT_TRUE(collector.wait());
  EXPECT_GT(collector.finished.acceptedTokens * 10, collector.finished.draftedTokens * 6) << "lookup's guesses among them";
  EXPECT_GT(collector.finished.acceptedTokens, 100);

  Bench plain(with(Speculation::Off));
  Collector same;
  plain.submit(plain.request(promptOf(40, 1), same, 200, params));
  ASSERT_TRUE(same.wait());
  EXPECT_EQ(collector.tokens, same.tokens);
}

TEST(DraftModel, OneThatIsAlwaysWrongIsLeftAlone) {
  auto options = with(Speculation::Lookup);
  options.speculateAlways = false;
  DraftBench draft([](std::span<const TokenId>) { return 252; }, options);
  Bench& bench = *draft.bench;
  bench.control->script = unrepeated;
  bench.control->microseconds = 300;
  draft.control->microseconds = 200;
  Collector collector;
  const auto prompt = promptOf(40, 1);
  bench.submit(bench.request(prompt, collector, 400));
  ASSERT_TRUE(collector.wait());
  EXPECT_EQ(collector.tokens, bench.expected(prompt, 400));
  EXPECT_LT(draft.control->steps, 150);
}

TEST(DraftModel, FailuresShortContextsAndPreemptionCostNothingButGuesses) {
  auto options = with(Speculation::Lookup);
  options.contextTokens = 400;
  options.kvTokens = 512;
  options.pageTokens = 8;
  DraftBench draft(unrepeated, options, 200);  // the draft's context ends before the model's
  Bench& bench = *draft.bench;
  bench.control->script = unrepeated;
  std::vector<Collector> collectors(8);
  std::vector<std::vector<TokenId>> prompts;
  draft.control->failures = 3;
  for (std::uint32_t i = 0; i < 8; ++i) {
    prompts.push_back(promptOf(30, i));
    bench.submit(bench.request(prompts[i], collectors[i], 250));
  }
  for (std::size_t i = 0; i < 8; ++i) {
    ASSERT_TRUE(collectors[i].wait());
    EXPECT_EQ(collectors[i].tokens, bench.expected(prompts[i], 250));
  }
  EXPECT_GT(bench.engine->stats().preemptions, 0U);
  EXPECT_GT(bench.engine->stats().acceptedTokens, 100U);
  EXPECT_EQ(bench.engine->stats().failed, 0U);
}

TEST(DraftModel, VocabulariesMustBeTheSame) {
  class Other final : public FakeTokenizer {
   public:
    Other(std::int32_t size, TokenId changed) : m_size(size), m_changed(changed) {}
    std::string_view bytes(TokenId token, bool special) const override {
      return token == m_changed ? "?!" : FakeTokenizer::bytes(token, special);
    }
    std::int32_t vocabularySize() const noexcept override { return m_size; }

   private:
    std::int32_t m_size;
    TokenId m_changed;
  };
  const FakeTokenizer tokenizer;
  EXPECT_TRUE(sameVocabulary(tokenizer, Other(kVocabulary, -1)));
  EXPECT_TRUE(sameVocabulary(tokenizer, Other(kVocabulary - 20, -1))) << "padding";
  const auto different = sameVocabulary(tokenizer, Other(kVocabulary, 77));
  ASSERT_FALSE(different);
  EXPECT_EQ(different.error().code, ErrorCode::InvalidArgument);
  EXPECT_NE(different.error().describe().find("77"), std::string::npos) << different.error().describe();
  const auto larger = sameVocabulary(tokenizer, Other(50'000, -1));
  ASSERT_FALSE(larger);
  EXPECT_NE(larger.error().describe().find("50000"), std::string::npos);
}

}  // namespace
}  // namespace hearth
