// Files that contradict themselves and callers that err: each gets its error, none gets memory it should not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include "tests/models/tiny_fixture.h"

namespace hearth::testing {
namespace {

using kernels::FormatId;
using Value = GgufWriter::Value;

struct BadSetting {
  const char* architecture;
  const char* key;  // below "<architecture>."
  Value value;
  ErrorCode expected;
};

std::vector<BadSetting> badSettings() {
  const auto u = [](std::uint32_t value) { return Value(value); };
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  return {
      {"llama", "block_count", u(0), ErrorCode::Corrupt},
      {"llama", "block_count", u(3), ErrorCode::Corrupt},  // a layer more than there are tensors
      {"llama", "block_count", u(4000000000U), ErrorCode::Corrupt},
      {"llama", "block_count", Value(-1), ErrorCode::Corrupt},
      {"llama", "block_count", Value(std::string("two")), ErrorCode::Corrupt},
      {"llama", "embedding_length", u(0), ErrorCode::Corrupt},
      {"llama", "embedding_length", u(255), ErrorCode::Corrupt},
      {"llama", "embedding_length", u(0xFFFFFFFFU), ErrorCode::Corrupt},
      {"llama", "feed_forward_length", u(0), ErrorCode::Corrupt},
      {"llama", "feed_forward_length", u(1024), ErrorCode::Corrupt},
      {"llama", "feed_forward_length", Value(std::vector<std::int32_t>{512, 256}), ErrorCode::UnsupportedArchitecture},
      {"llama", "attention.head_count", u(0), ErrorCode::Corrupt},
      {"llama", "attention.head_count", u(5), ErrorCode::Corrupt},
      {"llama", "attention.head_count", u(8), ErrorCode::Corrupt},
      {"llama", "attention.head_count", u(1U << 31U), ErrorCode::Corrupt},
      {"llama", "attention.head_count_kv", u(0), ErrorCode::Corrupt},
      {"llama", "attention.head_count_kv", u(3), ErrorCode::Corrupt},
      {"llama", "attention.head_count_kv", u(8), ErrorCode::Corrupt},
      {"llama", "attention.head_count_kv", Value(std::vector<std::int32_t>{2, 2}), ErrorCode::UnsupportedArchitecture},
      {"llama", "attention.key_length", u(63), ErrorCode::Corrupt},
      {"llama", "attention.key_length", u(100000), ErrorCode::Corrupt},
      {"llama", "attention.key_length", u(0), ErrorCode::Corrupt},
      {"llama", "attention.value_length", u(32), ErrorCode::Corrupt},
      {"llama", "rope.dimension_count", u(128), ErrorCode::Corrupt},
      {"llama", "rope.dimension_count", u(33), ErrorCode::Corrupt},
      {"llama", "rope.dimension_count", u(0), ErrorCode::Corrupt},
      {"llama", "rope.freq_base", Value(0.0F), ErrorCode::Corrupt},
      {"llama", "rope.freq_base", Value(-10000.0F), ErrorCode::Corrupt},
      {"llama", "rope.freq_base", Value(infinity), ErrorCode::Corrupt},
      {"llama", "rope.freq_base", Value(nan), ErrorCode::Corrupt},
      {"llama", "rope.scaling.type", Value(std::string("yarn")), ErrorCode::UnsupportedFormat},
      {"llama", "rope.scaling.type", Value(std::string("linear")), ErrorCode::Corrupt},  // without its factor
      {"llama", "attention.layer_norm_rms_epsilon", Value(0.0F), ErrorCode::Corrupt},
      {"llama", "attention.layer_norm_rms_epsilon", Value(nan), ErrorCode::Corrupt},
      {"llama", "attention.layer_norm_rms_epsilon", Value(5.0F), ErrorCode::Corrupt},
      {"llama", "context_length", u(0), ErrorCode::Corrupt},
      {"llama", "expert_count", u(8), ErrorCode::UnsupportedArchitecture},
      {"qwen3", "expert_count", u(8), ErrorCode::UnsupportedArchitecture},
      {"qwen3", "attention.key_length", u(64), ErrorCode::Corrupt},
      {"qwen3moe", "expert_count", u(0), ErrorCode::Corrupt},
      {"qwen3moe", "expert_count", u(1), ErrorCode::Corrupt},  // fewer than a token uses
      {"qwen3moe", "expert_count", u(7), ErrorCode::Corrupt},
      {"qwen3moe", "expert_count", u(9), ErrorCode::Corrupt},
      {"qwen3moe", "expert_count", u(0xFFFFFFFFU), ErrorCode::Corrupt},
      {"qwen3moe", "expert_count", Value(-8), ErrorCode::Corrupt},
      {"qwen3moe", "expert_count", Value(std::string("eight")), ErrorCode::Corrupt},
      {"qwen3moe", "expert_used_count", u(0), ErrorCode::Corrupt},
      {"qwen3moe", "expert_used_count", u(9), ErrorCode::Corrupt},
      {"qwen3moe", "expert_used_count", u(0xFFFFFFFFU), ErrorCode::Corrupt},
      {"qwen3moe", "expert_feed_forward_length", u(0), ErrorCode::Corrupt},
      {"qwen3moe", "expert_feed_forward_length", u(128), ErrorCode::Corrupt},
      {"qwen3moe", "expert_feed_forward_length", u(0x7FFFFFFFU), ErrorCode::Corrupt},
      {"qwen3moe", "expert_shared_count", u(1), ErrorCode::UnsupportedArchitecture},
      {"qwen3moe", "expert_gating_func", u(2), ErrorCode::UnsupportedArchitecture},  // sigmoid
      {"qwen3moe", "expert_gating_func", u(0xFFFFFFFFU), ErrorCode::Corrupt},
      {"qwen3moe", "expert_weights_scale", Value(2.5F), ErrorCode::UnsupportedArchitecture},
      {"qwen3moe", "expert_weights_scale", Value(nan), ErrorCode::Corrupt},
      {"gemma3", "attention.sliding_window", u(0), ErrorCode::Corrupt},
      {"gemma3", "attention.sliding_window_pattern", u(0), ErrorCode::Corrupt},
      {"gemma3", "rope.freq_base_swa", Value(nan), ErrorCode::Corrupt},
  };
}

TEST(HostileModel, BadSettingsAreRefusedByName) {
  for (const BadSetting& bad : badSettings()) {
    TinyModel tiny({.architecture = bad.architecture, .format = FormatId::Q4_0});
    const std::string key = std::string(bad.architecture) + "." + bad.key;
    tiny.set(key, bad.value);
    const TinyFile file(tiny);
    const auto model = file.load();
    ASSERT_FALSE(model) << key;
    EXPECT_EQ(errorCodeName(model.error().code), errorCodeName(bad.expected)) << key << ": " << model.error().describe();
    EXPECT_FALSE(model.error().evidence.empty()) << key;
  }
}

TEST(HostileModel, SettingsThatMustBeThere) {
  for (const char* key : {"block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count",
                          "attention.layer_norm_rms_epsilon"}) {
    TinyModel tiny({.format = FormatId::Q4_0});
    tiny.remove(std::string("llama.") + key);
    const auto model = TinyFile(tiny).load();
    ASSERT_FALSE(model) << key;
    EXPECT_EQ(model.error().code, ErrorCode::Corrupt);
    EXPECT_EQ(model.error().find("key"), std::string("llama.") + key);
  }
}

TEST(HostileModel, SettingsThatExpertsMustHave) {
  for (const char* key : {"expert_count", "expert_used_count", "expert_feed_forward_length"}) {
    TinyModel tiny({.architecture = "qwen3moe", .format = FormatId::Q4_0});
    tiny.remove(std::string("qwen3moe.") + key);
    const auto model = TinyFile(tiny).load();
    ASSERT_FALSE(model) << key;
    EXPECT_EQ(model.error().code, ErrorCode::Corrupt);
    EXPECT_EQ(model.error().find("key"), std::string("qwen3moe.") + key);
  }
}

// The stacks have the right number of bytes, but cut into other experts.
TEST(HostileModel, StacksOfAnotherDepth) {
  for (const char* name : {"blk.0.ffn_gate_exps.weight", "blk.0.ffn_up_exps.weight", "blk.1.ffn_down_exps.weight"}) {
    for (const auto& dims :
         {std::vector<std::int64_t>{256, 512, 4}, {256, 128, 16}, {256, 2048}, {256, 256, 4, 2}, {512, 256, 4}}) {
      TinyModel tiny({.architecture = "qwen3moe", .format = FormatId::Q4_0});
      tiny.tensor(name).dims = dims;
      const auto model = TinyFile(tiny).load();
      ASSERT_FALSE(model) << name;
      EXPECT_EQ(model.error().code, ErrorCode::Corrupt);
      EXPECT_EQ(model.error().find("tensor"), name);
      EXPECT_EQ(model.error().find("expected"), "256 x 256 x 8");
    }
  }
}

// Scores that compare with nothing must neither choose an expert twice nor one that does not exist.
TEST(HostileModel, RouterThatIsNotANumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinity, -infinity}) {
    for (const std::size_t rows : {1U, 5U, 8U}) {
      TinyModel tiny({.architecture = "qwen3moe", .format = FormatId::Q8_0});
      auto& bytes = tiny.tensor("blk.1.ffn_gate_inp.weight").bytes;
      for (std::size_t row = 0; row < rows; ++row) std::memcpy(bytes.data() + row * 256 * sizeof(float), &bad, sizeof(bad));
      const auto model = TinyFile(tiny).load();
      ASSERT_TRUE(model) << model.error().describe();
      std::vector<float> logits;
      const auto ran = Runner(**model, 16, 1).feed(tinyPrompt(12), &logits);
      ASSERT_FALSE(ran) << rows << " rows of " << bad;
      EXPECT_EQ(ran.error().code, ErrorCode::Corrupt);
    }
  }
}

TEST(HostileModel, UnknownArchitecture) {
  TinyModel tiny({});
  tiny.set("general.architecture", std::string("mamba"));
  const TinyFile file(tiny);
  const auto model = file.load();
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::UnsupportedArchitecture);
  EXPECT_EQ(model.error().find("architecture"), "mamba");
  const auto config = readModelConfig(**file.open());
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode::UnsupportedArchitecture);
  EXPECT_THAT(supportedArchitectures(), ::testing::IsSupersetOf({"llama", "qwen2", "qwen3", "qwen3moe", "gemma3"}));
}

TEST(HostileModel, EveryTensorIsNeededAndCheckedForShape) {
  for (const char* architecture : {"llama", "qwen2", "qwen3", "qwen3moe", "gemma3"}) {
    // Small files: many are written.
    const TinyModel whole({.architecture = architecture, .format = FormatId::Q4_0, .firstLayerDense = true});
    for (const auto& tensor : whole.tensors) {
      {
        TinyModel tiny = whole;
        tiny.removeTensor(tensor.name);
        const TinyFile file(tiny);
        const auto model = estimateModelBytes(**file.open(), {});
        if (tensor.name == "output.weight") {
          EXPECT_TRUE(model) << "without a head of its own the embedding is the head";
        } else {
          ASSERT_FALSE(model) << tensor.name;
          EXPECT_EQ(model.error().code, ErrorCode::Corrupt);
          EXPECT_EQ(model.error().find("tensor"), tensor.name);
        }
      }
      {
        // Half as many inputs, twice as many outputs: the same bytes in another shape.
        TinyModel tiny = whole;
        auto& changed = tiny.tensor(tensor.name);
        changed.dims.resize(std::max<std::size_t>(2, changed.dims.size()), 1);
        changed.dims[0] /= 2;
        changed.dims[1] *= 2;
        const TinyFile file(tiny);
        const auto model = estimateModelBytes(**file.open(), {});
        ASSERT_FALSE(model) << tensor.name;
        EXPECT_EQ(model.error().code, ErrorCode::Corrupt) << tensor.name;
        EXPECT_EQ(model.error().find("tensor"), tensor.name);
      }
    }
  }
}

TEST(HostileModel, NanInANormIsFoundAtLoad) {
  TinyModel tiny({});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(tiny.tensor("blk.1.attn_norm.weight").bytes.data() + 40, &nan, sizeof(nan));
  const auto model = TinyFile(tiny).load();
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::Corrupt);
  EXPECT_EQ(model.error().find("tensor"), "blk.1.attn_norm.weight");
}

// The scale of one block in each kind of place becomes NaN or infinite; forward() must say so, not answer with noise.
TEST(HostileModel, NanInAMatrixIsFoundInTheStep) {
  for (const char* name : {"token_embd.weight", "blk.0.attn_q.weight", "blk.0.attn_v.weight", "blk.1.ffn_gate.weight",
                           "blk.1.ffn_up.weight", "blk.1.ffn_down.weight", "output.weight"}) {
    for (const std::uint16_t half : {std::uint16_t{0x7E00}, std::uint16_t{0x7C00}}) {
      TinyModel tiny({.format = FormatId::Q8_0});
      auto& bytes = tiny.tensor(name).bytes;
      const auto prompt = tinyPrompt(12);
      const std::size_t row = std::string_view(name) == "token_embd.weight" ? static_cast<std::size_t>(prompt[3]) : 3;
      std::memcpy(bytes.data() + row * 256 / 32 * 34, &half, 2);
      const auto model = TinyFile(tiny).load();
      ASSERT_TRUE(model) << model.error().describe();
      std::vector<float> logits;
      const auto ran = Runner(**model, 16, 1).feed(prompt, &logits);
      ASSERT_FALSE(ran) << name << " with scale " << half;
      EXPECT_EQ(ran.error().code, ErrorCode::Corrupt) << name;
    }
  }
}

// One block of one expert, which some token of a long enough prompt is sent to; the others' answers are fine.
TEST(HostileModel, NanInAnExpertIsFoundInTheStep) {
  for (const char* name : {"blk.0.ffn_gate_exps.weight", "blk.1.ffn_up_exps.weight", "blk.1.ffn_down_exps.weight"}) {
    TinyModel tiny({.architecture = "qwen3moe", .format = FormatId::Q8_0});
    constexpr std::size_t kExpertBytes = 256 * 256 / 32 * 34;
    const std::uint16_t half = 0x7E00;
    std::memcpy(tiny.tensor(name).bytes.data() + 5 * kExpertBytes + 34, &half, 2);
    const auto model = TinyFile(tiny).load();
    ASSERT_TRUE(model) << model.error().describe();
    std::vector<float> logits;
    const auto ran = Runner(**model, 16, 4).feed(tinyPrompt(50), &logits);
    ASSERT_FALSE(ran) << name;
    EXPECT_EQ(ran.error().code, ErrorCode::Corrupt) << name;
  }
}

TEST(LoadModel, ExpertsAreCountedAsUsed) {
  const TinyModel tiny({.architecture = "qwen3moe", .format = FormatId::Q8_0});
  const auto config = readModelConfig(**TinyFile(tiny).open());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->experts, 8);
  EXPECT_EQ(config->expertsUsed, 3);
  EXPECT_EQ(config->headDim, 128);
  EXPECT_EQ(config->lookupParameters, 96 * 256) << "the head has a matrix of its own";
  EXPECT_EQ(config->parameters - config->lookupParameters - config->activeParameters, 2LL * 3 * 256 * 256 * (8 - 3))
      << "five of eight experts in two layers rest";
  const auto dense = readModelConfig(**TinyFile(TinyModel({.architecture = "qwen3", .tied = true})).open());
  ASSERT_TRUE(dense);
  EXPECT_EQ(dense->experts, 0);
  EXPECT_EQ(dense->lookupParameters, 0);
  EXPECT_EQ(dense->activeParameters, dense->parameters);
}

TEST(LoadModel, ConfigAndShape) {
  const TinyFile file{TinyModel({.architecture = "gemma3", .format = FormatId::Q8_0})};
  const auto config = readModelConfig(**file.open());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->architecture, "gemma3");
  EXPECT_EQ(config->name, "tiny gemma3");
  EXPECT_EQ(config->quantisation, "Q8_0");
  EXPECT_EQ(config->layers, 4);
  EXPECT_EQ(config->embedding, 256);
  EXPECT_EQ(config->heads, 4);
  EXPECT_EQ(config->kvHeads, 1);
  EXPECT_EQ(config->headDim, 128);
  EXPECT_EQ(config->feedForward, 512);
  EXPECT_EQ(config->vocabulary, TinyModel::kVocabulary);
  EXPECT_EQ(config->trainedContext, 512);
  const auto model = file.load();
  ASSERT_TRUE(model);
  EXPECT_EQ((*model)->kvShape().bytesPerToken(), 2U * 4 * 1 * 128 * 2);
  EXPECT_EQ((*model)->maxBatchTokens(), 512);
  EXPECT_GT((*model)->weightBytes(), 0U);
}

TEST(LoadModel, RefusesWhatDoesNotFitBeforeAllocating) {
  const TinyFile file{TinyModel({})};
  const auto bytes = estimateModelBytes(**file.open(), {});
  ASSERT_TRUE(bytes);
  const auto refused = file.load({.memoryBudgetBytes = *bytes - 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OutOfMemory);
  EXPECT_EQ(refused.error().find("needed_bytes"), std::to_string(*bytes));
  EXPECT_EQ(refused.error().find("available_bytes"), std::to_string(*bytes - 1));
  EXPECT_TRUE(file.load({.memoryBudgetBytes = *bytes}));
  // Exact weights of a quantised file, and a larger batch, take more.
  const TinyFile quantised{TinyModel({.format = FormatId::Q4_0})};
  const auto small = estimateModelBytes(**quantised.open(), {}),
             exact = estimateModelBytes(**quantised.open(), {.exact = true});
  const auto wide = estimateModelBytes(**quantised.open(), {.maxBatchTokens = 1024});
  ASSERT_TRUE(small && exact && wide);
  EXPECT_GT(*exact, *small);
  EXPECT_GT(*wide, *small);
}

TEST(LoadModel, BatchLimitIsChecked) {
  const TinyFile file{TinyModel({})};
  for (const int limit : {0, -1, 1 << 30}) {
    const auto model = file.load({.maxBatchTokens = limit});
    ASSERT_FALSE(model) << limit;
    EXPECT_EQ(model.error().code, ErrorCode::InvalidArgument);
  }
}

TEST(LoadModel, ProgressRisesToOneAndCancelStops) {
  const TinyFile file{TinyModel({.format = FormatId::Q8_0})};
  std::vector<double> seen;
  ASSERT_TRUE(file.load({.progress = [&](double fraction) { seen.push_back(fraction); }}));
  ASSERT_GT(seen.size(), 3U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), 1.0);
  EXPECT_LT(seen[seen.size() - 2], 1.0);
  int polls = 0;
  std::size_t reports = 0;
  const auto cancelled = file.load({.progress = [&](double) { ++reports; }, .cancelled = [&] { return ++polls > 2; }});
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ErrorCode::Cancelled);
  EXPECT_EQ(polls, 3);
  EXPECT_LT(reports, seen.size());
}

class Callers : public ::testing::Test {
 protected:
  void SetUp() override {
    auto loaded = m_file.load({.maxBatchTokens = 8});
    ASSERT_TRUE(loaded);
    m_model = std::move(*loaded);
    m_kv = std::move(*KvStorage::create(m_model->kvShape(), 16, 4));
  }
  ErrorCode run(std::vector<TokenId> tokens, std::vector<SequenceSlice> slices, std::vector<std::int32_t> rows = {},
                int spare = 0) {
    m_logits.assign(rows.size() * TinyModel::kVocabulary + static_cast<std::size_t>(spare), 0.0F);
    const auto ran = m_model->forward({tokens, slices, rows}, *m_kv, m_logits);
    return ran ? kFine : ran.error().code;
  }
  static constexpr ErrorCode kFine{0xFFFF};  // no such error
  TinyFile m_file{TinyModel({})};
  std::unique_ptr<Model> m_model;
  std::unique_ptr<KvStorage> m_kv;
  std::vector<float> m_logits;
  std::array<PageId, 2> m_pages{1, 3};
};

TEST_F(Callers, ErrorsOfTheBatch) {
  using enum ErrorCode;
  EXPECT_EQ(run({1, 2}, {{0, 2, 0, m_pages}}, {1}), kFine);
  EXPECT_EQ(run({}, {}), InvalidArgument);
  EXPECT_EQ(run(std::vector<TokenId>(9, 1), {{0, 9, 0, m_pages}}), InvalidArgument) << "more than the limit";
  EXPECT_EQ(run({1, -1}, {{0, 2, 0, m_pages}}), InvalidArgument);
  EXPECT_EQ(run({1, TinyModel::kVocabulary}, {{0, 2, 0, m_pages}}), InvalidArgument);
  EXPECT_EQ(run({1, 2147483647}, {{0, 2, 0, m_pages}}), InvalidArgument);
  EXPECT_EQ(run({1, 2}, {{0, 1, 0, m_pages}}), InvalidArgument) << "a token of no sequence";
  EXPECT_EQ(run({1, 2}, {{0, 3, 0, m_pages}}), InvalidArgument);
  EXPECT_EQ(run({1, 2}, {{1, 1, 0, m_pages}, {0, 1, 0, m_pages}}), InvalidArgument);
  EXPECT_EQ(run({1, 2}, {{0, 2, 0, m_pages}, {2, 0, 0, m_pages}}), InvalidArgument) << "an empty sequence";
  EXPECT_EQ(run({1, 2}, {{0, 2, -1, m_pages}}), InvalidArgument);
  EXPECT_EQ(run({1, 2}, {{0, 2, 2147483647, m_pages}}), InvalidArgument);
  EXPECT_EQ(run({1}, {{0, 1, 31, m_pages}}), kFine);
  EXPECT_EQ(run({1}, {{0, 1, 32, m_pages}}), InvalidArgument) << "beyond the block table";
  EXPECT_EQ(run({1}, {{0, 1, 0, {}}}), InvalidArgument);
  m_pages = {1, 4};
  EXPECT_EQ(run({1}, {{0, 1, 16, m_pages}}), InvalidArgument) << "no such page";
  EXPECT_EQ(run({1}, {{0, 1, 0, m_pages}}), kFine) << "the bad page is not needed yet";
  m_pages = {-1, 0};
  EXPECT_EQ(run({1}, {{0, 1, 0, m_pages}}), InvalidArgument);
}

TEST_F(Callers, ErrorsOfTheLogits) {
  using enum ErrorCode;
  EXPECT_EQ(run({1, 2, 3}, {{0, 3, 0, m_pages}}, {0, 2}), kFine);
  EXPECT_EQ(run({1, 2, 3}, {{0, 3, 0, m_pages}}, {}), kFine);
  EXPECT_EQ(run({1, 2, 3}, {{0, 3, 0, m_pages}}, {3}), InvalidArgument);
  EXPECT_EQ(run({1, 2, 3}, {{0, 3, 0, m_pages}}, {-1}), InvalidArgument);
  EXPECT_EQ(run({1, 2, 3}, {{0, 3, 0, m_pages}}, {1, 1}), InvalidArgument);
  EXPECT_EQ(run({1, 2, 3}, {{0, 3, 0, m_pages}}, {2, 1}), InvalidArgument);
  EXPECT_EQ(run({1, 2, 3}, {{0, 3, 0, m_pages}}, {1}, -1), InvalidArgument) << "one float short";
}

TEST_F(Callers, CacheOfAnotherModel) {
  KvShape shape = m_model->kvShape();
  ++shape.layers;
  m_kv = std::move(*KvStorage::create(shape, 16, 4));
  EXPECT_EQ(run({1}, {{0, 1, 0, m_pages}}), ErrorCode::InvalidArgument);
}

TEST_F(Callers, FileChangedOnDisk) {
  EXPECT_EQ(run({1}, {{0, 1, 0, m_pages}}), kFine);
  std::filesystem::last_write_time(m_file.path(), std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(run({1}, {{0, 1, 0, m_pages}}), ErrorCode::Corrupt);
}

TEST_F(Callers, AnErrorLeavesTheModelUsable) {
  std::vector<float> before, after;
  Runner first(*m_model, 16, 2), second(*m_model, 16, 2);
  const std::vector<TokenId> prompt{5, 6, 7};
  ASSERT_TRUE(first.feed(prompt, &before));
  EXPECT_EQ(run({1, -1}, {{0, 2, 0, m_pages}}), ErrorCode::InvalidArgument);
  ASSERT_TRUE(second.feed(prompt, &after));
  EXPECT_EQ(before, after);
}

}  // namespace
}  // namespace hearth::testing
