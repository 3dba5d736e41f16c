#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/formats/gguf.h"
#include "core/text/tokenizer.h"

// Every string of tests/golden/tokenizer.bin must give exactly the tokens of Hugging Face tokenizers and SentencePiece
// (make_tokenizer_golden.py wrote it and says how).
namespace hearth {
namespace {

struct GoldenString {
  std::string text;
  std::vector<std::uint64_t> hashes;  // one for each model
};

// Reads the file front to back; a short file fails the test.
class GoldenFile {
 public:
  explicit GoldenFile(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    m_bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  [[nodiscard]] std::vector<GoldenString> read() {
    if (take(4) != "HTOK" || number<std::uint32_t>() != 1) return {};
    const auto count = number<std::uint32_t>();
    const auto models = number<std::uint32_t>();
    std::vector<GoldenString> strings(count);
    for (GoldenString& string : strings) {
      const std::uint64_t size = varint();
      const std::uint64_t repeat = varint();
      const std::string_view unit = take(size);
      for (std::uint64_t i = 0; i < repeat; ++i) string.text += unit;
      for (std::uint32_t i = 0; i < models; ++i) string.hashes.push_back(number<std::uint64_t>());
    }
    if (m_short) return {};
    return strings;
  }

 private:
  std::string_view take(std::size_t size) {
    m_short = m_short || size > m_bytes.size() - m_at;
    if (m_short) return {};
    m_at += size;
    return std::string_view(m_bytes).substr(m_at - size, size);
  }
  template <class T>
  T number() {
    T value{};
    const std::string_view raw = take(sizeof(T));
    if (!raw.empty()) std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; !m_short; shift += 7) {
      const auto byte = number<std::uint8_t>();
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) break;
    }
    return value;
  }
  std::string m_bytes;
  std::size_t m_at = 0;
  bool m_short = false;
};

std::uint64_t fnv(std::span<const TokenId> tokens) {
  std::uint64_t state = 0xcbf29ce484222325ULL;
  for (const std::byte byte : std::as_bytes(tokens)) {
    state = (state ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3ULL;
  }
  return state;
}

struct GoldenModel {
  const char* file;
  std::size_t index;
  bool parseSpecial;
};

std::ostream& operator<<(std::ostream& out, const GoldenModel& model) { return out << model.file; }

class TokenizerGolden : public testing::TestWithParam<GoldenModel> {};

TEST_P(TokenizerGolden, SameTokensAsTheReferenceOnEveryString) {
  const char* folder = std::getenv("HEARTH_TEST_MODELS");
  if (folder == nullptr) GTEST_SKIP() << "HEARTH_TEST_MODELS is not set";
  const auto path = std::filesystem::path(folder) / GetParam().file;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const auto file = GgufFile::open(path);
  ASSERT_TRUE(file) << file.error().describe();
  const auto tokenizer = Tokenizer::fromGguf(*file);
  ASSERT_TRUE(tokenizer) << tokenizer.error().describe();

  const auto strings = GoldenFile(std::filesystem::path(HEARTH_TEST_SOURCE_DIR) / "golden" / "tokenizer.bin").read();
  ASSERT_GE(strings.size(), 10000U);
  const EncodeOptions options{.addSpecial = false, .parseSpecial = GetParam().parseSpecial};
  std::size_t different = 0;
  for (std::size_t i = 0; i < strings.size(); ++i) {
    const GoldenString& string = strings[i];
    ASSERT_GT(string.hashes.size(), GetParam().index);
    const auto tokens = (*tokenizer)->encode(string.text, options);
    if (fnv(tokens) == string.hashes[GetParam().index]) continue;
    if (++different <= 10) {
      std::string shown;
      for (const TokenId token : tokens) shown += std::to_string(token) + " ";
      ADD_FAILURE() << "string " << i << ": " << testing::PrintToString(string.text.substr(0, 100)) << "\n  gives "
                    << shown.substr(0, 300);
    }
  }
  EXPECT_EQ(different, 0U) << "of " << strings.size();
}

INSTANTIATE_TEST_SUITE_P(Models, TokenizerGolden,
                         testing::Values(GoldenModel{"smollm2-135m-instruct-q4_1.gguf", 0, true},
                                         GoldenModel{"qwen2.5-coder-1.5b-instruct-q4_k_m.gguf", 1, true},
                                         GoldenModel{"gemma3-270m-q4_k_m.gguf", 2, false}));

}  // namespace
}  // namespace hearth
