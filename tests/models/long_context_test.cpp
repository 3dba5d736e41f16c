// One long sequence's attention is shared by the threads, span by span: the bits stay those of one thread, of any cut of the
// prompt, and of any neighbours.
#include <gtest/gtest.h>

#include <cstring>

#include "tests/models/tiny_fixture.h"

namespace hearth::testing {
namespace {

using kernels::KvType;

constexpr std::size_t kPrompt = 900;  // four spans: enough work for a decoded token to be divided
constexpr std::size_t kDecoded = 3;
constexpr int kPages = 64;

bool sameBits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

class LongContext : public ::testing::TestWithParam<KvType> {};

TEST_P(LongContext, DecodesTheSameOnAnyNumberOfThreads) {
  const TinyFile file{TinyModel(TinySpec{})};
  const auto prompt = tinyPrompt(kPrompt + kDecoded);
  std::vector<float> expected;
  for (const int threads : {1, 2, 3, 5}) {
    const auto model = file.load({.maxBatchTokens = 1024}, threads);
    ASSERT_TRUE(model) << model.error().describe();
    // As one prompt, in two halves, and token by token at the end.
    for (const std::size_t cut : {kPrompt + kDecoded, kPrompt / 2, kPrompt}) {
      Runner runner(**model, 16, kPages, GetParam());
      std::vector<float> logits;
      ASSERT_TRUE(runner.feed(std::span(prompt).first(cut), cut > kPrompt ? &logits : nullptr));
      if (cut < kPrompt) {
        ASSERT_TRUE(runner.feed(std::span(prompt).subspan(cut, kPrompt - cut), nullptr));
      }
      for (std::size_t i = kPrompt; i < prompt.size() && cut <= kPrompt; ++i)
        ASSERT_TRUE(runner.feed(std::span(prompt).subspan(i, 1), &logits));
      const auto last = std::span(logits).last(kDecoded * TinyModel::kVocabulary);
      if (expected.empty()) expected.assign(last.begin(), last.end());
      EXPECT_TRUE(sameBits(last, expected)) << threads << " threads, first part " << cut;
    }
  }
}

TEST_P(LongContext, NeighboursChangeNothing) {
  const TinyFile file{TinyModel(TinySpec{})};
  const auto model = file.load({.maxBatchTokens = 1024}, 3);
  ASSERT_TRUE(model) << model.error().describe();
  const auto prompt = tinyPrompt(kPrompt + 1);
  Runner runner(**model, 16, 2 * kPages, GetParam());
  std::vector<float> alone;
  ASSERT_TRUE(runner.feed(std::span(prompt).first(kPrompt), nullptr));
  ASSERT_TRUE(runner.feed(std::span(prompt).last(1), &alone));
  // The same token again, beside the prompt of another sequence and beside five short ones.
  const auto other = runner.table().subspan(kPages);
  for (const int neighbourTokens : {40, 5}) {
    std::vector<TokenId> tokens{prompt.back()};
    std::vector<SequenceSlice> slices{{0, 1, static_cast<std::int32_t>(kPrompt), runner.table().first(kPages)}};
    const int neighbours = neighbourTokens == 40 ? 1 : 5;
    for (int s = 0; s < neighbours; ++s) {
      slices.push_back(
          {static_cast<std::int32_t>(tokens.size()), neighbourTokens, 0, other.subspan(static_cast<std::size_t>(3 * s), 3)});
      for (int i = 0; i < neighbourTokens; ++i) tokens.push_back(prompt[static_cast<std::size_t>(s + i)]);
    }
    const std::int32_t row = 0;
    std::vector<float> logits(TinyModel::kVocabulary);
    const auto ran = (*model)->forward({tokens, slices, std::span(&row, 1)}, runner.kv(), logits);
    ASSERT_TRUE(ran) << ran.error().describe();
    EXPECT_TRUE(sameBits(logits, alone)) << neighbours << " neighbours";
  }
}

INSTANTIATE_TEST_SUITE_P(All, LongContext, ::testing::Values(KvType::F16, KvType::Q8_0, KvType::F32),
                         [](const auto& instance) { return std::string(kernels::kvTypeName(instance.param)); });

TEST(LongContext, AnEightBitCacheChangesLogitsLittle) {
  const TinyFile file{TinyModel(TinySpec{})};
  const auto model = file.load({.maxBatchTokens = 1024});
  ASSERT_TRUE(model) << model.error().describe();
  const auto prompt = tinyPrompt(kPrompt);
  std::vector<float> half, eight;
  ASSERT_TRUE(Runner(**model, 16, kPages, KvType::F16).feed(prompt, &half));
  ASSERT_TRUE(Runner(**model, 16, kPages, KvType::Q8_0).feed(prompt, &eight));
  const double error = relativeError(eight, half);
  EXPECT_LT(error, 0.02);
  EXPECT_GT(error, 0.0) << "the eight-bit cache was not used";
}

}  // namespace
}  // namespace hearth::testing
