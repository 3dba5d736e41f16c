#pragma once

#include <filesystem>

#include "core/base/error.h"

namespace hearth::platform {

/// An exclusive lock on a file, held until destruction; the system releases it when the process dies, however it dies. The
/// file holds the owner's process id and stays afterwards (deleting it would let two processes lock two files).
class FileLock {
 public:
  /// Errors: AlreadyExists (pid of the owner), PermissionDenied, ReadOnly, DiskFull, Io.
  [[nodiscard]] static Result<FileLock> take(const std::filesystem::path& file);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) noexcept : m_descriptor(descriptor) {}
  int m_descriptor = -1;
};

}  // namespace hearth::platform
