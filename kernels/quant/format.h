#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hearth::kernels {

/// GGUF tensor storage formats; the values are the type numbers of the GGUF specification (ggml docs/gguf.md).
enum class FormatId : std::uint32_t {
  F32 = 0, F16 = 1, Q4_0 = 2, Q4_1 = 3, Q5_0 = 6, Q5_1 = 7, Q8_0 = 8, Q4_K = 12, Q5_K = 13, Q6_K = 14,
  I8 = 24, I16 = 25, I32 = 26, BF16 = 30,
};

/// One storage format: how many elements and bytes a block has, and the reference conversions. A new format is one
/// traits file in this folder plus one line in format.cpp.
struct FormatInfo {
  FormatId id;
  const char* name;            ///< "Q4_K"
  std::int64_t blockElements;  ///< elements in a block: 1, 32 or 256
  std::int64_t blockBytes;
  /// Reference: `count` elements (a multiple of blockElements) from blocks to floats.
  void (*dequantize)(const std::byte* source, float* destination, std::int64_t count) noexcept;
  /// Floats to blocks; null where we do not write the format.
  void (*quantize)(const float* source, std::byte* destination, std::int64_t count) noexcept;
};

/// All formats that can be read, in registry order.
[[nodiscard]] std::span<const FormatInfo> formats() noexcept;
/// Null when the format is unknown: take care to refuse, the number comes from a file.
[[nodiscard]] const FormatInfo* findFormat(std::uint32_t ggufType) noexcept;
[[nodiscard]] inline const FormatInfo* findFormat(FormatId id) noexcept { return findFormat(static_cast<std::uint32_t>(id)); }

}  // namespace hearth::kernels
