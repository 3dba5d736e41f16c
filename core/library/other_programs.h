#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace hearth {

/// A folder in which another program keeps models that can be used where they are.
struct OtherModels {
  std::string program;           ///< its own name: "LM Studio"
  std::filesystem::path folder;  ///< for Library::addFolder
  int models = 0;
  std::uint64_t bytes = 0;
};

/// Looks where the programs that we know keep GGUF files below `home`, and below `root` where
/// they run as services; a folder without any is left out, and so is one that
/// lies in `searched` already. Reads the disk: not on the UI thread. A new program is a line in other_programs.cpp.
[[nodiscard]] std::vector<OtherModels> findOtherModels(const std::filesystem::path& home,
                                                       std::span<const std::filesystem::path> searched, const std::filesystem::path& root = "/");

}  // namespace hearth
