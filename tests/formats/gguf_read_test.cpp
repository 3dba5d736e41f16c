#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/formats/gguf.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

using test::GgufBytes;

GgufBytes everyType() {
  GgufBytes file;
  file.header(2, 16);
  file.entry("general.architecture", "llama");
  file.string("u8").u32(0).number<std::uint8_t>(200);
  file.string("i8").u32(1).number<std::int8_t>(-100);
  file.string("u16").u32(2).number<std::uint16_t>(60000);
  file.string("i16").u32(3).number<std::int16_t>(-30000);
  file.string("u32").u32(4).u32(4'000'000'000U);
  file.string("i32").u32(5).number<std::int32_t>(-2'000'000'000);
  file.string("f32").u32(6).number(1.5F);
  file.string("yes").u32(7).number<std::uint8_t>(1);
  file.string("u64").u32(10).u64(0x7fffffffffffffffULL);
  file.string("i64").u32(11).number<std::int64_t>(-5'000'000'000);
  file.string("f64").u32(12).number(2.25);
  file.string("strings").u32(9).u32(8).u64(2).string("a").string("");
  file.string("shorts").u32(9).u32(3).u64(2).number<std::int16_t>(-1).number<std::int16_t>(7);
  file.string("floats").u32(9).u32(6).u64(2).number(0.5F).number(-2.0F);
  file.string("flags").u32(9).u32(7).u64(2).number<std::uint8_t>(1).number<std::uint8_t>(0);
  file.tensor("one", {3}, 0, 0).tensor("two", {32, 2}, 8, 32);
  file.padTo(32);
  for (int i = 0; i < 3; ++i) file.number(static_cast<float>(i));
  file.padTo(32).zeros(68).padTo(32);
  return file;
}

TEST(GgufRead, GivesEveryTypeOfMetadataWidened) {
  const GgufBytes bytes = everyType();
  const auto file = GgufFile::parse(bytes.span());
  ASSERT_TRUE(file) << file.error().describe();
  EXPECT_EQ(file->architecture(), "llama");
  EXPECT_EQ(file->integer("u8"), 200);
  EXPECT_EQ(file->integer("i8"), -100);
  EXPECT_EQ(file->integer("u16"), 60000);
  EXPECT_EQ(file->integer("i16"), -30000);
  EXPECT_EQ(file->integer("u32"), 4'000'000'000);
  EXPECT_EQ(file->integer("i32"), -2'000'000'000);
  EXPECT_EQ(file->number("f32"), 1.5);
  EXPECT_EQ(file->boolean("yes"), true);
  EXPECT_EQ(file->integer("u64"), 0x7fffffffffffffffLL);
  EXPECT_EQ(file->integer("i64"), -5'000'000'000);
  EXPECT_EQ(file->number("f64"), 2.25);
  EXPECT_EQ(file->number("u8"), 200.0) << "integers convert to double";
  EXPECT_EQ(file->integer("f32"), std::nullopt) << "but not the other way";
  EXPECT_EQ(file->string("u8"), std::nullopt);
  EXPECT_EQ(file->integer("absent"), std::nullopt);
  ASSERT_NE(file->strings("strings"), nullptr);
  EXPECT_THAT(*file->strings("strings"), testing::ElementsAre("a", ""));
  EXPECT_THAT(*file->integers("shorts"), testing::ElementsAre(-1, 7));
  EXPECT_THAT(*file->numbers("floats"), testing::ElementsAre(0.5, -2.0));
  EXPECT_THAT(*file->integers("flags"), testing::ElementsAre(1, 0));
  EXPECT_EQ(file->integers("strings"), nullptr);
  EXPECT_EQ(file->metadata().size(), 16U);
  EXPECT_EQ(file->fileBytes(), bytes.size());
}

TEST(GgufRead, GivesTensorsAsViewsOfTheirBytes) {
  const GgufBytes bytes = everyType();
  const auto file = GgufFile::parse(bytes.span());
  ASSERT_TRUE(file) << file.error().describe();
  ASSERT_EQ(file->tensors().size(), 2U);
  const GgufTensor* one = file->tensor("one");
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(one->rank, 1);
  EXPECT_THAT(one->dims, testing::ElementsAre(3, 1, 1, 1));
  ASSERT_EQ(one->data.size(), 12U);
  float last = 0;
  std::memcpy(&last, one->data.data() + 8, 4);
  EXPECT_EQ(last, 2.0F);
  const GgufTensor* two = file->tensor("two");
  ASSERT_NE(two, nullptr);
  EXPECT_EQ(two->elements(), 64);
  EXPECT_EQ(two->data.size(), 68U);
  EXPECT_STREQ(two->info->name, "Q8_0");
  EXPECT_EQ(file->tensor("three"), nullptr);
}

TEST(GgufRead, ReadsVersion2) {
  GgufBytes bytes;
  bytes.header(1, 1, 2).entry("general.architecture", "x").tensor("t", {8}, 0, 0).padTo(32).zeros(32);
  const auto file = GgufFile::parse(bytes.span());
  ASSERT_TRUE(file) << file.error().describe();
  EXPECT_EQ(file->tensors().size(), 1U);
}

TEST(GgufRead, ObeysAlignment) {
  GgufBytes bytes;
  bytes.header(2, 1).entry("general.alignment", 128U).tensor("a", {1}, 0, 0).tensor("b", {1}, 0, 128).padTo(128);
  bytes.number(1.0F).padTo(128).number(2.0F);
  const auto file = GgufFile::parse(bytes.span());
  ASSERT_TRUE(file) << file.error().describe();
  float value = 0;
  std::memcpy(&value, file->tensor("b")->data.data(), 4);
  EXPECT_EQ(value, 2.0F);
}

TEST(GgufRead, OpensAFileAndNoticesItsChange) {
  const ScratchFolder folder;
  const auto path = folder.path() / "m.gguf";
  test::writeFile(path, everyType().bytes());
  const auto file = GgufFile::open(path);
  ASSERT_TRUE(file) << file.error().describe();
  EXPECT_TRUE(file->unchanged());
  const GgufTensor* one = file->tensor("one");
  ASSERT_NE(one, nullptr);
  // Only advice: the data must still read the same.
  file->dropPages(one->data);
  file->wantPages(one->data);
  const float elsewhere = 0;
  file->dropPages(std::as_bytes(std::span(&elsewhere, 1)));
  float last = 0;
  std::memcpy(&last, one->data.data() + 8, 4);
  EXPECT_EQ(last, 2.0F);
  test::writeFile(path, everyType().bytes() + "longer");
  EXPECT_FALSE(file->unchanged());
}

TEST(GgufRead, SaysWhyAFileCannotBeOpened) {
  const ScratchFolder folder;
  EXPECT_EQ(GgufFile::open(folder.path() / "absent.gguf").error().code, ErrorCode::NotFound);
  EXPECT_EQ(GgufFile::open(folder.path()).error().code, ErrorCode::InvalidArgument);
  const auto path = folder.path() / "x.gguf";
  test::writeFile(path, "");
  EXPECT_EQ(GgufFile::open(path).error().code, ErrorCode::Truncated);
  test::writeFile(path, "<!DOCTYPE html><title>404");
  const auto page = GgufFile::open(path);
  EXPECT_EQ(page.error().code, ErrorCode::WrongMagic);
  EXPECT_THAT(page.error().message, testing::HasSubstr("web page"));
  EXPECT_EQ(page.error().find("path"), path.string());
}

}  // namespace
}  // namespace hearth
