// What GPUs compute with weights, run by the host: the routines are the same source.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/cuda/block_dot.h"

namespace hearth::kernels::cuda {
namespace {

/// Random bits, but for the half-precision scales, which are finite.
std::vector<std::byte> randomMatrix(const FormatInfo& info, std::int64_t rows, std::int64_t cols, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 0.05F);
  std::vector<std::byte> bytes(static_cast<std::size_t>(rows * (cols / info.blockElements) * info.blockBytes));
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
  for (std::size_t at = 0; at < bytes.size(); at += static_cast<std::size_t>(info.blockBytes)) {
    const auto half = [&](std::size_t offset) { writeHalf(bytes.data() + at + offset, normal(random)); };
    switch (info.id) {
      case FormatId::Q4_1: case FormatId::Q5_1: case FormatId::Q4_K: case FormatId::Q5_K: half(0); half(2); break;
      case FormatId::Q6_K: half(208); break;
      case FormatId::F32: writeAs(bytes.data() + at, normal(random)); break;
      case FormatId::BF16: writeAs(bytes.data() + at, floatToBfloat(normal(random))); break;
      default: half(0); break;
    }
  }
  return bytes;
}

struct Size {
  std::int64_t rows, blocks;
};
const Size kSizes[] = {{1, 1}, {3, 2}, {7, 5}, {33, 1}, {5, 33}, {130, 3}};

std::vector<float> reference(const FormatInfo& info, const std::vector<std::byte>& stored, std::int64_t count) {
  std::vector<float> floats(static_cast<std::size_t>(count));
  info.dequantize(stored.data(), floats.data(), count);
  return floats;
}

/// Every element of a packed matrix, as a GPU would read it.
std::vector<float> unpack(const DeviceLayout& layout, const std::byte* packed) {
  std::vector<float> out(static_cast<std::size_t>(layout.rows * layout.cols));
  const auto at = [&](std::int64_t row, std::int64_t col) { return out.data() + row * layout.cols + col; };
  const bool blocks = withBlockFormat(layout.format, [&]<FormatId F>() {
    for (std::int64_t row = 0; row < layout.rows; ++row) {
      for (std::int64_t b = 0; b < layout.blocks(); ++b) WeightBlock<F>::load(layout, packed, row, b).dequantize(at(row, 32 * b));
    }
  });
  for (std::int64_t row = 0; !blocks && row < layout.rows; ++row) {
    for (std::int64_t col = 0; col < layout.cols; ++col) {
      *at(row, col) = layout.format == FormatId::F32   ? floatElement<FormatId::F32>(layout, packed, row, col)
                      : layout.format == FormatId::F16 ? floatElement<FormatId::F16>(layout, packed, row, col)
                                                       : floatElement<FormatId::BF16>(layout, packed, row, col);
    }
  }
  return out;
}

/// 16-byte aligned, with bytes behind it that nobody may write.
struct Packed {
  explicit Packed(std::int64_t bytes) : words(static_cast<std::size_t>(bytes) / sizeof(Words4) + 4), size(static_cast<std::size_t>(bytes)) {
    std::memset(words.data(), 0xFB, words.size() * sizeof(Words4));
  }
  std::byte* data() { return reinterpret_cast<std::byte*>(words.data()); }
  bool guarded() {
    return std::all_of(data() + size, data() + words.size() * sizeof(Words4), [](std::byte b) { return b == std::byte{0xFB}; });
  }
  std::vector<Words4> words;
  std::size_t size;
};

TEST(CudaBlock, EveryFormatComesBackBitForBit) {
  for (const FormatInfo& info : formats()) {
    for (const Size& size : kSizes) {
      const std::int64_t cols = info.blockElements == 1 ? 7 * size.blocks : size.blocks * info.blockElements;
      SCOPED_TRACE(testing::Message() << info.name << ' ' << size.rows << " x " << cols);
      const DeviceLayout layout = planDeviceLayout(info.id, size.rows, cols);
      ASSERT_GT(layout.matrixBytes, 0);
      ASSERT_EQ(layout.matrixBytes % 256, 0);
      const std::vector<std::byte> stored = randomMatrix(info, size.rows, cols, 7U + static_cast<unsigned>(size.rows));
      Packed packed(layout.matrixBytes);
      // In pieces and out of order, as threads do.
      const std::int64_t middle = size.rows / 2;
      repackRows(layout, stored.data(), packed.data(), middle, size.rows);
      repackRows(layout, stored.data(), packed.data(), 0, middle);
      EXPECT_TRUE(packed.guarded());
      const std::vector<float> expected = reference(info, stored, size.rows * cols);
      const std::vector<float> found = unpack(layout, packed.data());
      ASSERT_EQ(std::memcmp(expected.data(), found.data(), expected.size() * sizeof(float)), 0);
    }
  }
}

TEST(CudaBlock, MatricesOfAStackLieApart) {
  const FormatInfo& info = *findFormat(FormatId::Q5_K);
  constexpr std::int64_t kRows = 5, kCols = 768, kExperts = 6;
  const DeviceLayout layout = planDeviceLayout(info.id, kRows, kCols);
  const std::vector<std::byte> stored = randomMatrix(info, kRows * kExperts, kCols, 3);
  const auto stride = stored.size() / kExperts;
  Packed packed(layout.matrixBytes * kExperts);
  for (std::size_t e = kExperts; e-- > 0;) {
    repackRows(layout, stored.data() + e * stride, packed.data() + static_cast<std::int64_t>(e) * layout.matrixBytes, 0, kRows);
  }
  const std::vector<float> expected = reference(info, stored, kRows * kExperts * kCols);
  for (std::size_t e = 0; e < kExperts; ++e) {
    const std::vector<float> found = unpack(layout, packed.data() + static_cast<std::int64_t>(e) * layout.matrixBytes);
    EXPECT_EQ(std::memcmp(expected.data() + e * kRows * kCols, found.data(), found.size() * sizeof(float)), 0) << e;
  }
}

TEST(CudaBlock, ThePlanesAreAsTheirIndicesSayAndDoNotOverlap) {
  for (const FormatInfo& info : formats()) {
    SCOPED_TRACE(info.name);
    const DeviceLayout layout = planDeviceLayout(info.id, 9, 1280);
    const PlaneShape shape = planeShape(info.id);
    if (shape.quantBytes == 0) {
      EXPECT_EQ(layout.rowBytes, 1280 * shape.elementBytes);
      continue;
    }
    std::vector<char> owner(static_cast<std::size_t>(layout.matrixBytes), 0);
    std::int64_t claimed = 0;
    const auto claim = [&](std::int64_t at, int bytes, int alignment) {
      EXPECT_EQ(at % alignment, 0);
      for (int i = 0; i < bytes; ++i, ++claimed) {
        ASSERT_LT(at + i, layout.matrixBytes);
        EXPECT_EQ(owner[static_cast<std::size_t>(at + i)]++, 0);
      }
    };
    for (std::int64_t row = 0; row < 9; ++row) {
      for (std::int64_t b = 0; b < layout.blocks(); ++b) {
        claim(layout.quantAt(row, b), shape.quantBytes, 16);
        if (shape.upperBytes > 0) claim(layout.upperAt(row, b), shape.upperBytes, 4);
        claim(layout.scaleAt(row, b), shape.scaleBytes, shape.scaleBytes);
        if (shape.superBytes > 0 && b % 8 == 0) claim(layout.superAt(row, b), shape.superBytes, shape.superBytes);
      }
    }
    EXPECT_LE(layout.matrixBytes - claimed, 4 * 256);
  }
}

TEST(CudaBlock, ShapesWithoutALayoutHaveNoBytes) {
  EXPECT_EQ(planDeviceLayout(FormatId::Q4_K, 4, 128).matrixBytes, 0);
  EXPECT_EQ(planDeviceLayout(FormatId::Q4_0, 4, 33).matrixBytes, 0);
  EXPECT_EQ(planDeviceLayout(FormatId::Q4_0, 0, 32).matrixBytes, 0);
  EXPECT_EQ(planDeviceLayout(FormatId::Q4_0, -1, 32).matrixBytes, 0);
  EXPECT_EQ(planDeviceLayout(FormatId::Q4_0, std::int64_t{1} << 40, 32).matrixBytes, 0);
  EXPECT_EQ(planDeviceLayout(FormatId::I32, 4, 32).matrixBytes, 0);
  EXPECT_EQ(planDeviceLayout(static_cast<FormatId>(999), 4, 32).matrixBytes, 0);
}

TEST(CudaBlock, DotsAreThoseOfTheScalarReference) {
  std::mt19937 random(11);
  for (const FormatInfo& info : formats()) {
    if (planeShape(info.id).quantBytes == 0) continue;
    SCOPED_TRACE(info.name);
    constexpr std::int64_t kRows = 40, kCols = 512;
    const std::vector<std::byte> stored = randomMatrix(info, kRows, kCols, 23);
    const std::vector<float> weights = reference(info, stored, kRows * kCols);
    const DeviceLayout layout = planDeviceLayout(info.id, kRows, kCols);
    Packed packed(layout.matrixBytes);
    repackRows(layout, stored.data(), packed.data(), 0, kRows);
    ASSERT_TRUE(withBlockFormat(info.id, [&]<FormatId F>() {
      for (std::int64_t row = 0; row < kRows; ++row) {
        for (std::int64_t b = 0; b < layout.blocks(); ++b) {
          std::int8_t q[32];
          std::uint32_t words[8];
          std::int32_t sums[2] = {0, 0};
          // Extremes on the first rows: there the integer sums are largest.
          for (int i = 0; i < 32; ++i) {
            q[i] = static_cast<std::int8_t>(row == 0 ? 127 : row == 1 ? -127 : static_cast<int>(random() % 255) - 127);
            sums[i / 16] += q[i];
          }
          std::memcpy(words, q, 32);
          const float xScale = 0.013F;
          const float found = WeightBlock<F>::load(layout, packed.data(), row, b).dot(words, xScale, sums[0], sums[1]);
          double expected = 0, magnitude = 0;
          for (int i = 0; i < 32; ++i) {
            const double x = static_cast<double>(xScale) * q[i];
            expected += static_cast<double>(weights[static_cast<std::size_t>(row * kCols + 32 * b + i)]) * x;
            // With a minimum the two terms may cancel: what is rounded is as large as they are.
            magnitude += std::fabs(x);
          }
          const auto block = WeightBlock<F>::load(layout, packed.data(), row, b);
          magnitude *= std::max(std::fabs(block.scale[0]), std::fabs(block.scale[1])) * 255.0 + std::fabs(block.minimum);
          ASSERT_NEAR(found, expected, 5e-7 * magnitude) << row << ' ' << b;
        }
      }
    }));
  }
}

TEST(CudaBlock, BitsSpreadOverBytes) {
  for (std::uint32_t four = 0; four < 16; ++four) {
    std::uint32_t expected = 0;
    for (unsigned i = 0; i < 4; ++i) expected |= ((four >> i) & 1U) << (8 * i);
    EXPECT_EQ(spreadBits(four), expected);
  }
}

}  // namespace
}  // namespace hearth::kernels::cuda
