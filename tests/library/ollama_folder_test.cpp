#include "core/library/ollama_folder.h"

#include <gtest/gtest.h>

#include "core/library/download/checksums.h"
#include "core/library/library.h"
#include "core/library/other_programs.h"
#include "core/library/verify.h"
#include "tests/library/tiny_model.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

struct Blob {
  std::string digest;
  std::uint64_t bytes = 0;
};

/// Puts a model's file where Ollama would, and returns what a manifest says of it.
Blob addBlob(const fs::path& folder, const std::string& name, std::int64_t floats = 32) {
  const fs::path file = folder / "blobs" / "new";
  writeModel(file, name, floats);
  const auto sum = library::sha256OfFile(file, [](std::uint64_t) { return true; });
  EXPECT_TRUE(sum);
  const Blob blob{"sha256:" + *sum, fs::file_size(file)};
  fs::rename(file, folder / "blobs" / ("sha256-" + *sum));
  return blob;
}

std::string layer(const std::string& kind, const Blob& blob) {
  return fmt::format(R"({{"mediaType":"application/vnd.ollama.image.{}","digest":"{}","size":{}}})", kind, blob.digest, blob.bytes);
}

void addManifest(const fs::path& folder, const std::string& place, const std::string& layers) {
  const fs::path file = folder / "manifests" / place;
  fs::create_directories(file.parent_path());
  writeText(file, R"({"schemaVersion":2,"config":{"digest":"sha256:00","size":1},"layers":[)" + layers + "]}");
}

TEST(OllamaFolder, ModelsAreFoundInPlaceUnderTheirNames) {
  const ScratchFolder scratch;
  const fs::path folder = scratch / "ollama/models";
  const Blob small = addBlob(folder, "small"), large = addBlob(folder, "large", 64);
  addManifest(folder, "registry.ollama.ai/library/llama3.2/1b", layer("license", {}) + "," + layer("model", small) + "," + layer("template", {}));
  addManifest(folder, "registry.ollama.ai/library/llama3.2/latest", layer("model", small));  // another name of the same file
  addManifest(folder, "registry.ollama.ai/ada/tuned/q8", layer("model", large) + "," + layer("projector", small));
  ASSERT_TRUE(library::isOllamaFolder(folder));
  std::vector<Error> problems;
  const auto models = library::ollamaModels(folder, problems);
  EXPECT_TRUE(problems.empty());
  ASSERT_EQ(models.size(), 3U);
  EXPECT_EQ(models[0].stem, "ada-tuned-q8");
  EXPECT_EQ(models[1].stem, "llama3.2-1b");
  EXPECT_EQ(models[2].stem, "llama3.2");
  // In the library each file is there once, usable, and not ours to delete.
  const auto library = Library::create(scratch / "own", {folder});
  fs::create_directories(scratch / "own");
  const auto all = library->scan();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  for (const InstalledModel& model : *all) {
    EXPECT_FALSE(model.problem) << model.problem->describe();
    EXPECT_FALSE(model.inDataFolder);
    EXPECT_EQ(model.path.parent_path(), folder / "blobs");
  }
  ASSERT_TRUE(library->resolve("llama3.2-1b"));
  const auto removed = library->remove("llama3.2-1b");
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->what, RemovedModel::What::Forgotten);
  EXPECT_TRUE(fs::exists(removed->model.path));
}

TEST(OllamaFolder, WhatIsNotWholeOrNotPlainIsLeftOut) {
  const ScratchFolder scratch;
  const fs::path folder = scratch / "models";
  const Blob model = addBlob(folder, "m");
  addManifest(folder, "r/library/adapted/latest", layer("model", model) + "," + layer("adapter", model));
  addManifest(folder, "r/library/two/latest", layer("model", model) + "," + layer("model", model));
  addManifest(folder, "r/library/short/latest", layer("model", {model.digest, model.bytes + 1}));
  addManifest(folder, "r/library/gone/latest", layer("model", {"sha256:" + std::string(64, 'a'), 5}));
  addManifest(folder, "r/library/outside/latest", layer("model", {"sha256:../../../../etc/passwd", 5}));
  addManifest(folder, "r/library/negative/latest", R"({"mediaType":"application/vnd.ollama.image.model","digest":")" + model.digest + R"(","size":-1})");
  addManifest(folder, "r/library/empty/latest", "");
  addManifest(folder, "r/library/odd/latest", "1,null,[]");
  for (const char* text : {"", "{", "[]", "null", "{\"layers\":{}}", "\xff\xfe"}) {
    fs::create_directories(folder / "manifests/r/library/nonsense");
    writeText(folder / "manifests/r/library/nonsense" / std::to_string(std::string(text).size()), text);
  }
  writeText(folder / "manifests/r/library/nonsense/huge", std::string(300'000, ' '));
  writeText(folder / "manifests/too-high", "{}");
  addManifest(folder, "r/library/good/latest/too/deep", layer("model", model));
  std::vector<Error> problems;
  EXPECT_TRUE(library::ollamaModels(folder, problems).empty());
  EXPECT_EQ(problems.size(), 1U) << "the one that is too large is told";
  EXPECT_FALSE(library::isOllamaFolder(scratch.path()));
}

TEST(OllamaFolder, ItIsOfferedAmongOtherPrograms) {
  const ScratchFolder home;
  const Blob model = addBlob(home / ".ollama/models", "m");
  addManifest(home / ".ollama/models", "r/library/m/latest", layer("model", model));
  const Blob service = addBlob(home / "root/usr/share/ollama/.ollama/models", "s");
  addManifest(home / "root/usr/share/ollama/.ollama/models", "r/library/s/latest", layer("model", service));
  const auto found = findOtherModels(home.path(), {}, home / "root");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].program, "Ollama");
  EXPECT_EQ(found[0].models, 1);
  EXPECT_EQ(found[0].bytes, model.bytes);
  EXPECT_EQ(found[1].folder, home / "root/usr/share/ollama/.ollama/models");
}

TEST(Verify, ABlobThatChangedIsFound) {
  const ScratchFolder scratch;
  const fs::path folder = scratch / "models";
  const Blob model = addBlob(folder, "m", 4096);
  const fs::path file = folder / "blobs" / ("sha256-" + model.digest.substr(7));
  std::uint64_t last = 0, total = 0;
  auto files = verifyModel(scratch / "own", file, [&](std::uint64_t done, std::uint64_t all) {
    last = done;
    total = all;
    return true;
  });
  ASSERT_TRUE(files) << files.error().describe();
  ASSERT_EQ(files->size(), 1U);
  EXPECT_FALSE(files->front().damaged());
  EXPECT_EQ(files->front().expected, model.digest.substr(7));
  EXPECT_EQ(last, model.bytes);
  EXPECT_EQ(total, model.bytes);
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(static_cast<std::streamoff>(model.bytes) - 100).put('x');
  files = verifyModel(scratch / "own", file, {});
  ASSERT_TRUE(files);
  EXPECT_TRUE(files->front().damaged());
  const auto cancelled = verifyModel(scratch / "own", file, [](std::uint64_t, std::uint64_t) { return false; });
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ErrorCode::Cancelled);
}

TEST(Verify, WithoutASumTheStructureIsLookedAt) {
  const ScratchFolder scratch;
  writeSplit(scratch / "split", "two");
  fs::path part;
  for (const auto& entry : fs::directory_iterator(scratch / "split")) part = entry.path();
  const auto parts = verifyModel(scratch / "own", part, {});
  ASSERT_TRUE(parts) << parts.error().describe();
  EXPECT_EQ(parts->size(), 2U);
  for (const VerifiedFile& file : *parts) EXPECT_TRUE(file.expected.empty() && !file.damaged() && file.sha256.size() == 64);
  writeModel(scratch / "m.gguf");
  fs::resize_file(scratch / "m.gguf", fs::file_size(scratch / "m.gguf") - 40);
  EXPECT_FALSE(verifyModel(scratch / "own", scratch / "m.gguf", {}));
  const auto gone = verifyModel(scratch / "own", scratch / "gone.gguf", {});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace hearth
