#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/models/model.h"

namespace hearth {

/// A model file on this machine.
struct InstalledModel {
  std::string id;               ///< unique name, "qwen2.5-coder-1.5b-instruct-q4_k_m": file stem, numbered when taken
  std::filesystem::path path;
  std::uint64_t fileBytes = 0;
  std::int64_t modifiedMs = 0;
  bool inDataFolder = false;
  std::optional<ModelConfig> config;   ///< none when the file cannot be used …
  std::optional<Error> problem;        ///< … and why
  std::string license;                 ///< general.license
  bool hasChatTemplate = false;
};

struct ImportProgress {
  std::uint64_t done = 0, total = 0;  ///< bytes
};

/// Models in the data folder and in folders that the user adds (found in place, recursive, no copies). Any thread; scan and
/// import read disks: not on the UI thread.
class Library {
 public:
  using FoldersListener = std::function<void(const std::vector<std::filesystem::path>&)>;

  /// `extraFolders` come from settings; a missing one is kept and reported by problems(). `foldersChanged` is called after
  /// addFolder() and removeFolder(), on their thread, so that the owner can keep the list. Leftovers of imports that a
  /// crash cut off are deleted.
  [[nodiscard]] static std::unique_ptr<Library> create(std::filesystem::path modelsFolder, std::vector<std::filesystem::path> extraFolders,
                                                       FoldersListener foldersChanged = {});
  virtual ~Library() = default;

  /// Looks through all folders; headers are read again only where size or time changed. Files of split models count once.
  [[nodiscard]] virtual Result<std::vector<InstalledModel>> scan() = 0;
  [[nodiscard]] virtual std::vector<InstalledModel> models() const = 0;  ///< as of the last scan
  /// By id (exact, else case-insensitive, else the one whose id begins with it) or by path to a GGUF file. Scans when not
  /// found. Errors: NotFound (evidence lists near names), the file's own problem.
  [[nodiscard]] virtual Result<InstalledModel> resolve(const std::string& nameOrPath) = 0;
  /// Checks the file, then copies it into the data folder (temporary file, fsync, rename; free space checked first).
  /// `progress` returns false to cancel. Errors: those of GgufFile::open, DiskFull, AlreadyExists (same name, other content), Cancelled.
  [[nodiscard]] virtual Result<InstalledModel> import(const std::filesystem::path& file, const std::function<bool(ImportProgress)>& progress) = 0;
  [[nodiscard]] virtual std::vector<std::filesystem::path> folders() const = 0;  ///< the extra ones
  /// Errors: NotFound, InvalidArgument (not a folder), AlreadyExists (is or lies in one that is searched).
  [[nodiscard]] virtual Result<void> addFolder(const std::filesystem::path& folder) = 0;
  virtual void removeFolder(const std::filesystem::path& folder) = 0;
  [[nodiscard]] virtual std::vector<Error> problems() const = 0;  ///< of the last scan: folders that could not be read
  [[nodiscard]] virtual std::uint64_t freeBytes() const = 0;      ///< on the data folder's disk
};

}  // namespace hearth
