#include "core/formats/safetensors.h"
#include "tests/support/scratch_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace hearth {
namespace {

using testing::ElementsAre;

/// A file by hand: its header as given, then so many bytes.
std::string bytesOf(std::string_view header, std::size_t data, std::optional<std::uint64_t> length = std::nullopt) {
  const std::uint64_t size = length.value_or(header.size());
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(size >> 8 * i & 0xff);
  out += header;
  for (std::size_t i = 0; i < data; ++i) out += static_cast<char>(i);
  return out;
}

Result<SafetensorsFile> parse(const std::string& bytes) { return SafetensorsFile::parse(std::as_bytes(std::span(bytes))); }

constexpr std::string_view kGood =
    R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]},"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
    R"("ids":{"dtype":"I64","shape":[],"data_offsets":[28,36]},"none":{"dtype":"F32","shape":[0,4],"data_offsets":[36,36]}})";

TEST(Safetensors, ReadsNamesShapesAndBytes) {
  const std::string bytes = bytesOf(kGood, 36);
  const auto file = parse(bytes);
  ASSERT_TRUE(file) << file.error().describe();
  EXPECT_EQ(file->metadata().at("format"), "pt");
  ASSERT_EQ(file->tensors().size(), 4U);
  EXPECT_EQ(file->tensors()[0].name, "a") << "by place, not by name";
  const SafetensorsTensor* b = file->tensor("b");
  ASSERT_NE(b, nullptr);
  EXPECT_THAT(b->shape, ElementsAre(2, 3));
  EXPECT_EQ(b->elements(), 6);
  EXPECT_EQ(b->format->id, kernels::FormatId::F32);
  ASSERT_EQ(b->data.size(), 24U);
  EXPECT_EQ(std::to_integer<int>(b->data[0]), 4);
  const SafetensorsTensor* ids = file->tensor("ids");
  ASSERT_NE(ids, nullptr);
  EXPECT_EQ(ids->format, nullptr) << "weights are never I64";
  EXPECT_EQ(ids->elements(), 1);
  EXPECT_EQ(file->tensor("none")->elements(), 0);
  EXPECT_EQ(file->tensor("c"), nullptr);
}

struct Lie {
  const char* name;
  std::string bytes;
  ErrorCode code;
};
std::ostream& operator<<(std::ostream& out, const Lie& lie) { return out << lie.name; }

std::string one(std::string_view entry, std::size_t data) { return bytesOf("{\"x\":" + std::string(entry) + "}", data); }

class SafetensorsLies : public testing::TestWithParam<Lie> {};

TEST_P(SafetensorsLies, AreRefused) {
  const auto file = parse(GetParam().bytes);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, GetParam().code) << file.error().describe();
}

INSTANTIATE_TEST_SUITE_P(
    All, SafetensorsLies,
    testing::Values(
        Lie{"empty", "", ErrorCode::Truncated}, Lie{"seven bytes", "1234567", ErrorCode::Truncated},
        Lie{"no header", std::string(8, '\0'), ErrorCode::WrongMagic},
        Lie{"another format", std::string("GGUF\3\0\0\0abcd", 12), ErrorCode::WrongMagic},
        Lie{"header longer than the file", bytesOf("{}", 0, 3), ErrorCode::Truncated},
        Lie{"header of 2^63 bytes", bytesOf("{}", 0, 1ULL << 63), ErrorCode::Corrupt},
        Lie{"header of 2^64-1 bytes", bytesOf("{}", 0, ~0ULL), ErrorCode::Corrupt},
        Lie{"header cut off", bytesOf("{\"x\":", 0), ErrorCode::Corrupt},
        Lie{"not JSON", bytesOf("{nope}", 0), ErrorCode::Corrupt},
        Lie{"nested", bytesOf("{\"x\":" + std::string(100000, '['), 0), ErrorCode::Corrupt},
        Lie{"bytes left over", bytesOf("{}", 1), ErrorCode::Corrupt},
        Lie{"metadata of numbers", bytesOf(R"({"__metadata__":{"a":1}})", 0), ErrorCode::Corrupt},
        Lie{"entry is a list", one("[]", 0), ErrorCode::Corrupt},
        Lie{"no shape", one(R"({"dtype":"F32","data_offsets":[0,4]})", 4), ErrorCode::Corrupt},
        Lie{"no type", one(R"({"shape":[1],"data_offsets":[0,4]})", 4), ErrorCode::Corrupt},
        Lie{"no offsets", one(R"({"dtype":"F32","shape":[1]})", 4), ErrorCode::Corrupt},
        Lie{"three offsets", one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4,4]})", 4), ErrorCode::Corrupt},
        Lie{"unknown type", one(R"({"dtype":"F33","shape":[1],"data_offsets":[0,4]})", 4), ErrorCode::UnsupportedFormat},
        Lie{"negative dimension", one(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})", 4), ErrorCode::Corrupt},
        Lie{"a fraction", one(R"({"dtype":"F32","shape":[1.5],"data_offsets":[0,4]})", 4), ErrorCode::Corrupt},
        Lie{"a product that overflows to 4",
            one(R"({"dtype":"F32","shape":[4611686018427387905,1],"data_offsets":[0,4]})", 4), ErrorCode::Corrupt},
        Lie{"2^32 x 2^32", one(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})", 0),
            ErrorCode::Corrupt},
        Lie{"too many dimensions", one(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]})", 4),
            ErrorCode::Corrupt},
        Lie{"offsets the wrong way round", one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})", 4),
            ErrorCode::Corrupt},
        Lie{"negative offset", one(R"({"dtype":"F32","shape":[1],"data_offsets":[-4,0]})", 4), ErrorCode::Corrupt},
        Lie{"beyond the end", one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", 4), ErrorCode::Truncated},
        Lie{"an offset of 2^63-1",
            one(R"({"dtype":"F32","shape":[1],"data_offsets":[9223372036854775803,9223372036854775807]})", 4),
            ErrorCode::Truncated},
        Lie{"more bytes than the shape", one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,8]})", 8), ErrorCode::Corrupt},
        Lie{"a hole",
            bytesOf(
                R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"y":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                3),
            ErrorCode::Corrupt},
        Lie{"an overlap",
            bytesOf(
                R"({"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"y":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                3),
            ErrorCode::Corrupt},
        Lie{"the same place twice",
            bytesOf(
                R"({"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"y":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
                2),
            ErrorCode::Corrupt}));

TEST(Safetensors, EveryPrefixOfAGoodFileIsRefused) {
  const std::string bytes = bytesOf(kGood, 36);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(parse(bytes.substr(0, size))) << size;
}

TEST(Safetensors, OpensAFileAndNamesAMissingOne) {
  const ScratchFolder folder;
  const std::string bytes = bytesOf(kGood, 36);
  std::ofstream(folder / "m.safetensors", std::ios::binary) << bytes;
  const auto file = SafetensorsFile::open(folder / "m.safetensors");
  ASSERT_TRUE(file) << file.error().describe();
  EXPECT_EQ(std::to_integer<int>(file->tensor("b")->data[0]), 4) << "the view stays valid after the move";
  EXPECT_TRUE(file->unchanged());
  const auto missing = SafetensorsFile::open(folder / "no.safetensors");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace hearth
