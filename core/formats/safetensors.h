#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/platform/platform.h"
#include "kernels/quant/format.h"

namespace hearth {

struct SafetensorsTensor {
  std::string name;
  std::string type;                             ///< as the file names it: "F32", "BF16", "I64" …
  const kernels::FormatInfo* format = nullptr;  ///< of the types that weights have (F32, F16, BF16); null for all others
  std::vector<std::int64_t> shape;              ///< outermost first, as PyTorch prints it; empty = a scalar
  std::span<const std::byte> data;              ///< view into the mapping, exactly the tensor's bytes, little-endian
  [[nodiscard]] std::int64_t elements() const noexcept;
};

/// A memory-mapped safetensors file (format: huggingface.co/docs/safetensors): eight bytes of length, a JSON header, then
/// the tensors. Owns the mapping; everything returned is valid while it lives. Immutable after open, any thread. Names,
/// shapes and offsets were checked: every tensor has exactly the bytes that its shape says, none overlaps another, none is
/// left over.
class SafetensorsFile {
 public:
  /// Errors: NotFound, Truncated, WrongMagic (no such header), Corrupt (evidence says which tensor), UnsupportedFormat (a
  /// type of tensor that we do not know), Io.
  [[nodiscard]] static Result<SafetensorsFile> open(const std::filesystem::path& path);
  /// Same, over bytes that the caller keeps alive (fuzzing, tests).
  [[nodiscard]] static Result<SafetensorsFile> parse(std::span<const std::byte> bytes);

  [[nodiscard]] std::span<const SafetensorsTensor> tensors() const noexcept { return m_tensors; }  ///< by place in the file
  [[nodiscard]] const SafetensorsTensor* tensor(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& metadata() const noexcept { return m_metadata; }
  [[nodiscard]] bool unchanged() const noexcept { return m_file.bytes().empty() || m_file.unchanged(); }

 private:
  platform::MappedFile m_file;
  std::map<std::string, std::string, std::less<>> m_metadata;
  std::vector<SafetensorsTensor> m_tensors;
  std::map<std::string, std::size_t, std::less<>> m_index;
};

}  // namespace hearth
