#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/cpu/kv_layout.h"
#include "kernels/quant/format.h"

namespace hearth::kernels {

/// A weight matrix after packing into an ISA's compute layout (DESIGN section 5). Rows are cut into tiles of `tileRows`;
/// tiles are independent, so that packing and multiplying split over threads by tile.
struct PackPlan {
  FormatId source = FormatId::F32;
  std::uint16_t layout = 0;      ///< the kernel table's own number of the compute layout
  std::uint16_t activation = 0;  ///< which ActivationKind the matmul wants
  std::int64_t rows = 0;         ///< outputs N
  std::int64_t cols = 0;         ///< inputs K
  std::int64_t tileRows = 0;
  std::int64_t tiles = 0;      ///< ceil(rows / tileRows)
  std::int64_t tileBytes = 0;  ///< a tile's size; the packed matrix has tiles * tileBytes bytes, 64-byte aligned
  std::int64_t sourceRowBytes = 0;
};

/// What a row of activations is turned into once, for all matmuls that share it.
enum ActivationKind : std::uint16_t {
  kActivationF32 = 0,   ///< as is
  kActivationInt8 = 1,  ///< int8 with a scale and a sum per 32; the layout in bytes is the table's own
  kActivationInt8Super = 2,  ///< int8 with a scale per 256 and sums per 16 and 32: for weights in super-blocks (K-quants)
};
constexpr std::size_t kActivationKinds = 3;

/// Where a row is prepared in parts, each but the last has a multiple of so many columns.
[[nodiscard]] constexpr std::int64_t activationAlignment(ActivationKind kind) noexcept {
  return kind == kActivationInt8Super ? 256 : 32;
}

/// Attention of consecutive query rows of ONE sequence, for the query heads of ONE KV head (flash style, over pages).
struct AttentionTask {
  const float* query = nullptr;  ///< row 0, first head of the group: [rows] × stride, heads of the group contiguous
  float* output = nullptr;       ///< same shape as query
  std::int64_t queryStride = 0;  ///< floats between rows
  std::int64_t outputStride = 0;
  int rows = 0;
  int firstPosition = 0;  ///< position of row 0; row r attends to keys max(0, p-window+1) … p with p = firstPosition + r
  int window = 0;         ///< 0 = everything before
  int keys = 0;           ///< 0 = as above; else every row attends to positions 0 … keys-1 (encoders; window is 0 then)
  int group = 1;          ///< query heads that share this KV head
  int headDim = 0;
  float scale = 1.0F;    ///< multiplies q·k
  float softcap = 0.0F;  ///< 0 = none, else scores become cap·tanh(score/cap)
  int pageTokens = 0;
  KvType type = KvType::F16;
  const std::byte* const* keyPages = nullptr;    ///< [ceil((firstPosition+rows or keys)/pageTokens)]: this head's blocks, see KvType
  const std::byte* const* valuePages = nullptr;  ///< (pages wholly behind the window may be null)
  float* scratch = nullptr;                      ///< attentionScratchFloats(task) floats
};

enum class RopeStyle : std::uint8_t {
  Interleaved,  ///< pairs (0,1), (2,3), … : GGUF `llama`
  HalfSplit,    ///< pairs (i, i+dim/2): "NeoX", GGUF `qwen2`, `gemma3`
};

/// Every operation of one ISA. Constant; chosen once by chooseKernels(). All functions are noexcept, take raw spans, start
/// no threads, allocate nothing. Pointers need no alignment unless said otherwise.
struct KernelTable {
  const char* isa;  ///< "scalar", "avx2", "avxvnni", "avx512", "avx512vnni"
  /// From so many columns on matmul takes quantised tiles in pairs, so that pieces should be whole pairs; 0: it never does.
  std::int64_t pairColumns;

  /// How a matrix [rows × cols] of `source` is packed; layout is constant for given arguments. cols must be a multiple of
  /// the format's block.
  PackPlan (*planPack)(FormatId source, std::int64_t rows, std::int64_t cols) noexcept;
  /// Packs tiles [tileBegin, tileEnd): `source` is the whole file tensor, `packed` the whole packed buffer (64-byte
  /// aligned).
  void (*pack)(const PackPlan& plan, const std::byte* source, std::byte* packed, std::int64_t tileBegin,
               std::int64_t tileEnd) noexcept;

  /// Bytes of one prepared activation row of `cols` inputs (a multiple of 64).
  std::int64_t (*activationBytes)(ActivationKind kind, std::int64_t cols) noexcept;
  /// Prepares one row: `row` is 64-byte aligned, activationBytes long. False when x holds a NaN or an infinity.
  bool (*prepareActivation)(ActivationKind kind, const float* x, std::int64_t cols, std::byte* row) noexcept;
  /// Where in a prepared row column `begin` (a multiple of activationAlignment) lies: a row may also be prepared in parts,
  /// each at its offset.
  std::int64_t (*activationOffset)(ActivationKind kind, std::int64_t begin) noexcept;

  /// y[m][n] = sum_k w[n][k] · x[m][k] (+ y's old value when `accumulate`) for the rows of tiles [tileBegin, tileEnd), all M
  /// columns. Each y[m][n] must not depend on M or on how tiles are split: a sequence's result is the same alone and in a
  /// batch.
  void (*matmul)(const PackPlan& plan, const std::byte* packed, const std::byte* activations, std::int64_t activationStride,
                 std::int64_t m, float* y, std::int64_t yStride, std::int64_t tileBegin, std::int64_t tileEnd,
                 bool accumulate) noexcept;

  /// out[i] = x[i] / sqrt(mean(x²) + eps) · weight[i]; out may be x. The mean is taken in a fixed order.
  void (*rmsNorm)(const float* x, const float* weight, float eps, std::int64_t n, float* out) noexcept;
  /// out[i] = (x[i] - mean) / sqrt(variance + eps) · weight[i] + bias[i] (arXiv 1607.06450); out may be x. Sums in a fixed order.
  void (*layerNorm)(const float* x, const float* weight, const float* bias, float eps, std::int64_t n, float* out) noexcept;
  /// Rotates `heads` heads of `headDim` in place by the given cos/sin [dims/2]; dims ≤ headDim are rotated, the rest kept.
  void (*rope)(float* x, int heads, int headDim, int dims, RopeStyle style, const float* cosines,
               const float* sines) noexcept;
  /// out[i] = silu(gate[i]) · up[i]; out may be gate.
  void (*siluMul)(const float* gate, const float* up, std::int64_t n, float* out) noexcept;
  /// out[i] = gelu_tanh(gate[i]) · up[i]
  void (*geluMul)(const float* gate, const float* up, std::int64_t n, float* out) noexcept;
  /// out[i] = x[i] · Φ(x[i]), Φ the normal distribution (arXiv 1606.08415, exact form); out may be x.
  void (*gelu)(const float* x, std::int64_t n, float* out) noexcept;
  void (*add)(float* y, const float* x, std::int64_t n) noexcept;  ///< y += x
  void (*scale)(float* y, float factor, std::int64_t n) noexcept;  ///< y *= factor
  /// Writes one token's key and value of one head at `place` of its page's blocks; rounds to nearest even.
  void (*writeKv)(const float* key, const float* value, int headDim, KvType type, int pageTokens, int place, std::byte* keys,
                  std::byte* values) noexcept;

  std::int64_t (*attentionScratchFloats)(const AttentionTask& task) noexcept;
  /// The whole task. A row's output does not depend on which rows or heads share the task.
  void (*attention)(const AttentionTask& task) noexcept;
  /// The same in parts, to the same bits: attentionSpan() for each span that some row sees, in any order and on any thread
  /// (each with scratch of its own), then attentionMerge() once. `states` holds a span's [rows ·
  /// group][attentionStateFloats(headDim)]; merging wants those of all spans one after the other, from the first that row 0
  /// sees to the last that the last row sees.
  void (*attentionSpan)(const AttentionTask& task, int span, float* states) noexcept;
  void (*attentionMerge)(const AttentionTask& task, const float* states) noexcept;

  /// Largest of n values and its first index: for greedy sampling.
  std::int64_t (*argmax)(const float* x, std::int64_t n, float* value) noexcept;

  /// Roof measurements for `hearth bench` and `doctor`: bytes summed (to defeat the optimiser), and `iterations` × N int8
  /// multiply-adds in registers; returns the number of MACs done.
  std::uint64_t (*readBytes)(const std::byte* data, std::size_t bytes) noexcept;
  std::uint64_t (*int8MacLoop)(std::uint64_t iterations) noexcept;
};

/// The tables that this CPU can run, slowest first; the first is always scalar.
[[nodiscard]] std::span<const KernelTable* const> availableKernels() noexcept;
/// The fastest one, or the one that HEARTH_ISA names ("avx512" means the best AVX-512 table of this CPU); an unknown or
/// unavailable name falls back to the fastest and is reported by `forcedIsaProblem()` (null when none).
[[nodiscard]] const KernelTable& chooseKernels() noexcept;
[[nodiscard]] const char* forcedIsaProblem() noexcept;

}  // namespace hearth::kernels
