#pragma once

#include "kernels/cpu/matmul_parts.h"

// Tiles of F16, BF16 and F32 weights, whose activations stay floats.
namespace hearth::kernels {
namespace {

template <Layout K, int C, int T = 1>
struct FloatTile {
  static constexpr int kElement = layoutShape(K).blockBytes;
  static constexpr std::int64_t kChunkElements = 1;
  static constexpr std::int64_t kChunk = kLanes * kElement;
  static constexpr std::int64_t kActivationChunk = sizeof(float);

  HEARTH_INLINE static F weights(const std::byte* tile) {
    if constexpr (K == kLayoutF16) {
      return loadHalf(tile);
    } else if constexpr (K == kLayoutBF16) {
      return loadBfloat(tile);
    } else {
      return load(reinterpret_cast<const float*>(tile));
    }
  }

  /// Four running sums for each output (k mod 4), so that one column alone is not bound by the latency of its additions.
  HEARTH_INLINE static void run(const std::byte* tile, std::int64_t, std::int64_t cols, const std::byte* activations,
                                std::int64_t stride, Fetch, F (&sum)[1][C]) {
    static_assert(T == 1);
    Columns<C> x(activations, stride);
    F part[C][4];
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      for (int i = 0; i < 4; ++i) part[c][i] = zero();
    }
    std::int64_t k = 0;
    for (; k + 4 <= cols; k += 4) {
      prefetchRange<4 * kLanes * kElement>(tile + kPrefetchBytes);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        const F w = weights(tile + i * kLanes * kElement);
#pragma GCC unroll 16
        for (int c = 0; c < C; ++c)
          part[c][i] = fma(w, broadcastFrom(reinterpret_cast<const float*>(x.at(c)) + i), part[c][i]);
      }
      tile += 4 * kLanes * kElement;
      x.advance(16);
    }
    for (; k < cols; ++k) {
      const F w = weights(tile);
#pragma GCC unroll 16
      for (int c = 0; c < C; ++c) part[c][0] = fma(w, broadcastFrom(reinterpret_cast<const float*>(x.at(c))), part[c][0]);
      tile += kLanes * kElement;
      x.advance(4);
    }
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) sum[0][c] = add(sum[0][c], add(add(part[c][0], part[c][1]), add(part[c][2], part[c][3])));
  }
};

}  // namespace
}  // namespace hearth::kernels
