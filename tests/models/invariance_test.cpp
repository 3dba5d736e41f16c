// A sequence's logits are the same bits alone, in a batch, in any cut of its prompt, and on any number of threads.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "tests/models/tiny_fixture.h"

namespace hearth::testing {
namespace {

using kernels::FormatId;

bool sameBits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

std::vector<TinySpec> specs() {
  return {
      {.architecture = "llama"},
      {.architecture = "llama", .format = FormatId::F16},
      {.architecture = "llama", .format = FormatId::Q4_1},
      {.architecture = "qwen2", .format = FormatId::Q4_K, .secondFormat = FormatId::Q6_K, .mixed = true},
      {.architecture = "qwen3", .format = FormatId::Q8_0},
      {.architecture = "qwen3moe", .format = FormatId::F32, .expertWidth = 72},
      {.architecture = "qwen3moe", .format = FormatId::Q4_0, .expertWidth = 96, .firstLayerDense = true},
      {.architecture = "qwen3moe", .format = FormatId::Q4_K, .secondFormat = FormatId::Q6_K, .mixed = true},
      {.architecture = "gemma3", .format = FormatId::Q5_0, .secondFormat = FormatId::Q8_0, .mixed = true},
  };
}

class Invariance : public ::testing::TestWithParam<TinySpec> {};

TEST_P(Invariance, PromptCutAnywhere) {
  const TinyFile file{TinyModel(GetParam())};
  const auto model = file.load({.maxBatchTokens = 128});
  ASSERT_TRUE(model) << model.error().describe();
  const auto prompt = tinyPrompt(100);
  Runner whole(**model, 16, 8);
  const auto expected = whole.all(prompt, 128);
  ASSERT_TRUE(expected);
  for (const std::size_t chunk : {1U, 2U, 3U, 7U, 13U, 16U, 33U, 64U}) {
    Runner runner(**model, 16, 8);
    const auto logits = runner.all(prompt, chunk);
    ASSERT_TRUE(logits);
    EXPECT_TRUE(sameBits(*logits, *expected))
        << "in chunks of " << chunk << ", relative error " << relativeError(*logits, *expected);
  }
}

TEST_P(Invariance, AnyNumberOfThreads) {
  const TinyFile file{TinyModel(GetParam())};
  const auto prompt = tinyPrompt(70);
  std::vector<float> expected;
  platform::Topology nodes;  // of two cores each: threads in groups cut the work in another way
  for (int cpu = 0; cpu < 6; ++cpu) nodes.cores.push_back({cpu, cpu / 2, cpu / 2});
  for (const int threads : {1, 2, 3, 5, -4, -6}) {
    const ThreadPoolOptions pool{
        .threads = std::abs(threads), .affinity = Affinity::None, .topology = threads < 0 ? &nodes : nullptr};
    const auto model = file.load({.maxBatchTokens = 128}, pool);
    ASSERT_TRUE(model);
    Runner runner(**model, 16, 8);
    auto logits = runner.all(std::span(prompt).first(61), 61);
    ASSERT_TRUE(logits);
    for (std::size_t i = 61; i < prompt.size(); ++i) ASSERT_TRUE(runner.feed(std::span(prompt).subspan(i, 1), &*logits));
    if (expected.empty()) expected = *logits;
    EXPECT_TRUE(sameBits(*logits, expected)) << threads << " threads";
  }
}

TEST_P(Invariance, NeighboursInTheBatch) {
  const TinyFile file{TinyModel(GetParam())};
  const auto model = file.load({.maxBatchTokens = 256});
  ASSERT_TRUE(model);
  constexpr int kSequences = 5;
  constexpr std::size_t kVocabulary = TinyModel::kVocabulary;
  constexpr int kPagesEach = 8;
  const auto text = tinyPrompt(kSequences * 60);
  const std::array<int, kSequences> prompts{37, 1, 16, 50, 5};  // then each decodes, one token a step
  constexpr int kDecoded = 9;

  // Alone, as a whole.
  std::vector<std::vector<float>> alone;
  for (int s = 0; s < kSequences; ++s) {
    Runner runner(**model, 16, kPagesEach);
    auto logits =
        runner.all(std::span(text).subspan(static_cast<std::size_t>(s) * 60,
                                           static_cast<std::size_t>(prompts[static_cast<std::size_t>(s)] + kDecoded)),
                   256);
    ASSERT_TRUE(logits);
    alone.push_back(std::move(*logits));
  }

  // Together: all prompts in one ragged step, then decode steps; the pages of the sequences lie between each other.
  auto kv = std::move(*KvStorage::create((*model)->kvShape(), 16, kSequences * kPagesEach));
  std::array<std::vector<PageId>, kSequences> tables;
  for (int page = 0; page < kSequences * kPagesEach; ++page)
    tables[static_cast<std::size_t>(page % kSequences)].push_back(page);
  std::array<int, kSequences> past{};
  for (int step = 0; step <= kDecoded; ++step) {
    std::vector<TokenId> tokens;
    std::vector<SequenceSlice> slices;
    std::vector<std::int32_t> rows;
    for (std::size_t s = 0; s < kSequences; ++s) {
      const int count = step == 0 ? prompts[s] : 1;
      slices.push_back({static_cast<std::int32_t>(tokens.size()), count, past[s], tables[s]});
      for (int i = 0; i < count; ++i) tokens.push_back(text[s * 60 + static_cast<std::size_t>(past[s] + i)]);
      rows.push_back(static_cast<std::int32_t>(tokens.size()) - 1);
      past[s] += count;
    }
    std::vector<float> logits(rows.size() * kVocabulary);
    const auto ran = (*model)->forward({tokens, slices, rows}, *kv, logits);
    ASSERT_TRUE(ran) << ran.error().describe();
    for (std::size_t s = 0; s < kSequences; ++s) {
      const auto mine = std::span(logits).subspan(s * kVocabulary, kVocabulary);
      const auto expected = std::span(alone[s]).subspan(static_cast<std::size_t>(past[s] - 1) * kVocabulary, kVocabulary);
      EXPECT_TRUE(sameBits(mine, expected))
          << "sequence " << s << ", step " << step << ", relative error " << relativeError(mine, expected);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Invariance, ::testing::ValuesIn(specs()), [](const auto& instance) {
  return instance.param.architecture + "_" + kernels::findFormat(instance.param.format)->name;
});

// More tokens to an expert than are multiplied in one pass (384 kB of prepared rows); every token goes to all experts.
TEST(Invariance, MoreTokensThanAPassOfAnExpert) {
  TinyModel tiny({.architecture = "qwen3moe"});
  tiny.set("qwen3moe.block_count", std::uint32_t{1});
  tiny.set("qwen3moe.expert_used_count", TinyModel::kExperts);
  const TinyFile file(tiny);
  const auto model = file.load({.maxBatchTokens = 512});
  ASSERT_TRUE(model) << model.error().describe();
  const auto prompt = tinyPrompt(450);
  std::vector<float> whole, pieces;
  Runner first(**model, 16, 30), second(**model, 16, 30);
  ASSERT_TRUE(first.feed(prompt, &whole));
  for (std::size_t at = 0; at < prompt.size(); at += 90)
    ASSERT_TRUE(second.feed(std::span(prompt).subspan(at, 90), &pieces));
  EXPECT_TRUE(sameBits(whole, pieces)) << "relative error " << relativeError(pieces, whole);
}

TEST(Invariance, CopiedPageContinuesTheSame) {
  const TinyFile file{TinyModel(TinySpec{})};
  const auto model = file.load();
  ASSERT_TRUE(model);
  const auto prompt = tinyPrompt(20);
  Runner runner(**model, 16, 4);
  std::vector<float> expected, logits(TinyModel::kVocabulary);
  ASSERT_TRUE(runner.feed(std::span(prompt).first(19), nullptr));
  // The pages of positions 0…15 and 16…18 are copied before position 19 is written to the originals.
  const std::array<PageId, 2> copies{runner.table()[2], runner.table()[3]};
  runner.kv().copyPage(runner.table()[0], copies[0]);
  runner.kv().copyPage(runner.table()[1], copies[1]);
  ASSERT_TRUE(runner.feed(std::span(prompt).last(1), &expected));
  const SequenceSlice slice{0, 1, 19, copies};
  const std::int32_t row = 0;
  ASSERT_TRUE((*model)->forward({std::span(prompt).last(1), std::span(&slice, 1), std::span(&row, 1)}, runner.kv(), logits));
  EXPECT_TRUE(sameBits(logits, expected));
}

}  // namespace
}  // namespace hearth::testing
