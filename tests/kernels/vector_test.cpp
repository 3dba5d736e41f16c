#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/quant/half.h"
#include "tests/kernels/support.h"

namespace hearth::kernels {
namespace {

using testing::randomFloats;

constexpr std::int64_t kLengths[] = {1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 576, 1000};

template <class Body>
void forEachTable(Body body) {
  for (const KernelTable* table : availableKernels()) {
    SCOPED_TRACE(table->isa);
    body(*table);
  }
}

TEST(Vector, RmsNormMatchesDoublePrecision) {
  forEachTable([](const KernelTable& table) {
    for (const std::int64_t n : kLengths) {
      const auto size = static_cast<std::size_t>(n);
      const std::vector<float> x = randomFloats(size, 1, 3.0F), w = randomFloats(size, 2);
      std::vector<float> out(size + 1, 99.0F);
      table.rmsNorm(x.data(), w.data(), 1e-6F, n, out.data());
      double sum = 0.0;
      for (const float v : x) sum += static_cast<double>(v) * v;
      const double factor = 1.0 / std::sqrt(sum / static_cast<double>(n) + 1e-6);
      for (std::size_t i = 0; i < size; ++i)
        ASSERT_NEAR(out[i], x[i] * factor * w[i], 2e-6 * (std::fabs(x[i] * factor * w[i]) + 1e-6)) << n;
      EXPECT_EQ(out[size], 99.0F);
      std::vector<float> inPlace = x;
      table.rmsNorm(inPlace.data(), w.data(), 1e-6F, n, inPlace.data());
      EXPECT_TRUE(std::equal(inPlace.begin(), inPlace.end(), out.begin()));
    }
  });
}

TEST(Vector, RopeRotatesThePairsOfItsStyleAndKeepsTheRest) {
  forEachTable([](const KernelTable& table) {
    for (const RopeStyle style : {RopeStyle::Interleaved, RopeStyle::HalfSplit}) {
      for (const auto& [headDim, dims] : {std::pair{64, 64}, {128, 128}, {80, 80}, {64, 32}, {10, 6}, {256, 256}}) {
        const int heads = 3;
        const std::vector<float> x = randomFloats(static_cast<std::size_t>(heads * headDim), 3);
        std::vector<float> c, s;
        for (int i = 0; i < dims / 2; ++i) {
          c.push_back(std::cos(0.37F * static_cast<float>(i + 1)));
          s.push_back(std::sin(0.37F * static_cast<float>(i + 1)));
        }
        std::vector<float> y = x;
        table.rope(y.data(), heads, headDim, dims, style, c.data(), s.data());
        std::vector<double> expected(x.begin(), x.end());
        for (int h = 0; h < heads; ++h) {
          for (int i = 0; i < dims / 2; ++i) {
            const auto a = static_cast<std::size_t>(h * headDim + (style == RopeStyle::Interleaved ? 2 * i : i));
            const auto b =
                static_cast<std::size_t>(h * headDim + (style == RopeStyle::Interleaved ? 2 * i + 1 : i + dims / 2));
            const double cosine = c[static_cast<std::size_t>(i)], sine = s[static_cast<std::size_t>(i)];
            expected[a] = x[a] * cosine - x[b] * sine;
            expected[b] = x[a] * sine + x[b] * cosine;
          }
        }
        for (std::size_t i = 0; i < y.size(); ++i)
          ASSERT_NEAR(y[i], expected[i], 1e-6) << headDim << "/" << dims << " at " << i;
      }
    }
  });
}

TEST(Vector, GatedActivationsAreWithinAMillionth) {
  forEachTable([](const KernelTable& table) {
    std::vector<float> gate, up;
    for (float g = -110.0F; g <= 110.0F; g += 0.0137F) gate.push_back(g);
    for (const float g : {0.0F, -0.0F, 1e-20F, -1e-20F, 1e-6F, -1e-6F, 500.0F, -500.0F}) gate.push_back(g);
    up.assign(gate.size(), 1.5F);
    std::vector<float> silu(gate.size()), gelu(gate.size());
    table.siluMul(gate.data(), up.data(), static_cast<std::int64_t>(gate.size()), silu.data());
    table.geluMul(gate.data(), up.data(), static_cast<std::int64_t>(gate.size()), gelu.data());
    for (std::size_t i = 0; i < gate.size(); ++i) {
      const double g = gate[i];
      const double wantedSilu = 1.5 * g / (1.0 + std::exp(-g));
      ASSERT_NEAR(silu[i], wantedSilu, 1e-6 * std::fabs(wantedSilu) + 1e-30) << g;
      const double wantedGelu = 1.5 * 0.5 * g * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (g + 0.044715 * g * g * g)));
      // Deep in the negative tail both the exponent's rounding and the scalar formula's cancellation are absolute errors.
      ASSERT_NEAR(gelu[i], wantedGelu, 1e-6 * std::fabs(wantedGelu) + 4e-7) << g;
    }
    std::vector<float> inPlace = gate;
    table.siluMul(inPlace.data(), up.data(), static_cast<std::int64_t>(gate.size()), inPlace.data());
    EXPECT_EQ(inPlace, silu);
    const float nan = std::nanf("");
    float out = 0.0F;
    table.siluMul(&nan, up.data(), 1, &out);
    EXPECT_TRUE(std::isnan(out));
  });
}

TEST(Vector, LayerNormTakesOffTheMean) {
  forEachTable([](const KernelTable& table) {
    for (const std::int64_t n : kLengths) {
      if (n == 0) continue;
      const auto size = static_cast<std::size_t>(n);
      std::vector<float> x = randomFloats(size, 31);
      for (float& v : x) v = v * 0.5F + 20.0F;  // a large mean must not cost the small differences
      const std::vector<float> w = randomFloats(size, 32), b = randomFloats(size, 33);
      std::vector<float> out(size + 1, 99.0F);
      table.layerNorm(x.data(), w.data(), b.data(), 1e-6F, n, out.data());
      double mean = 0.0, squares = 0.0;
      for (const float v : x) mean += static_cast<double>(v) / static_cast<double>(n);
      for (const float v : x) squares += (v - mean) * (v - mean);
      const double factor = 1.0 / std::sqrt(squares / static_cast<double>(n) + 1e-6);
      // The mean is rounded once: its error, 1e-6, counts against the spread.
      for (std::size_t i = 0; i < size; ++i)
        ASSERT_NEAR(out[i], (x[i] - mean) * factor * w[i] + b[i], 1e-5 + 4e-6 * factor * std::fabs(w[i])) << n;
      EXPECT_EQ(out[size], 99.0F);
      std::vector<float> inPlace = x;
      table.layerNorm(inPlace.data(), w.data(), b.data(), 1e-6F, n, inPlace.data());
      EXPECT_TRUE(std::equal(inPlace.begin(), inPlace.end(), out.begin()));
    }
  });
}

TEST(Vector, ExactGelu) {
  forEachTable([](const KernelTable& table) {
    std::vector<float> x;
    for (int i = -1200; i <= 1200; ++i) x.push_back(static_cast<float>(i) / 100.0F);
    std::vector<float> out(x.size());
    table.gelu(x.data(), static_cast<std::int64_t>(x.size()), out.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double v = x[i];
      ASSERT_NEAR(out[i], 0.5 * v * std::erfc(-v / std::sqrt(2.0)), 4e-7 * std::max(1.0, std::fabs(v))) << v;
      float alone = 0.0F;
      table.gelu(&x[i], 1, &alone);
      ASSERT_EQ(alone, out[i]);
    }
    const float nan = std::nanf("");
    float made = 0.0F;
    table.gelu(&nan, 1, &made);
    EXPECT_TRUE(std::isnan(made));
  });
}

TEST(Vector, EachElementIsTheSameWhereverItStands) {
  forEachTable([](const KernelTable& table) {
    const std::vector<float> gate = randomFloats(67, 4, 4.0F), up = randomFloats(67, 5);
    std::vector<float> all(67), one(67), gelu(67), geluOne(67);
    table.siluMul(gate.data(), up.data(), 67, all.data());
    table.geluMul(gate.data(), up.data(), 67, gelu.data());
    for (std::size_t i = 0; i < 67; ++i) {
      table.siluMul(&gate[i], &up[i], 1, &one[i]);
      table.geluMul(&gate[i], &up[i], 1, &geluOne[i]);
    }
    EXPECT_EQ(all, one);
    EXPECT_EQ(gelu, geluOne);
  });
}

TEST(Vector, AddAndScale) {
  forEachTable([](const KernelTable& table) {
    for (const std::int64_t n : kLengths) {
      const auto size = static_cast<std::size_t>(n);
      const std::vector<float> x = randomFloats(size, 6);
      std::vector<float> y = randomFloats(size + 1, 7);
      const std::vector<float> before = y;
      table.add(y.data(), x.data(), n);
      for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(y[i], before[i] + x[i]);
      table.scale(y.data(), 0.37F, n);
      for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(y[i], (before[i] + x[i]) * 0.37F);
      EXPECT_EQ(y[size], before[size]);
    }
  });
}

TEST(Vector, WriteKvRoundsToNearestEven) {
  forEachTable([](const KernelTable& table) {
    for (const std::int64_t n : kLengths) {
      constexpr int kPage = 3, kPlace = 1;
      const auto size = static_cast<std::size_t>(n), page = static_cast<std::size_t>(kPage),
                 place = static_cast<std::size_t>(kPlace);
      std::vector<float> x = randomFloats(size, 8, 100.0F);
      x[0] = 1.0F + 0x1p-11F;
      for (const KvType type : {KvType::F16, KvType::F32}) {
        const std::size_t element = type == KvType::F16 ? 2 : 4;
        std::vector<std::byte> keys(element * page * size + 4, std::byte{0x5A}), values = keys;
        table.writeKv(x.data(), x.data(), static_cast<int>(n), type, kPage, kPlace, keys.data(), values.data());
        const auto read = [&](const std::vector<std::byte>& block, std::size_t index) {
          return type == KvType::F16 ? readHalf(block.data() + 2 * index) : readAs<float>(block.data() + 4 * index);
        };
        for (std::size_t i = 0; i < size; ++i) {
          const float wanted = type == KvType::F16 ? halfToFloat(floatToHalf(x[i])) : x[i];
          ASSERT_EQ(read(keys, i * page + place), wanted);
          ASSERT_EQ(read(values, place * size + i), wanted);
        }
        // Nothing beside the token's own elements is touched.
        const auto untouched = [&](const std::vector<std::byte>& block) {
          return std::count(block.begin(), block.end(), std::byte{0x5A});
        };
        EXPECT_GE(untouched(keys), static_cast<std::ptrdiff_t>(element * (page - 1) * size + 4));
        EXPECT_GE(untouched(values), static_cast<std::ptrdiff_t>(element * (page - 1) * size + 4));
      }
    }
  });
}

TEST(Vector, ArgmaxFindsTheFirstLargest) {
  forEachTable([](const KernelTable& table) {
    for (const std::int64_t n : kLengths) {
      std::vector<float> x = randomFloats(static_cast<std::size_t>(n), 9);
      for (std::int64_t place = 0; place < n; place = place * 2 + 1) {
        std::vector<float> y = x;
        y[static_cast<std::size_t>(place)] = 50.0F;
        y.back() = 50.0F;
        float value = 0.0F;
        EXPECT_EQ(table.argmax(y.data(), n, &value), place);
        EXPECT_EQ(value, 50.0F);
      }
    }
    float value = 0.0F;
    const std::vector<float> none(40, -INFINITY);
    EXPECT_EQ(table.argmax(none.data(), 40, &value), 0);
    std::vector<float> nans(40, std::nanf(""));
    EXPECT_EQ(table.argmax(nans.data(), 40, &value), 0);
    nans[23] = -3.0F;
    EXPECT_EQ(table.argmax(nans.data(), 40, &value), 23) << "NaNs never win";
    EXPECT_EQ(value, -3.0F);
  });
}

TEST(Vector, RoofLoopsDoTheWorkTheyClaim) {
  forEachTable([](const KernelTable& table) {
    std::vector<std::byte> data(4099, std::byte{0});
    const std::uint64_t nothing = table.readBytes(data.data(), data.size());
    for (const std::size_t at : {std::size_t{0}, std::size_t{1000}, std::size_t{4095}, std::size_t{4098}}) {
      data[at] = std::byte{1};
      EXPECT_NE(table.readBytes(data.data(), data.size()), nothing) << "byte " << at << " was not read";
      data[at] = std::byte{0};
    }
    EXPECT_EQ(table.int8MacLoop(20), 2 * table.int8MacLoop(10));
    EXPECT_GT(table.int8MacLoop(1), 0U);
  });
}

}  // namespace
}  // namespace hearth::kernels
