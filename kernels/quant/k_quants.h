#pragma once

#include "kernels/quant/fit.h"
#include "kernels/quant/half.h"

namespace hearth::kernels {

/// The K-quants: super-blocks of 256 elements whose sub-block scales are themselves quantised.

/// Eight 6-bit scales and eight 6-bit minimums in twelve bytes (Q4_K and Q5_K):
///   byte 0–3:  scale 0–3 in bits 0–5, bits 4–5 of scale 4–7 in bits 6–7
///   byte 4–7:  minimum 0–3 in bits 0–5, bits 4–5 of minimum 4–7 in bits 6–7
///   byte 8–11: low four bits of scale 4–7 below, of minimum 4–7 above
struct KScales {
  std::uint8_t scale[8];
  std::uint8_t minimum[8];

  [[nodiscard]] static KScales unpack(const std::byte* packed) noexcept {
    KScales s;
    for (int j = 0; j < 4; ++j) {
      const int a = std::to_integer<int>(packed[j]);
      const int b = std::to_integer<int>(packed[j + 4]);
      const int c = std::to_integer<int>(packed[j + 8]);
      s.scale[j] = static_cast<std::uint8_t>(a & 63);
      s.minimum[j] = static_cast<std::uint8_t>(b & 63);
      s.scale[j + 4] = static_cast<std::uint8_t>((c & 15) | ((a >> 6) << 4));
      s.minimum[j + 4] = static_cast<std::uint8_t>((c >> 4) | ((b >> 6) << 4));
    }
    return s;
  }
  void pack(std::byte* packed) const noexcept {
    for (int j = 0; j < 4; ++j) {
      packed[j] = static_cast<std::byte>(scale[j] | ((scale[j + 4] >> 4) << 6));
      packed[j + 4] = static_cast<std::byte>(minimum[j] | ((minimum[j + 4] >> 4) << 6));
      packed[j + 8] = static_cast<std::byte>((scale[j + 4] & 15) | ((minimum[j + 4] & 15) << 4));
    }
  }
};

/// Scales, minimums and levels of one super-block of Q4_K (levels 15) or Q5_K (levels 31): the common part of their quantisers.
struct KAffineBlock {
  std::uint16_t d = 0;
  std::uint16_t dmin = 0;
  KScales scales{};
  std::uint8_t q[256] = {};

  [[nodiscard]] static KAffineBlock quantize(const float* in, int levels) noexcept {
    KAffineBlock block;
    AffineFit fit[8];
    float largestScale = 0.0F, largestMinimum = 0.0F;
    for (int j = 0; j < 8; ++j) {
      fit[j] = fitAffine(in + 32 * j, 32, levels);
      largestScale = fit[j].scale > largestScale ? fit[j].scale : largestScale;
      largestMinimum = fit[j].minimum > largestMinimum ? fit[j].minimum : largestMinimum;
    }
    block.d = floatToHalf(largestScale / 63.0F);
    block.dmin = floatToHalf(largestMinimum / 63.0F);
    const float d = halfToFloat(block.d);
    const float dmin = halfToFloat(block.dmin);
    for (int j = 0; j < 8; ++j) {
      block.scales.scale[j] = static_cast<std::uint8_t>(d > 0.0F ? roundClamp(fit[j].scale / d, 0, 63) : 0);
      block.scales.minimum[j] = static_cast<std::uint8_t>(dmin > 0.0F ? roundClamp(fit[j].minimum / dmin, 0, 63) : 0);
      const float step = d * static_cast<float>(block.scales.scale[j]);
      const float offset = dmin * static_cast<float>(block.scales.minimum[j]);
      const float inverse = step > 0.0F ? 1.0F / step : 0.0F;
      for (int i = 0; i < 32; ++i) {
        block.q[32 * j + i] = static_cast<std::uint8_t>(roundClamp((in[32 * j + i] + offset) * inverse, 0, levels));
      }
    }
    return block;
  }
};

/// Q4_K (144 bytes):  | d: f16 | dmin: f16 | scales[12], see KScales | nibbles[128] |
/// Each 32 bytes of nibbles hold 64 elements: the first 32 below, the next 32 above.   x = (d·scale)·q − dmin·minimum
struct Q4_KTraits {
  static constexpr int kBlockElements = 256;
  static constexpr int kBlockBytes = 144;
  static void dequantizeBlock(const std::byte* block, float* out) noexcept {
    const float d = readHalf(block);
    const float dmin = readHalf(block + 2);
    const KScales s = KScales::unpack(block + 4);
    const std::byte* nibbles = block + 16;
    for (int j = 0; j < 8; ++j) {
      const float scale = d * static_cast<float>(s.scale[j]);
      const float minimum = dmin * static_cast<float>(s.minimum[j]);
      for (int i = 0; i < 32; ++i) {
        const int byte = std::to_integer<int>(nibbles[32 * (j / 2) + i]);
        const int q = (j & 1) != 0 ? byte >> 4 : byte & 15;
        out[32 * j + i] = scale * static_cast<float>(q) - minimum;
      }
    }
  }
  static void quantizeBlock(const float* in, std::byte* block) noexcept {
    const KAffineBlock k = KAffineBlock::quantize(in, 15);
    writeAs(block, k.d);
    writeAs(block + 2, k.dmin);
    k.scales.pack(block + 4);
    for (int pair = 0; pair < 4; ++pair) {
      for (int i = 0; i < 32; ++i) {
        block[16 + 32 * pair + i] = static_cast<std::byte>(k.q[64 * pair + i] | (k.q[64 * pair + 32 + i] << 4));
      }
    }
  }
};

/// Q5_K (176 bytes):  | d: f16 | dmin: f16 | scales[12] | fifth bits[32] | nibbles[128] |
/// Bit j of fifth-bit byte i belongs to element 32·j + i; nibbles as in Q4_K.   x = (d·scale)·q − dmin·minimum
struct Q5_KTraits {
  static constexpr int kBlockElements = 256;
  static constexpr int kBlockBytes = 176;
  static void dequantizeBlock(const std::byte* block, float* out) noexcept {
    const float d = readHalf(block);
    const float dmin = readHalf(block + 2);
    const KScales s = KScales::unpack(block + 4);
    const std::byte* fifth = block + 16;
    const std::byte* nibbles = block + 48;
    for (int j = 0; j < 8; ++j) {
      const float scale = d * static_cast<float>(s.scale[j]);
      const float minimum = dmin * static_cast<float>(s.minimum[j]);
      for (int i = 0; i < 32; ++i) {
        const int byte = std::to_integer<int>(nibbles[32 * (j / 2) + i]);
        const int high = (std::to_integer<int>(fifth[i]) >> j) & 1;
        const int q = ((j & 1) != 0 ? byte >> 4 : byte & 15) | (high << 4);
        out[32 * j + i] = scale * static_cast<float>(q) - minimum;
      }
    }
  }
  static void quantizeBlock(const float* in, std::byte* block) noexcept {
    const KAffineBlock k = KAffineBlock::quantize(in, 31);
    writeAs(block, k.d);
    writeAs(block + 2, k.dmin);
    k.scales.pack(block + 4);
    for (int i = 0; i < 32; ++i) {
      int fifth = 0;
      for (int j = 0; j < 8; ++j) fifth |= (k.q[32 * j + i] >> 4) << j;
      block[16 + i] = static_cast<std::byte>(fifth);
    }
    for (int pair = 0; pair < 4; ++pair) {
      for (int i = 0; i < 32; ++i) {
        block[48 + 32 * pair + i] = static_cast<std::byte>((k.q[64 * pair + i] & 15) | ((k.q[64 * pair + 32 + i] & 15) << 4));
      }
    }
  }
};

/// Q6_K (210 bytes):  | nibbles[128] | upper two bits[64] | scales: int8[16] | d: f16 |     x = (d·scale)·(q − 32)
/// Each half of 128 elements has 64 nibble bytes and 32 upper bytes. Element 32·g + i of a half (g = 0 … 3):
///   nibble byte 32·(g&1) + i, lower nibble for g < 2, upper for g ≥ 2;   upper byte i, bits 2g and 2g+1.
/// A scale covers 16 elements.
struct Q6_KTraits {
  static constexpr int kBlockElements = 256;
  static constexpr int kBlockBytes = 210;
  static void dequantizeBlock(const std::byte* block, float* out) noexcept {
    const float d = readHalf(block + 208);
    for (int e = 0; e < 256; ++e) {
      const float scale = d * static_cast<float>(readAs<std::int8_t>(block + 192 + e / 16));
      out[e] = scale * static_cast<float>(level(block, e) - 32);
    }
  }
  /// The 6-bit value (0 … 63) of element e.
  [[nodiscard]] static int level(const std::byte* block, int e) noexcept {
    const int half = e / 128, g = (e / 32) & 3, i = e & 31;
    const int byte = std::to_integer<int>(block[64 * half + 32 * (g & 1) + i]);
    const int nibble = g >= 2 ? byte >> 4 : byte & 15;
    const int upper = (std::to_integer<int>(block[128 + 32 * half + i]) >> (2 * g)) & 3;
    return nibble | (upper << 4);
  }
  static void quantizeBlock(const float* in, std::byte* block) noexcept {
    float fit[16];
    float extreme = 0.0F;
    for (int j = 0; j < 16; ++j) {
      fit[j] = fitSymmetric(in + 16 * j, 16, 32);
      if (std::fabs(fit[j]) > std::fabs(extreme)) extreme = fit[j];
    }
    writeHalf(block + 208, extreme / -128.0F);
    const float d = readHalf(block + 208);
    for (int i = 0; i < 192; ++i) block[i] = std::byte{0};
    for (int j = 0; j < 16; ++j) {
      const int scale = d != 0.0F ? roundClamp(fit[j] / d, -128, 127) : 0;
      writeAs(block + 192 + j, static_cast<std::int8_t>(scale));
      const float step = d * static_cast<float>(scale);
      const float inverse = step != 0.0F ? 1.0F / step : 0.0F;
      for (int e = 16 * j; e < 16 * (j + 1); ++e) {
        const int q = roundClamp(in[e] * inverse, -32, 31) + 32;
        const int half = e / 128, g = (e / 32) & 3, i = e & 31;
        block[64 * half + 32 * (g & 1) + i] |= static_cast<std::byte>((q & 15) << (g >= 2 ? 4 : 0));
        block[128 + 32 * half + i] |= static_cast<std::byte>((q >> 4) << (2 * g));
      }
    }
  }
};

}  // namespace hearth::kernels
