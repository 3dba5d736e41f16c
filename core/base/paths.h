#pragma once

#include <filesystem>
#include <string_view>

#include "core/base/error.h"

namespace hearth {

/// The one data folder and what lies where in it (DESIGN section 9). Constant after construction.
struct DataPaths {
  std::filesystem::path root;
  bool portable = false;  ///< beside the program, see portableFolder()

  [[nodiscard]] std::filesystem::path models() const { return root / "models"; }
  [[nodiscard]] std::filesystem::path database() const { return root / "hearth.db"; }
  [[nodiscard]] std::filesystem::path logs() const { return root / "logs"; }
  [[nodiscard]] std::filesystem::path tls() const { return root / "tls"; }
  [[nodiscard]] std::filesystem::path uploads() const { return root / "uploads"; }  ///< request bodies on their way; emptied at start
  [[nodiscard]] std::filesystem::path trash() const { return root / "trash"; }
};

/// Chooses the data folder: `explicitDir` (--data-dir), else $HEARTH_HOME, else a `portable` marker beside the
/// executable, else $XDG_DATA_HOME/hearth, else ~/.local/share/hearth. Does not create it.
[[nodiscard]] DataPaths chooseDataPaths(std::string_view explicitDir);

/// `data` beside a file or folder named `portable`, which lies beside the program, or beside the `bin` that holds it; empty
/// where there is no such marker.
[[nodiscard]] std::filesystem::path portableFolder(const std::filesystem::path& executable);

/// Creates the folder and its subfolders, mode 0700, and proves that it can be written.
/// Errors: PermissionDenied, ReadOnly, DiskFull, Io, each with the path.
[[nodiscard]] Result<void> prepareDataPaths(const DataPaths& paths);

/// True when `name` can be one path component: not empty, no separator, no NUL, not "." or "..", ≤ 200 bytes.
[[nodiscard]] bool isSafeFileName(std::string_view name) noexcept;

/// The only way to join a name from outside to a folder of ours. Error: InvalidArgument.
[[nodiscard]] Result<std::filesystem::path> safeChild(const std::filesystem::path& folder, std::string_view name);

}  // namespace hearth
