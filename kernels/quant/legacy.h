#pragma once

#include "kernels/quant/fit.h"
#include "kernels/quant/half.h"

namespace hearth::kernels {

/// The formats with blocks of 32: one half-precision scale, for the "_1" kinds also a half-precision minimum.
/// In each, byte j of the nibbles holds element j below and element j+16 above.

/// Q4_0 (18 bytes):  | d: f16 | nibbles[16] |                     x = d · (q − 8)
struct Q4_0Traits {
  static constexpr int kBlockElements = 32;
  static constexpr int kBlockBytes = 18;
  static void dequantizeBlock(const std::byte* block, float* out) noexcept {
    const float d = readHalf(block);
    for (int j = 0; j < 16; ++j) {
      const int byte = std::to_integer<int>(block[2 + j]);
      out[j] = d * static_cast<float>((byte & 15) - 8);
      out[j + 16] = d * static_cast<float>((byte >> 4) - 8);
    }
  }
  static void quantizeBlock(const float* in, std::byte* block) noexcept {
    writeHalf(block, fitSymmetric(in, 32, 8));
    const float d = readHalf(block);  // round with the scale that will be read back
    const float inverse = d != 0.0F ? 1.0F / d : 0.0F;
    for (int j = 0; j < 16; ++j) {
      const int low = roundClamp(in[j] * inverse, -8, 7) + 8;
      const int high = roundClamp(in[j + 16] * inverse, -8, 7) + 8;
      block[2 + j] = static_cast<std::byte>(low | (high << 4));
    }
  }
};

/// Q4_1 (20 bytes):  | d: f16 | m: f16 | nibbles[16] |            x = d · q + m
struct Q4_1Traits {
  static constexpr int kBlockElements = 32;
  static constexpr int kBlockBytes = 20;
  static void dequantizeBlock(const std::byte* block, float* out) noexcept {
    const float d = readHalf(block);
    const float m = readHalf(block + 2);
    for (int j = 0; j < 16; ++j) {
      const int byte = std::to_integer<int>(block[4 + j]);
      out[j] = d * static_cast<float>(byte & 15) + m;
      out[j + 16] = d * static_cast<float>(byte >> 4) + m;
    }
  }
  static void quantizeBlock(const float* in, std::byte* block) noexcept {
    float low = in[0], high = in[0];
    for (int i = 1; i < 32; ++i) {
      low = in[i] < low ? in[i] : low;
      high = in[i] > high ? in[i] : high;
    }
    writeHalf(block, (high - low) / 15.0F);
    writeHalf(block + 2, low);
    const float d = readHalf(block);
    const float m = readHalf(block + 2);
    const float inverse = d != 0.0F ? 1.0F / d : 0.0F;
    for (int j = 0; j < 16; ++j) {
      const int lower = roundClamp((in[j] - m) * inverse, 0, 15);
      const int upper = roundClamp((in[j + 16] - m) * inverse, 0, 15);
      block[4 + j] = static_cast<std::byte>(lower | (upper << 4));
    }
  }
};

/// Q5_0 (22 bytes):  | d: f16 | fifth bits: u32, bit i of element i | nibbles[16] |      x = d · (q − 16)
struct Q5_0Traits {
  static constexpr int kBlockElements = 32;
  static constexpr int kBlockBytes = 22;
  static void dequantizeBlock(const std::byte* block, float* out) noexcept {
    const float d = readHalf(block);
    const auto fifth = readAs<std::uint32_t>(block + 2);
    for (int j = 0; j < 16; ++j) {
      const int byte = std::to_integer<int>(block[6 + j]);
      const int low = (byte & 15) | static_cast<int>(((fifth >> j) & 1U) << 4);
      const int high = (byte >> 4) | static_cast<int>(((fifth >> (j + 16)) & 1U) << 4);
      out[j] = d * static_cast<float>(low - 16);
      out[j + 16] = d * static_cast<float>(high - 16);
    }
  }
  static void quantizeBlock(const float* in, std::byte* block) noexcept {
    writeHalf(block, fitSymmetric(in, 32, 16));
    const float d = readHalf(block);
    const float inverse = d != 0.0F ? 1.0F / d : 0.0F;
    std::uint32_t fifth = 0;
    for (int j = 0; j < 16; ++j) {
      const auto low = static_cast<std::uint32_t>(roundClamp(in[j] * inverse, -16, 15) + 16);
      const auto high = static_cast<std::uint32_t>(roundClamp(in[j + 16] * inverse, -16, 15) + 16);
      block[6 + j] = static_cast<std::byte>((low & 15U) | ((high & 15U) << 4));
      fifth |= ((low >> 4) << j) | ((high >> 4) << (j + 16));
    }
    writeAs(block + 2, fifth);
  }
};

/// Q5_1 (24 bytes):  | d: f16 | m: f16 | fifth bits: u32 | nibbles[16] |      x = d · q + m
struct Q5_1Traits {
  static constexpr int kBlockElements = 32;
  static constexpr int kBlockBytes = 24;
  static void dequantizeBlock(const std::byte* block, float* out) noexcept {
    const float d = readHalf(block);
    const float m = readHalf(block + 2);
    const auto fifth = readAs<std::uint32_t>(block + 4);
    for (int j = 0; j < 16; ++j) {
      const int byte = std::to_integer<int>(block[8 + j]);
      const int low = (byte & 15) | static_cast<int>(((fifth >> j) & 1U) << 4);
      const int high = (byte >> 4) | static_cast<int>(((fifth >> (j + 16)) & 1U) << 4);
      out[j] = d * static_cast<float>(low) + m;
      out[j + 16] = d * static_cast<float>(high) + m;
    }
  }
  static void quantizeBlock(const float* in, std::byte* block) noexcept {
    float low = in[0], high = in[0];
    for (int i = 1; i < 32; ++i) {
      low = in[i] < low ? in[i] : low;
      high = in[i] > high ? in[i] : high;
    }
    writeHalf(block, (high - low) / 31.0F);
    writeHalf(block + 2, low);
    const float d = readHalf(block);
    const float m = readHalf(block + 2);
    const float inverse = d != 0.0F ? 1.0F / d : 0.0F;
    std::uint32_t fifth = 0;
    for (int j = 0; j < 16; ++j) {
      const auto lower = static_cast<std::uint32_t>(roundClamp((in[j] - m) * inverse, 0, 31));
      const auto upper = static_cast<std::uint32_t>(roundClamp((in[j + 16] - m) * inverse, 0, 31));
      block[8 + j] = static_cast<std::byte>((lower & 15U) | ((upper & 15U) << 4));
      fifth |= ((lower >> 4) << j) | ((upper >> 4) << (j + 16));
    }
    writeAs(block + 4, fifth);
  }
};

/// Q8_0 (34 bytes):  | d: f16 | int8[32] |      x = d · q
struct Q8_0Traits {
  static constexpr int kBlockElements = 32;
  static constexpr int kBlockBytes = 34;
  static void dequantizeBlock(const std::byte* block, float* out) noexcept {
    const float d = readHalf(block);
    for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(readAs<std::int8_t>(block + 2 + j));
  }
  static void quantizeBlock(const float* in, std::byte* block) noexcept {
    float extreme = 0.0F;
    for (int i = 0; i < 32; ++i) extreme = std::fabs(in[i]) > extreme ? std::fabs(in[i]) : extreme;
    writeHalf(block, extreme / 127.0F);
    const float d = readHalf(block);
    const float inverse = d != 0.0F ? 1.0F / d : 0.0F;
    for (int j = 0; j < 32; ++j) {
      writeAs(block + 2 + j, static_cast<std::int8_t>(roundClamp(in[j] * inverse, -127, 127)));
    }
  }
};

}  // namespace hearth::kernels
