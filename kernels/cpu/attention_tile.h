#pragma once

// What attention does to a tile of cached tokens, written once for every SIMD table. Include a simd_*.h and vector_body.h
// first.
//
// A tile is kTile positions. Its keys and values are read where they lie (few query vectors: each byte is used a few times
// only) or are widened to floats once (many query vectors). Both ways give the same bits: an element's float is the same,
// and a query vector's sums go over dimensions and tokens in order.
namespace hearth::kernels {
namespace {

constexpr int kTile = 64;
constexpr int kTileRegisters = kTile / kLanes;
static_assert(kAttentionSpan % kTile == 0 && kTileRegisters % kAttentionVectors == 0);

template <KvType Type>
constexpr std::int64_t kElement = kvElementBytes(Type);

/// One dimension of kLanes tokens; `scale` points to the tokens' scales.
template <KvType Type>
HEARTH_INLINE F keyRegister(const std::byte* at, const float* scale) {
  if constexpr (Type == KvType::F16) {
    return loadHalf(at);
  } else if constexpr (Type == KvType::F32) {
    return load(reinterpret_cast<const float*>(at));
  } else {
    return mul(loadI8(at), load(scale));
  }
}

/// kLanes dimensions of one token.
template <KvType Type>
HEARTH_INLINE F valueRegister(const std::byte* at, const float* scale) {
  if constexpr (Type == KvType::Q8_0) {
    return mul(loadI8(at), broadcastFrom(scale));
  } else {
    return keyRegister<Type>(at, scale);
  }
}

/// What will be read after this tile, to be asked for while this one is computed: the blocks of a long sequence lie far
/// apart, and no processor guesses where the next one is. regions[r]: where the keys or values of kLanes tokens begin. No
/// regions: null.
struct NextTile {
  const std::byte* regions[kTileRegisters];
};

/// Keys as the kernels read them: register r holds tokens r · kLanes … of the tile; `stride` bytes between dimensions.
struct KeyTile {
  const std::byte* registers[kTileRegisters];
  std::int64_t stride;
  const float* scales;  ///< [⌈headDim / 32⌉][kTile] (Q8_0)
};

/// Values: tokens t … of the tile lie in runs[t / runTokens], `stride` bytes apart.
struct ValueTile {
  const std::byte* runs[kTileRegisters];
  int runTokens;
  std::int64_t stride;
  const float* scales;
};

/// scores[q][token] for N query vectors (dimension by dimension, kAttentionQueries wide) and V registers of tokens from
/// `first` on.
template <KvType Type, int N, int V>
void scoreTile(const KeyTile& tile, int first, const float* queries, int headDim, float* scores,
               const NextTile* next) noexcept {
  constexpr int kAhead = 8;  // dimensions: at least a cache line of every type and width
  constexpr std::int64_t kAheadBytes = kAhead * kLanes * kElement<Type>;
  const std::byte* keys[V];
  F sum[N][V];
#pragma GCC unroll 8
  for (int v = 0; v < V; ++v) {
    keys[v] = tile.registers[first + v];
#pragma GCC unroll 8
    for (int q = 0; q < N; ++q) sum[q][v] = zero();
  }
  const float* scales = tile.scales + first * kLanes;
  for (int d = 0; d < headDim;) {
    const int stop = headDim - d < kKvScaleDims ? headDim : d + kKvScaleDims;
    for (; d < stop; ++d) {
      if (next != nullptr && d % kAhead == 0) {
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) prefetchRange<kAheadBytes>(next->regions[first + v] + d / kAhead * kAheadBytes);
      }
      F key[V];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) {
        key[v] = keyRegister<Type>(keys[v], scales + v * kLanes);
        keys[v] += tile.stride;
      }
#pragma GCC unroll 8
      for (int q = 0; q < N; ++q) {
        const F query = broadcastFrom(queries + q);
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sum[q][v] = fma(query, key[v], sum[q][v]);
      }
      queries += kAttentionQueries;
    }
    scales += kTile;
  }
#pragma GCC unroll 8
  for (int q = 0; q < N; ++q) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) store(scores + q * kAttentionSpan + (first + v) * kLanes, sum[q][v]);
  }
}

/// sums[q] += Σ weights[q][t] · value[t] over tokens begin … end-1 of the tile, for N query vectors and V registers of
/// dimensions from `column` on.
template <KvType Type, int N, int V>
void weighTile(const ValueTile& tile, int begin, int end, std::int64_t column, const float* weights, float* sums,
               std::int64_t sumStride, const NextTile* next) noexcept {
  F sum[N][V];
#pragma GCC unroll 8
  for (int q = 0; q < N; ++q) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sum[q][v] = load(sums + q * sumStride + column + v * kLanes);
  }
  for (int t = begin; t < end;) {
    const int run = t / tile.runTokens;
    const int stop = (run + 1) * tile.runTokens < end ? (run + 1) * tile.runTokens : end;
    const std::byte* row = tile.runs[run] + (t - run * tile.runTokens) * tile.stride + column * kElement<Type>;
    for (; t < stop; ++t, row += tile.stride) {
      if (next != nullptr) {
        const std::byte* region = next->regions[t / kLanes] + t % kLanes * tile.stride;
        for (std::int64_t i = 0; i < tile.stride; i += 64) __builtin_prefetch(region + i, 0, 3);
      }
      F value[V];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) {
        value[v] = valueRegister<Type>(row + v * kLanes * kElement<Type>,
                                       tile.scales + (column + v * kLanes) / kKvScaleDims * kTile + t);
      }
#pragma GCC unroll 8
      for (int q = 0; q < N; ++q) {
        const F weight = broadcastFrom(weights + q * kAttentionSpan + t);
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sum[q][v] = fma(weight, value[v], sum[q][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int q = 0; q < N; ++q) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) store(sums + q * sumStride + column + v * kLanes, sum[q][v]);
  }
}

/// The instances for 1 … kAttentionQueries query vectors (index 0 is not used).
static_assert(kAttentionQueries == 6);
template <KvType Type, int V>
constexpr decltype(&scoreTile<Type, 1, V>) kScoreTile[] = {nullptr,
                                                           scoreTile<Type, 1, V>,
                                                           scoreTile<Type, 2, V>,
                                                           scoreTile<Type, 3, V>,
                                                           scoreTile<Type, 4, V>,
                                                           scoreTile<Type, 5, V>,
                                                           scoreTile<Type, 6, V>};
template <KvType Type, int V>
constexpr decltype(&weighTile<Type, 1, V>) kWeighTile[] = {nullptr,
                                                           weighTile<Type, 1, V>,
                                                           weighTile<Type, 2, V>,
                                                           weighTile<Type, 3, V>,
                                                           weighTile<Type, 4, V>,
                                                           weighTile<Type, 5, V>,
                                                           weighTile<Type, 6, V>};

/// One half as a float. Slow: for shapes that fill no register.
HEARTH_INLINE float halfElement(const std::byte* at) {
  std::byte part[2 * kLanes] = {};
  __builtin_memcpy(part, at, 2);
  float lanes[kLanes];
  store(lanes, loadHalf(part));
  return lanes[0];
}

/// Element `index` of a block, without its scale.
template <KvType Type>
HEARTH_INLINE float blockElement(const std::byte* block, std::int64_t index) {
  if constexpr (Type == KvType::F16) {
    return halfElement(block + 2 * index);
  } else if constexpr (Type == KvType::F32) {
    float x;
    __builtin_memcpy(&x, block + 4 * index, 4);
    return x;
  } else {
    return static_cast<float>(static_cast<std::int8_t>(block[index]));
  }
}

/// Where a task's cached tokens lie.
struct CachedPages {
  int headDim, pageTokens;
  bool registers;  ///< kLanes neighbouring tokens, from a multiple of kLanes on, lie in one page

  HEARTH_INLINE explicit CachedPages(const AttentionTask& task)
      : headDim(task.headDim), pageTokens(task.pageTokens), registers(task.pageTokens % kLanes == 0) {}
  /// Can the kernels read the pages as they are?
  [[nodiscard]] HEARTH_INLINE bool readable() const {
    return registers && headDim % kLanes == 0 && (kTile % pageTokens == 0 || pageTokens % kTile == 0);
  }

  /// Where the tile at position `start` begins in a cache that is readable(); what lies after `last` is left at `other`.
  HEARTH_INLINE void regions(const std::byte* const* pages, int start, int last, std::int64_t elementBytes,
                             const std::byte* other, NextTile& next) const {
    for (int r = 0; r < kTileRegisters; ++r, start += kLanes) {
      next.regions[r] = start > last ? other : pages[start / pageTokens] + start % pageTokens * headDim * elementBytes;
    }
  }

  /// Scales of tokens [begin, end) of the tile at position `start` as floats: out[block of 32 dimensions][kTile].
  void scales(const std::byte* const* pages, int start, int begin, int end, float* out) const noexcept {
    const int blocks = (headDim + kKvScaleDims - 1) / kKvScaleDims;
    const std::int64_t quants = static_cast<std::int64_t>(headDim) * pageTokens;
    for (int t = begin; t < end; t += registers ? kLanes : 1) {
      const int position = start + t;
      const std::byte* page = pages[position / pageTokens] + quants + 2 * (position % pageTokens);
      for (int block = 0; block < blocks; ++block, page += 2 * pageTokens) {
        if (registers) {
          store(out + block * kTile + t, loadHalf(page));
        } else {
          out[block * kTile + t] = halfElement(page);
        }
      }
    }
  }

  /// Keys of tokens [begin, end) as floats: out[d][kTile].
  template <KvType Type>
  void widenKeys(const std::byte* const* pages, int start, int begin, int end, const float* scales,
                 float* out) const noexcept {
    for (int t = begin; t < end; t += registers ? kLanes : 1) {
      const int position = start + t;
      const std::byte* page = pages[position / pageTokens];
      const int place = position % pageTokens;
      if (registers) {
        page += place * kElement<Type>;
        for (int d = 0; d < headDim; ++d, page += pageTokens * kElement<Type>) {
          store(out + d * kTile + t, keyRegister<Type>(page, scales + d / kKvScaleDims * kTile + t));
        }
      } else {
        for (int d = 0; d < headDim; ++d) {
          const float x = blockElement<Type>(page, static_cast<std::int64_t>(d) * pageTokens + place);
          out[d * kTile + t] = Type == KvType::Q8_0 ? x * scales[d / kKvScaleDims * kTile + t] : x;
        }
      }
    }
  }

  /// Values of tokens [begin, end) as floats: out[t][dims], zero from headDim on.
  template <KvType Type>
  void widenValues(const std::byte* const* pages, int start, int begin, int end, const float* scales, std::int64_t dims,
                   float* out) const noexcept {
    for (int t = begin; t < end; ++t) {
      const int position = start + t;
      const std::byte* page = pages[position / pageTokens];
      const std::int64_t row = static_cast<std::int64_t>(position % pageTokens) * headDim;
      float* to = out + t * dims;
      int d = 0;
      for (; d + kLanes <= headDim; d += kLanes) {
        store(to + d, valueRegister<Type>(page + (row + d) * kElement<Type>, scales + d / kKvScaleDims * kTile + t));
      }
      for (; d < headDim; ++d) {
        const float x = blockElement<Type>(page, row + d);
        to[d] = Type == KvType::Q8_0 ? x * scales[d / kKvScaleDims * kTile + t] : x;
      }
      for (; d < dims; ++d) to[d] = 0.0F;
    }
  }
};

/// 32 (or `count`) floats as int8 with one scale, which is rounded to half first.
HEARTH_INLINE void quantizeKv(const float* x, int count, std::int8_t* q, std::byte* scale) {
  constexpr int kVectors = kKvScaleDims / kLanes;
  F v[kVectors];
  F largest = zero();
  bool nan = false;
#pragma GCC unroll 4
  for (int i = 0; i < kVectors; ++i) {
    const int rest = count - i * kLanes;
    v[i] = rest >= kLanes ? load(x + i * kLanes) : loadFirst(x + i * kLanes, rest < 0 ? 0 : rest);
    largest = max(largest, abs(v[i]));
    nan = nan || anyNan(v[i]);
  }
  // A NaN stays in the scale, where it shows.
  std::byte halves[2 * kLanes];
  storeHalf(halves, broadcast((nan ? __builtin_nanf("") : reduceMax(largest)) * (1.0F / 127.0F)));
  __builtin_memcpy(scale, halves, 2);
  const float rounded = halfElement(halves);
  const F inverse = broadcast(rounded > 0.0F ? 1.0F / rounded : 0.0F);
  I levels[kVectors];
#pragma GCC unroll 4
  for (int i = 0; i < kVectors; ++i) levels[i] = toInt(mul(v[i], inverse));
  storeInt8x32(q, levels);
}

/// n floats as halves.
HEARTH_INLINE void storeHalves(const float* x, int n, std::byte* out) {
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) storeHalf(out + 2 * i, load(x + i));
  if (i < n) {
    std::byte rest[2 * kLanes];
    storeHalf(rest, loadFirst(x + i, n - i));
    __builtin_memcpy(out + 2 * i, rest, static_cast<std::size_t>(2 * (n - i)));
  }
}

void writeKv(const float* key, const float* value, int headDim, KvType type, int pageTokens, int place, std::byte* keys,
             std::byte* values) noexcept {
  const std::int64_t element = kvElementBytes(type);
  std::byte* row = values + static_cast<std::int64_t>(place) * headDim * element;
  keys += place * element;
  if (type == KvType::F32) {
    __builtin_memcpy(row, value, static_cast<std::size_t>(headDim) * sizeof(float));
    for (int d = 0; d < headDim; ++d) __builtin_memcpy(keys + static_cast<std::int64_t>(d) * pageTokens * 4, key + d, 4);
    return;
  }
  if (type == KvType::F16) {
    storeHalves(value, headDim, row);
    for (int d = 0; d < headDim; d += kKvScaleDims) {
      const int count = headDim - d < kKvScaleDims ? headDim - d : kKvScaleDims;
      std::byte halves[2 * kKvScaleDims];
      storeHalves(key + d, count, halves);
      for (int i = 0; i < count; ++i)
        __builtin_memcpy(keys + static_cast<std::int64_t>(d + i) * pageTokens * 2, halves + 2 * i, 2);
    }
    return;
  }
  const std::int64_t quants = static_cast<std::int64_t>(headDim) * pageTokens;
  std::byte* keyScales = keys - place + quants + 2 * place;
  std::byte* valueScales = values + quants + 2 * place;
  for (int d = 0; d < headDim; d += kKvScaleDims) {
    const int count = headDim - d < kKvScaleDims ? headDim - d : kKvScaleDims;
    std::int8_t q[kKvScaleDims];
    quantizeKv(value + d, count, q, valueScales);
    __builtin_memcpy(row + d, q, static_cast<std::size_t>(count));
    quantizeKv(key + d, count, q, keyScales);
    for (int i = 0; i < count; ++i) keys[static_cast<std::int64_t>(d + i) * pageTokens] = static_cast<std::byte>(q[i]);
    keyScales += 2 * pageTokens;
    valueScales += 2 * pageTokens;
  }
}

}  // namespace
}  // namespace hearth::kernels
