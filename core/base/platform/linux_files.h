#pragma once

#include <filesystem>
#include <fstream>
#include <string>

// For the linux_*.cpp files only.
namespace hearth::platform {

/// The first line of a file such as those of /proc and /sys, without its end; empty when it cannot be read.
[[nodiscard]] inline std::string firstLine(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace hearth::platform
