#include "kernels/quant/format.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/quant/half.h"

namespace hearth::kernels {
namespace {

struct Golden {
  std::uint32_t format;
  std::int64_t elements;
  std::uint64_t hash;  ///< FNV-1a 64 of the floats' bytes
  std::uint32_t head[8];
  const char* hex;
};

const Golden kGolden[] = {
#include "quant_golden.inc"
};

std::vector<std::byte> fromHex(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::uint64_t fnv1a(const void* data, std::size_t size) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001B3ULL;
  return hash;
}

TEST(Format, DequantisesBitExactlyLikeTheReferencePackage) {
  ASSERT_EQ(std::size(kGolden), formats().size());
  for (const Golden& golden : kGolden) {
    const FormatInfo* format = findFormat(golden.format);
    ASSERT_NE(format, nullptr) << golden.format;
    SCOPED_TRACE(format->name);
    const std::vector<std::byte> blocks = fromHex(golden.hex);
    ASSERT_EQ(static_cast<std::int64_t>(blocks.size()), golden.elements / format->blockElements * format->blockBytes);
    std::vector<float> floats(static_cast<std::size_t>(golden.elements));
    format->dequantize(blocks.data(), floats.data(), golden.elements);
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(std::bit_cast<std::uint32_t>(floats[i]), golden.head[i]) << "element " << i;
    EXPECT_EQ(fnv1a(floats.data(), floats.size() * 4), golden.hash);
  }
}

TEST(Format, UnknownNumbersAreRefused) {
  for (const std::uint32_t number : {4U, 5U, 9U, 15U, 24U, 26U, 31U, 1000U, 0xFFFFFFFFU}) EXPECT_EQ(findFormat(number), nullptr) << number;
}

TEST(Format, RegistryIsConsistent) {
  for (const FormatInfo& format : formats()) {
    EXPECT_EQ(findFormat(format.id), &format);
    EXPECT_NE(format.dequantize, nullptr);
    EXPECT_TRUE(format.blockElements == 1 || format.blockElements == 32 || format.blockElements == 256) << format.name;
  }
}

double relativeError(const FormatInfo& format, const std::vector<float>& x) {
  const auto count = static_cast<std::int64_t>(x.size());
  std::vector<std::byte> blocks(static_cast<std::size_t>(count / format.blockElements * format.blockBytes));
  std::vector<float> back(x.size());
  format.quantize(x.data(), blocks.data(), count);
  format.dequantize(blocks.data(), back.data(), count);
  double error = 0.0, energy = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    error += (back[i] - x[i]) * (back[i] - x[i]);
    energy += x[i] * x[i];
  }
  return std::sqrt(error / energy);
}

TEST(Format, RoundTripErrorIsWhatTheBitsAllow) {
  // Upper bounds of the relative RMS error on normally distributed weights: a little above what each format reaches.
  const std::map<std::string, double> bounds = {{"F32", 0.0},    {"F16", 3e-4},  {"BF16", 2.5e-3}, {"Q4_0", 0.093}, {"Q4_1", 0.083}, {"Q5_0", 0.046},
                                                {"Q5_1", 0.041}, {"Q8_0", 0.006}, {"Q4_K", 0.073}, {"Q5_K", 0.037}, {"Q6_K", 0.019}};
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  std::vector<float> x(256 * 64);
  for (float& v : x) v = normal(random);
  for (const FormatInfo& format : formats()) {
    const double error = relativeError(format, x);
    EXPECT_LE(error, bounds.at(format.name)) << format.name;
    if (format.id != FormatId::F32) {
      EXPECT_GT(error, bounds.at(format.name) / 4) << format.name << ": suspiciously exact";
    }
  }
}

TEST(Format, QuantisersKeepZerosConstantsAndExtremesSane) {
  for (const FormatInfo& format : formats()) {
    SCOPED_TRACE(format.name);
    const auto check = [&](const std::vector<float>& x, double tolerance) {
      std::vector<std::byte> blocks(static_cast<std::size_t>(256 / format.blockElements * format.blockBytes), std::byte{0xAA});
      std::vector<float> back(256);
      format.quantize(x.data(), blocks.data(), 256);
      format.dequantize(blocks.data(), back.data(), 256);
      for (std::size_t i = 0; i < 256; ++i) ASSERT_NEAR(back[i], x[i], tolerance) << i;
    };
    check(std::vector<float>(256, 0.0F), 0.0);
    check(std::vector<float>(256, -0.75F), 0.02);
    check(std::vector<float>(256, 0.75F), 0.06);
    std::vector<float> spike(256, 0.0F);
    spike[100] = 3.0F;
    check(spike, 0.25);
    spike[100] = -3.0F;
    check(spike, 0.25);
  }
}

TEST(Half, EveryHalfSurvivesTheWayThroughFloat) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = halfToFloat(half);
    if ((bits & 0x7C00U) == 0x7C00U && (bits & 0x3FFU) != 0) {
      EXPECT_TRUE(std::isnan(value));
      EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(value))));
    } else {
      EXPECT_EQ(floatToHalf(value), half);
    }
  }
}

TEST(Half, RoundsToNearestEvenAndOverflowsToInfinity) {
  EXPECT_EQ(floatToHalf(1.0F + 0x1p-11F), 0x3C00);             // a tie goes to even …
  EXPECT_EQ(floatToHalf(1.0F + 3 * 0x1p-11F), 0x3C02);         // … on both sides
  EXPECT_EQ(floatToHalf(1.0F + 0x1p-11F + 0x1p-20F), 0x3C01);  // just above the tie
  EXPECT_EQ(floatToHalf(65504.0F), 0x7BFF);
  EXPECT_EQ(floatToHalf(65519.9F), 0x7BFF);
  EXPECT_EQ(floatToHalf(65520.0F), 0x7C00);
  EXPECT_EQ(floatToHalf(-1e30F), 0xFC00);
  EXPECT_EQ(floatToHalf(0x1p-24F), 0x0001);
  EXPECT_EQ(floatToHalf(0x1p-25F), 0x0000);
  EXPECT_EQ(floatToHalf(0x1.8p-25F), 0x0001);
  EXPECT_EQ(floatToBfloat(1.0F + 0x1p-8F), 0x3F80);
  EXPECT_EQ(floatToBfloat(1.0F + 3 * 0x1p-8F), 0x3F82);
  EXPECT_TRUE(std::isnan(bfloatToFloat(floatToBfloat(std::bit_cast<float>(0x7F800001U)))));
}

}  // namespace
}  // namespace hearth::kernels
