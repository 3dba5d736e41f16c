#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "core/library/library.h"
#include "tests/library/tiny_model.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

class LibraryImportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(m_models);
    m_library = Library::create(m_models, {});
  }
  std::size_t filesInModels() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(m_models), fs::directory_iterator()));
  }
  ScratchFolder m_folder;
  fs::path m_models = m_folder / "models";
  fs::path m_source = m_folder / "downloads/model.gguf";
  std::unique_ptr<Library> m_library;
};

TEST_F(LibraryImportTest, CopiesCheckedFilesAndTellsTheProgress) {
  writeModel(m_source, "m", 1'000'000);  // 16 MB: several chunks
  std::vector<std::uint64_t> done;
  const auto imported = m_library->import(m_source, [&](ImportProgress progress) {
    EXPECT_EQ(progress.total, fs::file_size(m_source));
    done.push_back(progress.done);
    return true;
  });
  ASSERT_TRUE(imported) << imported.error().describe();
  EXPECT_EQ(imported->id, "model");
  EXPECT_TRUE(imported->inDataFolder);
  EXPECT_EQ(readBytes(m_models / "model.gguf"), readBytes(m_source));
  EXPECT_GT(done.size(), 2U);
  EXPECT_TRUE(std::ranges::is_sorted(done));
  EXPECT_EQ(done.back(), fs::file_size(m_source));
  EXPECT_EQ(filesInModels(), 1U);

  // Again: nothing to copy. With another content under the same name: refused, and the old one stays.
  EXPECT_TRUE(m_library->import(m_source, {}));
  const std::string before = readBytes(m_models / "model.gguf");
  writeModel(m_source, "other", 1'000'000);
  const auto refused = m_library->import(m_source, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(readBytes(m_models / "model.gguf"), before);
}

TEST_F(LibraryImportTest, SplitModelsComeWhole) {
  writeSplit(m_folder / "downloads", "big");
  const auto imported = m_library->import(m_folder / "downloads/big-00002-of-00002.gguf", {});
  ASSERT_TRUE(imported) << imported.error().describe();
  EXPECT_EQ(imported->id, "big");
  EXPECT_EQ(filesInModels(), 2U);
}

TEST_F(LibraryImportTest, CancellingLeavesNothingBehind) {
  writeModel(m_source, "m", 1'000'000);
  const auto cancelled = m_library->import(m_source, [](ImportProgress progress) { return progress.done < progress.total / 2; });
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ErrorCode::Cancelled);
  EXPECT_EQ(filesInModels(), 0U);
}

TEST_F(LibraryImportTest, WhatIsNoModelIsRefusedBeforeAnyByteIsCopied) {
  writeText(m_source, "GGUX and so on, long enough to have a header");
  EXPECT_EQ(m_library->import(m_source, {}).error().code, ErrorCode::WrongMagic);
  writeModel(m_source, "m", 4096);
  const std::string whole = readBytes(m_source);
  writeText(m_source, whole.substr(0, whole.size() / 2));
  EXPECT_EQ(m_library->import(m_source, {}).error().code, ErrorCode::Truncated);
  EXPECT_EQ(m_library->import(m_folder / "absent.gguf", {}).error().code, ErrorCode::NotFound);
  EXPECT_EQ(m_library->import(m_folder.path(), {}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(filesInModels(), 0U);
}

TEST_F(LibraryImportTest, ADiskThatFillsUpIsATypedErrorAndLeavesNothing) {
  writeModel(m_source, "m", 1'000'000);
  // A limit on file size stands for a disk that fills up during the copy.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = 9U << 20U;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const auto refused = m_library->import(m_source, {});
  limit.rlim_cur = before;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::DiskFull) << refused.error().describe();
  EXPECT_EQ(filesInModels(), 0U);
  EXPECT_TRUE(m_library->import(m_source, {}));
}

TEST_F(LibraryImportTest, AModelThatIsThereAlreadyIsNotCopied) {
  writeModel(m_models / "sub/here.gguf");
  const auto imported = m_library->import(m_models / "sub/here.gguf", {});
  ASSERT_TRUE(imported);
  EXPECT_EQ(imported->id, "here");
  EXPECT_EQ(filesInModels(), 1U);
}

TEST_F(LibraryImportTest, LeftoversOfAKilledImportAreRemoved) {
  writeText(m_models / ".model.gguf.importing", "half of a model");
  writeText(m_models / "mine.importing", "not ours");
  m_library = Library::create(m_models, {});
  EXPECT_FALSE(fs::exists(m_models / ".model.gguf.importing"));
  EXPECT_TRUE(fs::exists(m_models / "mine.importing"));
}

}  // namespace
}  // namespace hearth
