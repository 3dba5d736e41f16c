#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/formats/gguf.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

using test::GgufBytes;

struct Part {
  std::uint16_t number;
  std::uint16_t count;
  std::int32_t tensors;
  std::vector<std::string> names;
};

std::string partBytes(const Part& part) {
  GgufBytes bytes;
  bytes.header(part.names.size(), 4);
  bytes.entry("general.name", "part " + std::to_string(part.number));
  bytes.string("split.no").u32(2).number(part.number);
  bytes.string("split.count").u32(2).number(part.count);
  bytes.string("split.tensors.count").u32(5).number(part.tensors);
  for (std::size_t i = 0; i < part.names.size(); ++i) bytes.tensor(part.names[i], {8}, 0, i * 32);
  bytes.padTo(32);
  for (std::size_t i = 0; i < part.names.size(); ++i) bytes.raw(std::string(32, part.names[i][0]));
  return bytes.bytes();
}

// Three good parts; a test overwrites what it wants to lie about.
class GgufSplit : public testing::Test {
 protected:
  void SetUp() override {
    put(0, {0, 3, 4, {"a", "b"}});
    put(1, {1, 3, 4, {"c"}});
    put(2, {2, 3, 4, {"d"}});
  }
  [[nodiscard]] std::filesystem::path path(int index) const {
    return m_folder.path() / ("model-0000" + std::to_string(index + 1) + "-of-00003.gguf");
  }
  void put(int index, const Part& part) { test::writeFile(path(index), partBytes(part)); }
  [[nodiscard]] ErrorCode refusal(int opened = 0) const {
    const auto file = GgufFile::open(path(opened));
    return file ? ErrorCode::Internal : file.error().code;
  }
  ScratchFolder m_folder;
};

TEST_F(GgufSplit, PartsAreJoinedWhicheverIsOpened) {
  for (const int opened : {0, 1, 2}) {
    const auto file = GgufFile::open(path(opened));
    ASSERT_TRUE(file) << file.error().describe();
    EXPECT_EQ(file->tensors().size(), 4U);
    for (const char* name : {"a", "b", "c", "d"}) {
      const GgufTensor* tensor = file->tensor(name);
      ASSERT_NE(tensor, nullptr) << name;
      EXPECT_EQ(static_cast<char>(tensor->data[31]), name[0]);
      file->dropPages(tensor->data);
      EXPECT_EQ(static_cast<char>(tensor->data[0]), name[0]);
    }
    EXPECT_EQ(file->string("general.name"), "part 0") << "metadata comes from the first part";
    EXPECT_EQ(file->fileBytes(), std::filesystem::file_size(path(0)) + std::filesystem::file_size(path(1)) +
                                     std::filesystem::file_size(path(2)));
    EXPECT_TRUE(file->unchanged());
  }
}

TEST_F(GgufSplit, AChangeInAnyPartIsNoticed) {
  const auto file = GgufFile::open(path(0));
  ASSERT_TRUE(file);
  test::writeFile(path(2), partBytes({2, 3, 4, {"d"}}) + "x");
  EXPECT_FALSE(file->unchanged());
}

TEST_F(GgufSplit, AMissingPartIsNamed) {
  std::filesystem::remove(path(1));
  const auto file = GgufFile::open(path(0));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::NotFound);
  EXPECT_EQ(file.error().find("path"), path(1).string());
}

TEST_F(GgufSplit, PartsThatLieAreRefused) {
  put(1, {2, 3, 4, {"c"}});
  EXPECT_EQ(refusal(), ErrorCode::Corrupt) << "its number is another's";
  put(1, {1, 2, 4, {"c"}});
  EXPECT_EQ(refusal(), ErrorCode::Corrupt) << "of another count";
  put(1, {1, 3, 5, {"c"}});
  EXPECT_EQ(refusal(), ErrorCode::Corrupt) << "of another total";
  put(1, {1, 3, 4, {"a"}});
  EXPECT_EQ(refusal(), ErrorCode::Corrupt) << "a tensor of the first part";
  put(1, {1, 3, 4, {"c", "e"}});
  EXPECT_EQ(refusal(), ErrorCode::Corrupt) << "one tensor too many";
  put(1, {1, 3, 4, {}});
  EXPECT_EQ(refusal(), ErrorCode::Corrupt) << "one tensor too few";
  test::writeFile(path(1), partBytes({1, 3, 4, {"c"}}).substr(0, 100));
  EXPECT_EQ(refusal(), ErrorCode::Truncated);
  test::writeFile(path(1), "GARBAGE");
  EXPECT_EQ(refusal(), ErrorCode::WrongMagic);
  put(1, {1, 3, 4, {"c"}});
  EXPECT_TRUE(GgufFile::open(path(0)));
}

TEST_F(GgufSplit, ARenamedPartSaysSo) {
  const auto renamed = m_folder.path() / "renamed.gguf";
  std::filesystem::rename(path(0), renamed);
  EXPECT_EQ(GgufFile::open(renamed).error().code, ErrorCode::InvalidArgument);
  const auto zeroth = m_folder.path() / "model-00000-of-00003.gguf";
  std::filesystem::rename(renamed, zeroth);
  EXPECT_EQ(GgufFile::open(zeroth).error().code, ErrorCode::InvalidArgument);
}

TEST_F(GgufSplit, AnImpossibleCountIsRefusedBeforeAnyOtherFileIsOpened) {
  test::writeFile(path(0), partBytes({0, 65535, 4, {"a"}}));
  EXPECT_EQ(refusal(), ErrorCode::Corrupt);
}

TEST_F(GgufSplit, AFileThatIsItsOnlyPartIsAnOrdinaryFile) {
  const auto whole = m_folder.path() / "whole.gguf";
  test::writeFile(whole, partBytes({0, 1, 1, {"a"}}));
  EXPECT_TRUE(GgufFile::open(whole));
}

TEST_F(GgufSplit, OnePartAloneInMemoryIsRefused) {
  const std::string bytes = partBytes({0, 3, 4, {"a"}});
  EXPECT_EQ(GgufFile::parse(std::as_bytes(std::span(bytes))).error().code, ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace hearth
