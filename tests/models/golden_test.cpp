// Logits against PyTorch's, for every family and storage format, from the same weights (tests/golden/make_logits_golden.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "tests/models/tiny_fixture.h"

namespace hearth::testing {
namespace {

using kernels::FormatId;

struct GoldenCase {
  const char* name;
  TinySpec spec;
  double quantisedTolerance;
};

// Where activations are rounded to 8 bits in blocks of 32, each product carries an error of about (largest / 127) / sqrt(12)
// ≈ 0.5% of its size, and some fourteen of them meet in the residual stream: about 2%. K blocks of random bits have scales
// that differ by far more than trained ones. Formats computed in F32 or BF16 only round the KV cache to F16 (and inputs to
// BF16).
constexpr double kInt8 = 0.03;
constexpr double kHalf = 0.01;
constexpr double kExact = 1e-4;
constexpr double kOtherExperts = 0.1;

std::vector<GoldenCase> goldenCases() {
  return {
      {"llama_f32", {.format = FormatId::F32}, kHalf},
      {"llama_f16", {.format = FormatId::F16}, kHalf},
      {"llama_bf16", {.format = FormatId::BF16}, kHalf},
      {"llama_q4_0", {.format = FormatId::Q4_0}, kInt8},
      {"llama_q4_1", {.format = FormatId::Q4_1}, kInt8},
      {"llama_q5_0", {.format = FormatId::Q5_0}, kInt8},
      {"llama_q5_1", {.format = FormatId::Q5_1}, kInt8},
      {"llama_q8_0", {.format = FormatId::Q8_0}, kInt8},
      {"llama_q4_k", {.format = FormatId::Q4_K}, kInt8},
      {"llama_q5_k", {.format = FormatId::Q5_K}, kInt8},
      {"llama_q6_k", {.format = FormatId::Q6_K}, kInt8},
      {"llama_factors", {.tied = true, .ropeFactors = true}, kHalf},
      {"llama_biases", {.biases = true}, kHalf},
      {"llama_linear", {.linearRopeScale = 4.0}, kHalf},
      {"qwen2_f32", {.architecture = "qwen2"}, kHalf},
      {"qwen2_q8_0", {.architecture = "qwen2", .format = FormatId::Q8_0, .tied = true}, kInt8},
      {"qwen2_q4_k_m",
       {.architecture = "qwen2", .format = FormatId::Q4_K, .secondFormat = FormatId::Q6_K, .mixed = true},
       kInt8},
      {"qwen3_f32", {.architecture = "qwen3"}, kHalf},
      {"qwen3_q4_k_m",
       {.architecture = "qwen3", .format = FormatId::Q4_K, .secondFormat = FormatId::Q6_K, .mixed = true, .tied = true},
       kInt8},
      {"qwen3moe_f32", {.architecture = "qwen3moe", .expertWidth = 72}, kHalf},
      {"qwen3moe_f16", {.architecture = "qwen3moe", .format = FormatId::F16}, kHalf},
      {"qwen3moe_bf16", {.architecture = "qwen3moe", .format = FormatId::BF16}, kHalf},
      {"qwen3moe_q4_0", {.architecture = "qwen3moe", .format = FormatId::Q4_0}, kInt8},
      {"qwen3moe_q4_1", {.architecture = "qwen3moe", .format = FormatId::Q4_1}, kInt8},
      {"qwen3moe_q5_0", {.architecture = "qwen3moe", .format = FormatId::Q5_0}, kInt8},
      {"qwen3moe_q5_1", {.architecture = "qwen3moe", .format = FormatId::Q5_1}, kInt8},
      {"qwen3moe_q8_0", {.architecture = "qwen3moe", .format = FormatId::Q8_0, .expertWidth = 96}, kInt8},
      {"qwen3moe_q4_k_m",
       {.architecture = "qwen3moe", .format = FormatId::Q4_K, .secondFormat = FormatId::Q6_K, .mixed = true},
       kInt8},
      {"qwen3moe_q5_k", {.architecture = "qwen3moe", .format = FormatId::Q5_K}, kInt8},
      {"qwen3moe_q6_k", {.architecture = "qwen3moe", .format = FormatId::Q6_K}, kInt8},
      {"qwen3moe_dense", {.architecture = "qwen3moe", .firstLayerDense = true}, kHalf},
      {"qwen3moe_shares", {.architecture = "qwen3moe", .expertSharesNormalised = false}, kHalf},
      {"gemma3_f32", {.architecture = "gemma3"}, kHalf},
      {"gemma3_bf16", {.architecture = "gemma3", .format = FormatId::BF16}, kHalf},
      {"gemma3_mixed",
       {.architecture = "gemma3", .format = FormatId::Q5_0, .secondFormat = FormatId::Q8_0, .mixed = true},
       kInt8},
  };
}

struct Golden {
  std::uint64_t hash = 0;
  std::uint32_t rows = 0, vocabulary = 0;
  std::vector<float> logits;
};

Golden readGolden(const std::string& name) {
  std::ifstream in(std::string(HEARTH_TEST_SOURCE_DIR) + "/golden/logits/" + name + ".bin", std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
  Golden golden;
  if (bytes.size() < 16) return golden;
  std::memcpy(&golden.hash, bytes.data(), 8);
  std::memcpy(&golden.rows, bytes.data() + 8, 4);
  std::memcpy(&golden.vocabulary, bytes.data() + 12, 4);
  golden.logits.resize((bytes.size() - 16) / sizeof(float));
  std::memcpy(golden.logits.data(), bytes.data() + 16, golden.logits.size() * sizeof(float));
  return golden;
}

class LogitsGolden : public ::testing::TestWithParam<GoldenCase> {};

TEST_P(LogitsGolden, MatchPyTorch) {
  const GoldenCase& c = GetParam();
  const TinyModel tiny(c.spec);
  const Golden golden = readGolden(c.name);
  ASSERT_EQ(golden.hash, tiny.hash()) << "the script and this test do not make the same weights";
  ASSERT_EQ(golden.logits.size(), std::size_t{golden.rows} * golden.vocabulary);
  const auto prompt = tinyPrompt(static_cast<int>(golden.rows));
  const TinyFile file(tiny);

  const auto exact = file.load({.exact = true, .maxBatchTokens = 64});
  ASSERT_TRUE(exact) << exact.error().describe();
  EXPECT_EQ((*exact)->kvShape().type, kernels::KvType::F32);
  const auto exactLogits = Runner(**exact, 8, 8).all(prompt, 64);
  ASSERT_TRUE(exactLogits) << exactLogits.error().describe();
  const double exactError = relativeError(*exactLogits, golden.logits);
  EXPECT_LE(exactError, kExact);

  const auto model = file.load({.maxBatchTokens = 64});
  ASSERT_TRUE(model) << model.error().describe();
  const auto logits = Runner(**model, 8, 8).all(prompt, 64);
  ASSERT_TRUE(logits) << logits.error().describe();
  const double error = relativeError(*logits, golden.logits);
  if (c.spec.architecture == "qwen3moe") {
    // Where two experts' scores are nearly equal, rounding may choose the other one: some tokens are then off by its share.
    const auto errors = rowErrors(*logits, golden.logits, golden.vocabulary);
    EXPECT_LE(errors[errors.size() / 2], c.quantisedTolerance);
    EXPECT_LE(errors[errors.size() * 3 / 4], 2 * c.quantisedTolerance);
    EXPECT_LE(error, kOtherExperts);
  } else {
    EXPECT_LE(error, c.quantisedTolerance);
  }
  RecordProperty("exact_error", std::to_string(exactError));
  RecordProperty("error", std::to_string(error));
  if (std::getenv("HEARTH_SHOW_FIGURES") != nullptr)
    std::printf("%-14s exact %.2e  as loaded %.2e\n", c.name, exactError, error);

  if (c.spec.format == FormatId::F32) {
    // F32 weights need no exact mode: with an F32 cache there is nothing left to round.
    const auto wide = Runner(**model, 8, 8, kernels::KvType::F32).all(prompt, 64);
    ASSERT_TRUE(wide);
    EXPECT_LE(relativeError(*wide, golden.logits), kExact);
  }
}

INSTANTIATE_TEST_SUITE_P(All, LogitsGolden, ::testing::ValuesIn(goldenCases()),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace hearth::testing
