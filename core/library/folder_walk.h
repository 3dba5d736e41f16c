#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace hearth::library {

/// One model as files: a single GGUF, or all parts of a split one that lie in the same folder.
struct ModelFiles {
  std::filesystem::path path;          ///< the file to open: the only one, or the first part that is there
  std::vector<std::filesystem::path> parts;  ///< in order; one for a single file
  std::string stem;                    ///< the name without ".gguf" and part numbers
  std::uint64_t bytes = 0;             ///< of all parts
  std::int64_t modifiedNs = 0;         ///< of the youngest part
};

/// Looks for models below folders, in the order of their paths. Follows symbolic links but takes no folder and no file
/// twice, also between calls of search(); skips hidden names and projector files ("mmproj"). Ollama's folder is
/// read by its manifests. One thread, one use.
class FolderWalk {
 public:
  void search(const std::filesystem::path& folder);
  [[nodiscard]] std::vector<ModelFiles>& found() noexcept { return m_found; }
  [[nodiscard]] std::vector<Error>& problems() noexcept { return m_problems; }

 private:
  void visit(const std::filesystem::path& folder, int depth);
  std::set<std::string> m_visited;  // canonical folders and files
  std::vector<ModelFiles> m_found;
  std::vector<Error> m_problems;
};

/// The model that `file` is or belongs to (for a part: with the others beside it).
[[nodiscard]] Result<ModelFiles> filesOf(const std::filesystem::path& file);

}  // namespace hearth::library
