#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace hearth::kernels {

/// IEEE binary16 to float, exactly; subnormals, infinities and NaN payloads (quieted) included.
[[nodiscard]] inline float halfToFloat(std::uint16_t half) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1FU;
  const std::uint32_t mantissa = half & 0x3FFU;
  if (exponent == 0) {
    // Zero or subnormal: the value is mantissa · 2^-24, exact in float.
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  if (exponent == 31) {
    const std::uint32_t quiet = mantissa == 0 ? 0U : 0x400000U;
    return std::bit_cast<float>(sign | 0x7F800000U | quiet | (mantissa << 13));
  }
  return std::bit_cast<float>(sign | ((exponent + 112U) << 23) | (mantissa << 13));
}

/// Float to IEEE binary16, rounding to nearest even; overflow becomes infinity, NaN stays a NaN.
[[nodiscard]] inline std::uint16_t floatToHalf(float value) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude >= 0x7F800000U) {
    const std::uint32_t payload = magnitude > 0x7F800000U ? (0x200U | ((magnitude >> 13) & 0x3FFU)) : 0U;
    return static_cast<std::uint16_t>(sign | 0x7C00U | payload);
  }
  if (magnitude < 0x38800000U) {
    // Below 2^-14: adding 0.5 aligns the value's bits so that the addition itself rounds to a multiple of 2^-24.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3F000000U));
  }
  // Re-bias, then round half to even; a carry out of the mantissa moves into the exponent as it should.
  const std::uint32_t rounded = magnitude - 0x38000000U + 0xFFFU + ((magnitude >> 13) & 1U);
  const std::uint32_t half = rounded >> 13;
  return static_cast<std::uint16_t>(sign | (half > 0x7C00U ? 0x7C00U : half));
}

[[nodiscard]] inline float bfloatToFloat(std::uint16_t value) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

/// Float to bfloat16, rounding to nearest even; NaN stays a (quiet) NaN.
[[nodiscard]] inline std::uint16_t floatToBfloat(float value) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
    return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  }
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

/// Unaligned reads and writes of file bytes (GGUF is little-endian; so is every machine we build for).
template <class T>
[[nodiscard]] inline T readAs(const std::byte* source) noexcept {
  T value;
  std::memcpy(&value, source, sizeof(T));
  return value;
}
template <class T>
inline void writeAs(std::byte* destination, T value) noexcept {
  std::memcpy(destination, &value, sizeof(T));
}
[[nodiscard]] inline float readHalf(const std::byte* source) noexcept { return halfToFloat(readAs<std::uint16_t>(source)); }
inline void writeHalf(std::byte* destination, float value) noexcept { writeAs(destination, floatToHalf(value)); }

}  // namespace hearth::kernels
