// The reference table: plain C++, any CPU. It multiplies dequantised weights with float activations, so that the other
// tables (which round activations to int8) are measured against it. Clarity comes before speed here.
#include "kernels/cpu/tables.h"

#include <cmath>
#include <limits>

#include "kernels/quant/half.h"

namespace hearth::kernels {
namespace {

constexpr std::int64_t kTileRows = 4;
constexpr std::int64_t kChunk = 256;  // elements dequantised at a time: a multiple of every format's block

std::int64_t roundUp(std::int64_t value, std::int64_t multiple) noexcept { return (value + multiple - 1) / multiple * multiple; }

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

void pack(const PackPlan& plan, const std::byte* source, std::byte* packed, std::int64_t tileBegin, std::int64_t tileEnd) noexcept {
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

void prepareActivation(ActivationKind, const float* x, std::int64_t cols, std::byte* row) noexcept {
  std::memcpy(row, x, static_cast<std::size_t>(cols) * sizeof(float));
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
            std::int64_t m, float* y, std::int64_t yStride, std::int64_t tileBegin, std::int64_t tileEnd, bool accumulate) noexcept {
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

void add(float* y, const float* x, std::int64_t n) noexcept {
  for (std::int64_t i = 0; i < n; ++i) y[i] += x[i];
}

void scale(float* y, float factor, std::int64_t n) noexcept {
  for (std::int64_t i = 0; i < n; ++i) y[i] *= factor;
}

void toKv(const float* x, std::int64_t n, KvType type, std::byte* out) noexcept {
  if (type == KvType::F32) {
    std::memcpy(out, x, static_cast<std::size_t>(n) * sizeof(float));
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) writeHalf(out + 2 * i, x[i]);
}

std::int64_t attentionScratchFloats(const AttentionTask& task) noexcept { return 2 * static_cast<std::int64_t>(task.headDim); }

/// One query head at a time, keys in order, with the running maximum and sum of online softmax.
void attention(const AttentionTask& task) noexcept {
  const int dim = task.headDim;
  float* keyOrValue = task.scratch;
  float* sum = task.scratch + dim;
  const std::size_t elementBytes = task.type == KvType::F16 ? 2 : 4;
  const auto load = [&](const std::byte* const* pages, int position) noexcept {
    const std::byte* row = pages[position / task.pageTokens] +
                           static_cast<std::size_t>(position % task.pageTokens) * static_cast<std::size_t>(dim) * elementBytes;
    for (int i = 0; i < dim; ++i) {
      keyOrValue[i] = task.type == KvType::F16 ? readHalf(row + 2 * i) : readAs<float>(row + 4 * i);
    }
  };
  for (int r = 0; r < task.rows; ++r) {
    const int last = task.firstPosition + r;
    const int first = task.window > 0 && last - task.window + 1 > 0 ? last - task.window + 1 : 0;
    for (int h = 0; h < task.group; ++h) {
      const float* query = task.query + r * task.queryStride + static_cast<std::int64_t>(h) * dim;
      float* output = task.output + r * task.outputStride + static_cast<std::int64_t>(h) * dim;
      float maximum = -std::numeric_limits<float>::infinity();
      float total = 0.0F;
      for (int i = 0; i < dim; ++i) sum[i] = 0.0F;
      for (int position = first; position <= last; ++position) {
        load(task.keyPages, position);
        float score = dot(query, keyOrValue, dim) * task.scale;
        if (task.softcap > 0.0F) score = task.softcap * std::tanh(score / task.softcap);
        const float newMaximum = score > maximum ? score : maximum;
        const float correction = std::exp(maximum - newMaximum);
        const float weight = std::exp(score - newMaximum);
        load(task.valuePages, position);
        for (int i = 0; i < dim; ++i) sum[i] = sum[i] * correction + weight * keyOrValue[i];
        total = total * correction + weight;
        maximum = newMaximum;
      }
      for (int i = 0; i < dim; ++i) output[i] = sum[i] / total;
    }
  }
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
    for (int i = 0; i < 16; ++i) sums[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[i]) + static_cast<std::uint32_t>(a[i] * b[i]));
    a[n & 15] = static_cast<std::int8_t>(a[n & 15] ^ 1);
  }
  volatile std::int32_t sink = 0;
  for (const std::int32_t s : sums) sink = sink ^ s;
  return iterations * 16;
}

}  // namespace

const KernelTable kScalarKernels = {
    .isa = "scalar",
    .planPack = planPack,
    .pack = pack,
    .activationBytes = activationBytes,
    .prepareActivation = prepareActivation,
    .activationOffset = activationOffset,
    .matmul = matmul,
    .rmsNorm = rmsNorm,
    .rope = rope,
    .siluMul = siluMul,
    .geluMul = geluMul,
    .add = add,
    .scale = scale,
    .toKv = toKv,
    .attentionScratchFloats = attentionScratchFloats,
    .attention = attention,
    .argmax = argmax,
    .readBytes = readBytes,
    .int8MacLoop = int8MacLoop,
};

}  // namespace hearth::kernels
