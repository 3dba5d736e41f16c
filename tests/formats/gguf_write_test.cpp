#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <limits>

#include "core/formats/gguf.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

using kernels::FormatId;

std::vector<std::byte> pattern(std::size_t size, int seed) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * 31 + static_cast<std::size_t>(seed)) & 0xffU);
  return bytes;
}

TEST(GgufWrite, WhatIsWrittenReadsBackTheSame) {
  for (const std::uint32_t alignment : {0U, 8U, 32U, 4096U}) {
    const ScratchFolder folder;
    GgufWriter writer;
    if (alignment != 0) writer.set("general.alignment", alignment);
    writer.set("general.architecture", std::string("replaced"));
    writer.set("general.architecture", std::string("qwen2"));
    writer.set("u32", std::numeric_limits<std::uint32_t>::max());
    writer.set("i32", std::numeric_limits<std::int32_t>::min());
    writer.set("u64", std::uint64_t{1} << 62U);
    writer.set("f32", 0.1F);
    writer.set("no", false);
    writer.set("strings", std::vector<std::string>{"", "ĠHello", std::string("nul\0in", 6)});
    writer.set("ints", std::vector<std::int32_t>{-1, 0, 5});
    writer.set("floats", std::vector<float>{-1000.0F, 0.25F});
    writer.set("empty", std::vector<std::string>{});
    writer.addTensor("odd", FormatId::F32, {5}, pattern(20, 1));
    writer.addTensor("matrix", FormatId::Q4_K, {512, 3}, pattern(2 * 3 * 144, 2));
    writer.addTensor("cube", FormatId::F16, {2, 3, 4}, pattern(48, 3));
    writer.addTensor("four", FormatId::BF16, {1, 2, 3, 4}, pattern(48, 4));
    const auto path = folder.path() / "out.gguf";
    const auto written = writer.write(path);
    ASSERT_TRUE(written) << written.error().describe();

    const auto file = GgufFile::open(path);
    ASSERT_TRUE(file) << file.error().describe();
    EXPECT_EQ(file->architecture(), "qwen2");
    EXPECT_EQ(file->integer("u32"), 4294967295);
    EXPECT_EQ(file->integer("i32"), std::numeric_limits<std::int32_t>::min());
    EXPECT_EQ(file->integer("u64"), std::int64_t{1} << 62);
    EXPECT_EQ(file->number("f32"), static_cast<double>(0.1F));
    EXPECT_EQ(file->boolean("no"), false);
    EXPECT_THAT(*file->strings("strings"), testing::ElementsAre("", "ĠHello", std::string_view("nul\0in", 6)));
    EXPECT_THAT(*file->integers("ints"), testing::ElementsAre(-1, 0, 5));
    EXPECT_THAT(*file->numbers("floats"), testing::ElementsAre(-1000.0, 0.25));
    EXPECT_TRUE(file->strings("empty")->empty());
    ASSERT_EQ(file->tensors().size(), 4U);
    const auto same = [&](const char* name, const std::vector<std::byte>& bytes) {
      const GgufTensor* tensor = file->tensor(name);
      return tensor != nullptr && std::ranges::equal(tensor->data, bytes);
    };
    EXPECT_TRUE(same("odd", pattern(20, 1)));
    EXPECT_TRUE(same("matrix", pattern(864, 2)));
    EXPECT_TRUE(same("cube", pattern(48, 3)));
    EXPECT_TRUE(same("four", pattern(48, 4)));
    EXPECT_THAT(file->tensor("cube")->dims, testing::ElementsAre(2, 3, 4, 1));
    EXPECT_EQ(file->tensor("four")->rank, 4);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "no temporary file is left";
  }
}

TEST(GgufWrite, RefusesWhatTheReaderWouldRefuse) {
  const ScratchFolder folder;
  const auto path = folder.path() / "out.gguf";
  const auto code = [&](auto&& prepare) {
    GgufWriter writer;
    prepare(writer);
    const auto written = writer.write(path);
    EXPECT_FALSE(std::filesystem::exists(path));
    return written ? ErrorCode::Internal : written.error().code;
  };
  EXPECT_EQ(code([](GgufWriter& w) { w.addTensor("t", FormatId::F32, {4}, pattern(15, 0)); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](GgufWriter& w) { w.addTensor("t", FormatId::Q4_0, {16}, pattern(9, 0)); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](GgufWriter& w) { w.addTensor("t", FormatId::F32, {}, {}); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](GgufWriter& w) { w.addTensor("t", FormatId::F32, {0}, {}); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](GgufWriter& w) { w.addTensor("t", FormatId::F32, {-4}, {}); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](GgufWriter& w) { w.addTensor("t", FormatId::F32, {1LL << 40, 1LL << 40}, {}); }),
            ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](GgufWriter& w) { w.addTensor("t", static_cast<FormatId>(99), {4}, pattern(16, 0)); }),
            ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](GgufWriter& w) { w.addTensor("", FormatId::F32, {1}, pattern(4, 0)); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](GgufWriter& w) { w.set("general.alignment", std::uint32_t{24}); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](GgufWriter& w) { w.set("general.alignment", std::string("32")); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](GgufWriter& w) { w.set("", true); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](GgufWriter& w) {
              w.addTensor("t", FormatId::F32, {1}, pattern(4, 0));
              w.addTensor("t", FormatId::F32, {1}, pattern(4, 0));
            }),
            ErrorCode::InvalidArgument);
}

// A disk that fills up: the limit on file sizes fails the write at the same places, without needing a small disk.
TEST(GgufWrite, FullDiskIsReportedAndTheOldFileStays) {
  const ScratchFolder folder;
  const auto path = folder.path() / "out.gguf";
  test::writeFile(path, "the old file");
  GgufWriter writer;
  writer.addTensor("t", FormatId::F16, {1 << 19}, pattern(1U << 20U, 0));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t limit : {rlim_t{1}, rlim_t{4096}, rlim_t{1U << 20U}}) {
    rlimit small = before;
    small.rlim_cur = limit;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto written = writer.write(path);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    ASSERT_FALSE(written) << limit;
    EXPECT_EQ(written.error().code, ErrorCode::DiskFull) << written.error().describe();
    EXPECT_EQ(test::readFile(path), "the old file");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "the temporary file is removed";
  }
  std::signal(SIGXFSZ, handler);
  ASSERT_TRUE(writer.write(path));
  EXPECT_TRUE(GgufFile::open(path));
}

TEST(GgufWrite, MissingFolderIsNotFound) {
  const ScratchFolder folder;
  EXPECT_EQ(GgufWriter().write(folder.path() / "absent" / "x.gguf").error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace hearth
