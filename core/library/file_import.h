#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "core/base/error.h"
#include "core/library/folder_walk.h"
#include "core/library/library.h"

namespace hearth::library {

/// Files being copied are hidden names that end so.
inline constexpr std::string_view kImportSuffix = ".importing";

/// Copies a checked model's files into `folder`: free space first, then temporary files, fsync, rename (the first part
/// last, so that a half-named split model is never seen), fsync of the folder. Files that are there already with the same
/// content are left. Returns the path of the first part. Errors: DiskFull (needed_bytes, available_bytes), AlreadyExists,
/// Cancelled, Truncated (the source changed meanwhile), those of reading and writing.
[[nodiscard]] Result<std::filesystem::path> copyInto(const std::filesystem::path& folder, const ModelFiles& model,
                                                     const std::function<bool(ImportProgress)>& progress);

/// Deletes what imports left behind when the program was killed.
void removeLeftovers(const std::filesystem::path& folder);

}  // namespace hearth::library
