#include "core/library/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/formats/gguf.h"
#include "core/text/tokenizer.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

fs::path golden() { return fs::path(HEARTH_TEST_SOURCE_DIR) / "golden"; }

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Convert : public testing::Test {
 protected:
  void SetUp() override {
    m_folder = fs::path(testing::TempDir()) /
               ("convert_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(m_folder);
    fs::create_directories(m_folder);
    fs::copy(golden() / "bert", source(), fs::copy_options::recursive);
  }
  void TearDown() override { fs::remove_all(m_folder); }
  [[nodiscard]] fs::path source() const { return m_folder / "tiny-bert"; }
  [[nodiscard]] fs::path target() const { return m_folder / "out.gguf"; }
  void replaceIn(const char* file, std::string_view from, std::string_view to) const {
    std::string text = slurp(source() / file);
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::ofstream(source() / file, std::ios::binary) << text;
  }
  [[nodiscard]] ErrorCode refusal() const {
    const auto converted = convertModel(source(), target());
    EXPECT_FALSE(converted);
    EXPECT_FALSE(fs::exists(target()));
    EXPECT_EQ(std::distance(fs::directory_iterator(m_folder), fs::directory_iterator()), 1) << "leftovers";
    return converted ? ErrorCode::Internal : converted.error().code;
  }
  fs::path m_folder;
};

TEST_F(Convert, WritesWhatTheFormatNames) {
  const auto converted = convertModel(source(), target(), {.type = kernels::FormatId::F32});
  ASSERT_TRUE(converted) << converted.error().describe();
  EXPECT_EQ(converted->architecture, "bert");
  EXPECT_EQ(converted->name, "tiny-bert");
  EXPECT_EQ(converted->tensors, 5 + 2 * 16);
  EXPECT_THAT(converted->ignored, ElementsAre());
  const auto file = GgufFile::open(target());
  ASSERT_TRUE(file) << file.error().describe();
  EXPECT_EQ(file->architecture(), "bert");
  EXPECT_EQ(file->integer("bert.embedding_length"), 32);
  EXPECT_EQ(file->integer("bert.feed_forward_length"), 64);
  EXPECT_EQ(file->integer("bert.block_count"), 2);
  EXPECT_EQ(file->integer("bert.attention.head_count"), 4);
  EXPECT_EQ(file->integer("bert.context_length"), 64);
  EXPECT_EQ(file->integer("bert.pooling_type"), 1);
  EXPECT_EQ(file->boolean("bert.attention.causal"), false);
  EXPECT_NEAR(file->number("bert.attention.layer_norm_epsilon").value_or(0), 1e-12, 1e-18);
  EXPECT_EQ(file->string("tokenizer.ggml.model"), "bert");
  EXPECT_EQ(file->integer("tokenizer.ggml.cls_token_id"), 2);
  EXPECT_EQ(file->integer("tokenizer.ggml.seperator_token_id"), 3);
  EXPECT_EQ((*file->strings("tokenizer.ggml.tokens"))[2], "[CLS]");
  EXPECT_EQ((*file->strings("tokenizer.ggml.tokens"))[5], "\xe2\x96\x81!");
  const GgufTensor* tensor = file->tensor("blk.1.ffn_up.weight");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->dims[0], 32);
  EXPECT_EQ(tensor->dims[1], 64);
  EXPECT_EQ(tensor->format, kernels::FormatId::F32);
}

TEST_F(Convert, HalvesMatricesAndKeepsVectorsWhole) {
  for (const auto type : {kernels::FormatId::F16, kernels::FormatId::Q8_0}) {
    fs::remove(target());
    const auto converted = convertModel(source() / "model.safetensors", target(), {.type = type});
    ASSERT_TRUE(converted) << converted.error().describe();
    const auto file = GgufFile::open(target());
    ASSERT_TRUE(file) << file.error().describe();
    EXPECT_EQ(file->tensor("blk.0.attn_q.weight")->format, type);
    EXPECT_EQ(file->tensor("token_embd.weight")->format, type);
    EXPECT_EQ(file->tensor("position_embd.weight")->format, kernels::FormatId::F32);
    EXPECT_EQ(file->tensor("blk.0.attn_output_norm.weight")->format, kernels::FormatId::F32);
    EXPECT_EQ(file->tensor("blk.0.attn_q.bias")->format, kernels::FormatId::F32);
  }
}

TEST_F(Convert, PoolingIsWhatTheModelSays) {
  std::ofstream(source() / "1_Pooling/config.json") << R"({"pooling_mode_cls_token":true})";
  ASSERT_TRUE(convertModel(source(), target()));
  EXPECT_EQ(GgufFile::open(target())->integer("bert.pooling_type"), 2);
}

TEST_F(Convert, RefusesWhatItDoesNotKnow) {
  replaceIn("config.json", R"("model_type": "bert")", R"("model_type": "gpt_bigcode")");
  const auto converted = convertModel(source(), target());
  ASSERT_FALSE(converted);
  EXPECT_EQ(converted.error().code, ErrorCode::UnsupportedArchitecture);
  EXPECT_THAT(converted.error().describe(), HasSubstr("gpt_bigcode"));
}

TEST_F(Convert, RefusesAnotherActivation) {
  replaceIn("config.json", R"("gelu")", R"("relu")");
  EXPECT_EQ(refusal(), ErrorCode::UnsupportedFormat);
}

TEST_F(Convert, RefusesAConfigurationThatContradictsTheTensors) {
  replaceIn("config.json", R"("intermediate_size": 64)", R"("intermediate_size": 65)");
  EXPECT_EQ(refusal(), ErrorCode::Corrupt);
}

TEST_F(Convert, RefusesImpossibleSizes) {
  replaceIn("config.json", R"("hidden_size": 32)", R"("hidden_size": -32)");
  EXPECT_EQ(refusal(), ErrorCode::Corrupt);
}

TEST_F(Convert, RefusesMoreLayersThanThereAre) {
  replaceIn("config.json", R"("num_hidden_layers": 2)", R"("num_hidden_layers": 3)");
  EXPECT_EQ(refusal(), ErrorCode::Corrupt);
}

TEST_F(Convert, RefusesAVocabularyThatIsTooLarge) {
  std::ofstream(source() / "vocab.txt", std::ios::app) << "one\ntwo\n";
  EXPECT_EQ(refusal(), ErrorCode::Corrupt);
}

TEST_F(Convert, RefusesAVocabularyWithoutItsSpecialTokens) {
  replaceIn("vocab.txt", "[CLS]", "[XLS]");
  EXPECT_EQ(refusal(), ErrorCode::Corrupt);
}

TEST_F(Convert, RefusesBrokenJson) {
  replaceIn("config.json", "{", "[");
  EXPECT_EQ(refusal(), ErrorCode::Corrupt);
}

TEST_F(Convert, RefusesMissingFiles) {
  fs::remove(source() / "model.safetensors");
  EXPECT_EQ(refusal(), ErrorCode::NotFound);
}

TEST_F(Convert, AnIndexNamesNoFileElsewhere) {
  fs::remove(source() / "model.safetensors");
  std::ofstream(source() / "model.safetensors.index.json") << R"({"weight_map":{"x":"../../etc/passwd"}})";
  EXPECT_EQ(refusal(), ErrorCode::Corrupt);
}

TEST_F(Convert, AFileThatIsThereStays) {
  std::ofstream(target()) << "mine";
  const auto converted = convertModel(source(), target());
  ASSERT_FALSE(converted);
  EXPECT_EQ(converted.error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(slurp(target()), "mine");
}

TEST_F(Convert, StopsWhenAsked) {
  const auto converted =
      convertModel(source(), target(), {.progress = [](std::uint64_t done, std::uint64_t) { return done < 3; }});
  ASSERT_FALSE(converted);
  EXPECT_EQ(converted.error().code, ErrorCode::Cancelled);
  EXPECT_FALSE(fs::exists(target()));
}

std::uint32_t fnv(std::span<const TokenId> tokens) {
  std::uint64_t state = 0xcbf29ce484222325ULL;
  for (const std::byte byte : std::as_bytes(tokens)) state = (state ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3ULL;
  return static_cast<std::uint32_t>(state);
}

/// The texts of tests/golden/tokenizer.bin (make_tokenizer_golden.py says how they are stored).
std::vector<std::string> goldenStrings() {
  const std::string data = slurp(golden() / "tokenizer.bin");
  std::size_t at = 4;
  const auto number = [&] {
    std::uint32_t value = 0;
    std::memcpy(&value, data.data() + at, 4);
    at += 4;
    return value;
  };
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(data.at(at++));
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) return value;
    }
  };
  (void)number();
  const std::uint32_t count = number(), models = number();
  std::vector<std::string> strings(count);
  for (std::string& text : strings) {
    const auto size = varint(), repeat = varint();
    for (std::uint64_t i = 0; i < repeat; ++i) text += data.substr(at, size);
    at += size + 8 * models;
  }
  return strings;
}

// make_wordpiece_golden.py wrote wordpiece.bin.
TEST_F(Convert, WordPiecesAreThoseOfTheTokenizersLibrary) {
  const char* models = std::getenv("HEARTH_TEST_MODELS");
  if (models == nullptr || !fs::exists(fs::path(models) / "all-minilm-l6-v2"))
    GTEST_SKIP() << "no all-minilm-l6-v2 in HEARTH_TEST_MODELS";
  ASSERT_TRUE(convertModel(fs::path(models) / "all-minilm-l6-v2", target()));
  const auto file = GgufFile::open(target());
  ASSERT_TRUE(file) << file.error().describe();
  const auto tokenizer = Tokenizer::fromGguf(*file);
  ASSERT_TRUE(tokenizer) << tokenizer.error().describe();
  const std::string hashes = slurp(golden() / "wordpiece.bin");
  const auto strings = goldenStrings();
  ASSERT_EQ(hashes.size(), strings.size() * 4);
  std::size_t different = 0;
  for (std::size_t i = 0; i < strings.size(); ++i) {
    std::uint32_t wanted = 0;
    std::memcpy(&wanted, hashes.data() + 4 * i, 4);
    const auto tokens = (*tokenizer)->encode(strings[i]);
    if (fnv(tokens) == wanted) continue;
    if (++different > 10) continue;
    std::string shown;
    for (const TokenId token : tokens) shown += std::to_string(token) + " ";
    ADD_FAILURE() << "string " << i << ": " << testing::PrintToString(strings[i].substr(0, 100)) << "\n  gives "
                  << shown.substr(0, 300);
  }
  EXPECT_EQ(different, 0U) << "of " << strings.size();
}

TEST_F(Convert, TheTinyTokenizerCutsAndJoinsWords) {
  ASSERT_TRUE(convertModel(source(), target()));
  const auto tokenizer = Tokenizer::fromGguf(*GgufFile::open(target()));
  ASSERT_TRUE(tokenizer) << tokenizer.error().describe();
  const auto text = [&](std::string_view in) { return (*tokenizer)->decode((*tokenizer)->encode(in)); };
  EXPECT_EQ(text("HELLO  wörlding!"), "hello worlding !");
  EXPECT_EQ((*tokenizer)->encode("").size(), 2U) << "[CLS] and [SEP] alone";
  const TokenId unknown = (*tokenizer)->find("[UNK]");
  EXPECT_THAT((*tokenizer)->encode("\xe4\xb8\xad\xe6\x96\x87", {.addSpecial = false}), ElementsAre(unknown, unknown));
  EXPECT_THAT((*tokenizer)->encode(std::string(101, 'a'), {.addSpecial = false}), ElementsAre(unknown));
  EXPECT_EQ((*tokenizer)->encode(std::string(100, 'a'), {.addSpecial = false}).size(), 100U);
  // A typed U+2581 begins no piece in the middle of a word.
  EXPECT_THAT((*tokenizer)->encode("a\xe2\x96\x81hello", {.addSpecial = false}), ElementsAre(unknown));
  const TokenId mask = (*tokenizer)->find("[MASK]");
  EXPECT_THAT((*tokenizer)->encode("[MASK]", {.addSpecial = false}), ElementsAre(mask));
  EXPECT_EQ((*tokenizer)->encode("[MASK]", {.addSpecial = false, .parseSpecial = false}).size(), 6U);
}

}  // namespace
}  // namespace hearth
