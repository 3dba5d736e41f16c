// The reference table: plain C++, any CPU. It multiplies dequantised weights with float activations, so that the other
// tables (which round activations to int8) are measured against it. Clarity comes before speed here.
#include "kernels/cpu/tables.h"

#include <cmath>
#include <limits>

#include "kernels/quant/fit.h"
#include "kernels/quant/half.h"

namespace hearth::kernels {
namespace {

constexpr std::int64_t kTileRows = 4;
constexpr std::int64_t kChunk = 256;  // elements dequantised at a time: a multiple of every format's block

std::int64_t roundUp(std::int64_t value, std::int64_t multiple) noexcept {
  return (value + multiple - 1) / multiple * multiple;
}

/// The packed tile is the file's rows, one after the other; rows past the end are zeros.
PackPlan planPack(FormatId source, std::int64_t rows, std::int64_t cols) noexcept {
  PackPlan plan;
  const FormatInfo* format = findFormat(source);
  if (format == nullptr || rows <= 0 || cols <= 0 || cols % format->blockElements != 0) return plan;
  plan.source = source;
  plan.layout = 1;
  plan.activation = kActivationF32;
  plan.rows = rows;
  plan.cols = cols;
  plan.tileRows = kTileRows;
  plan.tiles = (rows + kTileRows - 1) / kTileRows;
  plan.sourceRowBytes = cols / format->blockElements * format->blockBytes;
  plan.tileBytes = roundUp(kTileRows * plan.sourceRowBytes, 64);
  return plan;
}

void pack(const PackPlan& plan, const std::byte* source, std::byte* packed, std::int64_t tileBegin,
          std::int64_t tileEnd) noexcept {
  for (std::int64_t tile = tileBegin; tile < tileEnd; ++tile) {
    const std::int64_t firstRow = tile * kTileRows;
    const std::int64_t rows = plan.rows - firstRow < kTileRows ? plan.rows - firstRow : kTileRows;
    const auto bytes = static_cast<std::size_t>(rows * plan.sourceRowBytes);
    std::byte* out = packed + tile * plan.tileBytes;
    std::memcpy(out, source + firstRow * plan.sourceRowBytes, bytes);
    std::memset(out + bytes, 0, static_cast<std::size_t>(plan.tileBytes) - bytes);
  }
}

std::int64_t activationBytes(ActivationKind, std::int64_t cols) noexcept { return roundUp(cols * 4, 64); }
std::int64_t activationOffset(ActivationKind, std::int64_t begin) noexcept { return begin * 4; }

bool prepareActivation(ActivationKind, const float* x, std::int64_t cols, std::byte* row) noexcept {
  std::memcpy(row, x, static_cast<std::size_t>(cols) * sizeof(float));
  bool finite = true;
  for (std::int64_t i = 0; i < cols; ++i) finite = finite && std::isfinite(x[i]);
  return finite;
}

float dot(const float* a, const float* b, std::int64_t n) noexcept {
  float sums[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int lane = 0; lane < 8; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < n; ++i) sums[i & 7] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

void matmul(const PackPlan& plan, const std::byte* packed, const std::byte* activations, std::int64_t activationStride,
            std::int64_t m, float* y, std::int64_t yStride, std::int64_t tileBegin, std::int64_t tileEnd,
            bool accumulate) noexcept {
  const FormatInfo* format = findFormat(plan.source);
  alignas(64) float weights[kChunk];
  for (std::int64_t tile = tileBegin; tile < tileEnd; ++tile) {
    const std::int64_t end = (tile + 1) * kTileRows < plan.rows ? (tile + 1) * kTileRows : plan.rows;
    for (std::int64_t n = tile * kTileRows; n < end; ++n) {
      const std::byte* row = packed + tile * plan.tileBytes + (n - tile * kTileRows) * plan.sourceRowBytes;
      if (!accumulate) {
        for (std::int64_t i = 0; i < m; ++i) y[i * yStride + n] = 0.0F;
      }
      for (std::int64_t k = 0; k < plan.cols; k += kChunk) {
        const std::int64_t count = plan.cols - k < kChunk ? plan.cols - k : kChunk;
        format->dequantize(row + k / format->blockElements * format->blockBytes, weights, count);
        for (std::int64_t i = 0; i < m; ++i) {
          const auto* x = reinterpret_cast<const float*>(activations + i * activationStride);
          y[i * yStride + n] += dot(weights, x + k, count);
        }
      }
    }
  }
}

void rmsNorm(const float* x, const float* weight, float eps, std::int64_t n, float* out) noexcept {
  double sum = 0.0;
  for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * x[i];
  const float factor = 1.0F / std::sqrt(static_cast<float>(sum / static_cast<double>(n)) + eps);
  for (std::int64_t i = 0; i < n; ++i) out[i] = x[i] * factor * weight[i];
}

void rope(float* x, int heads, int headDim, int dims, RopeStyle style, const float* cosines, const float* sines) noexcept {
  const int half = dims / 2;
  for (int head = 0; head < heads; ++head, x += headDim) {
    for (int i = 0; i < half; ++i) {
      const int first = style == RopeStyle::Interleaved ? 2 * i : i;
      const int second = style == RopeStyle::Interleaved ? 2 * i + 1 : i + half;
      const float a = x[first], b = x[second];
      x[first] = a * cosines[i] - b * sines[i];
      x[second] = a * sines[i] + b * cosines[i];
    }
  }
}

void siluMul(const float* gate, const float* up, std::int64_t n, float* out) noexcept {
  for (std::int64_t i = 0; i < n; ++i) out[i] = gate[i] / (1.0F + std::exp(-gate[i])) * up[i];
}

void geluMul(const float* gate, const float* up, std::int64_t n, float* out) noexcept {
  constexpr float kSqrtTwoOverPi = 0.797884560802865356F;
  for (std::int64_t i = 0; i < n; ++i) {
    const float g = gate[i];
    out[i] = 0.5F * g * (1.0F + std::tanh(kSqrtTwoOverPi * (g + 0.044715F * g * g * g))) * up[i];
  }
}

void gelu(const float* x, std::int64_t n, float* out) noexcept {
  constexpr float kRootHalf = 0.707106781186547524F;
  for (std::int64_t i = 0; i < n; ++i) out[i] = 0.5F * x[i] * std::erfc(-x[i] * kRootHalf);
}

void layerNorm(const float* x, const float* weight, const float* bias, float eps, std::int64_t n, float* out) noexcept {
  float sum = 0.0F, squares = 0.0F;
  for (std::int64_t i = 0; i < n; ++i) sum += x[i];
  const float mean = sum / static_cast<float>(n);
  for (std::int64_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
  const float factor = 1.0F / std::sqrt(squares / static_cast<float>(n) + eps);
  for (std::int64_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * factor * weight[i] + bias[i];
}

void add(float* y, const float* x, std::int64_t n) noexcept {
  for (std::int64_t i = 0; i < n; ++i) y[i] += x[i];
}

void scale(float* y, float factor, std::int64_t n) noexcept {
  for (std::int64_t i = 0; i < n; ++i) y[i] *= factor;
}

/// One row of floats at `place` of a block: element d lies at index d · dimStride + place · tokenStride.
void writeKvRow(const float* x, int headDim, KvType type, int pageTokens, int place, std::int64_t dimStride,
                std::int64_t tokenStride, std::byte* block) noexcept {
  const auto index = [&](int d) noexcept { return d * dimStride + place * tokenStride; };
  if (type != KvType::Q8_0) {
    for (int d = 0; d < headDim; ++d) {
      if (type == KvType::F16) {
        writeHalf(block + 2 * index(d), x[d]);
      } else {
        writeAs(block + 4 * index(d), x[d]);
      }
    }
    return;
  }
  std::byte* scale = block + static_cast<std::int64_t>(headDim) * pageTokens + 2 * place;
  for (int first = 0; first < headDim; first += kKvScaleDims, scale += 2 * pageTokens) {
    const int end = headDim - first < kKvScaleDims ? headDim : first + kKvScaleDims;
    float largest = 0.0F;
    // A NaN stays in the scale, where it shows.
    for (int d = first; d < end; ++d) largest = std::isnan(x[d]) || std::fabs(x[d]) > largest ? std::fabs(x[d]) : largest;
    writeHalf(scale, largest * (1.0F / 127.0F));
    const float rounded = readHalf(scale);
    const float inverse = rounded > 0.0F ? 1.0F / rounded : 0.0F;
    for (int d = first; d < end; ++d) block[index(d)] = static_cast<std::byte>(roundClamp(x[d] * inverse, -128, 127));
  }
}

void writeKv(const float* key, const float* value, int headDim, KvType type, int pageTokens, int place, std::byte* keys,
             std::byte* values) noexcept {
  writeKvRow(key, headDim, type, pageTokens, place, pageTokens, 1, keys);
  writeKvRow(value, headDim, type, pageTokens, place, 1, headDim, values);
}

void readKvRow(const std::byte* block, int headDim, KvType type, int pageTokens, int place, std::int64_t dimStride,
               std::int64_t tokenStride, float* x) noexcept {
  const std::byte* scales = block + static_cast<std::int64_t>(headDim) * pageTokens + 2 * place;
  for (int d = 0; d < headDim; ++d) {
    const std::int64_t index = d * dimStride + place * tokenStride;
    switch (type) {
      case KvType::F16: x[d] = readHalf(block + 2 * index); break;
      case KvType::F32: x[d] = readAs<float>(block + 4 * index); break;
      case KvType::Q8_0:
        x[d] = static_cast<float>(static_cast<std::int8_t>(block[index])) *
               readHalf(scales + 2LL * (d / kKvScaleDims) * pageTokens);
        break;
    }
  }
}

/// One query head's softmax over the keys that it sees of one span: Σ weight · value, the largest score, Σ weight.
struct SpanState {
  float* sum;
  float maximum = -std::numeric_limits<float>::infinity();
  float total = 0.0F;

  void add(const float* values, float weight, float newMaximum, int dim) noexcept {
    const float before = std::exp(maximum - newMaximum);
    for (int d = 0; d < dim; ++d) sum[d] = sum[d] * before + weight * values[d];
    total *= before;
    maximum = newMaximum;
  }
};

struct QueryRange {
  int first, last;  ///< positions seen

  QueryRange(const AttentionTask& task, int row) noexcept
      : first(task.window > 0 && task.firstPosition + row - task.window + 1 > 0 ? task.firstPosition + row - task.window + 1
                                                                                : 0),
        last(task.keys > 0 ? task.keys - 1 : task.firstPosition + row) {}
};

std::int64_t attentionScratchFloats(const AttentionTask& task) noexcept {
  return task.headDim + attentionStateFloats(task.headDim);
}

void attentionOfSpan(const AttentionTask& task, int row, int head, int span, SpanState& state) noexcept {
  const int dim = task.headDim;
  const float* query = task.query + row * task.queryStride + static_cast<std::int64_t>(head) * dim;
  const QueryRange range(task, row);
  for (int d = 0; d < dim; ++d) state.sum[d] = 0.0F;
  const int end = (span + 1) * kAttentionSpan <= range.last ? (span + 1) * kAttentionSpan : range.last + 1;
  for (int position = range.first > span * kAttentionSpan ? range.first : span * kAttentionSpan; position < end;
       ++position) {
    const int page = position / task.pageTokens, place = position % task.pageTokens;
    readKvRow(task.keyPages[page], dim, task.type, task.pageTokens, place, task.pageTokens, 1, task.scratch);
    float score = dot(query, task.scratch, dim) * task.scale;
    if (task.softcap > 0.0F) score = task.softcap * std::tanh(score / task.softcap);
    readKvRow(task.valuePages[page], dim, task.type, task.pageTokens, place, 1, dim, task.scratch);
    const float newMaximum = score > state.maximum ? score : state.maximum;
    const float weight = std::exp(score - newMaximum);
    state.add(task.scratch, weight, newMaximum, dim);
    state.total += weight;
  }
}

/// Joins a span to what was summed in `out`.
void joinSpan(SpanState& all, const float* sum, float maximum, float total, int dim) noexcept {
  const float newMaximum = maximum > all.maximum ? maximum : all.maximum;
  const float weight = std::exp(maximum - newMaximum);
  all.add(sum, weight, newMaximum, dim);
  all.total += total * weight;
}

/// Calls body(state, row, head) with an empty state that sums into the output, then divides by its total.
template <class Body>
void eachQuery(const AttentionTask& task, Body body) noexcept {
  for (int row = 0; row < task.rows; ++row) {
    for (int head = 0; head < task.group; ++head) {
      SpanState all{task.output + row * task.outputStride + static_cast<std::int64_t>(head) * task.headDim};
      for (int d = 0; d < task.headDim; ++d) all.sum[d] = 0.0F;
      body(all, row, head);
      for (int d = 0; d < task.headDim; ++d) all.sum[d] /= all.total;
    }
  }
}

void attention(const AttentionTask& task) noexcept {
  eachQuery(task, [&](SpanState& all, int row, int head) noexcept {
    const QueryRange range(task, row);
    for (int span = range.first / kAttentionSpan; span <= range.last / kAttentionSpan; ++span) {
      SpanState state{task.scratch + task.headDim};
      attentionOfSpan(task, row, head, span, state);
      joinSpan(all, state.sum, state.maximum, state.total, task.headDim);
    }
  });
}

void attentionSpan(const AttentionTask& task, int span, float* states) noexcept {
  const std::int64_t stride = attentionStateFloats(task.headDim);
  for (int row = 0; row < task.rows; ++row) {
    for (int head = 0; head < task.group; ++head, states += stride) {
      SpanState state{states};
      attentionOfSpan(task, row, head, span, state);
      states[stride - 2] = state.maximum;
      states[stride - 1] = state.total;
    }
  }
}

void attentionMerge(const AttentionTask& task, const float* states) noexcept {
  const std::int64_t stride = attentionStateFloats(task.headDim);
  const int firstSpan = QueryRange(task, 0).first / kAttentionSpan;
  eachQuery(task, [&](SpanState& all, int row, int head) noexcept {
    const QueryRange range(task, row);
    for (int span = range.first / kAttentionSpan; span <= range.last / kAttentionSpan; ++span) {
      const float* state =
          states + ((static_cast<std::int64_t>(span - firstSpan) * task.rows + row) * task.group + head) * stride;
      joinSpan(all, state, state[stride - 2], state[stride - 1], task.headDim);
    }
  });
}

std::int64_t argmax(const float* x, std::int64_t n, float* value) noexcept {
  std::int64_t best = 0;
  float largest = -std::numeric_limits<float>::infinity();
  for (std::int64_t i = 0; i < n; ++i) {
    if (x[i] > largest) {
      largest = x[i];
      best = i;
    }
  }
  *value = largest;
  return best;
}

std::uint64_t readBytes(const std::byte* data, std::size_t bytes) noexcept {
  std::uint64_t sums[4] = {};
  std::size_t i = 0;
  for (; i + 32 <= bytes; i += 32) {
    for (std::size_t j = 0; j < 4; ++j) sums[j] += readAs<std::uint64_t>(data + i + 8 * j);
  }
  for (; i < bytes; ++i) sums[0] += std::to_integer<std::uint64_t>(data[i]);
  return sums[0] + sums[1] + sums[2] + sums[3];
}

std::uint64_t int8MacLoop(std::uint64_t iterations) noexcept {
  // Operands that the compiler cannot know, and a result that it must keep.
  volatile std::int8_t seed = 3;
  std::int8_t a[16], b[16];
  std::int32_t sums[16] = {};
  for (int i = 0; i < 16; ++i) {
    a[i] = static_cast<std::int8_t>(seed + i);
    b[i] = static_cast<std::int8_t>(seed - i);
  }
  for (std::uint64_t n = 0; n < iterations; ++n) {
    for (int i = 0; i < 16; ++i)
      sums[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[i]) + static_cast<std::uint32_t>(a[i] * b[i]));
    a[n & 15] = static_cast<std::int8_t>(a[n & 15] ^ 1);
  }
  volatile std::int32_t sink = 0;
  for (const std::int32_t s : sums) sink = sink ^ s;
  return iterations * 16;
}

}  // namespace

const KernelTable kScalarKernels = {
    .isa = "scalar",
    .pairColumns = 0,
    .planPack = planPack,
    .pack = pack,
    .activationBytes = activationBytes,
    .prepareActivation = prepareActivation,
    .activationOffset = activationOffset,
    .matmul = matmul,
    .rmsNorm = rmsNorm,
    .layerNorm = layerNorm,
    .rope = rope,
    .siluMul = siluMul,
    .geluMul = geluMul,
    .gelu = gelu,
    .add = add,
    .scale = scale,
    .writeKv = writeKv,
    .attentionScratchFloats = attentionScratchFloats,
    .attention = attention,
    .attentionSpan = attentionSpan,
    .attentionMerge = attentionMerge,
    .argmax = argmax,
    .readBytes = readBytes,
    .int8MacLoop = int8MacLoop,
};

}  // namespace hearth::kernels
