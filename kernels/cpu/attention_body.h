#pragma once

// Flash attention over pages, written once for every SIMD table. Include a simd_*.h and vector_body.h first.
//
// Query vectors (a head of a row) are taken in blocks. For each block the pages go by in order of position; a page's keys
// are turned (one token per lane) and its values widened once for the whole block. What is done to one query vector is a
// fixed sequence given by its own position and the page size: pages without a visible key do nothing, lanes outside its
// range count as −infinity, values outside are not touched. So its result does not depend on which rows share the task.
namespace hearth::kernels {
namespace {

constexpr int kQueryBlock = 64;

/// What is kept for a block of query vectors; all rows are padded to whole registers.
struct AttentionScratch {
  std::int64_t dims;    ///< headDim, padded
  std::int64_t tokens;  ///< pageTokens, padded
  float* keys;          ///< [dims][tokens]: a page's keys, turned
  float* values;        ///< [pageTokens][dims]
  float* sums;          ///< [kQueryBlock][dims]: Σ weight · value so far
  float* scores;        ///< [kQueryBlock][tokens]

  HEARTH_INLINE AttentionScratch(const AttentionTask& task)
      : dims(roundUpTo(task.headDim, kLanes)), tokens(roundUpTo(task.pageTokens, kLanes)) {
    keys = task.scratch;
    values = keys + dims * tokens;
    sums = values + task.pageTokens * dims;
    scores = sums + kQueryBlock * dims;
  }
};

std::int64_t attentionScratchFloats(const AttentionTask& task) noexcept {
  const std::int64_t dims = roundUpTo(task.headDim, kLanes), tokens = roundUpTo(task.pageTokens, kLanes);
  return dims * tokens + task.pageTokens * dims + kQueryBlock * (dims + tokens);
}

/// kLanes (or `count`) elements of a cached row as floats.
template <KvType Type>
HEARTH_INLINE F loadCached(const std::byte* row, std::int64_t index, int count) {
  if constexpr (Type == KvType::F16) {
    if (count >= kLanes) return loadHalf(row + 2 * index);
    std::byte part[2 * kLanes] = {};
    __builtin_memcpy(part, row + 2 * index, static_cast<std::size_t>(2 * count));
    return loadHalf(part);
  } else {
    const auto* floats = reinterpret_cast<const float*>(row) + index;
    return count >= kLanes ? load(floats) : loadFirst(floats, count);
  }
}

/// keys[d][t] = page[t][d] for the first `used` tokens; the lanes after them are zero.
template <KvType Type>
HEARTH_INLINE void turnKeys(const std::byte* page, int headDim, int used, const AttentionScratch& s) {
  const std::int64_t rowBytes = static_cast<std::int64_t>(headDim) * (Type == KvType::F16 ? 2 : 4);
  for (int t = 0; t < used; t += kLanes) {
    for (int d = 0; d < headDim; d += kLanes) {
      F part[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) part[i] = t + i < used ? loadCached<Type>(page + (t + i) * rowBytes, d, headDim - d) : zero();
      transpose(part);
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) store(s.keys + (d + i) * s.tokens + t, part[i]);
    }
  }
}

template <KvType Type>
HEARTH_INLINE void widenValues(const std::byte* page, int headDim, int used, const AttentionScratch& s) {
  const std::int64_t rowBytes = static_cast<std::int64_t>(headDim) * (Type == KvType::F16 ? 2 : 4);
  for (int t = 0; t < used; ++t) {
    for (int d = 0; d < headDim; d += kLanes) store(s.values + t * s.dims + d, loadCached<Type>(page + t * rowBytes, d, headDim - d));
  }
}

/// scores[q][t …] = query q · keys for N query vectors and one register of tokens; even and odd dimensions apart, for latency.
template <int N>
void scoreVectors(const float* const* queries, int headDim, const AttentionScratch& s, std::int64_t t, float* scores) noexcept {
  F even[N], odd[N];
#pragma GCC unroll 8
  for (int q = 0; q < N; ++q) even[q] = odd[q] = zero();
  const float* keys = s.keys + t;
  int d = 0;
  for (; d + 2 <= headDim; d += 2) {
    const F first = load(keys), second = load(keys + s.tokens);
#pragma GCC unroll 8
    for (int q = 0; q < N; ++q) {
      even[q] = fma(first, broadcastFrom(queries[q] + d), even[q]);
      odd[q] = fma(second, broadcastFrom(queries[q] + d + 1), odd[q]);
    }
    keys += 2 * s.tokens;
  }
  if (d < headDim) {
    const F last = load(keys);
#pragma GCC unroll 8
    for (int q = 0; q < N; ++q) even[q] = fma(last, broadcastFrom(queries[q] + d), even[q]);
  }
#pragma GCC unroll 8
  for (int q = 0; q < N; ++q) store(scores + q * s.tokens + t, add(even[q], odd[q]));
}

/// sums[q] = sums[q] · correction[q] + Σ_t weight[q][t] · values[t] for N query vectors that see tokens [begin, end).
template <int N>
void weighValues(const AttentionScratch& s, int query, int begin, int end, const float* corrections) noexcept {
  constexpr int kVectors = kAttentionVectors;
  for (std::int64_t d = 0; d < s.dims; d += kVectors * kLanes) {
    const bool both = d + kLanes < s.dims;
    F sum[N][kVectors];
#pragma GCC unroll 8
    for (int q = 0; q < N; ++q) {
      float* row = s.sums + (query + q) * s.dims + d;
      const F correction = broadcastFrom(corrections + query + q);
      sum[q][0] = mul(load(row), correction);
      sum[q][1] = both ? mul(load(row + kLanes), correction) : zero();
    }
    const float* values = s.values + begin * s.dims + d;
    for (int t = begin; t < end; ++t, values += s.dims) {
      const F first = load(values), second = both ? load(values + kLanes) : zero();
#pragma GCC unroll 8
      for (int q = 0; q < N; ++q) {
        const F weight = broadcastFrom(s.scores + (query + q) * s.tokens + t);
        sum[q][0] = fma(weight, first, sum[q][0]);
        sum[q][1] = fma(weight, second, sum[q][1]);
      }
    }
#pragma GCC unroll 8
    for (int q = 0; q < N; ++q) {
      float* row = s.sums + (query + q) * s.dims + d;
      store(row, sum[q][0]);
      if (both) store(row + kLanes, sum[q][1]);
    }
  }
}

/// The instances for 1 … kAttentionQueries query vectors (index 0 is not used).
template <int N>
constexpr int kQueries = N < kAttentionQueries ? N : kAttentionQueries;
constexpr decltype(&scoreVectors<1>) kScoreVectors[9] = {
    nullptr,                   scoreVectors<kQueries<1>>, scoreVectors<kQueries<2>>, scoreVectors<kQueries<3>>, scoreVectors<kQueries<4>>,
    scoreVectors<kQueries<5>>, scoreVectors<kQueries<6>>, scoreVectors<kQueries<7>>, scoreVectors<kQueries<8>>};
constexpr decltype(&weighValues<1>) kWeighValues[9] = {
    nullptr,                  weighValues<kQueries<1>>, weighValues<kQueries<2>>, weighValues<kQueries<3>>, weighValues<kQueries<4>>,
    weighValues<kQueries<5>>, weighValues<kQueries<6>>, weighValues<kQueries<7>>, weighValues<kQueries<8>>};

/// Scores of one query vector and page into weights; returns the factor for what was summed before.
HEARTH_INLINE float softmaxPage(const AttentionTask& task, float* scores, std::int64_t tokens, int begin, int end, float& maximum, float& total) {
  const F scale = broadcast(task.scale);
  F largest = broadcast(-__builtin_inff());
  for (std::int64_t t = 0; t < tokens; t += kLanes) {
    F score = mul(load(scores + t), scale);
    if (task.softcap > 0.0F) score = mul(broadcast(task.softcap), tanhOf(mul(score, broadcast(1.0F / task.softcap))));
    score = keepLanes(score, begin - static_cast<int>(t), end - static_cast<int>(t));
    store(scores + t, score);
    largest = max(score, largest);
  }
  const float pageMaximum = reduceMax(largest);
  const float newMaximum = pageMaximum > maximum ? pageMaximum : maximum;
  const F shift = broadcast(newMaximum);
  F sum = zero();
  for (std::int64_t t = 0; t < tokens; t += kLanes) {
    const F weight = expOf(sub(load(scores + t), shift));
    store(scores + t, weight);
    sum = add(sum, weight);
  }
  float lanes[kLanes];
  store(lanes, expOf(broadcast(maximum - newMaximum)));
  maximum = newMaximum;
  total = total * lanes[0] + reduceAdd(sum);
  return lanes[0];
}

template <KvType Type>
void attentionBlock(const AttentionTask& task, std::int64_t first, int count) noexcept {
  const AttentionScratch s(task);
  const float* queries[kQueryBlock];
  int firstKey[kQueryBlock] = {}, lastKey[kQueryBlock] = {}, begin[kQueryBlock], end[kQueryBlock];
  float maximum[kQueryBlock], total[kQueryBlock], corrections[kQueryBlock];
  for (int q = 0; q < count; ++q) {
    const std::int64_t row = (first + q) / task.group, head = (first + q) % task.group;
    queries[q] = task.query + row * task.queryStride + head * task.headDim;
    lastKey[q] = task.firstPosition + static_cast<int>(row);
    firstKey[q] = task.window > 0 && lastKey[q] - task.window + 1 > 0 ? lastKey[q] - task.window + 1 : 0;
    maximum[q] = -__builtin_inff();
    total[q] = 0.0F;
    for (std::int64_t d = 0; d < s.dims; d += kLanes) store(s.sums + q * s.dims + d, zero());
  }
  // Positions grow with the row, so the first query sees the earliest key and the last query the latest.
  const int lastPage = lastKey[count - 1] / task.pageTokens;
  for (int page = firstKey[0] / task.pageTokens; page <= lastPage; ++page) {
    const int start = page * task.pageTokens;
    const int used = lastKey[count - 1] + 1 - start < task.pageTokens ? lastKey[count - 1] + 1 - start : task.pageTokens;
    turnKeys<Type>(task.keyPages[page], task.headDim, used, s);
    widenValues<Type>(task.valuePages[page], task.headDim, used, s);
    int low = count, high = 0;  // the queries that see this page
    for (int q = 0; q < count; ++q) {
      begin[q] = firstKey[q] > start ? firstKey[q] - start : 0;
      end[q] = lastKey[q] + 1 - start < task.pageTokens ? lastKey[q] + 1 - start : task.pageTokens;
      if (end[q] > begin[q]) {
        low = q < low ? q : low;
        high = q + 1;
      }
    }
    for (int t = 0; t < used; t += kLanes) {
      for (int q = low; q < high; q += kAttentionQueries) {
        const int n = high - q < kAttentionQueries ? high - q : kAttentionQueries;
        kScoreVectors[n](queries + q, task.headDim, s, t, s.scores + q * s.tokens);
      }
    }
    for (int q = low; q < high; ++q) {
      if (end[q] > begin[q]) corrections[q] = softmaxPage(task, s.scores + q * s.tokens, s.tokens, begin[q], end[q], maximum[q], total[q]);
    }
    for (int q = low; q < high;) {
      int same = 1;
      while (same < kAttentionQueries && q + same < high && begin[q + same] == begin[q] && end[q + same] == end[q]) ++same;
      if (end[q] > begin[q]) kWeighValues[same](s, q, begin[q], end[q], corrections);
      q += same;
    }
  }
  for (int q = 0; q < count; ++q) {
    const std::int64_t row = (first + q) / task.group, head = (first + q) % task.group;
    float* out = task.output + row * task.outputStride + head * task.headDim;
    const F inverse = broadcast(1.0F / total[q]);
    for (int d = 0; d < task.headDim; d += kLanes) {
      const F value = mul(load(s.sums + q * s.dims + d), inverse);
      if (task.headDim - d >= kLanes) {
        store(out + d, value);
      } else {
        storeFirst(out + d, value, task.headDim - d);
      }
    }
  }
}

void attention(const AttentionTask& task) noexcept {
  const std::int64_t vectors = static_cast<std::int64_t>(task.rows) * task.group;
  for (std::int64_t first = 0; first < vectors; first += kQueryBlock) {
    const int count = vectors - first < kQueryBlock ? static_cast<int>(vectors - first) : kQueryBlock;
    if (task.type == KvType::F16) {
      attentionBlock<KvType::F16>(task, first, count);
    } else {
      attentionBlock<KvType::F32>(task, first, count);
    }
  }
}

}  // namespace
}  // namespace hearth::kernels
