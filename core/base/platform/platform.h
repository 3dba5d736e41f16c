#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"

/// What differs by operating system; every other file is portable. One .cpp for each system (linux.cpp today).
namespace hearth::platform {

[[nodiscard]] std::filesystem::path executablePath();

/// Makes and removes a file in `folder`. Errors: PermissionDenied, ReadOnly, DiskFull, Io.
[[nodiscard]] Result<void> proveWritable(const std::filesystem::path& folder);

/// Compute threads that this machine carries: one for each physical core that this process may use (hyper-threads counted
/// once), fewer where a container's quota allows fewer; at least 1. topology.h has the details.
[[nodiscard]] int physicalCores();

struct MemoryInfo {
  std::uint64_t totalBytes = 0;
  std::uint64_t availableBytes = 0;  ///< what can be had without swapping, cgroup limit included
};
[[nodiscard]] MemoryInfo memoryInfo();

/// Resident bytes of this process, 0 if unknown.
[[nodiscard]] std::uint64_t residentBytes();

struct CpuTimes {
  std::uint64_t busy = 0;
  std::uint64_t total = 0;  ///< both in the system's own ticks since boot; only differences mean something
};
/// [0] all cores together, then each core; empty if unknown.
[[nodiscard]] std::vector<CpuTimes> cpuTimes();

/// "AMD EPYC 9575F": the CPU's own name.
[[nodiscard]] std::string cpuName();

/// Files and sockets that this process may have open; raises the soft limit to the hard one (at most 65536) first.
[[nodiscard]] std::size_t openFileLimit() noexcept;

/// Lets the calling thread run on these CPUs only. Failure is harmless and not reported.
void pinThisThread(std::span<const int> cpus) noexcept;
void nameThisThread(const char* name) noexcept;  ///< at most 15 characters

/// Makes written data survive power loss: fsync of the file, then of its folder. Errors as errorFromErrno.
[[nodiscard]] Result<void> syncFile(const std::filesystem::path& file);
[[nodiscard]] Result<void> syncFolder(const std::filesystem::path& folder);

/// A whole file mapped read-only. Owns the mapping; movable; bytes() is stable until destruction. Any thread.
class MappedFile {
 public:
  /// Errors: NotFound, PermissionDenied, InvalidArgument (a folder or device), Truncated (empty), Io.
  [[nodiscard]] static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {m_data, m_size}; }
  /// Tells the system that these pages are needed soon / no more (they are re-read if touched again). The latter reaches
  /// 2 MiB into the neighbours too: one touched page may have mapped that much around it.
  void willNeed(std::size_t offset, std::size_t size) const noexcept;
  void dontNeed(std::size_t offset, std::size_t size) const noexcept;
  /// True when the file on disk still has the size and modification time that it had at open.
  [[nodiscard]] bool unchanged() const noexcept;

 private:
  const std::byte* m_data = nullptr;
  std::size_t m_size = 0;
  int m_descriptor = -1;
  std::int64_t m_modifiedNanoseconds = 0;
};

/// Zeroed anonymous memory for large tables (weights, KV pages): reserved at once, resident only as it is touched, aligned to
/// 2 MiB with huge pages asked for. Owns the mapping; movable; any thread.
class BigMemory {
 public:
  /// Errors: OutOfMemory (needed_bytes) when the address space or the system's limits refuse.
  [[nodiscard]] static Result<BigMemory> reserve(std::uint64_t bytes);
  BigMemory() = default;
  BigMemory(BigMemory&& other) noexcept;
  BigMemory& operator=(BigMemory&& other) noexcept;
  BigMemory(const BigMemory&) = delete;
  BigMemory& operator=(const BigMemory&) = delete;
  ~BigMemory();

  [[nodiscard]] std::byte* data() const noexcept { return m_data; }
  [[nodiscard]] std::uint64_t size() const noexcept { return m_size; }

 private:
  std::byte* m_data = nullptr;    // first 2 MiB boundary of the mapping
  std::uint64_t m_size = 0;
  std::byte* m_mapping = nullptr;
  std::uint64_t m_mappedBytes = 0;
};

}  // namespace hearth::platform
