#include "core/engine/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <random>

namespace hearth {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// All that changes the distribution switched off.
SamplingParams plain(double temperature = 1) {
  SamplingParams params;
  params.temperature = temperature;
  params.topK = 0;
  params.topP = 1;
  params.minP = 0;
  return params;
}

std::vector<double> softmax(const std::vector<float>& logits, double temperature = 1) {
  const double best = *std::max_element(logits.begin(), logits.end());
  std::vector<double> p;
  for (const float logit : logits) p.push_back(std::exp((logit - best) / temperature));
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& value : p) value /= sum;
  return p;
}

TokenId pick(const SamplingParams& params, std::vector<float> logits, const std::vector<TokenId>& history = {}, std::uint64_t index = 0, std::uint64_t seed = 1) {
  Sampler sampler(params, seed);
  SamplerScratch scratch;
  const auto result = sampler.sample(logits, history, index, scratch);
  EXPECT_TRUE(result.has_value());
  return result ? result->token : -1;
}

std::vector<int> draw(const SamplingParams& params, const std::vector<float>& logits, int count, const std::vector<TokenId>& history = {}, std::uint64_t seed = 42) {
  Sampler sampler(params, seed);
  SamplerScratch scratch;
  std::vector<int> counts(logits.size(), 0);
  for (int i = 0; i < count; ++i) {
    auto copy = logits;
    const auto result = sampler.sample(copy, history, static_cast<std::uint64_t>(i), scratch);
    EXPECT_TRUE(result.has_value());
    ++counts[static_cast<std::size_t>(result->token)];
  }
  return counts;
}

/// Chi-square of counts against p; tokens with p = 0 must not occur. Compared with its mean + 5 standard deviations.
void expectDistribution(const std::vector<int>& counts, const std::vector<double>& p) {
  const int total = std::accumulate(counts.begin(), counts.end(), 0);
  double chi = 0;
  int cells = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] <= 0) {
      EXPECT_EQ(counts[i], 0) << "token " << i << " is impossible";
      continue;
    }
    const double expected = p[i] * total;
    chi += (counts[i] - expected) * (counts[i] - expected) / expected;
    ++cells;
  }
  const double freedom = std::max(1, cells - 1);
  EXPECT_LT(chi, freedom + 5 * std::sqrt(2 * freedom));
}

std::vector<double> renormalised(std::vector<double> p) {
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& value : p) value /= sum;
  return p;
}

const std::vector<float> kLogits{2.0F, 1.5F, 1.0F, 0.5F, 0.0F, -0.5F, -1.0F, -2.0F};

TEST(CounterRandom, MatchesThePublishedVectors) {
  // Known answers of Philox 4×32-10 from the paper's Random123 distribution (kat_vectors).
  EXPECT_EQ(CounterRandom::philox({0, 0, 0, 0}, {0, 0}), (CounterRandom::Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(CounterRandom::philox({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}), (CounterRandom::Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(CounterRandom, IsUniform) {
  const CounterRandom random(7);
  std::vector<int> counts(32, 0);
  for (std::uint64_t i = 0; i < 64'000; ++i) ++counts[static_cast<std::size_t>(random.uniform(i, 0) * 32)];
  expectDistribution(counts, std::vector<double>(32, 1.0 / 32));
  EXPECT_NE(random.uniform(3, 0), random.uniform(3, 1));
}

TEST(Sampler, GreedyTakesTheLargestAndTheLowestIdOnATie) {
  EXPECT_EQ(pick(plain(0), {0, 3, 1}), 1);
  EXPECT_EQ(pick(plain(0), {0, 3, 3, 3}), 1);
  std::vector<float> wide(1000, -1.0F);
  wide[777] = wide[901] = 2;
  EXPECT_EQ(pick(plain(0), wide), 777);
}

TEST(Sampler, NeverChoosesNan) {
  EXPECT_EQ(pick(plain(0), {kNan, -5, kNan}), 1);
  std::vector<float> logits(40, kNan);
  logits[3] = logits[30] = 1;
  for (auto params : {plain(), SamplingParams{}}) {
    const auto counts = draw(params, logits, 400);
    EXPECT_EQ(counts[3] + counts[30], 400);
    EXPECT_GT(counts[3], 100);
    EXPECT_GT(counts[30], 100);
  }
}

TEST(Sampler, InfinityWinsAndNothingUsableIsAnError) {
  EXPECT_EQ(pick(plain(), {0, kInfinity, 1}), 1);
  Sampler sampler(plain(), 1);
  SamplerScratch scratch;
  std::vector<float> logits{kNan, -kInfinity, kNan};
  const auto result = sampler.sample(logits, {}, 0, scratch);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::Corrupt);
}

TEST(Sampler, DrawsFromTheExactDistribution) {
  for (const double temperature : {0.5, 1.0, 2.5}) expectDistribution(draw(plain(temperature), kLogits, 40'000), softmax(kLogits, temperature));
}

TEST(Sampler, TopKKeepsTheKMostLikely) {
  auto params = plain();
  params.topK = 3;
  auto p = softmax(kLogits);
  std::fill(p.begin() + 3, p.end(), 0.0);
  expectDistribution(draw(params, kLogits, 20'000), renormalised(p));
}

TEST(Sampler, TopKBreaksTiesByLowestId) {
  auto params = plain();
  params.topK = 2;
  const auto counts = draw(params, std::vector<float>(500, 1.0F), 2'000);
  EXPECT_EQ(counts[0] + counts[1], 2'000);
}

TEST(Sampler, SelectTopEqualsASort) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<float> logits(1 + random() % 3000);
    for (float& logit : logits) logit = static_cast<float>(static_cast<int>(random() % 100)) / 8;  // many ties
    if (round % 3 == 0) logits[random() % logits.size()] = kNan;
    const std::size_t count = 1 + random() % 60;
    std::vector<Candidate> expected, got;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      if (!std::isnan(logits[i])) expected.push_back({static_cast<TokenId>(i), logits[i]});
    }
    std::stable_sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) { return a.logit > b.logit; });
    expected.resize(std::min(expected.size(), count));
    selectTop(logits, count, got);
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i].token, expected[i].token) << "round " << round << " place " << i;
  }
}

TEST(Sampler, TopPKeepsTheSmallestSetOfThatMass) {
  std::mt19937 random(11);
  for (int round = 0; round < 20; ++round) {
    std::vector<float> logits(200);
    for (float& logit : logits) logit = std::normal_distribution<float>(0, 2)(random);
    auto params = plain();
    params.topP = 0.1 + 0.04 * round;
    const auto p = softmax(logits);
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return p[a] > p[b]; });
    std::vector<double> kept(p.size(), 0);
    double mass = 0;
    for (const auto i : order) {
      kept[i] = p[i];
      if ((mass += p[i]) >= params.topP) break;
    }
    const auto counts = draw(params, logits, 3'000);
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (kept[i] == 0) {
        ASSERT_EQ(counts[i], 0) << "round " << round;
      }
    }
    // The rarest kept token must be possible: its share of 3,000 draws.
    if (round == 0) expectDistribution(draw(params, logits, 20'000), renormalised(kept));
  }
}

// Large vocabularies take a way of their own: only a part of the candidates is collected.
TEST(Sampler, TopPOfALargeVocabularyKeepsTheSameSet) {
  constexpr std::size_t kSize = 50'000;
  std::mt19937 random(3);
  for (const double spread : {0.5, 3.0, 12.0}) {  // nearly all tokens alike … a few that matter
    for (const double topP : {0.1, 0.7, 0.95, 0.9999}) {
      std::normal_distribution<float> normal(0, static_cast<float>(spread));
      std::vector<float> logits(kSize);
      for (float& logit : logits) logit = normal(random);
      logits[17] = std::numeric_limits<float>::quiet_NaN();
      logits[18] = -std::numeric_limits<float>::infinity();
      auto sorted = logits;
      sorted[17] = sorted[18];
      std::sort(sorted.begin(), sorted.end(), std::greater<>());
      double total = 0, reached = 0;
      for (const float logit : sorted) total += std::exp(static_cast<double>(logit - sorted[0]));
      std::size_t kept = 0;
      while (reached < topP * total) reached += std::exp(static_cast<double>(sorted[kept++] - sorted[0]));
      SamplingParams params;
      params.topK = 0;
      params.minP = 0;
      params.topP = topP;
      params.temperature = 50;  // nearly uniform among those that are kept: the least likely come too
      params.seed = 1;
      Sampler sampler(params, 1);
      SamplerScratch scratch;
      float lowest = sorted[0];
      for (std::uint64_t i = 0; i < 300; ++i) {
        auto copy = logits;
        const auto token = sampler.sample(copy, {}, i, scratch);
        ASSERT_TRUE(token);
        lowest = std::min(lowest, logits[static_cast<std::size_t>(token->token)]);
      }
      // 10^-5 of the mass is left to rounding on either side.
      std::size_t most = kept;
      for (double more = 0; most < kSize && more < 1e-5 * total; ++most) more += std::exp(static_cast<double>(sorted[most] - sorted[0]));
      EXPECT_GE(lowest, sorted[std::min(most, kSize - 1)]) << "spread " << spread << ", top-p " << topP;
      EXPECT_LE(lowest, sorted[kept / 10]) << "spread " << spread << ", top-p " << topP << ": the tail is drawn too";
    }
  }
}

TEST(Sampler, TopPZeroIsGreedy) {
  auto params = plain(5);
  params.topP = 0;
  EXPECT_EQ(draw(params, kLogits, 500)[0], 500);
}

TEST(Sampler, MinPKeepsWhatIsCloseToTheBest) {
  auto params = plain();
  params.minP = 0.3;
  auto p = softmax(kLogits);
  for (double& value : p) {
    if (value < 0.3 * softmax(kLogits)[0]) value = 0;
  }
  ASSERT_EQ(std::count(p.begin(), p.end(), 0.0), 5);
  expectDistribution(draw(params, kLogits, 20'000), renormalised(p));
  params.topP = 0.9999;  // the path that collects everything must agree
  expectDistribution(draw(params, kLogits, 20'000), renormalised(p));
}

TEST(Sampler, TruncationLooksAtTheDistributionBeforeTemperature) {
  auto params = plain(10);
  params.minP = 0.3;
  auto p = softmax(kLogits, 10);
  std::fill(p.begin() + 3, p.end(), 0.0);
  expectDistribution(draw(params, kLogits, 20'000), renormalised(p));
}

TEST(Sampler, TypicalKeepsTokensNearTheEntropy) {
  // One token of 40%, sixty of 1%: the entropy lies between, and the nearest to it come first.
  std::vector<float> logits(61, std::log(0.01F));
  logits[0] = std::log(0.4F);
  auto params = plain();
  params.typicalP = 0.295;
  const auto p = softmax(logits);
  double entropy = 0;
  for (const double value : p) entropy -= value * std::log(value);
  const bool headIsNearer = std::abs(-std::log(p[0]) - entropy) < std::abs(-std::log(p[1]) - entropy);
  ASSERT_FALSE(headIsNearer);
  const auto counts = draw(params, logits, 6'000);
  EXPECT_EQ(counts[0], 0);
  EXPECT_EQ(std::count_if(counts.begin(), counts.end(), [](int count) { return count > 0; }), 30);
}

TEST(Sampler, RepetitionPenaltyDividesPositiveAndMultipliesNegative) {
  auto params = plain(0);
  params.repetitionPenalty = 2;
  EXPECT_EQ(pick(params, {3.0F, 1.6F, 0}, {0}), 1);      // 3 → 1.5
  EXPECT_EQ(pick(params, {-1.0F, -1.9F, -9}, {0}), 1);   // −1 → −2
  EXPECT_EQ(pick(params, {3.0F, 1.4F, 0}, {0, 0, 0}), 0);  // once, however often it occurred
}

TEST(Sampler, PresenceAndFrequencyPenaltiesSubtract) {
  auto params = plain(0);
  params.presencePenalty = 1;
  EXPECT_EQ(pick(params, {2.0F, 1.1F}, {0, 0}), 1);
  EXPECT_EQ(pick(params, {2.2F, 1.1F}, {0, 0}), 0);
  params.presencePenalty = 0;
  params.frequencyPenalty = 0.5;
  EXPECT_EQ(pick(params, {2.0F, 1.1F}, {0}), 0);
  EXPECT_EQ(pick(params, {2.0F, 1.1F}, {0, 0}), 1);
  params.penaltyWindow = 1;
  EXPECT_EQ(pick(params, {2.0F, 1.1F}, {0, 0}), 0);
  params.penaltyWindow = -1;
  EXPECT_EQ(pick(params, {2.0F, 1.1F}, {0, 0}), 1);
}

TEST(Sampler, DryPenalisesTheTokenThatGoesOnWithARepeat) {
  auto params = plain(0);
  params.dryMultiplier = 1;
  params.dryBase = 2;
  params.dryAllowedLength = 2;
  // … 1 2 3 → 4 before; now 1 2 3 again: 4 is penalised by 2^(3−2) = 2.
  const std::vector<TokenId> history{1, 2, 3, 4, 9, 1, 2, 3};
  std::vector<float> logits(10, 0.0F);
  logits[4] = 3.0F;
  logits[5] = 1.5F;
  EXPECT_EQ(pick(params, logits, history), 5);
  logits[5] = 0.5F;
  EXPECT_EQ(pick(params, logits, history), 4);
  logits[5] = 1.5F;
  params.dryAllowedLength = 4;
  EXPECT_EQ(pick(params, logits, history), 4) << "a repeat of 3 is allowed";
  params.dryAllowedLength = 2;
  params.dryBreakers = {{2}};
  EXPECT_EQ(pick(params, logits, history), 4) << "the breaker cuts the repeat to 1";
  params.dryBreakers = {{8}};
  EXPECT_EQ(pick(params, logits, history), 5);
  params.dryWindow = 4;
  EXPECT_EQ(pick(params, logits, history), 4) << "the first time lies outside the window";
}

TEST(Sampler, DryLengthsEqualABruteForceSearch) {
  std::mt19937 random(5);
  for (int round = 0; round < 100; ++round) {
    std::vector<TokenId> history(2 + random() % 40);
    for (TokenId& token : history) token = static_cast<TokenId>(random() % 3);
    auto params = plain(0);
    params.dryMultiplier = 1;
    params.dryBase = 1.5;
    params.dryAllowedLength = 1;
    const int n = static_cast<int>(history.size());
    std::vector<float> expected(4, 0.0F);
    for (int i = 0; i + 1 < n; ++i) {
      int length = 0;
      while (length <= i && history[static_cast<std::size_t>(i - length)] == history[static_cast<std::size_t>(n - 1 - length)]) ++length;
      if (length < 1) continue;
      auto& logit = expected[static_cast<std::size_t>(history[static_cast<std::size_t>(i + 1)])];
      logit = std::min(logit, -static_cast<float>(std::pow(1.5, length - 1)));
    }
    std::vector<float> logits(4, 0.0F);
    Sampler sampler(params, 1);
    SamplerScratch scratch;
    ASSERT_TRUE(sampler.sample(logits, history, 0, scratch));
    for (std::size_t i = 0; i < 4; ++i) ASSERT_NEAR(logits[i], expected[i], 1e-3 * std::abs(expected[i])) << "round " << round;
  }
}

TEST(Sampler, DryStaysFiniteOnLongRepeats) {
  auto params = plain(0);
  params.dryMultiplier = 100;
  params.dryBase = 100;
  std::vector<float> logits{0, 0};
  EXPECT_EQ(pick(params, logits, std::vector<TokenId>(5000, 0)), 1);
}

TEST(Sampler, XtcDropsAllButTheLeastLikelyOfTheTop) {
  auto params = plain();
  params.xtcProbability = 1;
  params.xtcThreshold = 0.15;
  auto p = softmax(kLogits);
  ASSERT_GT(p[2], 0.15 * 0.9);
  std::size_t above = 0;
  while (p[above] >= 0.15) ++above;
  ASSERT_GE(above, 2U);
  std::fill(p.begin(), p.begin() + static_cast<std::ptrdiff_t>(above) - 1, 0.0);
  expectDistribution(draw(params, kLogits, 20'000), renormalised(p));
  params.xtcThreshold = 0.9;  // none that likely: nothing changes
  expectDistribution(draw(params, kLogits, 20'000), softmax(kLogits));
}

TEST(Sampler, XtcHappensWithItsProbability) {
  auto params = plain();
  params.xtcProbability = 0.25;
  params.xtcThreshold = 0.1;
  const std::vector<float> logits{10.0F, 9.9999F, 9.9998F};  // all ≈ 1/3: with XTC only token 2 is left
  const auto counts = draw(params, logits, 40'000);
  expectDistribution(counts, {0.25, 0.25, 0.5});
}

TEST(Sampler, LogitBiasShiftsAndBans) {
  auto params = plain(0);
  params.logitBias[2] = 5;
  EXPECT_EQ(pick(params, {2, 1, 0}), 2);
  params.logitBias = {{0, -kInfinity}};
  EXPECT_EQ(pick(params, {2, 1, 0}), 1);
  params = plain(1);
  params.logitBias[3] = 1.0F;
  auto shifted = kLogits;
  shifted[3] += 1;
  expectDistribution(draw(params, kLogits, 20'000), softmax(shifted));
  params.logitBias = {{0, -kInfinity}, {1, -kInfinity}};
  Sampler sampler(params, 1);
  SamplerScratch scratch;
  std::vector<float> logits{1, 1};
  EXPECT_EQ(sampler.sample(logits, {}, 0, scratch).error().code, ErrorCode::InvalidArgument);
}

/// Mean surprise (bits) of what mirostat draws from a Zipf distribution.
double meanSurprise(int version, double tau) {
  std::vector<float> logits(2000);
  for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = -1.1F * std::log(static_cast<float>(i + 1));
  const auto p = softmax(logits);
  auto params = plain();
  params.mirostat = version;
  params.mirostatTau = tau;
  Sampler sampler(params, 9);
  SamplerScratch scratch;
  double sum = 0;
  constexpr int kDraws = 3000;
  for (std::uint64_t i = 0; i < kDraws + 500; ++i) {
    auto copy = logits;
    const TokenId token = sampler.sample(copy, {}, i, scratch)->token;
    if (i >= 500) sum -= std::log2(p[static_cast<std::size_t>(token)]);
  }
  return sum / kDraws;
}

TEST(Sampler, MirostatHoldsItsTargetSurprise) {
  for (const int version : {1, 2}) {
    for (const double tau : {3.0, 5.0, 6.5}) EXPECT_NEAR(meanSurprise(version, tau), tau, 0.35) << "version " << version;
  }
}

TEST(Sampler, SameSeedSameTokensWhateverTheOrder) {
  Sampler a(plain(), 5), b(plain(), 5), c(plain(), 6);
  SamplerScratch scratch;
  std::vector<TokenId> forward(50), backward(50), other(50);
  for (std::uint64_t i = 0; i < 50; ++i) {
    auto logits = kLogits;
    forward[i] = a.sample(logits, {}, i, scratch)->token;
    logits = kLogits;
    backward[49 - i] = b.sample(logits, {}, 49 - i, scratch)->token;
    logits = kLogits;
    other[i] = c.sample(logits, {}, i, scratch)->token;
  }
  EXPECT_EQ(forward, backward);
  EXPECT_NE(forward, other);
}

TEST(Sampler, LogprobsAreOfTheUnmodifiedDistribution) {
  auto params = plain(0);
  params.logprobs = 3;
  params.logitBias[5] = 50;
  params.repetitionPenalty = 1.5;
  const std::vector<TokenId> history{0, 5};
  Sampler sampler(params, 1);
  SamplerScratch scratch;
  auto logits = kLogits;
  const auto result = sampler.sample(logits, history, 0, scratch);
  ASSERT_TRUE(result);
  ASSERT_TRUE(result->logprob);
  const auto p = softmax(kLogits);
  EXPECT_EQ(result->token, 5);
  EXPECT_NEAR(result->logprob->logprob, std::log(p[5]), 1e-5);
  ASSERT_EQ(result->logprob->top.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(result->logprob->top[i].first, static_cast<TokenId>(i));
    EXPECT_NEAR(result->logprob->top[i].second, std::log(p[i]), 1e-5);
  }
  params.logprobs = 0;
  Sampler none(params, 1);
  logits = kLogits;
  const auto bare = none.sample(logits, history, 0, scratch);
  EXPECT_TRUE(bare->logprob->top.empty());
  EXPECT_NEAR(bare->logprob->logprob, std::log(p[5]), 1e-5);
}

TEST(SamplingParams, DefaultsAreValid) { EXPECT_TRUE(SamplingParams{}.validate(10)); }

TEST(SamplingParams, EachFieldHasItsRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  struct Case {
    const char* field;
    std::function<void(SamplingParams&)> set;
  };
  std::vector<Case> cases;
  const auto real = [&](const char* field, double SamplingParams::*member, double low, double high) {
    for (const double bad : {low - 1e-9, high + 1e-6, nan, static_cast<double>(kInfinity), -1e300}) {
      if (bad >= low && bad <= high) continue;
      cases.push_back({field, [=](SamplingParams& p) { p.*member = bad; }});
    }
    for (const double good : {low, high}) {
      SamplingParams params;
      params.*member = good;
      EXPECT_TRUE(params.validate(10)) << field << " " << good;
    }
  };
  const auto integer = [&](const char* field, int SamplingParams::*member, int low, int high) {
    cases.push_back({field, [=](SamplingParams& p) { p.*member = low - 1; }});
    cases.push_back({field, [=](SamplingParams& p) { p.*member = std::numeric_limits<int>::min(); }});
    if (high < std::numeric_limits<int>::max()) cases.push_back({field, [=](SamplingParams& p) { p.*member = high + 1; }});
    for (const int good : {low, high}) {
      SamplingParams params;
      params.*member = good;
      EXPECT_TRUE(params.validate(10)) << field << " " << good;
    }
  };
  constexpr int kMost = std::numeric_limits<int>::max();
  real("temperature", &SamplingParams::temperature, 0, 100);
  real("top_p", &SamplingParams::topP, 0, 1);
  real("min_p", &SamplingParams::minP, 0, 1);
  real("typical_p", &SamplingParams::typicalP, 0, 1);
  real("repetition_penalty", &SamplingParams::repetitionPenalty, 0.01, 100);
  real("presence_penalty", &SamplingParams::presencePenalty, -2, 2);
  real("frequency_penalty", &SamplingParams::frequencyPenalty, -2, 2);
  real("dry_multiplier", &SamplingParams::dryMultiplier, 0, 100);
  real("dry_base", &SamplingParams::dryBase, 1, 100);
  real("xtc_probability", &SamplingParams::xtcProbability, 0, 1);
  real("xtc_threshold", &SamplingParams::xtcThreshold, 0, 1);
  real("mirostat_tau", &SamplingParams::mirostatTau, 0, 100);
  real("mirostat_eta", &SamplingParams::mirostatEta, 0, 1);
  integer("top_k", &SamplingParams::topK, 0, kMost);
  integer("penalty_window", &SamplingParams::penaltyWindow, -1, kMost);
  integer("dry_allowed_length", &SamplingParams::dryAllowedLength, 1, kMost);
  integer("dry_window", &SamplingParams::dryWindow, -1, kMost);
  integer("mirostat", &SamplingParams::mirostat, 0, 2);
  integer("logprobs", &SamplingParams::logprobs, -1, 20);
  cases.push_back({"logit_bias", [](SamplingParams& p) { p.logitBias[10] = 1; }});
  cases.push_back({"logit_bias", [](SamplingParams& p) { p.logitBias[-1] = 1; }});
  cases.push_back({"logit_bias", [](SamplingParams& p) { p.logitBias[1] = 101; }});
  cases.push_back({"logit_bias", [](SamplingParams& p) { p.logitBias[1] = kNan; }});
  cases.push_back({"logit_bias", [](SamplingParams& p) { p.logitBias[1] = kInfinity; }});
  cases.push_back({"dry_breakers", [](SamplingParams& p) { p.dryBreakers = {{}}; }});
  cases.push_back({"dry_breakers", [](SamplingParams& p) { p.dryBreakers = {{10}}; }});
  cases.push_back({"dry_breakers", [](SamplingParams& p) { p.dryBreakers.assign(257, {1}); }});
  for (const auto& test : cases) {
    SamplingParams params;
    test.set(params);
    const auto result = params.validate(10);
    ASSERT_FALSE(result) << test.field;
    EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(result.error().find("field"), test.field);
    EXPECT_FALSE(result.error().find("allowed").empty());
  }
}

/// Extreme parameters together, on bad logits: always a possible token, never a crash.
TEST(Sampler, SurvivesRandomParametersAndLogits) {
  std::mt19937 random(17);
  const auto real = [&](double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); };
  for (int round = 0; round < 3000; ++round) {
    SamplingParams params;
    params.temperature = round % 5 == 0 ? real(1e-9, 1e-3) : real(0, 100);
    params.topK = static_cast<int>(random() % 20);
    params.topP = real(0, 1);
    params.minP = real(0, 1);
    params.typicalP = real(0, 1);
    params.repetitionPenalty = real(0.01, 100);
    params.presencePenalty = real(-2, 2);
    params.frequencyPenalty = real(-2, 2);
    params.penaltyWindow = static_cast<int>(random() % 12) - 1;
    params.dryMultiplier = real(0, 100);
    params.dryBase = real(1, 100);
    params.xtcProbability = real(0, 1);
    params.xtcThreshold = real(0, 1);
    params.mirostat = static_cast<int>(random() % 3);
    params.mirostatTau = real(0, 100);
    params.mirostatEta = real(0, 1);
    params.logprobs = static_cast<int>(random() % 22) - 1;
    const std::size_t size = 1 + random() % 50;
    std::vector<float> logits(size);
    for (float& logit : logits) {
      const auto kind = random() % 12;
      logit = kind == 0 ? kNan : kind == 1 ? -kInfinity : kind == 2 ? kInfinity : kind == 3 ? 3e38F : static_cast<float>(real(-50, 50));
    }
    logits[random() % size] = 1;
    const auto raw = logits;
    std::vector<TokenId> history(random() % 20);
    for (TokenId& token : history) token = static_cast<TokenId>(random() % size);
    Sampler sampler(params, random());
    SamplerScratch scratch;
    const auto result = sampler.sample(logits, history, random(), scratch);
    ASSERT_TRUE(result) << "round " << round;
    ASSERT_GE(result->token, 0);
    ASSERT_LT(static_cast<std::size_t>(result->token), size);
    ASSERT_FALSE(std::isnan(raw[static_cast<std::size_t>(result->token)]));
    ASSERT_GT(raw[static_cast<std::size_t>(result->token)], -kInfinity);
  }
}

}  // namespace
}  // namespace hearth
