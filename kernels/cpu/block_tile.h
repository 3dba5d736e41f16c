#pragma once

#include "kernels/cpu/matmul_parts.h"

// Tiles of the formats with a scale for each block of 32: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0.
namespace hearth::kernels {
namespace {

/// T tiles, each by C columns.
template <Layout K, int C, int T = 1>
struct BlockTile {
  static constexpr LayoutShape kShape = layoutShape(K);
  static constexpr bool kSigned = kShape.bits == 8;
  static constexpr int kOffset = kSigned ? kSignedDotOffset : kShape.offset;
  static constexpr std::int64_t kChunkElements = 32;
  static constexpr std::int64_t kBlock = kLanes * kShape.blockBytes;
  static constexpr std::int64_t kMeta = kLanes * kShape.metaBytes;
  static constexpr std::int64_t kChunk = kMeta + kBlock;
  static constexpr std::int64_t kUnpackedBlock = 32 * kLanes;
  static constexpr std::int64_t kActivationChunk = sizeof(ActivationBlock);
  using DotOf = Dot<kShape.bits, kSigned>;
  using Dots = DotOf[T][C];

  HEARTH_INLINE static const ActivationBlock& block(const Columns<C>& x, int column) {
    return *reinterpret_cast<const ActivationBlock*>(x.at(column));
  }

  /// Weight register `weights` of each tile (of unpacked signed ones with its magnitudes) times the columns' k-group `group`.
  template <int Step, bool Signed>
  HEARTH_INLINE static void multiply(const I (&weights)[T], const I (&magnitude)[T], const Columns<C>& x, int group,
                                     Dots& dot) {
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      const I activations = broadcastGroup(block(x, c).q + 4 * group);
#pragma GCC unroll 2
      for (int t = 0; t < T; ++t) {
        if constexpr (Signed) {
          dot[t][c].template stepSigned<Step>(magnitude[t], weights[t], activations);
        } else {
          dot[t][c].template step<Step>(weights[t], activations);
        }
      }
    }
  }

  /// k-groups P and P+4 of all columns. `bytes`: the same block unpacked (unpackBlock), or null.
  template <int P, bool Unpacked>
  HEARTH_INLINE static void step(const std::byte* quants, std::int64_t tileStride, const std::byte* bytes, const Columns<C>& x,
                                 Dots& dot) {
    constexpr int kRegister = 4 * kLanes;
    I low[T], high[T], lowMagnitude[T], highMagnitude[T];
#pragma GCC unroll 2
    for (int t = 0; t < T; ++t) {
      if constexpr (Unpacked && !kSigned) {
        low[t] = loadBytes(bytes + P * kRegister);
        high[t] = loadBytes(bytes + (P + 4) * kRegister);
      } else {
        unpackQuants<kShape.bits, P>(quants + t * tileStride, low[t], high[t]);
      }
      if constexpr (Unpacked && kSigned) {
        lowMagnitude[t] = loadBytes(bytes + P * kRegister);
        highMagnitude[t] = loadBytes(bytes + (P + 4) * kRegister);
      }
    }
    multiply<2 * P, Unpacked && kSigned>(low, lowMagnitude, x, P, dot);
    multiply<2 * P + 1, Unpacked && kSigned>(high, highMagnitude, x, P + 4, dot);
  }

  /// One block of 32 into the running sums.
  template <bool Unpacked>
  HEARTH_INLINE static void accumulate(const std::byte* tile, std::int64_t tileStride, const std::byte* bytes,
                                       const Columns<C>& x, F (&sum)[T][C]) {
    const std::byte* quants = tile + kMeta;
    Dots dot;
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      I start = zeroInt();
      if constexpr (kOffset != 0) start = shiftLeft<log2Of(kOffset)>(broadcastInt(block(x, c).negSum));
#pragma GCC unroll 2
      for (int t = 0; t < T; ++t) dot[t][c].start(start);
    }
    step<0, Unpacked>(quants, tileStride, bytes, x, dot);
    step<1, Unpacked>(quants, tileStride, bytes, x, dot);
    step<2, Unpacked>(quants, tileStride, bytes, x, dot);
    step<3, Unpacked>(quants, tileStride, bytes, x, dot);
#pragma GCC unroll 2
    for (int t = 0; t < T; ++t) {
      const std::byte* meta = tile + t * tileStride;
      const F scale = loadHalf(meta);
      F minimum = zero();
      if constexpr (kShape.minimum) minimum = loadHalf(meta + 2 * kLanes);
#pragma GCC unroll 16
      for (int c = 0; c < C; ++c) {
        sum[t][c] = fma(toFloat(dot[t][c].wide), mul(scale, broadcastFrom(&block(x, c).scale)), sum[t][c]);
        if constexpr (kShape.minimum) sum[t][c] = fma(minimum, broadcastFrom(&block(x, c).sum), sum[t][c]);
      }
    }
  }

  /// Adds the products of `chunks` chunks to the sums.
  HEARTH_INLINE static void run(const std::byte* tile, std::int64_t tileStride, std::int64_t chunks,
                                const std::byte* activations, std::int64_t stride, Fetch fetch, F (&sum)[T][C]) {
    Columns<C> x(activations, stride);
    for (; chunks > 0; --chunks, tile += kChunk) {
      const std::int64_t far = fetch.next();
#pragma GCC unroll 2
      for (int t = 0; t < T; ++t) prefetchRange<kChunk>(tile + t * tileStride + far);
      accumulate<false>(tile, tileStride, nullptr, x, sum);
      x.advance(kActivationChunk);
    }
  }

  static void unpackChunks(const std::byte* tile, std::int64_t chunks, std::byte* bytes) noexcept {
    for (; chunks > 0; --chunks, tile += kChunk, bytes += kUnpackedBlock) {
      prefetchRange<kChunk>(tile + kPrefetchBytes);
      unpackBlock<kShape.bits>(tile + kMeta, bytes);
    }
  }

  /// The same operations as run(), on chunks of one tile that were unpacked.
  HEARTH_INLINE static void runUnpacked(const std::byte* tile, std::int64_t chunks, const std::byte* bytes,
                                        const std::byte* activations, std::int64_t stride, F (&sum)[1][C]) {
    static_assert(T == 1);
    Columns<C> x(activations, stride);
    for (; chunks > 0; --chunks, tile += kChunk, bytes += kUnpackedBlock) {
      accumulate<true>(tile, 0, bytes, x, sum);
      x.advance(kActivationChunk);
    }
  }
};

}  // namespace
}  // namespace hearth::kernels
