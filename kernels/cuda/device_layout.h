#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/quant/format.h"

#if defined(__CUDACC__)
#define HEARTH_DEVICE_INDEX __host__ __device__ __forceinline__
#else
#define HEARTH_DEVICE_INDEX inline
#endif

namespace hearth::kernels::cuda {

/// Weights in a GPU's memory: the file's bits, taken apart into planes so that neighbouring threads load neighbouring 16-byte
/// words. Rows are kept; the 32 lanes of a warp take 32 neighbouring blocks of 32 elements of one row:
///
///   quants   16 bytes a block (4, 5, 6 bits): byte i has element i below and element i + 16 above;
///            32 bytes a block (8 bits): element i in byte i
///   upper    5 bits: one word a block, bit i is element i's fifth. 6 bits: two words a block, for elements 0 … 15 and
///            16 … 31: byte b has the upper two bits of elements b, b + 4, b + 8, b + 12, from the lowest up
///   scales   of a block: half d | half d, half m | u8 scale, u8 minimum (Q4_K, Q5_K) | i8, i8 of its halves (Q6_K)
///   supers   of a super-block of 256: half d, half dmin (Q4_K, Q5_K) | half d (Q6_K)
///
/// F32, F16 and BF16 have one plane of elements, each row beginning at a multiple of 16 bytes. Planes begin at multiples of
/// 256 bytes; so do the matrices of a stack (experts), `matrixBytes` apart.
struct PlaneShape {
  int quantBytes = 0;  ///< of a block of 32; 0: a format of floats
  int upperBytes = 0, scaleBytes = 0;
  int superBytes = 0;    ///< of a super-block of 256
  int elementBytes = 0;  ///< of the formats of floats
};

[[nodiscard]] HEARTH_DEVICE_INDEX constexpr PlaneShape planeShape(FormatId format) noexcept {
  switch (format) {
    case FormatId::Q4_0: return {16, 0, 2, 0, 0};
    case FormatId::Q4_1: return {16, 0, 4, 0, 0};
    case FormatId::Q5_0: return {16, 4, 2, 0, 0};
    case FormatId::Q5_1: return {16, 4, 4, 0, 0};
    case FormatId::Q8_0: return {32, 0, 2, 0, 0};
    case FormatId::Q4_K: return {16, 0, 2, 4, 0};
    case FormatId::Q5_K: return {16, 4, 2, 4, 0};
    case FormatId::Q6_K: return {16, 8, 2, 2, 0};
    case FormatId::F16:
    case FormatId::BF16: return {0, 0, 0, 0, 2};
    case FormatId::F32: return {0, 0, 0, 0, 4};
    default: return {};
  }
}

struct DeviceLayout {
  FormatId format = FormatId::F32;
  std::int64_t rows = 0, cols = 0;
  std::int64_t upper = 0, scales = 0, supers = 0;  ///< where the planes begin; the quants (or elements) at 0
  std::int64_t rowBytes = 0;                       ///< of quants or elements
  std::int64_t matrixBytes = 0;                    ///< of one matrix, a multiple of 256; 0: there is no such layout

  [[nodiscard]] HEARTH_DEVICE_INDEX std::int64_t blocks() const noexcept { return cols / 32; }
  [[nodiscard]] HEARTH_DEVICE_INDEX std::int64_t quantAt(std::int64_t row, std::int64_t block) const noexcept {
    return row * rowBytes + block * planeShape(format).quantBytes;
  }
  [[nodiscard]] HEARTH_DEVICE_INDEX std::int64_t upperAt(std::int64_t row, std::int64_t block) const noexcept {
    return upper + (row * blocks() + block) * planeShape(format).upperBytes;
  }
  [[nodiscard]] HEARTH_DEVICE_INDEX std::int64_t scaleAt(std::int64_t row, std::int64_t block) const noexcept {
    return scales + (row * blocks() + block) * planeShape(format).scaleBytes;
  }
  [[nodiscard]] HEARTH_DEVICE_INDEX std::int64_t superAt(std::int64_t row, std::int64_t block) const noexcept {
    return supers + (row * (cols / 256) + block / 8) * planeShape(format).superBytes;
  }
};

/// matrixBytes is 0 when the format is unknown, a dimension is not positive, or the columns are no whole blocks.
[[nodiscard]] DeviceLayout planDeviceLayout(FormatId format, std::int64_t rows, std::int64_t cols) noexcept;

/// Moves rows [rowBegin, rowEnd) of a matrix as stored in the file to `packed` [matrixBytes]. Rows are independent: several
/// threads may each take some. The gaps between planes are left as they are.
void repackRows(const DeviceLayout& layout, const std::byte* source, std::byte* packed, std::int64_t rowBegin,
                std::int64_t rowEnd) noexcept;

}  // namespace hearth::kernels::cuda
