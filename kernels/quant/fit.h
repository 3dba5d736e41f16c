#pragma once

#include <cmath>
#include <cstdint>

namespace hearth::kernels {

/// Shared searches of the quantisers: each finds the scale (and minimum) whose rounding leaves the least squared error.

[[nodiscard]] inline int roundClamp(float value, int low, int high) noexcept {
  // The comparison order makes NaN fall to `low`, so that the conversion to int is always defined.
  if (!(value > static_cast<float>(low))) return low;
  if (value >= static_cast<float>(high)) return high;
  return static_cast<int>(std::lrintf(value));
}

struct AffineFit {
  float scale = 0.0F;  ///< x ≈ scale · q - minimum, q in 0 … levels, minimum ≥ 0
  float minimum = 0.0F;
};

/// x ≈ scale·q − minimum with q in 0 … levels and minimum ≥ 0 (the K-quants store an unsigned minimum).
/// Candidate steps around range/levels are tried; for each, scale and minimum are refitted by least squares to its
/// rounding, with weights that grow with magnitude because large weights matter most to the product.
[[nodiscard]] inline AffineFit fitAffine(const float* x, int count, int levels) noexcept {
  float low = 0.0F;  // a range that includes zero, since the minimum may not be negative
  float high = x[0];
  float energy = 0.0F;
  for (int i = 0; i < count; ++i) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
    energy += x[i] * x[i];
  }
  if (!(high > low)) return {0.0F, -low};
  const float spread = std::sqrt(energy / static_cast<float>(count));
  AffineFit best;
  float bestError = INFINITY;
  for (int candidate = -9; candidate <= 4; ++candidate) {
    const float step = (high - low) / (static_cast<float>(levels) + 0.1F * static_cast<float>(candidate));
    const float inverse = 1.0F / step;
    // Weighted normal equations of x ≈ a·q + b.
    float sw = 0, sq = 0, sqq = 0, sx = 0, sqx = 0;
    for (int i = 0; i < count; ++i) {
      const float w = spread + std::fabs(x[i]);
      const auto q = static_cast<float>(roundClamp((x[i] - low) * inverse, 0, levels));
      sw += w;
      sq += w * q;
      sqq += w * q * q;
      sx += w * x[i];
      sqx += w * q * x[i];
    }
    const float determinant = sw * sqq - sq * sq;
    if (!(determinant > 0.0F)) continue;
    float a = (sw * sqx - sq * sx) / determinant;
    float b = (sqq * sx - sq * sqx) / determinant;
    if (b > 0.0F) {
      b = 0.0F;
      a = sqx / sqq;
    }
    if (!(a > 0.0F)) continue;
    float error = 0.0F;
    for (int i = 0; i < count; ++i) {
      const float w = spread + std::fabs(x[i]);
      const float difference = a * static_cast<float>(roundClamp((x[i] - b) / a, 0, levels)) + b - x[i];
      error += w * difference * difference;
    }
    if (error < bestError) {
      bestError = error;
      best = {a, -b};
    }
  }
  return bestError < INFINITY ? best : AffineFit{(high - low) / static_cast<float>(levels), -low};
}

/// x ≈ scale·q with q in −levels … levels−1 (two's complement: one more value on the negative side, so scale may be negative).
[[nodiscard]] inline float fitSymmetric(const float* x, int count, int levels) noexcept {
  float extreme = 0.0F;
  for (int i = 0; i < count; ++i) {
    if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
  }
  if (!(std::fabs(extreme) > 0.0F)) return 0.0F;
  float best = extreme / static_cast<float>(-levels);
  float bestGain = -INFINITY;
  for (int candidate = -9; candidate <= 9; ++candidate) {
    const float inverse = -(static_cast<float>(levels) + 0.1F * static_cast<float>(candidate)) / extreme;
    float sqx = 0, sqq = 0;
    for (int i = 0; i < count; ++i) {
      const float w = x[i] * x[i];
      const auto q = static_cast<float>(roundClamp(x[i] * inverse, -levels, levels - 1));
      sqx += w * q * x[i];
      sqq += w * q * q;
    }
    // The best scale for this rounding leaves Σw·x² − sqx²/sqq: the largest gain wins.
    if (sqq > 0.0F && sqx * sqx > bestGain * sqq) {
      bestGain = sqx * sqx / sqq;
      best = sqx / sqq;
    }
  }
  return best;
}

}  // namespace hearth::kernels
