#pragma once

// Flash attention over pages, written once for every SIMD table. Include attention_tile.h first.
//
// Positions are taken in spans of kAttentionSpan, counted from 0. In each span a query vector (a head of a row) has its own
// softmax: scores of the whole span, their maximum, weights, Σ weight · value. Then the spans are joined in order. What is
// done to one query vector is a fixed sequence given by its own position and window: spans without a visible key do
// nothing, lanes outside its range count as −infinity, values outside are not touched. So its result does not depend on
// which rows share the task, nor on whether the spans were computed by one thread or by many.
namespace hearth::kernels {
namespace {

constexpr int kQueryBlock = 96;  // query vectors for which a tile is widened once
/// Up to so many query vectors read the pages as they are: widening pays when each element is used more often.
constexpr int kDirectQueries = 2 * kAttentionQueries;

/// Working space for a block of query vectors; every part starts on a cache line.
struct AttentionScratch {
  std::int64_t dims;   ///< headDim, padded to whole registers
  float* keys;         ///< [headDim][kTile]
  float* values;       ///< [kTile][dims]
  float* keyScales;    ///< [⌈headDim / 32⌉][kTile]
  float* valueScales;  ///< the same
  float* queries;      ///< [kQueryBlock / kAttentionQueries][headDim][kAttentionQueries], scaled
  float* sums;         ///< [kQueryBlock][dims]: a span's
  float* totals;       ///< [kQueryBlock][dims]: of all spans so far
  float* scores;       ///< [kQueryBlock][kAttentionSpan], then weights

  HEARTH_INLINE explicit AttentionScratch(const AttentionTask& task) : dims(roundUpTo(task.headDim, kLanes)) {
    const std::int64_t tile = kTile * dims, block = kQueryBlock * dims,
                       scales = (dims + kKvScaleDims - 1) / kKvScaleDims * kTile;
    keys = reinterpret_cast<float*>(roundUpTo(reinterpret_cast<std::int64_t>(task.scratch), 64));
    values = keys + tile;
    keyScales = values + tile;
    valueScales = keyScales + scales;
    queries = valueScales + scales;
    sums = queries + block;
    totals = sums + block;
    scores = totals + block;
  }
};

std::int64_t attentionScratchFloats(const AttentionTask& task) noexcept {
  const std::int64_t dims = roundUpTo(task.headDim, kLanes), scales = (dims + kKvScaleDims - 1) / kKvScaleDims * kTile;
  return 16 + 2 * kTile * dims + 2 * scales + 3 * kQueryBlock * dims + kQueryBlock * kAttentionSpan;
}

/// Query vectors [first, first + count) of a task (row by row, head by head), and what each has seen in the current span.
struct QueryBlock {
  std::int64_t first;
  int count;
  int firstKey[kQueryBlock], lastKey[kQueryBlock];
  float maximum[kQueryBlock], total[kQueryBlock];

  HEARTH_INLINE QueryBlock(const AttentionTask& task, std::int64_t firstVector, int vectors)
      : first(firstVector), count(vectors) {
    for (int q = 0; q < count; ++q) {
      lastKey[q] = task.keys > 0 ? task.keys - 1 : task.firstPosition + static_cast<int>((first + q) / task.group);
      firstKey[q] = task.window > 0 && lastKey[q] - task.window + 1 > 0 ? lastKey[q] - task.window + 1 : 0;
    }
  }
  /// The part of positions [start, start + length) that query q sees, relative to start; empty when end <= begin.
  HEARTH_INLINE int begin(int q, int start) const { return firstKey[q] > start ? firstKey[q] - start : 0; }
  HEARTH_INLINE int end(int q, int start, int length) const {
    return lastKey[q] + 1 - start < length ? lastKey[q] + 1 - start : length;
  }
  HEARTH_INLINE bool sees(int q, int start, int length) const { return end(q, start, length) > begin(q, start); }

  /// Both bounds grow with the row: the queries that see any of the positions are neighbours, [low, high).
  HEARTH_INLINE void seeing(int start, int length, int& low, int& high) const {
    low = 0;
    high = count;
    while (low < high && !sees(low, start, length)) ++low;
    while (high > low && !sees(high - 1, start, length)) --high;
  }
};

void packQueries(const AttentionTask& task, const QueryBlock& block, const AttentionScratch& s) noexcept {
  for (int q = 0; q < block.count; ++q) {
    const std::int64_t row = (block.first + q) / task.group, head = (block.first + q) % task.group;
    const float* from = task.query + row * task.queryStride + head * task.headDim;
    float* to = s.queries + (q / kAttentionQueries * task.headDim) * kAttentionQueries + q % kAttentionQueries;
    for (int d = 0; d < task.headDim; ++d) to[d * kAttentionQueries] = from[d] * task.scale;
  }
}

HEARTH_INLINE float expOfOne(float x) {
  float lanes[kLanes];
  store(lanes, expOf(broadcast(x)));
  return lanes[0];
}

/// Scores of one query vector's positions [begin, end) of a span into weights.
HEARTH_INLINE void softmaxSpan(const AttentionTask& task, float* scores, int begin, int end, float& maximum, float& total) {
  F largest = broadcast(-__builtin_inff());
  const int from = begin / kLanes * kLanes;
  for (int t = from; t < end; t += kLanes) {
    F score = load(scores + t);
    const bool cut = t < begin || t + kLanes > end;
    if (task.softcap > 0.0F) score = mul(broadcast(task.softcap), tanhOf(mul(score, broadcast(1.0F / task.softcap))));
    if (cut) score = keepLanes(score, begin - t, end - t);
    if (cut || task.softcap > 0.0F) store(scores + t, score);
    largest = max(score, largest);
  }
  maximum = reduceMax(largest);
  const F shift = broadcast(maximum);
  F sum = zero();
  for (int t = from; t < end; t += kLanes) {
    const F weight = expOf(sub(load(scores + t), shift));
    store(scores + t, weight);
    sum = add(sum, weight);
  }
  total = reduceAdd(sum);
}

template <KvType Type>
HEARTH_INLINE void scoresOfTile(const KeyTile& tile, const QueryBlock& block, const AttentionScratch& s, int headDim,
                                int offset, int begin, int end, int low, int high, const NextTile* next) {
  const int last = (end + kLanes - 1) / kLanes;
  for (int q = low / kAttentionQueries * kAttentionQueries; q < high; q += kAttentionQueries) {
    const int n = block.count - q < kAttentionQueries ? block.count - q : kAttentionQueries;
    const float* queries = s.queries + static_cast<std::int64_t>(q) * headDim;
    float* scores = s.scores + q * kAttentionSpan + offset;
    int r = begin / kLanes;
    for (; r + kAttentionVectors <= last; r += kAttentionVectors)
      kScoreTile<Type, kAttentionVectors>[n](tile, r, queries, headDim, scores, next);
    for (; r < last; ++r) kScoreTile<Type, 1>[n](tile, r, queries, headDim, scores, next);
    next = nullptr;
  }
}

template <KvType Type>
HEARTH_INLINE void valuesOfTile(const ValueTile& tile, const QueryBlock& block, const AttentionScratch& s, int start,
                                int offset, int low, int high, float* sums, std::int64_t sumStride, const NextTile* next) {
  for (int q = low; q < high;) {
    const int begin = block.begin(q, start), end = block.end(q, start, kTile);
    int n = 1;
    while (n < kAttentionQueries && q + n < high && block.begin(q + n, start) == begin &&
           block.end(q + n, start, kTile) == end)
      ++n;
    const float* weights = s.scores + q * kAttentionSpan + offset;
    std::int64_t d = 0;
    for (; d + kAttentionVectors * kLanes <= s.dims; d += kAttentionVectors * kLanes) {
      kWeighTile<Type, kAttentionVectors>[n](tile, begin, end, d, weights, sums + q * sumStride, sumStride, next);
      next = nullptr;
    }
    for (; d < s.dims; d += kLanes)
      kWeighTile<Type, 1>[n](tile, begin, end, d, weights, sums + q * sumStride, sumStride, nullptr);
    q += n;
  }
}

/// One span for a block of query vectors: sums[q] (sumStride floats apart), and the block's maximum and total. Queries that
/// see nothing of it are left with no sum, −infinity and 0.
template <KvType Type>
void spanOfType(const AttentionTask& task, const AttentionScratch& s, QueryBlock& block, int span, float* sums,
                std::int64_t sumStride) noexcept {
  const CachedPages pages(task);
  const bool direct = block.count <= kDirectQueries && pages.readable();
  const int start = span * kAttentionSpan;
  const int last = block.lastKey[block.count - 1];
  const int length = block.end(block.count - 1, start, kAttentionSpan);  // what the last query sees, nobody sees more
  for (int tile = 0; tile < length; tile += kTile) {
    const int tileStart = start + tile;
    const int begin = block.begin(0, tileStart), end = length - tile < kTile ? length - tile : kTile;
    if (begin >= end) continue;
    int low, high;
    block.seeing(tileStart, kTile, low, high);
    const int from = pages.registers ? begin / kLanes * kLanes : begin;
    if constexpr (Type == KvType::Q8_0) pages.scales(task.keyPages, tileStart, from, end, s.keyScales);
    KeyTile keys;
    keys.scales = s.keyScales;
    if (direct) {
      keys.stride = task.pageTokens * kElement<Type>;
      for (int r = begin / kLanes; r * kLanes < end; ++r) {
        const int position = tileStart + r * kLanes;
        keys.registers[r] = task.keyPages[position / task.pageTokens] + position % task.pageTokens * kElement<Type>;
      }
      NextTile next;
      const bool more = tile + kTile < length;
      pages.regions(more ? task.keyPages : task.valuePages, more ? tileStart + kTile : start, last, kElement<Type>,
                    keys.registers[begin / kLanes], next);
      scoresOfTile<Type>(keys, block, s, task.headDim, tile, begin, end, low, high, &next);
    } else {
      pages.widenKeys<Type>(task.keyPages, tileStart, from, end, s.keyScales, s.keys);
      keys.stride = kTile * 4;
      for (int r = 0; r < kTileRegisters; ++r) keys.registers[r] = reinterpret_cast<const std::byte*>(s.keys + r * kLanes);
      scoresOfTile<KvType::F32>(keys, block, s, task.headDim, tile, begin, end, low, high, nullptr);
    }
  }
  for (int q = 0; q < block.count; ++q) {
    block.maximum[q] = -__builtin_inff();
    block.total[q] = 0.0F;
    for (std::int64_t d = 0; d < s.dims; d += kLanes) store(sums + q * sumStride + d, zero());
    if (block.sees(q, start, kAttentionSpan)) {
      softmaxSpan(task, s.scores + q * kAttentionSpan, block.begin(q, start), block.end(q, start, kAttentionSpan),
                  block.maximum[q], block.total[q]);
    }
  }
  for (int tile = 0; tile < length; tile += kTile) {
    const int tileStart = start + tile;
    const int begin = block.begin(0, tileStart), end = length - tile < kTile ? length - tile : kTile;
    if (begin >= end) continue;
    int low, high;
    block.seeing(tileStart, kTile, low, high);
    if constexpr (Type == KvType::Q8_0)
      pages.scales(task.valuePages, tileStart, pages.registers ? begin / kLanes * kLanes : begin, end, s.valueScales);
    ValueTile values;
    values.scales = s.valueScales;
    if (direct) {
      values.runTokens = task.pageTokens < kTile ? task.pageTokens : kTile;
      values.stride = task.headDim * kElement<Type>;
      for (int run = begin / values.runTokens; run * values.runTokens < end; ++run) {
        const int position = tileStart + run * values.runTokens;
        values.runs[run] = task.valuePages[position / task.pageTokens] + position % task.pageTokens * values.stride;
      }
      NextTile next;
      const bool more = tile + kTile < length;
      pages.regions(more ? task.valuePages : task.keyPages, tileStart + kTile, last, kElement<Type>,
                    values.runs[begin / values.runTokens], next);
      valuesOfTile<Type>(values, block, s, tileStart, tile, low, high, sums, sumStride, &next);
    } else {
      pages.widenValues<Type>(task.valuePages, tileStart, begin, end, s.valueScales, s.dims, s.values);
      values.runTokens = kTile;
      values.stride = s.dims * 4;
      values.runs[0] = reinterpret_cast<const std::byte*>(s.values);
      valuesOfTile<KvType::F32>(values, block, s, tileStart, tile, low, high, sums, sumStride, nullptr);
    }
  }
}

HEARTH_INLINE void spanOf(const AttentionTask& task, const AttentionScratch& s, QueryBlock& block, int span, float* sums,
                          std::int64_t sumStride) {
  switch (task.type) {
    case KvType::F16: return spanOfType<KvType::F16>(task, s, block, span, sums, sumStride);
    case KvType::F32: return spanOfType<KvType::F32>(task, s, block, span, sums, sumStride);
    case KvType::Q8_0: return spanOfType<KvType::Q8_0>(task, s, block, span, sums, sumStride);
  }
}

/// Joins a span's result to those before it.
HEARTH_INLINE void joinSpan(float* totals, float& maximum, float& total, const float* sums, float spanMaximum,
                            float spanTotal, std::int64_t dims) {
  const float largest = spanMaximum > maximum ? spanMaximum : maximum;
  const float before = expOfOne(maximum - largest), now = expOfOne(spanMaximum - largest);
  const F beforeAll = broadcast(before), nowAll = broadcast(now);
  for (std::int64_t d = 0; d < dims; d += kLanes)
    store(totals + d, fma(load(sums + d), nowAll, mul(load(totals + d), beforeAll)));
  total = total * before + spanTotal * now;
  maximum = largest;
}

HEARTH_INLINE void writeOutput(const AttentionTask& task, std::int64_t vector, const float* totals, float total) {
  float* out = task.output + vector / task.group * task.outputStride + vector % task.group * task.headDim;
  const F inverse = broadcast(1.0F / total);
  for (int d = 0; d < task.headDim; d += kLanes) {
    const F value = mul(load(totals + d), inverse);
    if (task.headDim - d >= kLanes) {
      store(out + d, value);
    } else {
      storeFirst(out + d, value, task.headDim - d);
    }
  }
}

/// Calls body(block) for the task's query vectors, block after block.
template <class Body>
HEARTH_INLINE void eachBlock(const AttentionTask& task, Body body) {
  const std::int64_t vectors = static_cast<std::int64_t>(task.rows) * task.group;
  for (std::int64_t first = 0; first < vectors; first += kQueryBlock) {
    QueryBlock block(task, first, vectors - first < kQueryBlock ? static_cast<int>(vectors - first) : kQueryBlock);
    body(block);
  }
}

void attention(const AttentionTask& task) noexcept {
  const AttentionScratch s(task);
  eachBlock(task, [&](QueryBlock& block) {
    packQueries(task, block, s);
    float maximum[kQueryBlock], total[kQueryBlock];
    for (int q = 0; q < block.count; ++q) {
      maximum[q] = -__builtin_inff();
      total[q] = 0.0F;
      for (std::int64_t d = 0; d < s.dims; d += kLanes) store(s.totals + q * s.dims + d, zero());
    }
    const int lastSpan = block.lastKey[block.count - 1] / kAttentionSpan;
    for (int span = block.firstKey[0] / kAttentionSpan; span <= lastSpan; ++span) {
      spanOf(task, s, block, span, s.sums, s.dims);
      for (int q = 0; q < block.count; ++q) {
        if (!block.sees(q, span * kAttentionSpan, kAttentionSpan)) continue;
        joinSpan(s.totals + q * s.dims, maximum[q], total[q], s.sums + q * s.dims, block.maximum[q], block.total[q], s.dims);
      }
    }
    for (int q = 0; q < block.count; ++q) writeOutput(task, block.first + q, s.totals + q * s.dims, total[q]);
  });
}

void attentionSpan(const AttentionTask& task, int span, float* states) noexcept {
  const AttentionScratch s(task);
  const std::int64_t stride = attentionStateFloats(task.headDim);
  eachBlock(task, [&](QueryBlock& block) {
    packQueries(task, block, s);
    float* mine = states + block.first * stride;
    spanOf(task, s, block, span, mine, stride);
    for (int q = 0; q < block.count; ++q) {
      mine[q * stride + stride - 2] = block.maximum[q];
      mine[q * stride + stride - 1] = block.total[q];
    }
  });
}

void attentionMerge(const AttentionTask& task, const float* states) noexcept {
  const AttentionScratch s(task);
  const std::int64_t stride = attentionStateFloats(task.headDim);
  const std::int64_t spanFloats = static_cast<std::int64_t>(task.rows) * task.group * stride;
  eachBlock(task, [&](QueryBlock& block) {
    const int firstSpan = QueryBlock(task, 0, 1).firstKey[0] / kAttentionSpan;
    for (int q = 0; q < block.count; ++q) {
      float maximum = -__builtin_inff(), total = 0.0F;
      for (std::int64_t d = 0; d < s.dims; d += kLanes) store(s.totals + d, zero());
      for (int span = block.firstKey[q] / kAttentionSpan; span <= block.lastKey[q] / kAttentionSpan; ++span) {
        const float* state = states + (span - firstSpan) * spanFloats + (block.first + q) * stride;
        joinSpan(s.totals, maximum, total, state, state[stride - 2], state[stride - 1], s.dims);
      }
      writeOutput(task, block.first + q, s.totals, total);
    }
  });
}

}  // namespace
}  // namespace hearth::kernels
