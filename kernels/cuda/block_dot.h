#pragma once

#include "kernels/cuda/device_layout.h"
#include "kernels/cuda/device_math.h"

namespace hearth::kernels::cuda {

/// One block of 32 weights in registers, on a GPU or (in tests) the host. The weight of level q is scale · (q − offset), and
/// with minimums scale · q + minimum; Q6_K has a scale for each half.
template <FormatId F>
struct WeightBlock {
  static constexpr PlaneShape kShape = planeShape(F);
  static constexpr int kOffset = F == FormatId::Q4_0 ? 8 : F == FormatId::Q5_0 ? 16 : F == FormatId::Q6_K ? 32 : 0;
  static constexpr bool kMinimum = F == FormatId::Q4_1 || F == FormatId::Q5_1 || F == FormatId::Q4_K || F == FormatId::Q5_K;
  static_assert(kShape.quantBytes > 0, "a format of blocks");

  Words4 quants[kShape.quantBytes / 16];
  std::uint32_t upper[2];
  float scale[2];
  float minimum;

  [[nodiscard]] static HEARTH_DEVICE WeightBlock load(const DeviceLayout& layout, const std::byte* matrix, std::int64_t row,
                                                      std::int64_t block) noexcept {
    WeightBlock w;
    const std::byte* quants = matrix + row * layout.rowBytes + block * kShape.quantBytes;
    const std::int64_t index = row * layout.blocks() + block;
    w.quants[0] = loadAs<Words4>(quants);
    if constexpr (kShape.quantBytes == 32) w.quants[1] = loadAs<Words4>(quants + 16);
    w.upper[0] = kShape.upperBytes > 0 ? loadAs<std::uint32_t>(matrix + layout.upper + index * kShape.upperBytes) : 0;
    w.upper[1] = kShape.upperBytes > 4 ? loadAs<std::uint32_t>(matrix + layout.upper + index * kShape.upperBytes + 4) : 0;
    const std::byte* scales = matrix + layout.scales + index * kShape.scaleBytes;
    w.minimum = 0.0F;
    if constexpr (kShape.scaleBytes == 4) {
      const auto pair = loadAs<std::uint32_t>(scales);
      w.scale[0] = w.scale[1] = fromHalf(static_cast<std::uint16_t>(pair & 0xFFFFU));
      w.minimum = fromHalf(static_cast<std::uint16_t>(pair >> 16));
    } else if constexpr (kShape.superBytes == 0) {
      w.scale[0] = w.scale[1] = fromHalf(loadAs<std::uint16_t>(scales));
    } else {
      const auto pair = loadAs<std::uint16_t>(scales);
      const std::byte* super = matrix + layout.supers + (row * (layout.cols / 256) + block / 8) * kShape.superBytes;
      if constexpr (kShape.superBytes == 4) {
        const auto d = loadAs<std::uint32_t>(super);
        w.scale[0] = w.scale[1] = mul(fromHalf(static_cast<std::uint16_t>(d & 0xFFFFU)), static_cast<float>(pair & 0xFFU));
        w.minimum = -mul(fromHalf(static_cast<std::uint16_t>(d >> 16)), static_cast<float>(pair >> 8));
      } else {
        const float d = fromHalf(loadAs<std::uint16_t>(super));
        w.scale[0] = mul(d, static_cast<float>(static_cast<std::int8_t>(pair & 0xFFU)));
        w.scale[1] = mul(d, static_cast<float>(static_cast<std::int8_t>(pair >> 8)));
      }
    }
    return w;
  }

  /// Levels 4 · group … 4 · group + 3 as bytes; group in 0 … 7.
  [[nodiscard]] HEARTH_DEVICE std::uint32_t levels(int group) const noexcept {
    if constexpr (kShape.quantBytes == 32) return quants[group >> 2].w[group & 3];
    else {
      const std::uint32_t nibbles = (quants[0].w[group & 3] >> ((group >> 2) * 4)) & 0x0F0F0F0FU;
      if constexpr (kShape.upperBytes == 4) return nibbles | (spreadBits((upper[0] >> (4 * group)) & 15U) << 4);
      else if constexpr (kShape.upperBytes == 8) return nibbles | (((upper[group >> 2] >> (2 * (group & 3))) & 0x03030303U) << 4);
      else return nibbles;
    }
  }

  /// The 32 weights, bit for bit those of the reference.
  HEARTH_DEVICE void dequantize(float* out) const noexcept {
    HEARTH_UNROLL
    for (int group = 0; group < 8; ++group) {
      const std::uint32_t four = levels(group);
      for (int i = 0; i < 4; ++i) {
        const int level = static_cast<std::int8_t>(four >> (8 * i));
        const float x = mul(scale[group >> 2], static_cast<float>(level - kOffset));
        out[4 * group + i] = kMinimum ? add(x, minimum) : x;
      }
    }
  }

  /// Σ weight · x for 32 activations x ≈ xScale · q; `halfSum` = Σq of q 0 … 15 and of 16 … 31. Sums of products are exact
  /// integers; what remains is float rounding: |error| ≤ 8 · 2^-24 · Σ |scale · q_w · x| and the like for the minimum.
  [[nodiscard]] HEARTH_DEVICE float dot(const std::uint32_t* q, float xScale, std::int32_t halfSum0, std::int32_t halfSum1) const noexcept {
    std::int32_t sum0 = -kOffset * halfSum0, sum1 = -kOffset * halfSum1;
    HEARTH_UNROLL
    for (int group = 0; group < 4; ++group) {
      sum0 = dot4(levels(group), q[group], sum0);
      sum1 = dot4(levels(group + 4), q[group + 4], sum1);
    }
    float x;
    if constexpr (F == FormatId::Q6_K) x = add(mul(scale[0], static_cast<float>(sum0)), mul(scale[1], static_cast<float>(sum1)));
    else x = mul(scale[0], static_cast<float>(sum0 + sum1));
    if constexpr (kMinimum) x = add(x, mul(minimum, static_cast<float>(halfSum0 + halfSum1)));
    return mul(x, xScale);
  }
};

/// Element `col` of a row in a format of floats.
template <FormatId F>
[[nodiscard]] HEARTH_DEVICE float floatElement(const DeviceLayout& layout, const std::byte* matrix, std::int64_t row,
                                               std::int64_t col) noexcept {
  static_assert(planeShape(F).elementBytes > 0, "a format of floats");
  const std::byte* at = matrix + row * layout.rowBytes + col * planeShape(F).elementBytes;
  if constexpr (F == FormatId::F32) return loadAs<float>(at);
  else if constexpr (F == FormatId::F16) return fromHalf(loadAs<std::uint16_t>(at));
  else return fromBfloat(loadAs<std::uint16_t>(at));
}

/// Calls `f.template operator()<F>()` for the format; false when there is no such format of blocks.
template <class Function>
bool withBlockFormat(FormatId format, Function&& f) {
  switch (format) {
    case FormatId::Q4_0: f.template operator()<FormatId::Q4_0>(); return true;
    case FormatId::Q4_1: f.template operator()<FormatId::Q4_1>(); return true;
    case FormatId::Q5_0: f.template operator()<FormatId::Q5_0>(); return true;
    case FormatId::Q5_1: f.template operator()<FormatId::Q5_1>(); return true;
    case FormatId::Q8_0: f.template operator()<FormatId::Q8_0>(); return true;
    case FormatId::Q4_K: f.template operator()<FormatId::Q4_K>(); return true;
    case FormatId::Q5_K: f.template operator()<FormatId::Q5_K>(); return true;
    case FormatId::Q6_K: f.template operator()<FormatId::Q6_K>(); return true;
    default: return false;
  }
}

}  // namespace hearth::kernels::cuda
