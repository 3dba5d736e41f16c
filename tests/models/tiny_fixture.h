#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/models/forward_support.h"
#include "tests/models/tiny_model.h"

namespace hearth::testing {

/// A TinyModel on disk, removed at the end of the test.
class TinyFile {
 public:
  explicit TinyFile(const TinyModel& model) {
    static std::atomic<int> next{0};
    m_path = std::filesystem::temp_directory_path() /
             ("hearth-tiny-" + std::to_string(::getpid()) + "-" + std::to_string(next++) + ".gguf");
    if (auto written = model.write(m_path); !written) ADD_FAILURE() << written.error().describe();
  }
  ~TinyFile() {
    std::error_code ignored;
    std::filesystem::remove(m_path, ignored);
  }
  TinyFile(const TinyFile&) = delete;
  TinyFile& operator=(const TinyFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return m_path; }
  [[nodiscard]] Result<std::shared_ptr<const GgufFile>> open() const {
    HEARTH_TRY(auto file, GgufFile::open(m_path));
    return std::make_shared<const GgufFile>(std::move(file));
  }
  [[nodiscard]] Result<std::unique_ptr<Model>> load(const ModelLoadOptions& options = {}, int threads = 2) const {
    return load(options, ThreadPoolOptions{.threads = threads});
  }
  [[nodiscard]] Result<std::unique_ptr<Model>> load(const ModelLoadOptions& options, const ThreadPoolOptions& pool) const {
    HEARTH_TRY(auto file, open());
    return loadModel(std::move(file), std::make_shared<ThreadPool>(pool), options);
  }

 private:
  std::filesystem::path m_path;
};

}  // namespace hearth::testing
