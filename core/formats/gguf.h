#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/error.h"
#include "core/base/platform/platform.h"
#include "kernels/quant/format.h"

namespace hearth {

/// A metadata array; strings are views into the mapped file. Numbers are widened: integers to int64 (uint64 values above
/// 2^63-1 are refused), floats to double, bools to int64 0/1.
using GgufArray = std::variant<std::vector<std::int64_t>, std::vector<double>, std::vector<std::string_view>>;
using GgufValue = std::variant<std::int64_t, double, bool, std::string_view, GgufArray>;

struct GgufTensor {
  std::string name;
  kernels::FormatId format;
  const kernels::FormatInfo* info = nullptr;  ///< never null in an opened file
  std::array<std::int64_t, 4> dims{1, 1, 1, 1};  ///< dims[0] is the contiguous one (K); a matrix is [dims[1] rows × dims[0]]
  int rank = 0;
  std::span<const std::byte> data;  ///< view into the mapping, exactly the tensor's bytes
  [[nodiscard]] std::int64_t elements() const noexcept { return dims[0] * dims[1] * dims[2] * dims[3]; }
};

/// A memory-mapped GGUF file (v2, v3; split files are joined). Owns the mappings; everything returned is valid while it
/// lives. Immutable after open, any thread. Every size and offset in the file was checked (format: ggml docs/gguf.md).
class GgufFile {
 public:
  /// `path` of a split file may be any of its parts ("x-00002-of-00003.gguf"); the others are taken from the same folder.
  /// Errors: NotFound, WrongMagic, UnsupportedVersion, Truncated, Corrupt (evidence says which field), UnsupportedFormat
  /// (evidence names tensor and type number), OutOfMemory never (headers are capped).
  [[nodiscard]] static Result<GgufFile> open(const std::filesystem::path& path);
  /// Same, over bytes that the caller keeps alive (fuzzing, tests). One part of a split file is refused: InvalidArgument.
  [[nodiscard]] static Result<GgufFile> parse(std::span<const std::byte> bytes);

  [[nodiscard]] const GgufValue* find(std::string_view key) const;
  /// Typed access; `std::nullopt` when absent or of another kind. Integers convert between widths, and to double.
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const;
  [[nodiscard]] std::optional<double> number(std::string_view key) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view key) const;
  [[nodiscard]] std::optional<std::string_view> string(std::string_view key) const;
  [[nodiscard]] const std::vector<std::string_view>* strings(std::string_view key) const;
  [[nodiscard]] const std::vector<std::int64_t>* integers(std::string_view key) const;
  [[nodiscard]] const std::vector<double>* numbers(std::string_view key) const;

  [[nodiscard]] const std::map<std::string, GgufValue, std::less<>>& metadata() const noexcept { return m_metadata; }
  [[nodiscard]] std::span<const GgufTensor> tensors() const noexcept { return m_tensors; }
  [[nodiscard]] const GgufTensor* tensor(std::string_view name) const;
  [[nodiscard]] std::uint64_t fileBytes() const noexcept;
  [[nodiscard]] std::string architecture() const;  ///< general.architecture or empty
  /// False when a file on disk was changed since open: data read from the mapping may be wrong.
  [[nodiscard]] bool unchanged() const noexcept;
  /// `data` is a tensor's or a part of one. Lets the system drop its file pages (it was copied elsewhere), or asks it to read
  /// them before they are touched. Pages at the edges may belong to neighbours: they are read again when these are touched.
  void dropPages(std::span<const std::byte> data) const noexcept;
  void wantPages(std::span<const std::byte> data) const noexcept;

 private:
  struct Place {
    const platform::MappedFile* file = nullptr;  // null: not of a mapped file
    std::size_t offset = 0;
  };
  [[nodiscard]] Place place(std::span<const std::byte> data) const noexcept;
  [[nodiscard]] Result<void> indexTensors();
  std::vector<platform::MappedFile> m_files;  // one for each part; empty after parse()
  std::uint64_t m_fileBytes = 0;
  std::map<std::string, GgufValue, std::less<>> m_metadata;
  std::vector<GgufTensor> m_tensors;
  std::map<std::string, std::size_t, std::less<>> m_tensorIndex;
};

/// Builds a GGUF v3 file in memory order: set metadata, add tensors, then write (temporary file, fsync, rename).
class GgufWriter {
 public:
  using Value = std::variant<std::uint32_t, std::int32_t, std::uint64_t, float, bool, std::string, std::vector<std::string>,
                             std::vector<std::int32_t>, std::vector<float>>;
  void set(std::string key, Value value);  ///< replaces an earlier value; "general.alignment" (uint32) is obeyed
  /// dims[0] is the contiguous dimension. `bytes` must match dims and format. Kept until write().
  void addTensor(std::string name, kernels::FormatId format, std::vector<std::int64_t> dims, std::vector<std::byte> bytes);
  /// The same with bytes that are made only when they are written, so that a large model need not be in memory at once.
  /// `make` must give what dims and format say.
  void addLazyTensor(std::string name, kernels::FormatId format, std::vector<std::int64_t> dims,
                     std::function<Result<std::vector<std::byte>>()> make);
  /// The file appears whole or not at all: an existing one stays until the new one is on the disk.
  /// Errors: InvalidArgument (names, dims, sizes, alignment), DiskFull, PermissionDenied, NotFound (folder), Io, and those of
  /// what makes the tensors.
  [[nodiscard]] Result<void> write(const std::filesystem::path& path) const;

 private:
  struct Tensor {
    std::string name;
    kernels::FormatId format;
    std::vector<std::int64_t> dims;
    std::vector<std::byte> bytes;
    std::function<Result<std::vector<std::byte>>()> make;  ///< instead of bytes
  };
  std::vector<std::pair<std::string, Value>> m_metadata;
  std::vector<Tensor> m_tensors;
};

}  // namespace hearth
