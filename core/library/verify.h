#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace hearth {

/// One file of a model, read from the first byte to the last.
struct VerifiedFile {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  std::string sha256;    ///< of what is on the disk now
  std::string expected;  ///< of what was downloaded; empty where nobody said
  [[nodiscard]] bool damaged() const noexcept { return !expected.empty() && sha256 != expected; }
};

/// Makes the sums of all files of a model anew and compares them with those that its hub named when it was downloaded (their
/// record in `modelsFolder`), or that the file is called after (Ollama's blobs, Hugging Face's cache). Where no sum is known,
/// the structure is looked at. `progress` gets bytes done and in all, and returns false to stop. Blocks; any thread.
/// Errors: Cancelled, those of reading, those of GgufFile::open.
[[nodiscard]] Result<std::vector<VerifiedFile>> verifyModel(const std::filesystem::path& modelsFolder, const std::filesystem::path& model,
                                                            const std::function<bool(std::uint64_t done, std::uint64_t total)>& progress);

}  // namespace hearth
