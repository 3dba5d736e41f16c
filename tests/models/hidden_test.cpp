// Hidden states beside logits: what the head reads, for the rows that were asked for, changing nothing else.
#include <gtest/gtest.h>

#include <cstring>

#include "tests/models/tiny_fixture.h"

namespace hearth::testing {
namespace {

struct Step {
  std::vector<float> logits, hidden;
};

Result<Step> run(Model& model, std::span<const TokenId> tokens, std::vector<std::int32_t> logitRows,
                 std::vector<std::int32_t> hiddenRows) {
  HEARTH_TRY(const auto kv, KvStorage::create(model.kvShape(), 16, 8));
  std::vector<PageId> table{7, 2, 5, 1, 0, 3, 4, 6};
  const SequenceSlice slice{0, static_cast<std::int32_t>(tokens.size()), 0, table};
  Step step;
  step.logits.resize(logitRows.size() * static_cast<std::size_t>(model.config().vocabulary));
  step.hidden.resize(hiddenRows.size() * static_cast<std::size_t>(model.config().embedding));
  HEARTH_CHECK(model.forward({tokens, {&slice, 1}, logitRows, hiddenRows, step.hidden}, *kv, step.logits));
  return step;
}

TEST(Hidden, IsWhatTheHeadReads) {
  for (const char* architecture : {"llama", "qwen2", "qwen3", "gemma3"}) {
    TinyModel tiny({.architecture = architecture});
    const auto& head = tiny.tensor(std::string(architecture) == "gemma3" ? "token_embd.weight" : "output.weight");
    ASSERT_EQ(head.format, kernels::FormatId::F32);
    std::vector<float> weights(head.bytes.size() / sizeof(float));
    std::memcpy(weights.data(), head.bytes.data(), head.bytes.size());
    const TinyFile file(tiny);
    const auto model = file.load({.exact = true});
    ASSERT_TRUE(model) << model.error().describe();
    const auto prompt = tinyPrompt(20);
    const auto step = run(**model, prompt, {3, 19}, {3, 19});
    ASSERT_TRUE(step) << step.error().describe();
    const auto width = static_cast<std::size_t>((*model)->config().embedding);
    const auto vocabulary = static_cast<std::size_t>((*model)->config().vocabulary);
    ASSERT_EQ(weights.size(), width * vocabulary);
    for (std::size_t row = 0; row < 2; ++row) {
      for (std::size_t token = 0; token < vocabulary; ++token) {
        double sum = 0, size = 0;
        for (std::size_t i = 0; i < width; ++i) {
          const double part =
              static_cast<double>(weights[token * width + i]) * static_cast<double>(step->hidden[row * width + i]);
          sum += part;
          size += std::abs(part);
        }
        ASSERT_NEAR(step->logits[row * vocabulary + token], sum, 1e-5 * (size + 1)) << architecture << " token " << token;
      }
    }
  }
}

TEST(Hidden, ChangesNoLogitAndDependsOnNone) {
  const TinyFile file{TinyModel({.architecture = "qwen2", .format = kernels::FormatId::Q8_0})};
  const auto model = file.load({});
  ASSERT_TRUE(model) << model.error().describe();
  const auto prompt = tinyPrompt(40);
  const auto logits = run(**model, prompt, {0, 7, 39}, {});
  const auto both = run(**model, prompt, {0, 7, 39}, {1, 7, 8, 38});
  const auto hidden = run(**model, prompt, {}, {1, 7, 8, 38});
  const auto one = run(**model, prompt, {}, {8});
  ASSERT_TRUE(logits && both && hidden && one);
  EXPECT_EQ(both->logits, logits->logits);
  EXPECT_EQ(both->hidden, hidden->hidden);
  const auto width = static_cast<std::size_t>((*model)->config().embedding);
  EXPECT_TRUE(
      std::equal(one->hidden.begin(), one->hidden.end(), hidden->hidden.begin() + static_cast<std::ptrdiff_t>(2 * width)));
}

TEST(Hidden, RowsOutsideTheBatchAreRefused) {
  const TinyFile file{TinyModel({})};
  const auto model = file.load({});
  ASSERT_TRUE(model) << model.error().describe();
  const auto prompt = tinyPrompt(4);
  for (const std::vector<std::int32_t>& rows : {std::vector<std::int32_t>{4}, {-1}, {2, 1}, {1, 1}}) {
    const auto step = run(**model, prompt, {3}, rows);
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().code, ErrorCode::InvalidArgument);
  }
}

}  // namespace
}  // namespace hearth::testing
