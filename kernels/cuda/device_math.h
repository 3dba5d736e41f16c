#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/quant/half.h"

#if defined(__CUDACC__)
#include <cuda_fp16.h>
#define HEARTH_DEVICE __host__ __device__ __forceinline__
#define HEARTH_UNROLL _Pragma("unroll")
#else
#define HEARTH_DEVICE inline
#define HEARTH_UNROLL _Pragma("GCC unroll 8")
#endif

/// Arithmetic that the host and a GPU do in the same way, bit for bit: the host's tests then prove the device's routines.
namespace hearth::kernels::cuda {

// nvcc fuses a multiplication and an addition where it may; these are never fused.
[[nodiscard]] HEARTH_DEVICE float mul(float a, float b) noexcept {
#if defined(__CUDA_ARCH__)
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}
[[nodiscard]] HEARTH_DEVICE float add(float a, float b) noexcept {
#if defined(__CUDA_ARCH__)
  return __fadd_rn(a, b);
#else
  return a + b;
#endif
}
[[nodiscard]] HEARTH_DEVICE float sub(float a, float b) noexcept {
#if defined(__CUDA_ARCH__)
  return __fsub_rn(a, b);
#else
  return a - b;
#endif
}

[[nodiscard]] HEARTH_DEVICE float fromHalf(std::uint16_t half) noexcept {
#if defined(__CUDA_ARCH__)
  return __half2float(__ushort_as_half(half));
#else
  return halfToFloat(half);
#endif
}
[[nodiscard]] HEARTH_DEVICE float fromBfloat(std::uint16_t value) noexcept {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(static_cast<std::uint32_t>(value) << 16);
#else
  return bfloatToFloat(value);
#endif
}

/// start + Σ a_i · b_i over the four bytes of each word, both signed.
[[nodiscard]] HEARTH_DEVICE std::int32_t dot4(std::uint32_t a, std::uint32_t b, std::int32_t start) noexcept {
#if defined(__CUDA_ARCH__)
  return __dp4a(static_cast<int>(a), static_cast<int>(b), start);
#else
  for (int i = 0; i < 4; ++i) {
    start += static_cast<std::int8_t>(a >> (8 * i)) * static_cast<std::int8_t>(b >> (8 * i));
  }
  return start;
#endif
}

/// Four bits to the lowest bits of four bytes. The products of the four shifts fall on different bits.
[[nodiscard]] HEARTH_DEVICE std::uint32_t spreadBits(std::uint32_t four) noexcept { return (four * 0x00204081U) & 0x01010101U; }

/// Sixteen bytes that one load instruction fetches.
struct alignas(16) Words4 {
  std::uint32_t w[4];
};

template <class T>
[[nodiscard]] HEARTH_DEVICE T loadAs(const std::byte* from) noexcept {
#if defined(__CUDA_ARCH__)
  return *reinterpret_cast<const T*>(from);  // aligned by the layout
#else
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
#endif
}

}  // namespace hearth::kernels::cuda
