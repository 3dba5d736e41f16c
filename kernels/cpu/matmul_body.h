#pragma once

// Matrix multiplication over packed tiles, written once for every SIMD table. Include a simd_*.h first.
//
// A kernel instance computes one tile (kLanes outputs, one per lane) for C columns of activations at a time: each weight
// register is unpacked once and used C times. What happens to one output does not depend on C: its integer sums are
// exact, and its float operations are the same, in the same order. So a sequence's result is the same alone and in a batch.
//
// With many columns a tile's quants are unpacked to bytes once, a part of k at a time, for all groups of columns: the
// unpacking of 5 and 6 bits costs as much as the products of one column.
namespace hearth::kernels {
namespace {

/// Where the C activation rows are: three rows to a base pointer, so that few address registers are needed.
template <int C>
struct Columns {
  const std::byte* base[(C + 2) / 3];
  std::int64_t stride;

  HEARTH_INLINE Columns(const std::byte* first, std::int64_t rowStride) : stride(rowStride) {
    for (int i = 0; i < (C + 2) / 3; ++i) base[i] = first + 3 * i * rowStride;
  }
  HEARTH_INLINE const std::byte* at(int column) const { return base[column / 3] + (column % 3) * stride; }
  HEARTH_INLINE void advance(std::int64_t bytes) {
    for (int i = 0; i < (C + 2) / 3; ++i) base[i] += bytes;
  }
};

/// Weights are asked for this far ahead: with many columns the processor's own prefetchers are busy following the
/// activations and lose the stream of weights. Asking for what lies past the end is harmless.
constexpr std::int64_t kPrefetchBytes = 4096;

template <std::int64_t Bytes>
HEARTH_INLINE void prefetchRange(const std::byte* from) {
#pragma GCC unroll 16
  for (std::int64_t i = 0; i < Bytes; i += 64) __builtin_prefetch(from + i, 0, 3);
}

/// The quants of k-groups P and P+4 of one block, as bytes.
template <int Bits, int P>
HEARTH_INLINE void unpackQuants(const std::byte* quants, I& low, I& high) {
  constexpr int kRegister = 4 * kLanes;
  if constexpr (Bits == 8) {
    low = loadBytes(quants + P * kRegister);
    high = loadBytes(quants + (P + 4) * kRegister);
    return;
  }
  const I nibbles = loadBytes(quants + P * kRegister);
  low = bitAnd(nibbles, maskBytes(0x0F));
  high = bitAnd(shiftRight<4>(nibbles), maskBytes(0x0F));
  if constexpr (Bits == 5) {
    const I fifth = loadBytes(quants + 4 * kRegister);
    low = bitOr(low, bitAnd(shiftLeft<4 - P>(fifth), maskBytes(0x10)));
    high = bitOr(high, bitAnd(shiftRight<P>(fifth), maskBytes(0x10)));
  } else if constexpr (Bits == 6) {
    I upperLow = loadBytes(quants + 4 * kRegister);
    I upperHigh = loadBytes(quants + 5 * kRegister);
    if constexpr (P < 2) {
      upperLow = shiftLeft<4 - 2 * P>(upperLow);
      upperHigh = shiftLeft<4 - 2 * P>(upperHigh);
    } else if constexpr (P > 2) {
      upperLow = shiftRight<2 * P - 4>(upperLow);
      upperHigh = shiftRight<2 * P - 4>(upperHigh);
    }
    low = bitOr(low, bitAnd(upperLow, maskBytes(0x30)));
    high = bitOr(high, bitAnd(upperHigh, maskBytes(0x30)));
  }
}

/// The sums of one tile and C columns into y; `rows` of the tile's lanes are the matrix's.
template <int C>
HEARTH_INLINE void storeTile(const F (&sum)[C], float* y, std::int64_t yStride, int rows, bool accumulate) {
#pragma GCC unroll 16
  for (int c = 0; c < C; ++c) {
    float* out = y + c * yStride;
    if (rows == kLanes) {
      store(out, accumulate ? add(load(out), sum[c]) : sum[c]);
    } else {
      storeFirst(out, accumulate ? add(loadFirst(out, rows), sum[c]) : sum[c], rows);
    }
  }
}

constexpr int log2Of(int value) noexcept { return value <= 1 ? 0 : 1 + log2Of(value / 2); }

template <Layout K, int C>
struct IntTile {
  static constexpr LayoutShape kShape = layoutShape(K);
  static constexpr bool kSigned = kShape.bits == 8;
  static constexpr int kOffset = kSigned ? kSignedDotOffset : kShape.offset;
  static constexpr bool kHalves = K == kLayoutQ6_K;  // a scale per 16: the two halves of a block are summed apart
  using DotOf = Dot<kShape.bits, kSigned>;

  HEARTH_INLINE static const ActivationBlock& block(const Columns<C>& x, int column) {
    return *reinterpret_cast<const ActivationBlock*>(x.at(column));
  }

  /// k-groups P and P+4 of all columns; of formats with a scale per 16 only one of them (Half 0 or 1). `bytes`: the same
  /// block unpacked (unpackBlock), or null.
  template <int P, int Half, bool Unpacked>
  HEARTH_INLINE static void step(const std::byte* quants, const std::byte* bytes, const Columns<C>& x, DotOf (&dot)[C]) {
    constexpr int kRegister = 4 * kLanes;
    I low, high;
    if constexpr (Unpacked && !kSigned) {
      low = loadBytes(bytes + P * kRegister);
      high = loadBytes(bytes + (P + 4) * kRegister);
    } else {
      unpackQuants<kShape.bits, P>(quants, low, high);
    }
    if constexpr (Unpacked && kSigned) {
      const I lowMagnitude = loadBytes(bytes + P * kRegister), highMagnitude = loadBytes(bytes + (P + 4) * kRegister);
#pragma GCC unroll 16
      for (int c = 0; c < C; ++c) {
        dot[c].template stepSigned<2 * P>(lowMagnitude, low, broadcastGroup(block(x, c).q + 4 * P));
        dot[c].template stepSigned<2 * P + 1>(highMagnitude, high, broadcastGroup(block(x, c).q + 16 + 4 * P));
      }
      return;
    }
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      if constexpr (kHalves) {
        dot[c].template step<P>(Half == 0 ? low : high, broadcastGroup(block(x, c).q + 16 * Half + 4 * P));
      } else {
        dot[c].template step<2 * P>(low, broadcastGroup(block(x, c).q + 4 * P));
        dot[c].template step<2 * P + 1>(high, broadcastGroup(block(x, c).q + 16 + 4 * P));
      }
    }
  }

  /// The integer sums of a block, or of one half of it.
  template <int Half, bool Unpacked>
  HEARTH_INLINE static void integerSums(const std::byte* quants, const std::byte* bytes, const Columns<C>& x,
                                        DotOf (&dot)[C]) {
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      if constexpr (kOffset == 0) {
        dot[c].startZero();
      } else {
        dot[c].start(shiftLeft<log2Of(kOffset)>(broadcastInt(kHalves ? block(x, c).negHalfSum[Half] : block(x, c).negSum)));
      }
    }
    step<0, Half, Unpacked>(quants, bytes, x, dot);
    step<1, Half, Unpacked>(quants, bytes, x, dot);
    step<2, Half, Unpacked>(quants, bytes, x, dot);
    step<3, Half, Unpacked>(quants, bytes, x, dot);
  }

  template <int Half, bool Unpacked>
  HEARTH_INLINE static void accumulateHalf(const std::byte* meta, const std::byte* quants, const std::byte* bytes, int j,
                                           const Columns<C>& x, F (&sum)[C]) {
    DotOf dot[C];
    integerSums<Half, Unpacked>(quants, bytes, x, dot);
    const F scale = mul(loadHalf(meta), loadI8(meta + (2 + 2 * j + Half) * kLanes));
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) sum[c] = fma(mul(toFloat(dot[c].wide), broadcastFrom(&block(x, c).scale)), scale, sum[c]);
  }

  /// One block of 32 into the running sums; `meta` is the chunk's, j the block's number in it.
  template <bool Unpacked>
  HEARTH_INLINE static void accumulate(const std::byte* meta, const std::byte* quants, const std::byte* bytes, int j,
                                       const Columns<C>& x, F (&sum)[C]) {
    if constexpr (kHalves) {
      accumulateHalf<0, Unpacked>(meta, quants, bytes, j, x, sum);
      accumulateHalf<1, Unpacked>(meta, quants, bytes, j, x, sum);
    } else {
      DotOf dot[C];
      integerSums<0, Unpacked>(quants, bytes, x, dot);
      F scale = loadHalf(meta);
      F minimum = zero();
      if constexpr (kShape.minimum) minimum = loadHalf(meta + 2 * kLanes);
      if constexpr (kShape.chunkBlocks > 1) {
        scale = mul(scale, loadU8(meta + (4 + 2 * j) * kLanes));
        minimum = mul(minimum, loadU8(meta + (4 + 2 * j + 1) * kLanes));
      }
#pragma GCC unroll 16
      for (int c = 0; c < C; ++c) {
        sum[c] = fma(toFloat(dot[c].wide), mul(scale, broadcastFrom(&block(x, c).scale)), sum[c]);
        if constexpr (kShape.minimum) {
          // The K-quants subtract their minimums, Q4_1 and Q5_1 add them.
          const F sums = broadcastFrom(&block(x, c).sum);
          sum[c] = kShape.chunkBlocks > 1 ? fnma(minimum, sums, sum[c]) : fma(minimum, sums, sum[c]);
        }
      }
    }
  }

  static constexpr std::int64_t kBlock = kLanes * kShape.blockBytes;
  static constexpr std::int64_t kMeta = kLanes * kShape.metaBytes;
  static constexpr std::int64_t kChunk = kMeta + kShape.chunkBlocks * kBlock;
  static constexpr std::int64_t kUnpackedBlock = 32 * kLanes;

  HEARTH_INLINE static void run(const PackPlan& plan, const std::byte* tile, const std::byte* activations,
                                std::int64_t stride, F (&sum)[C]) {
    Columns<C> x(activations, stride);
    const std::int64_t chunks = plan.cols / (32 * kShape.chunkBlocks);
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
      const std::byte* quants = tile + kMeta;
      prefetchRange<kMeta>(tile + kPrefetchBytes);
      for (int j = 0; j < kShape.chunkBlocks; ++j) {
        prefetchRange<kBlock>(quants + kPrefetchBytes);
        accumulate<false>(tile, quants, nullptr, j, x, sum);
        quants += kBlock;
        x.advance(sizeof(ActivationBlock));
      }
      tile = quants;
    }
  }

  /// The bytes of one block in k-group order; of signed ones their magnitudes (the bytes themselves lie in the tile).
  template <int P>
  HEARTH_INLINE static void unpackGroups(const std::byte* quants, std::byte* bytes) {
    I low, high;
    unpackQuants<kShape.bits, P>(quants, low, high);
    storeBytes(bytes + P * 4 * kLanes, kSigned ? magnitudes(low) : low);
    storeBytes(bytes + (P + 4) * 4 * kLanes, kSigned ? magnitudes(high) : high);
  }

  static void unpackChunks(const std::byte* tile, std::int64_t chunks, std::byte* bytes) noexcept {
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk, tile += kChunk) {
      prefetchRange<kMeta>(tile + kPrefetchBytes);
      for (int j = 0; j < kShape.chunkBlocks; ++j, bytes += kUnpackedBlock) {
        const std::byte* quants = tile + kMeta + j * kBlock;
        prefetchRange<kBlock>(quants + kPrefetchBytes);
        unpackGroups<0>(quants, bytes);
        unpackGroups<1>(quants, bytes);
        unpackGroups<2>(quants, bytes);
        unpackGroups<3>(quants, bytes);
      }
    }
  }

  /// The same operations as run(), on chunks that were unpacked.
  HEARTH_INLINE static void runUnpacked(const std::byte* tile, std::int64_t chunks, const std::byte* bytes,
                                        const std::byte* activations, std::int64_t stride, F (&sum)[C]) {
    Columns<C> x(activations, stride);
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk, tile += kChunk) {
      for (int j = 0; j < kShape.chunkBlocks; ++j, bytes += kUnpackedBlock) {
        accumulate<true>(tile, tile + kMeta + j * kBlock, bytes, j, x, sum);
        x.advance(sizeof(ActivationBlock));
      }
    }
  }
};

constexpr std::int64_t kUnpackedBlocks = 64;    // of 32: what is unpacked at a time stays in the first-level cache
constexpr std::int64_t kUnpackedColumns = 192;  // whose sums are kept meanwhile

/// One tile for `m` ≤ kUnpackedColumns columns, a multiple of C.
template <Layout K, int C>
void unpackedColumns(const PackPlan& plan, const std::byte* tile, const std::byte* activations, std::int64_t stride,
                     std::int64_t m, float* y, std::int64_t yStride, int rows, bool accumulate) noexcept {
  using Tile = IntTile<K, C>;
  alignas(64) std::byte bytes[kUnpackedBlocks * Tile::kUnpackedBlock];
  alignas(64) float sums[kUnpackedColumns * kLanes];
  const std::int64_t chunks = plan.cols / (32 * Tile::kShape.chunkBlocks);
  constexpr std::int64_t kStep = kUnpackedBlocks / Tile::kShape.chunkBlocks;
  for (std::int64_t chunk = 0; chunk < chunks; chunk += kStep) {
    const std::int64_t count = chunks - chunk < kStep ? chunks - chunk : kStep;
    const std::byte* part = tile + chunk * Tile::kChunk;
    Tile::unpackChunks(part, count, bytes);
    for (std::int64_t first = 0; first < m; first += C) {
      F sum[C];
#pragma GCC unroll 16
      for (int c = 0; c < C; ++c) sum[c] = chunk == 0 ? zero() : load(sums + (first + c) * kLanes);
      Tile::runUnpacked(part, count, bytes,
                        activations + first * stride +
                            chunk * Tile::kShape.chunkBlocks * static_cast<std::int64_t>(sizeof(ActivationBlock)),
                        stride, sum);
      if (chunk + count == chunks) {
        storeTile<C>(sum, y + first * yStride, yStride, rows, accumulate);
      } else {
#pragma GCC unroll 16
        for (int c = 0; c < C; ++c) store(sums + (first + c) * kLanes, sum[c]);
      }
    }
  }
}

template <Layout K, int C>
struct FloatTile {
  static constexpr int kElement = layoutShape(K).blockBytes;

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
  HEARTH_INLINE static void run(const PackPlan& plan, const std::byte* tile, const std::byte* activations,
                                std::int64_t stride, F (&sum)[C]) {
    Columns<C> x(activations, stride);
    F part[C][4];
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      for (int i = 0; i < 4; ++i) part[c][i] = zero();
    }
    std::int64_t k = 0;
    for (; k + 4 <= plan.cols; k += 4) {
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
    for (; k < plan.cols; ++k) {
      const F w = weights(tile);
#pragma GCC unroll 16
      for (int c = 0; c < C; ++c) part[c][0] = fma(w, broadcastFrom(reinterpret_cast<const float*>(x.at(c))), part[c][0]);
      tile += kLanes * kElement;
      x.advance(4);
    }
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) sum[c] = add(add(part[c][0], part[c][1]), add(part[c][2], part[c][3]));
  }
};

template <template <Layout, int> class Tile, Layout K, int C>
void tileColumns(const PackPlan& plan, const std::byte* tile, const std::byte* activations, std::int64_t stride, float* y,
                 std::int64_t yStride, int rows, bool accumulate) noexcept {
  F sum[C];
#pragma GCC unroll 16
  for (int c = 0; c < C; ++c) sum[c] = zero();
  Tile<K, C>::run(plan, tile, activations, stride, sum);
  storeTile<C>(sum, y, yStride, rows, accumulate);
}

using TileFunction = void (*)(const PackPlan&, const std::byte*, const std::byte*, std::int64_t, float*, std::int64_t, int,
                              bool) noexcept;

using UnpackedFunction = void (*)(const PackPlan&, const std::byte*, const std::byte*, std::int64_t, std::int64_t, float*,
                                  std::int64_t, int, bool) noexcept;

/// Does unpacking once pay for this layout?
template <template <Layout, int> class Tile, Layout K, int Widest>
constexpr UnpackedFunction unpackedFunction() noexcept {
  constexpr int kBits = layoutShape(K).bits;
  if constexpr (kBits != 0 && (kBits != 8 || kSignedDotOffset == 0)) {
    return &unpackedColumns<K, Widest>;
  } else {
    return nullptr;
  }
}

/// The instances of one layout for 1 … Widest columns (index 0 is not used).
template <template <Layout, int> class Tile, Layout K, int Widest>
struct Instances {
  static constexpr int kWidest = Widest;
  static constexpr UnpackedFunction kUnpacked = unpackedFunction<Tile, K, Widest>();
  template <int C>
  static constexpr TileFunction instance() noexcept {
    return &tileColumns<Tile, K, (C < Widest ? C : Widest)>;
  }
  static constexpr TileFunction kTable[13] = {nullptr,        instance<1>(),  instance<2>(), instance<3>(), instance<4>(),
                                              instance<5>(),  instance<6>(),  instance<7>(), instance<8>(), instance<9>(),
                                              instance<10>(), instance<11>(), instance<12>()};
};

/// Columns are cut into blocks whose activations stay in the second-level cache while all tiles pass by; each tile is
/// then taken by groups of at most `widest` columns, as even as they can be.
void matmulWith(const TileFunction* table, UnpackedFunction unpacked, int widest, const PackPlan& plan,
                const std::byte* packed, const std::byte* activations, std::int64_t activationStride, std::int64_t m,
                float* y, std::int64_t yStride, std::int64_t tileBegin, std::int64_t tileEnd, bool accumulate) noexcept {
  constexpr std::int64_t kCacheBytes = 512 * 1024;
  std::int64_t blockColumns = kCacheBytes / activationStride / widest * widest;
  if (blockColumns < 2 * widest) blockColumns = 2 * widest;
  if (unpacked != nullptr && blockColumns > kUnpackedColumns) blockColumns = kUnpackedColumns / widest * widest;
  for (std::int64_t first = 0; first < m; first += blockColumns) {
    const std::int64_t columns = m - first < blockColumns ? m - first : blockColumns;
    // Whole groups from one unpacking; what is left over, and small batches, from the packed tile.
    const std::int64_t whole = unpacked != nullptr && columns >= 3 * widest ? columns / widest * widest : 0;
    const std::int64_t rest = columns - whole;
    const std::int64_t groups = (rest + widest - 1) / widest;
    for (std::int64_t tile = tileBegin; tile < tileEnd; ++tile) {
      const std::int64_t row = tile * kLanes;
      const int rows = plan.rows - row < kLanes ? static_cast<int>(plan.rows - row) : kLanes;
      if (whole > 0) {
        unpacked(plan, packed + tile * plan.tileBytes, activations + first * activationStride, activationStride, whole,
                 y + first * yStride + row, yStride, rows, accumulate);
      }
      for (std::int64_t g = 0; g < groups; ++g) {
        const std::int64_t begin = first + whole + g * rest / groups;
        const std::int64_t end = first + whole + (g + 1) * rest / groups;
        table[end - begin](plan, packed + tile * plan.tileBytes, activations + begin * activationStride, activationStride,
                           y + begin * yStride + row, yStride, rows, accumulate);
      }
    }
  }
}

void matmul(const PackPlan& plan, const std::byte* packed, const std::byte* activations, std::int64_t activationStride,
            std::int64_t m, float* y, std::int64_t yStride, std::int64_t tileBegin, std::int64_t tileEnd,
            bool accumulate) noexcept {
  const auto run = [&]<class Of>(Of) noexcept {
    matmulWith(Of::kTable, Of::kUnpacked, Of::kWidest, plan, packed, activations, activationStride, m, y, yStride, tileBegin,
               tileEnd, accumulate);
  };
  switch (static_cast<Layout>(plan.layout)) {
    case kLayoutQ4_0: return run(Instances<IntTile, kLayoutQ4_0, kIntColumns>{});
    case kLayoutQ4_1: return run(Instances<IntTile, kLayoutQ4_1, kIntColumns>{});
    case kLayoutQ4_K: return run(Instances<IntTile, kLayoutQ4_K, kIntColumns>{});
    case kLayoutQ5_0: return run(Instances<IntTile, kLayoutQ5_0, kIntColumns>{});
    case kLayoutQ5_1: return run(Instances<IntTile, kLayoutQ5_1, kIntColumns>{});
    case kLayoutQ5_K: return run(Instances<IntTile, kLayoutQ5_K, kIntColumns>{});
    case kLayoutQ6_K: return run(Instances<IntTile, kLayoutQ6_K, kByteColumns>{});
    case kLayoutQ8_0: return run(Instances<IntTile, kLayoutQ8_0, kByteColumns>{});
    case kLayoutF16: return run(Instances<FloatTile, kLayoutF16, kFloatColumns>{});
    case kLayoutBF16: return run(Instances<FloatTile, kLayoutBF16, kFloatColumns>{});
    case kLayoutF32: return run(Instances<FloatTile, kLayoutF32, kFloatColumns>{});
    case kLayoutNone: break;
  }
}

}  // namespace
}  // namespace hearth::kernels
