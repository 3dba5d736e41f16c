#include "kernels/cuda/device_layout.h"

#include <cstring>

#include "kernels/quant/k_quants.h"
#include "kernels/quant/legacy.h"

namespace hearth::kernels::cuda {
namespace {

constexpr std::int64_t roundUp(std::int64_t value, std::int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

/// Levels of one block of 32 into the planes' form: the low four bits, and what is above them.
void packNibbles(const std::uint8_t* level, std::byte* quants) noexcept {
  for (int i = 0; i < 16; ++i) quants[i] = static_cast<std::byte>((level[i] & 15) | ((level[i + 16] & 15) << 4));
}
void packFifth(const std::uint8_t* level, std::byte* upper) noexcept {
  std::uint32_t word = 0;
  for (unsigned i = 0; i < 32; ++i) word |= (static_cast<std::uint32_t>(level[i]) >> 4 & 1U) << i;
  writeAs(upper, word);
}
void packUpperTwo(const std::uint8_t* level, std::byte* upper) noexcept {
  for (int byte = 0; byte < 8; ++byte) {
    int bits = 0;
    for (int j = 0; j < 4; ++j) bits |= ((level[16 * (byte / 4) + byte % 4 + 4 * j] >> 4) & 3) << (2 * j);
    upper[byte] = static_cast<std::byte>(bits);
  }
}

/// A block of 32 of the formats without super-blocks: scales first, then fifth bits, then nibbles, which lie as ours do.
void repackBlock(const DeviceLayout& layout, const std::byte* block, std::byte* packed, std::int64_t row, std::int64_t index) noexcept {
  const PlaneShape shape = planeShape(layout.format);
  std::memcpy(packed + layout.scaleAt(row, index), block, static_cast<std::size_t>(shape.scaleBytes));
  block += shape.scaleBytes;
  if (shape.upperBytes > 0) std::memcpy(packed + layout.upperAt(row, index), block, static_cast<std::size_t>(shape.upperBytes));
  block += shape.upperBytes;
  std::memcpy(packed + layout.quantAt(row, index), block, static_cast<std::size_t>(shape.quantBytes));
}

/// A super-block of Q4_K or Q5_K.
void repackAffine(const DeviceLayout& layout, const std::byte* block, std::byte* packed, std::int64_t row, std::int64_t first) noexcept {
  const bool five = layout.format == FormatId::Q5_K;
  std::memcpy(packed + layout.superAt(row, first), block, 4);
  const KScales scales = KScales::unpack(block + 4);
  const std::byte* nibbles = block + (five ? 48 : 16);
  for (int j = 0; j < 8; ++j) {
    std::uint8_t level[32];
    for (int i = 0; i < 32; ++i) {
      const int byte = std::to_integer<int>(nibbles[32 * (j / 2) + i]);
      const int high = five ? (std::to_integer<int>(block[16 + i]) >> j) & 1 : 0;
      level[i] = static_cast<std::uint8_t>(((j & 1) != 0 ? byte >> 4 : byte & 15) | (high << 4));
    }
    packNibbles(level, packed + layout.quantAt(row, first + j));
    if (five) packFifth(level, packed + layout.upperAt(row, first + j));
    std::byte* pair = packed + layout.scaleAt(row, first + j);
    writeAs(pair, scales.scale[j]);
    writeAs(pair + 1, scales.minimum[j]);
  }
}

void repackSixes(const DeviceLayout& layout, const std::byte* block, std::byte* packed, std::int64_t row, std::int64_t first) noexcept {
  std::memcpy(packed + layout.superAt(row, first), block + 208, 2);
  for (int j = 0; j < 8; ++j) {
    std::uint8_t level[32];
    for (int i = 0; i < 32; ++i) level[i] = static_cast<std::uint8_t>(Q6_KTraits::level(block, 32 * j + i));
    packNibbles(level, packed + layout.quantAt(row, first + j));
    packUpperTwo(level, packed + layout.upperAt(row, first + j));
    std::memcpy(packed + layout.scaleAt(row, first + j), block + 192 + 2 * j, 2);
  }
}

}  // namespace

DeviceLayout planDeviceLayout(FormatId format, std::int64_t rows, std::int64_t cols) noexcept {
  const FormatInfo* info = findFormat(format);
  const PlaneShape shape = planeShape(format);
  constexpr std::int64_t kMost = std::int64_t{1} << 28;
  if (info == nullptr || rows <= 0 || cols <= 0 || rows > kMost || cols > kMost || cols % info->blockElements != 0) return {};
  if (shape.quantBytes == 0 && shape.elementBytes == 0) return {};
  DeviceLayout layout{format, rows, cols};
  const std::int64_t blocks = rows * (cols / 32);
  layout.rowBytes = shape.elementBytes > 0 ? roundUp(cols * shape.elementBytes, 16) : cols / 32 * shape.quantBytes;
  layout.upper = roundUp(rows * layout.rowBytes, 256);
  layout.scales = layout.upper + roundUp(blocks * shape.upperBytes, 256);
  layout.supers = layout.scales + roundUp(blocks * shape.scaleBytes, 256);
  layout.matrixBytes = layout.supers + roundUp(rows * (cols / 256) * shape.superBytes, 256);
  return layout;
}

void repackRows(const DeviceLayout& layout, const std::byte* source, std::byte* packed, std::int64_t rowBegin,
                std::int64_t rowEnd) noexcept {
  const PlaneShape shape = planeShape(layout.format);
  const FormatInfo& info = *findFormat(layout.format);
  const std::int64_t sourceRow = layout.cols / info.blockElements * info.blockBytes;
  for (std::int64_t row = rowBegin; row < rowEnd; ++row) {
    const std::byte* from = source + row * sourceRow;
    if (shape.elementBytes > 0) {
      const std::int64_t used = layout.cols * shape.elementBytes;
      std::memcpy(packed + row * layout.rowBytes, from, static_cast<std::size_t>(used));
      std::memset(packed + row * layout.rowBytes + used, 0, static_cast<std::size_t>(layout.rowBytes - used));
      continue;
    }
    for (std::int64_t element = 0; element < layout.cols; element += info.blockElements, from += info.blockBytes) {
      switch (layout.format) {
        case FormatId::Q4_K:
        case FormatId::Q5_K: repackAffine(layout, from, packed, row, element / 32); break;
        case FormatId::Q6_K: repackSixes(layout, from, packed, row, element / 32); break;
        default: repackBlock(layout, from, packed, row, element / 32); break;
      }
    }
  }
}

}  // namespace hearth::kernels::cuda
