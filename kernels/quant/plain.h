#pragma once

#include "kernels/quant/half.h"

namespace hearth::kernels {

/// F32, F16 and BF16: no blocks, one element after the other.

struct F32Traits {
  static constexpr int kBlockElements = 1;
  static constexpr int kBlockBytes = 4;
  static void dequantizeBlock(const std::byte* block, float* out) noexcept { *out = readAs<float>(block); }
  static void quantizeBlock(const float* in, std::byte* block) noexcept { writeAs(block, *in); }
};

struct F16Traits {
  static constexpr int kBlockElements = 1;
  static constexpr int kBlockBytes = 2;
  static void dequantizeBlock(const std::byte* block, float* out) noexcept { *out = readHalf(block); }
  static void quantizeBlock(const float* in, std::byte* block) noexcept { writeHalf(block, *in); }
};

struct Bf16Traits {
  static constexpr int kBlockElements = 1;
  static constexpr int kBlockBytes = 2;
  static void dequantizeBlock(const std::byte* block, float* out) noexcept { *out = bfloatToFloat(readAs<std::uint16_t>(block)); }
  static void quantizeBlock(const float* in, std::byte* block) noexcept { writeAs(block, floatToBfloat(*in)); }
};

}  // namespace hearth::kernels
