#pragma once

#include "kernels/cpu/matmul_parts.h"
#include "kernels/cpu/super_dot.h"

// Tiles of the formats in super-blocks of 256: Q4_K, Q5_K, Q6_K. The activations have one scale for the super-block, so the
// small integer scales of its blocks are all that the inner loop multiplies by; minimums and offsets meet the activations'
// sums once, at its end.
namespace hearth::kernels {
namespace {

/// T tiles, each by C columns.
template <Layout K, int C, int T = 1>
struct SuperTile {
  static constexpr LayoutShape kShape = layoutShape(K);
  static constexpr bool kHalves = K == kLayoutQ6_K;  // a signed scale per 16: the two halves of a block are summed apart
  static constexpr std::int64_t kChunkElements = 256;
  static constexpr std::int64_t kBlock = kLanes * kShape.blockBytes;
  static constexpr std::int64_t kMeta = kLanes * kShape.metaBytes;
  static constexpr std::int64_t kChunk = kMeta + kShape.chunkBlocks * kBlock;
  static constexpr std::int64_t kUnpackedBlock = 32 * kLanes;
  static constexpr std::int64_t kActivationChunk = sizeof(SuperActivationBlock);
  static constexpr int kPairs = kHalves ? 8 : 4;  // of scales
  static constexpr std::int64_t kPairBytes = 2 * kLanes;
  // In a chunk's meta: d (and dmin), then pairs of scales, then pairs of minimums.
  static constexpr std::int64_t kScales = (kShape.minimum ? 4 : 2) * kLanes;
  static constexpr std::int64_t kMinimums = kScales + 4 * kPairBytes;
  static constexpr bool kOffsetAtStart = kHalves && kStartsWithOffset;
  using DotOf = SuperDot<kShape.bits>;
  using Dots = DotOf[T][C];

  HEARTH_INLINE static I loadPairs(const std::byte* p) { return kHalves ? loadPairsI8(p) : loadPairsU8(p); }

  /// Weight register `weights` of each tile times four activations of each column; Step as SuperDot wants it.
  template <int Step>
  HEARTH_INLINE static void multiply(const I (&weights)[T], const Columns<C>& x, int at, const BlockScale (&scale)[T],
                                     Dots& dot) {
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      const I activations = broadcastGroup(reinterpret_cast<const std::int8_t*>(x.at(c)) + at);
#pragma GCC unroll 2
      for (int t = 0; t < T; ++t) dot[t][c].template step<Step>(weights[t], activations, scale[t]);
    }
  }

  /// k-groups P and P+4 of one block for all columns, which stand at that block; with a scale per 16 only one of the two.
  template <int P, int Half, bool Unpacked>
  HEARTH_INLINE static void step(const std::byte* quants, std::int64_t tileStride, const std::byte* bytes, const Columns<C>& x,
                                 const BlockScale (&scale)[T], Dots& dot) {
    constexpr int kRegister = 4 * kLanes;
    I low[T], high[T];
#pragma GCC unroll 2
    for (int t = 0; t < T; ++t) {
      if constexpr (Unpacked) {
        low[t] = loadBytes(bytes + P * kRegister);
        high[t] = loadBytes(bytes + (P + 4) * kRegister);
      } else {
        unpackQuants<kShape.bits, P>(quants + t * tileStride, low[t], high[t]);
      }
    }
    if constexpr (kHalves) {
      multiply<P>(Half == 0 ? low : high, x, 16 * Half + 4 * P, scale, dot);
    } else {
      multiply<2 * P>(low, x, 4 * P, scale, dot);
      multiply<2 * P + 1>(high, x, 16 + 4 * P, scale, dot);
    }
  }

  /// One block, or one half of it, under one scale.
  template <int Half, bool Unpacked>
  HEARTH_INLINE static void scaled(const std::byte* quants, std::int64_t tileStride, const std::byte* bytes,
                                   const Columns<C>& x, std::int64_t sums, const BlockScale (&scale)[T], Dots& dot) {
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      I start = zeroInt();
      if constexpr (kOffsetAtStart) {
        start = shiftLeft<log2Of(kShape.offset)>(
            broadcastGroup(reinterpret_cast<const std::int8_t*>(x.at(c)) + sums + 4 * Half));
      }
#pragma GCC unroll 2
      for (int t = 0; t < T; ++t) dot[t][c].startBlock(start);
    }
    step<0, Half, Unpacked>(quants, tileStride, bytes, x, scale, dot);
    step<1, Half, Unpacked>(quants, tileStride, bytes, x, scale, dot);
    step<2, Half, Unpacked>(quants, tileStride, bytes, x, scale, dot);
    step<3, Half, Unpacked>(quants, tileStride, bytes, x, scale, dot);
#pragma GCC unroll 2
    for (int t = 0; t < T; ++t) {
#pragma GCC unroll 16
      for (int c = 0; c < C; ++c) dot[t][c].endBlock(scale[t]);
    }
  }

  /// A pair of scales' worth: two blocks, or one of two halves. Moves all pointers on; asks for weights `far` ahead.
  template <bool Unpacked>
  HEARTH_INLINE static void pair(const std::byte* tile, std::int64_t at, std::int64_t tileStride, std::int64_t far,
                                 const std::byte*& quants, const std::byte*& bytes, Columns<C>& x, Dots& dot) {
    // From the pair's quants of a column to its sums.
    const std::int64_t sums = offsetof(SuperActivationBlock, negHalfSum) - at * (32 - 8);
    I both[T];
    BlockScale scale[T];
#pragma GCC unroll 2
    for (int t = 0; t < T; ++t) {
      both[t] = loadPairs(tile + t * tileStride + kScales + at * kPairBytes);
      scale[t] = lowScale(both[t], loadHalf(tile + t * tileStride));
      if constexpr (!Unpacked) prefetchRange<kBlock*(kHalves ? 1 : 2)>(quants + t * tileStride + far);
    }
    scaled<0, Unpacked>(quants, tileStride, bytes, x, sums, scale, dot);
    if constexpr (!kHalves) next<Unpacked>(quants, bytes, x);
#pragma GCC unroll 2
    for (int t = 0; t < T; ++t) scale[t] = highScale(both[t], loadHalf(tile + t * tileStride));
    scaled<1, Unpacked>(quants, tileStride, bytes, x, sums, scale, dot);
    next<Unpacked>(quants, bytes, x);
  }
  template <bool Unpacked>
  HEARTH_INLINE static void next(const std::byte*& quants, const std::byte*& bytes, Columns<C>& x) {
    quants += kBlock;
    if constexpr (Unpacked) bytes += kUnpackedBlock;
    x.advance(32);
  }

  /// The super-block's sums, with what the scaled ones lack: Σ minimum · Σq, or Σ scale · Σq for the offset. Columns stand
  /// behind their quants.
  HEARTH_INLINE static void finish(const std::byte* meta, const Columns<C>& x, const DotOf (&dot)[C], float* sums) {
    constexpr std::int64_t kHead = sizeof(SuperActivationBlock::q);
    constexpr std::int64_t kFactors =
        (kHalves ? offsetof(SuperActivationBlock, halfSum) : offsetof(SuperActivationBlock, sum)) - kHead;
    const F d = loadHalf(meta);
    F value[C];
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) value[c] = dot[c].value(d);
    if constexpr (!kOffsetAtStart) {
      I rest[C];
#pragma GCC unroll 16
      for (int c = 0; c < C; ++c) rest[c] = zeroInt();
#pragma GCC unroll 8
      for (int p = 0; p < kPairs; ++p) {
        const I factors = loadPairs(meta + (kHalves ? kScales : kMinimums) + p * kPairBytes);
#pragma GCC unroll 16
        for (int c = 0; c < C; ++c) {
          rest[c] =
              dotPairs(rest[c], factors, broadcastGroup(reinterpret_cast<const std::int8_t*>(x.at(c) + kFactors + 4 * p)));
        }
      }
      const F factor = kHalves ? mul(d, broadcast(static_cast<float>(kShape.offset))) : loadHalf(meta + 2 * kLanes);
#pragma GCC unroll 16
      for (int c = 0; c < C; ++c) value[c] = fnma(factor, toFloat(rest[c]), value[c]);
    }
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      const auto* scale = reinterpret_cast<const float*>(x.at(c) + offsetof(SuperActivationBlock, scale) - kHead);
      store(sums + c * kLanes, fma(value[c], broadcastFrom(scale), load(sums + c * kLanes)));
    }
  }

  /// The running sums live in memory: they are touched once in a super-block, and the registers are wanted for the dots.
  template <bool Unpacked>
  HEARTH_INLINE static void runChunks(const std::byte* tile, std::int64_t tileStride, std::int64_t chunks,
                                      const std::byte* bytes, const std::byte* activations, std::int64_t stride,
                                      Fetch fetch, F (&sum)[T][C]) {
    alignas(64) float sums[T][C * kLanes];
#pragma GCC unroll 2
    for (int t = 0; t < T; ++t) {
#pragma GCC unroll 16
      for (int c = 0; c < C; ++c) store(sums[t] + c * kLanes, sum[t][c]);
    }
    Columns<C> x(activations, stride);
    for (; chunks > 0; --chunks) {
      const std::byte* quants = tile + kMeta;
      const std::int64_t far = fetch.next();
      Dots dot;
#pragma GCC unroll 2
      for (int t = 0; t < T; ++t) {
        if constexpr (!Unpacked) prefetchRange<kMeta>(tile + t * tileStride + far);
#pragma GCC unroll 16
        for (int c = 0; c < C; ++c) dot[t][c].startChunk();
      }
#pragma GCC unroll 1
      for (std::int64_t at = 0; at < kPairs; ++at) pair<Unpacked>(tile, at, tileStride, far, quants, bytes, x, dot);
#pragma GCC unroll 2
      for (int t = 0; t < T; ++t) finish(tile + t * tileStride, x, dot[t], sums[t]);
      x.advance(kActivationChunk - static_cast<std::int64_t>(sizeof(SuperActivationBlock::q)));
      tile = quants;
    }
#pragma GCC unroll 2
    for (int t = 0; t < T; ++t) {
#pragma GCC unroll 16
      for (int c = 0; c < C; ++c) sum[t][c] = load(sums[t] + c * kLanes);
    }
  }

  /// Adds the products of `chunks` chunks to the sums.
  HEARTH_INLINE static void run(const std::byte* tile, std::int64_t tileStride, std::int64_t chunks,
                                const std::byte* activations, std::int64_t stride, Fetch fetch, F (&sum)[T][C]) {
    runChunks<false>(tile, tileStride, chunks, nullptr, activations, stride, fetch, sum);
  }
  /// The same operations as run(), on chunks of one tile that were unpacked.
  HEARTH_INLINE static void runUnpacked(const std::byte* tile, std::int64_t chunks, const std::byte* bytes,
                                        const std::byte* activations, std::int64_t stride, F (&sum)[1][C]) {
    static_assert(T == 1);
    runChunks<true>(tile, 0, chunks, bytes, activations, stride, {}, sum);
  }

  static void unpackChunks(const std::byte* tile, std::int64_t chunks, std::byte* bytes) noexcept {
    for (; chunks > 0; --chunks, tile += kChunk) {
      prefetchRange<kMeta>(tile + kPrefetchBytes);
      for (int j = 0; j < kShape.chunkBlocks; ++j, bytes += kUnpackedBlock) {
        const std::byte* quants = tile + kMeta + j * kBlock;
        prefetchRange<kBlock>(quants + kPrefetchBytes);
        unpackBlock<kShape.bits>(quants, bytes);
      }
    }
  }
};

}  // namespace
}  // namespace hearth::kernels
