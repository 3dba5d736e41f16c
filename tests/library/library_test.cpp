#include "core/library/library.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/library/tiny_model.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LibraryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(m_models);
    fs::create_directories(m_extra);
    m_library = Library::create(m_models, {});
  }
  std::vector<std::string> ids() {
    const auto all = m_library->scan();
    EXPECT_TRUE(all) << all.error().describe();
    std::vector<std::string> names;
    for (const auto& model : *all) names.push_back(model.id);
    return names;
  }
  ScratchFolder m_folder;
  fs::path m_models = m_folder / "models";
  fs::path m_extra = m_folder / "extra";
  std::unique_ptr<Library> m_library;
};

TEST_F(LibraryTest, FindsModelsInTheDataFolderAndInFoldersOfTheUser) {
  writeModel(m_models / "alpha-q4.gguf", "Alpha");
  writeModel(m_extra / "org/repo/deep/beta.GGUF", "Beta", 64);
  ASSERT_TRUE(m_library->addFolder(m_extra));
  ASSERT_THAT(ids(), ElementsAre("alpha-q4", "beta"));
  const InstalledModel alpha = m_library->resolve("alpha-q4").value();
  EXPECT_TRUE(alpha.inDataFolder);
  EXPECT_EQ(alpha.fileBytes, fs::file_size(m_models / "alpha-q4.gguf"));
  EXPECT_EQ(alpha.license, "apache-2.0");
  EXPECT_TRUE(alpha.hasChatTemplate);
  ASSERT_TRUE(alpha.config);
  EXPECT_EQ(alpha.config->architecture, "llama");
  EXPECT_GT(alpha.modifiedMs, 1'600'000'000'000);
  EXPECT_FALSE(m_library->resolve("beta")->inDataFolder);
  m_library->removeFolder(m_extra);
  EXPECT_THAT(ids(), ElementsAre("alpha-q4"));
}

TEST_F(LibraryTest, HiddenFilesProjectorsAndOtherFilesAreLeftOut) {
  writeModel(m_models / "real.gguf");
  writeModel(m_models / ".hidden.gguf");
  writeModel(m_models / ".cache/inner.gguf");
  writeModel(m_models / "mmproj-model-f16.gguf");
  ASSERT_TRUE(tinyModel("vision", 32, "clip").write(m_models / "vision-tower.gguf"));
  GgufWriter adapter;  // LoRA: matrices to add to another model's
  adapter.set("general.architecture", std::string("llama"));
  adapter.set("general.type", std::string("adapter"));
  adapter.set("adapter.type", std::string("lora"));
  adapter.addTensor("blk.0.attn_q.weight.lora_a", kernels::FormatId::F32, {32}, std::vector<std::byte>(128));
  ASSERT_TRUE(adapter.write(m_models / "style-lora.gguf"));
  const auto refused = m_library->import(m_models / "style-lora.gguf", [](ImportProgress) { return true; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::UnsupportedArchitecture);
  writeText(m_models / "readme.txt", "hello");
  writeText(m_models / "download.gguf.part", "half");
  fs::create_directory(m_models / "folder.gguf");
  EXPECT_THAT(ids(), ElementsAre("real"));
}

TEST_F(LibraryTest, LoopsOfLinksEndAndAFileIsCountedOnce) {
  writeModel(m_extra / "a/model.gguf");
  fs::create_directory_symlink(m_extra, m_extra / "a/back");
  fs::create_symlink(m_extra / "a/model.gguf", m_extra / "other-name.gguf");
  fs::create_symlink(m_extra / "nowhere.gguf", m_extra / "dangling.gguf");
  fs::create_directory_symlink(m_extra, m_models / "linked");
  ASSERT_TRUE(m_library->addFolder(m_extra));
  EXPECT_EQ(ids().size(), 1U);
}

TEST_F(LibraryTest, PartsOfASplitModelCountOnce) {
  writeSplit(m_models / "big", "big-q8");
  EXPECT_THAT(ids(), ElementsAre("big-q8"));
  const InstalledModel model = m_library->models().front();
  EXPECT_FALSE(model.problem) << model.problem->describe();
  EXPECT_EQ(model.fileBytes, fs::file_size(m_models / "big/big-q8-00001-of-00002.gguf") + fs::file_size(m_models / "big/big-q8-00002-of-00002.gguf"));
  EXPECT_EQ(m_library->resolve((m_models / "big/big-q8-00002-of-00002.gguf").string())->id, "big-q8");

  fs::remove(m_models / "big/big-q8-00001-of-00002.gguf");
  ASSERT_THAT(ids(), ElementsAre("big-q8"));
  ASSERT_TRUE(m_library->models().front().problem);
  EXPECT_EQ(m_library->models().front().problem->code, ErrorCode::NotFound);
}

TEST_F(LibraryTest, FilesThatCannotBeUsedAreListedWithTheirProblem) {
  writeModel(m_models / "whole.gguf", "whole", 4096);
  const std::string bytes = readBytes(m_models / "whole.gguf");
  writeText(m_models / "cut.gguf", bytes.substr(0, bytes.size() - 5000));
  writeText(m_models / "empty.gguf", "");
  writeText(m_models / "text.gguf", "not a model at all, only some words in a file");
  std::string lying = bytes;
  for (int i = 8; i < 16; ++i) lying[static_cast<std::size_t>(i)] = '\x7F';  // the tensor count
  writeText(m_models / "lying.gguf", lying);
  ASSERT_TRUE(tinyModel("odd", 32, "imaginary").write(m_models / "odd.gguf"));
  EXPECT_THAT(ids(), ElementsAre("cut", "empty", "lying", "odd", "text", "whole"));
  const auto problemOf = [&](const std::string& id) {
    const auto resolved = m_library->resolve(id);
    return resolved ? ErrorCode::Internal : resolved.error().code;
  };
  EXPECT_EQ(problemOf("cut"), ErrorCode::Truncated);
  EXPECT_EQ(problemOf("empty"), ErrorCode::Truncated);
  EXPECT_EQ(problemOf("text"), ErrorCode::WrongMagic);
  EXPECT_THAT(problemOf("lying"), ::testing::AnyOf(ErrorCode::Corrupt, ErrorCode::Truncated));
  EXPECT_EQ(problemOf("odd"), ErrorCode::UnsupportedArchitecture);
  EXPECT_TRUE(m_library->resolve("whole"));
  for (const auto& model : m_library->models()) EXPECT_EQ(model.config.has_value(), !model.problem) << model.id;
}

TEST_F(LibraryTest, AFileThatWasRepairedIsReadAgain) {
  writeText(m_models / "m.gguf", "broken");
  ids();
  ASSERT_FALSE(m_library->resolve("m"));
  fs::remove(m_models / "m.gguf");
  writeModel(m_models / "m.gguf");
  ids();
  EXPECT_TRUE(m_library->resolve("m"));
}

TEST_F(LibraryTest, NamesAreUniqueAndStayWhileTheProgramRuns) {
  writeModel(m_extra / "same.gguf", "theirs");
  ASSERT_TRUE(m_library->addFolder(m_extra));
  EXPECT_THAT(ids(), ElementsAre("same"));
  writeModel(m_models / "same.gguf", "ours");
  writeModel(m_models / "sub/SAME.gguf", "another");
  EXPECT_THAT(ids(), ElementsAre("SAME-3", "same", "same-2")) << "data folder first, and the old one keeps its name";
  EXPECT_FALSE(m_library->resolve("same")->inDataFolder);
}

TEST_F(LibraryTest, ResolvesByNamePartOfANameAndPath) {
  writeModel(m_models / "qwen2.5-coder-1.5b.gguf");
  writeModel(m_models / "smollm2-135m.gguf");
  writeModel(m_models / "smollm2-360m.gguf");
  // Without a scan before: resolve looks by itself.
  EXPECT_EQ(m_library->resolve("qwen2.5-coder-1.5b")->id, "qwen2.5-coder-1.5b");
  EXPECT_EQ(m_library->resolve("QWEN2.5-Coder-1.5B")->id, "qwen2.5-coder-1.5b");
  EXPECT_EQ(m_library->resolve("qwen")->id, "qwen2.5-coder-1.5b");
  const auto ambiguous = m_library->resolve("smollm2");
  ASSERT_FALSE(ambiguous);
  EXPECT_EQ(ambiguous.error().code, ErrorCode::NotFound);
  EXPECT_THAT(std::string(ambiguous.error().find("near")), HasSubstr("smollm2-360m"));
  const auto typo = m_library->resolve("smolm2-135");
  ASSERT_FALSE(typo);
  EXPECT_THAT(std::string(typo.error().find("near")), ::testing::StartsWith("smollm2-135m"));
  EXPECT_EQ(m_library->resolve("").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(m_library->resolve("../../etc/passwd.gguf").error().code, ErrorCode::NotFound);

  writeModel(m_extra / "outside.gguf");
  writeModel(m_extra / "more/outside.gguf");
  const auto first = m_library->resolve((m_extra / "outside.gguf").string());
  const auto second = m_library->resolve((m_extra / "more/outside.gguf").string());
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(first->id, "outside");
  EXPECT_EQ(second->id, "outside-2") << "the pool knows models by id: two files may not share one";
  EXPECT_EQ(m_library->resolve((m_extra / "outside.gguf").string())->id, "outside");
  EXPECT_EQ(m_library->resolve("outside-2")->path, second->path);
  EXPECT_EQ(m_library->resolve((m_models / "smollm2-135m.gguf").string())->id, "smollm2-135m");
}

TEST_F(LibraryTest, MissingFoldersAreKeptAndReported) {
  std::vector<fs::path> told;
  const fs::path gone = m_folder / "unplugged";
  m_library = Library::create(m_models, {gone}, [&](const auto& folders) { told = folders; });
  EXPECT_THAT(ids(), IsEmpty());
  ASSERT_EQ(m_library->problems().size(), 1U);
  EXPECT_EQ(m_library->problems().front().code, ErrorCode::NotFound);
  EXPECT_EQ(m_library->problems().front().find("path"), gone.string());
  EXPECT_THAT(m_library->folders(), ElementsAre(gone));
  writeModel(gone / "m.gguf");
  EXPECT_THAT(ids(), ElementsAre("m"));
  EXPECT_THAT(m_library->problems(), IsEmpty());

  EXPECT_EQ(m_library->addFolder(m_folder / "absent").error().code, ErrorCode::NotFound);
  EXPECT_EQ(m_library->addFolder(gone / "m.gguf").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(m_library->addFolder(gone).error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(m_library->addFolder(m_models / ".").error().code, ErrorCode::AlreadyExists);
  EXPECT_THAT(told, IsEmpty());
  ASSERT_TRUE(m_library->addFolder(m_extra));
  EXPECT_EQ(told.size(), 2U);
  m_library->removeFolder(gone);
  EXPECT_EQ(told.size(), 1U);
  EXPECT_GT(m_library->freeBytes(), 0U);
}

TEST_F(LibraryTest, NamesThatAreNotUtf8BecomeUsableIds) {
  writeModel(m_models / fs::path("bad\xFFname\x01.gguf"));
  EXPECT_THAT(ids(), ElementsAre("bad_name_"));
  EXPECT_TRUE(m_library->resolve("bad_name_"));
}

TEST_F(LibraryTest, ScansAndLookupsFromManyThreads) {
  for (int i = 0; i < 10; ++i) writeModel(m_models / fmt::format("m{}.gguf", i));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        if (t % 2 == 0 && m_library->scan()->size() != 10) ++wrong;
        if (!m_library->resolve(fmt::format("m{}", i))) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace hearth
