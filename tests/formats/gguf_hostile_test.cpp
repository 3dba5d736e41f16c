#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <limits>

#include "core/formats/gguf.h"
#include "tests/formats/gguf_bytes.h"

// Files that lie. The rule: an error with the right code, never a crash, a hang or a huge allocation.
namespace hearth {
namespace {

using test::GgufBytes;

constexpr std::array<std::uint64_t, 17> kHostile{
    0, 1, 2, 7, 31, 33, 0x7f, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
    0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff};

struct Field {
  std::string name;
  std::size_t offset;
  std::size_t size;
};

// A small good file, and where each number of its header stands.
struct Sample {
  GgufBytes file;
  std::vector<Field> fields;
};

Sample sample() {
  Sample s;
  GgufBytes& f = s.file;
  const auto here = [&](std::string name, std::size_t size) { s.fields.push_back({std::move(name), f.size(), size}); };
  f.raw("GGUF");
  here("version", 4), f.u32(3);
  here("tensor_count", 8), f.u64(2);
  here("metadata_kv_count", 8), f.u64(4);
  here("key length", 8), f.string("general.architecture");
  here("string type", 4), f.u32(8);
  here("string length", 8), f.string("llama");
  f.string("general.alignment");
  here("alignment type", 4), f.u32(4);
  here("alignment", 4), f.u32(32);
  f.string("tokens");
  here("array type", 4), f.u32(9);
  here("element type", 4), f.u32(8);
  here("array count", 8), f.u64(2);
  here("element length", 8), f.string("ab");
  f.string("c");
  f.string("big").u32(10);
  here("u64 value", 8), f.u64(77);
  here("name length", 8), f.string("a.weight");
  here("rank", 4), f.u32(2);
  here("dims[0]", 8), f.u64(32);
  here("dims[1]", 8), f.u64(3);
  here("type", 4), f.u32(2);
  here("offset", 8), f.u64(0);
  f.string("b.weight").u32(1).u64(4).u32(0);
  here("second offset", 8), f.u64(64);
  f.padTo(32).zeros(64).zeros(16);
  return s;
}

TEST(GgufHostile, TruncatedAtEveryByteIsRefused) {
  Sample s = sample();
  ASSERT_TRUE(GgufFile::parse(s.file.span()));
  for (std::size_t size = 0; size < s.file.size(); ++size) {
    // A copy of exactly this size, so that a sanitizer sees a read past its end.
    const std::vector<std::byte> part(s.file.span().begin(), s.file.span().begin() + static_cast<std::ptrdiff_t>(size));
    const auto file = GgufFile::parse(part);
    ASSERT_FALSE(file) << size;
    EXPECT_EQ(file.error().code, ErrorCode::Truncated) << size << ": " << file.error().describe();
  }
}

TEST(GgufHostile, EveryFieldTimesEveryHostileValueIsRefusedOrHarmless) {
  const Sample good = sample();
  for (const Field& field : good.fields) {
    for (const std::uint64_t value : kHostile) {
      Sample s = sample();
      std::memcpy(s.file.bytes().data() + field.offset, &value, field.size);
      const std::vector<std::byte> bytes(s.file.span().begin(), s.file.span().end());
      const auto file = GgufFile::parse(bytes);
      if (!file) {
        EXPECT_NE(file.error().code, ErrorCode::Internal) << field.name << "=" << value;
        continue;
      }
      // What is accepted must be consistent: every tensor inside the bytes, of the size that its dimensions say.
      for (const GgufTensor& tensor : file->tensors()) {
        ASSERT_NE(tensor.info, nullptr);
        EXPECT_GT(tensor.elements(), 0);
        EXPECT_EQ(tensor.data.size(),
                  static_cast<std::size_t>(tensor.elements() / tensor.info->blockElements * tensor.info->blockBytes))
            << field.name << "=" << value;
        EXPECT_GE(tensor.data.data(), bytes.data());
        EXPECT_LE(tensor.data.data() + tensor.data.size(), bytes.data() + bytes.size());
      }
    }
  }
}

TEST(GgufHostile, EveryByteFlippedIsRefusedOrHarmless) {
  Sample s = sample();
  for (std::size_t i = 0; i < s.file.size(); ++i) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string bytes = s.file.bytes();
      bytes[i] = static_cast<char>(bytes[i] ^ mask);
      const auto file = GgufFile::parse(std::as_bytes(std::span(bytes)));
      if (!file) { EXPECT_NE(file.error().code, ErrorCode::Internal); }
    }
  }
}

Error refusal(const GgufBytes& bytes) {
  auto file = GgufFile::parse(bytes.span());
  if (file) return Error{ErrorCode::Internal, "was accepted", {}};
  return file.error();
}

TEST(GgufHostile, WrongMagicAndVersions) {
  EXPECT_EQ(refusal(GgufBytes().raw("GGUX").u32(3).u64(0).u64(0)).code, ErrorCode::WrongMagic);
  EXPECT_EQ(refusal(GgufBytes().raw("PK\3\4 a zip, not a model")).code, ErrorCode::WrongMagic);
  EXPECT_THAT(refusal(GgufBytes().raw("version https://git-lfs.github.com/spec/v1\n")).message, testing::HasSubstr("LFS"));
  EXPECT_THAT(refusal(GgufBytes().raw("tjgg").u32(3)).message, testing::HasSubstr("before GGUF"));
  for (const std::uint32_t version : {0U, 1U, 4U, 1000U}) {
    EXPECT_EQ(refusal(GgufBytes().header(0, 0, version)).code, ErrorCode::UnsupportedVersion) << version;
  }
}

TEST(GgufHostile, BigEndianIsNamed) {
  EXPECT_THAT(refusal(GgufBytes().header(0, 0, 0x03000000)).message, testing::HasSubstr("big-endian"));
  EXPECT_THAT(refusal(GgufBytes().raw("FUGG").u32(0x03000000)).message, testing::HasSubstr("big-endian"));
  EXPECT_EQ(refusal(GgufBytes().header(0, 0, 0x03000000)).code, ErrorCode::UnsupportedVersion);
}

TEST(GgufHostile, CountsBeyondTheFile) {
  EXPECT_EQ(refusal(GgufBytes().header(std::numeric_limits<std::uint64_t>::max(), 0)).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(GgufBytes().header(0, std::numeric_limits<std::uint64_t>::max())).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(GgufBytes().header(1000, 0)).code, ErrorCode::Truncated);
  EXPECT_EQ(refusal(GgufBytes().header(0, 1).string("a").u32(9).u32(8).u64(1ULL << 60U)).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(GgufBytes().header(0, 1).string("a").u32(9).u32(8).u64(1000)).code, ErrorCode::Truncated);
  EXPECT_EQ(refusal(GgufBytes().header(0, 1).string("a").u32(8).u64(1ULL << 62U)).code, ErrorCode::Corrupt);
}

TEST(GgufHostile, MetadataThatLies) {
  EXPECT_EQ(refusal(GgufBytes().header(0, 2).entry("k", 1U).entry("k", 2U).zeros(64)).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(GgufBytes().header(0, 1).entry("", 1U).zeros(64)).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(GgufBytes().header(0, 1).string("k").u32(13).zeros(64)).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(GgufBytes().header(0, 1).string("k").u32(7).number<std::uint8_t>(2).zeros(64)).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(GgufBytes().header(0, 1).string("k").u32(10).u64(1ULL << 63U).zeros(64)).code, ErrorCode::Corrupt);
  GgufBytes nested;
  nested.header(0, 1).string("k").u32(9);
  for (int i = 0; i < 10000; ++i) nested.u32(9).u64(1);
  EXPECT_EQ(refusal(nested).code, ErrorCode::UnsupportedFormat);
}

TEST(GgufHostile, AlignmentOfAnyOtherKindOrValue) {
  for (const std::uint32_t alignment : {0U, 1U, 4U, 3U, 33U, 0x80000000U}) {
    EXPECT_EQ(refusal(GgufBytes().header(0, 1).entry("general.alignment", alignment)).code, ErrorCode::Corrupt) << alignment;
  }
  EXPECT_EQ(refusal(GgufBytes().header(0, 1).entry("general.alignment", "32")).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(GgufBytes().header(0, 1).string("general.alignment").u32(5).u32(32)).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(GgufBytes().header(0, 1).string("general.alignment").u32(9).u32(4).u64(1).u32(32)).code,
            ErrorCode::Corrupt);
}

GgufBytes oneTensor(std::initializer_list<std::uint64_t> dims, std::uint32_t type, std::uint64_t offset) {
  GgufBytes bytes;
  bytes.header(1, 0).tensor("t", dims, type, offset).padTo(32).zeros(256);
  return bytes;
}

TEST(GgufHostile, TensorsThatLie) {
  ASSERT_TRUE(GgufFile::parse(oneTensor({64}, 0, 0).span())) << "the base case must be good";
  constexpr std::uint64_t kBig = 1ULL << 40U;
  EXPECT_EQ(refusal(oneTensor({}, 0, 0)).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(oneTensor({1, 1, 1, 1, 1}, 0, 0)).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(oneTensor({0}, 0, 0)).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(oneTensor({8, 0}, 0, 0)).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(oneTensor({kBig, kBig}, 0, 0)).code, ErrorCode::Corrupt) << "product above 2^63";
  EXPECT_EQ(refusal(oneTensor({kBig, 1ULL << 22U}, 0, 0)).code, ErrorCode::Corrupt) << "bytes above 2^63";
  EXPECT_EQ(refusal(oneTensor({1ULL << 32U, 1ULL << 32U}, 0, 0)).code, ErrorCode::Corrupt) << "product wraps to 0";
  EXPECT_EQ(refusal(oneTensor({16}, 2, 0)).code, ErrorCode::Corrupt) << "half a block";
  EXPECT_EQ(refusal(oneTensor({32}, 12, 0)).code, ErrorCode::Corrupt) << "an eighth of a block";
  EXPECT_EQ(refusal(oneTensor({65}, 0, 0)).code, ErrorCode::Truncated) << "one element beyond the file";
  EXPECT_EQ(refusal(oneTensor({8}, 0, 256)).code, ErrorCode::Truncated);
  EXPECT_EQ(refusal(oneTensor({8}, 0, 0xffffffffffffffe0ULL)).code, ErrorCode::Truncated) << "offset + size wraps";
  EXPECT_EQ(refusal(oneTensor({8}, 0, 16)).code, ErrorCode::Corrupt) << "unaligned";
}

TEST(GgufHostile, UnknownFormatIsNamedWithItsTensor) {
  const Error error = refusal(oneTensor({64}, 4242, 0));
  EXPECT_EQ(error.code, ErrorCode::UnsupportedFormat);
  EXPECT_EQ(error.find("tensor"), "t");
  EXPECT_EQ(error.find("type"), "4242");
}

TEST(GgufHostile, TensorsTwiceOrOverlapping) {
  const auto two = [](std::string_view second, std::uint64_t offset) {
    GgufBytes bytes;
    bytes.header(2, 0).tensor("a", {16}, 0, 0).tensor(second, {16}, 0, offset).padTo(32).zeros(256);
    return bytes;
  };
  ASSERT_TRUE(GgufFile::parse(two("b", 64).span()));
  EXPECT_EQ(refusal(two("a", 64)).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(two("b", 32)).code, ErrorCode::Corrupt);
  EXPECT_EQ(refusal(two("b", 0)).code, ErrorCode::Corrupt);
}

TEST(GgufHostile, NamesFromTheFileAreMadePrintable) {
  GgufBytes bytes;
  bytes.header(1, 0).tensor("\x1b[31m\nx", {8}, 999, 0).padTo(32).zeros(64);
  EXPECT_EQ(refusal(bytes).find("tensor"), "\\x1b[31m\\x0ax");
}

}  // namespace
}  // namespace hearth
