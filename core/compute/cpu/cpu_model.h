#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/compute/device.h"

namespace hearth::cpu {

/// Where everything of a ModelPlan lies in the CPU's memory: computed before anything is allocated.
struct Layout {
  struct PlacedMatrix {
    kernels::PackPlan plan;
    std::uint64_t offset = 0;  // in the weight memory; unused for lookup tables
  };
  static constexpr std::size_t kKinds = kernels::kActivationKinds;

  Layout(const ModelPlan& plan, const kernels::KernelTable& kernels, bool exact);

  std::vector<PlacedMatrix> matrices;
  std::vector<std::uint64_t> vectors;  // offsets in the weight memory
  std::vector<std::uint64_t> buffers;  // offsets in the working memory
  std::vector<std::uint64_t> ropes;    // offsets in the working memory: cosines, then sines, [maxTokens][dims/2] each
  // Offsets in the working memory of prepared activations: of an operation's input, and of its output for the next one.
  std::array<std::array<std::uint64_t, kKinds>, 2> prepared{};
  std::int64_t widestRow = 0;  // floats
  std::uint64_t weightBytes = 0;
  std::uint64_t workBytes = 0;
};

/// Elementwise kernels may treat the last elements of a span differently from full vectors (AVX-512: 16 floats), so pieces
/// end at multiples of this, wherever threads cut: each element is computed in the same way every time. A multiple of the
/// rows of a tile, too.
constexpr std::int64_t kElementwiseAlignment = 32;
// Floats of elementwise work (norm, rotation, quantisation) that one thread does in about a microsecond: less than twice
// this is not worth sharing.
constexpr std::int64_t kSmallWork = 2048;

/// NaN or infinity among n floats. Branch-free so that it vectorises: it runs over every logit.
[[nodiscard]] inline bool anyNotFinite(const float* x, std::int64_t n) noexcept {
  std::uint32_t found = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(x[i]);
    found |= static_cast<std::uint32_t>((bits & 0x7F800000U) == 0x7F800000U);
  }
  return found != 0;
}

/// DeviceModel and Ops of the CPU. Owns packed weights and working memory; reads lookup tables from the mapped file. Each
/// operation is one or two parallel sections on the pool; small ones run on the calling thread, where a wake-up would
/// cost more than it saves.
class CpuModel final : public DeviceModel, public Ops {
 public:
  [[nodiscard]] static Result<std::unique_ptr<CpuModel>> load(std::shared_ptr<ThreadPool> pool,
                                                              const kernels::KernelTable& kernels, const ModelPlan& plan,
                                                              const DeviceLoadOptions& options);

  Ops& beginStep(const Batch& batch, KvStorage& kv, std::span<float> logits) override;
  Result<void> endStep() override;
  bool abandoned() override;
  std::uint64_t weightBytes() const noexcept override { return m_weights.size(); }

  using Ops::project;
  void embed(Matrix table, float scale, Buffer out) override;
  void addLookup(Matrix table, LookupBy by, Buffer out) override;
  void normalise(Buffer rows, const Norm& norm) override;
  void project(Buffer in, const Norm& norm, std::span<const Projection> projections) override;
  void gatedProject(Buffer in, const Norm& norm, const GatedProjection& gated) override;
  void mixExperts(Buffer in, const Norm& norm, const ExpertMixture& mixture) override;
  void rotateAndStore(int layer, const HeadShape& shape, const QueryKeyValue& qkv) override;
  void attend(int layer, const HeadShape& shape, Buffer query, Buffer out, const AttentionSpec& spec) override;
  void addNormed(Buffer in, const Norm& norm, Buffer residual) override;
  using Ops::keepLogitRows;
  void keepLogitRows(std::span<const Buffer> buffers) override;
  void head(Buffer in, const Norm& norm, Matrix weight) override;

 private:
  struct LoadedMatrix {
    kernels::PackPlan plan;
    const std::byte* data = nullptr;  // packed, or the file's tensor when it is a lookup table
    const kernels::FormatInfo* source = nullptr;
  };
  struct Rows {
    float* data = nullptr;
    std::int64_t cols = 0;
    int buffer = -1;
    [[nodiscard]] float* row(std::int64_t index) const noexcept { return data + index * cols; }
  };
  struct Rope {
    RopeSpec spec;
    std::vector<double> frequencies;  // radians for each position, of each pair
    float* cosines = nullptr;         // [rows][dims/2]
    float* sines = nullptr;
  };
  // One matrix product of the current operation: columns are the prepared activation rows.
  struct Product {
    const LoadedMatrix* matrix = nullptr;
    float* out = nullptr;
    std::int64_t outStride = 0;
    const float* bias = nullptr;
    bool accumulate = false;
    Activation activation = Activation::None;
    std::int64_t unitTiles = 1;  // pieces are cut between units
    std::int64_t units = 0, firstUnit = 0;
  };
  // Query rows of one sequence and one KV head, over spans [firstSpan, endSpan) of its positions.
  struct AttentionWork {
    int sequence = 0, row = 0, rows = 0, kvHead = 0, firstSpan = 0, endSpan = 0;
    int join = -1;            // counter of the pieces whose states are joined at the end; -1: this piece is the whole
    int parts = 0;            // how many those are
    int allSpans = 0;         // the first span of all of them
    std::int64_t states = 0;  // where their states begin
  };
  struct ThreadScratch {
    std::vector<float> row;  // widest activation row
    std::vector<float> attention;
    std::vector<const std::byte*> keys, values;
    std::vector<std::byte> gathered;  // prepared rows of one expert's tokens, 64-byte aligned from alignedUp()
    std::vector<float> product;       // one piece of an expert's product
  };
  // A mixture's slots, one for each token and expert chosen for it, sorted by expert, then token.
  struct Routing {
    std::vector<std::int32_t> chosen;  // [rows][used]: experts, ascending
    std::vector<float> shares;         // [rows][used]
    std::vector<std::int64_t> begin;   // [experts + 1]: first slot of each expert
    std::vector<std::int32_t> row;     // [slots]: the token's row
    std::vector<float> share;          // [slots]
  };
  struct ExpertPiece {
    int expert = 0;
    std::int64_t slotBegin = 0, slotEnd = 0;
    std::int64_t rowBegin = 0, rowEnd = 0;  // of the expert's gate and up
  };

  CpuModel(std::shared_ptr<ThreadPool> pool, const kernels::KernelTable& kernels)
      : m_pool(std::move(pool)), m_kernels(kernels) {}
  Result<void> loadMatrix(const GgufFile& file, const ModelPlan::MatrixEntry& entry, LoadedMatrix& matrix, std::byte* packed,
                          const DeviceLoadOptions& options, std::uint64_t& doneBytes, std::uint64_t totalBytes);
  void placeTokens();

  [[nodiscard]] Rows rows(Buffer buffer) const noexcept { return m_buffers[static_cast<std::size_t>(buffer.index)]; }
  [[nodiscard]] const LoadedMatrix& matrix(Matrix handle) const noexcept {
    return m_matrices[static_cast<std::size_t>(handle.index)];
  }
  [[nodiscard]] const float* vector(Vector handle) const noexcept {
    return handle ? m_vectors[static_cast<std::size_t>(handle.index)] : nullptr;
  }
  [[nodiscard]] ThreadScratch& scratch(int thread) noexcept { return m_scratch[static_cast<std::size_t>(thread)]; }

  void applyNorm(const Norm& norm, const float* x, std::int64_t n, float* out) const noexcept;
  // Where pieces of a product are cut whose rows the next operation reads, and whether their makers can prepare them.
  struct OutputCut {
    std::int64_t alignment = 1;
    bool prepares = false;
  };
  [[nodiscard]] OutputCut outputCut(Rows made, std::int64_t outputs) const noexcept;
  // Writes norm(in) of the batch's hiddenRows and leaves the rows of its logitRows.
  void takeHidden(Rows in, const Norm& norm);
  // Normalises (optional) and prepares the step's rows of `in` for the activation kinds in the bit set, unless the operation
  // that made them has done it.
  void prepare(Rows in, const Norm& norm, unsigned kinds);
  // What made these elements prepares them while they are in the cache, for the next operation: columns [begin, end) of the
  // rows [m0, m1), begin a multiple of outputAlignment(). Pieces may come from any thread; announceOutput() when all came.
  void prepareOutput(Rows made, std::int64_t m0, std::int64_t m1, std::int64_t begin, std::int64_t end) noexcept;
  [[nodiscard]] std::int64_t outputAlignment(Rows made) const noexcept;
  void announceOutput(Rows made) noexcept { m_ready = {made.data, m_wanted[static_cast<std::size_t>(made.buffer)]}; }
  // Called by who changes rows after they were announced.
  void forgetOutput() noexcept { m_ready = {}; }
  // Runs the products on the prepared rows; `after(tileBegin, tileEnd, m0, m1)` follows each piece on the thread that made
  // it, and makes all work `work` times that of the products.
  template <class After>
  void multiply(std::span<Product> products, std::int64_t rowAlignment, double work, After&& after);
  void multiplyPiece(const Product& product, std::int64_t tileBegin, std::int64_t tileEnd, std::int64_t m0,
                     std::int64_t m1) noexcept;
  // Where the kernels take tiles in pairs products like whole pairs; else every thread should have its share.
  [[nodiscard]] std::int64_t productAlignment() const noexcept {
    return m_kernels.pairColumns > 0 && m_rows >= m_kernels.pairColumns ? kElementwiseAlignment : 1;
  }
  [[nodiscard]] std::int64_t columnsPerPass(std::int64_t stride) const noexcept;
  // y[m][n - n0] = Σ_k w[n][k] · x[m][k] for n in [n0, n1); n0 is a multiple of kElementwiseAlignment.
  void multiplyRows(const LoadedMatrix& weight, const std::byte* x, std::int64_t m, std::int64_t n0, std::int64_t n1, float* y,
                    std::int64_t yStride) const noexcept;
  // The steps of mixExperts().
  void route(const ExpertMixture& mixture);
  const std::byte* gather(std::uint16_t kind, std::int64_t stride, std::int64_t begin, std::int64_t end, std::byte* to) const noexcept;
  void expertInner(const ExpertMixture& mixture, const ExpertPiece& piece, ThreadScratch& mine) noexcept;
  void expertOutput(const ExpertMixture& mixture, std::int64_t rowBegin, std::int64_t rowEnd, ThreadScratch& mine) noexcept;
  void planAttention(const HeadShape& shape, const AttentionSpec& spec);
  [[nodiscard]] kernels::AttentionTask attentionTask(const AttentionWork& piece, const HeadShape& shape, Rows query,
                                                     Rows out, const AttentionSpec& spec) const noexcept;
  /// Bytes of a prepared row that this matrix multiplies.
  [[nodiscard]] std::int64_t activationStride(const LoadedMatrix& weight) const noexcept {
    return m_kernels.activationBytes(static_cast<kernels::ActivationKind>(weight.plan.activation), weight.plan.cols);
  }
  // body(row, thread) for each row, shared by the threads; `workPerRow` in floats.
  template <class Body>
  void eachRow(std::int64_t rowCount, std::int64_t workPerRow, Body&& body) {
    const std::int64_t least = std::max<std::int64_t>(1, kSmallWork / std::max<std::int64_t>(1, workPerRow));
    const std::int64_t fair = rowCount / (4 * m_pool->threadCount());
    m_pool->forRange(rowCount, std::max(least, fair), [&](std::int64_t begin, std::int64_t end, int thread) {
      for (std::int64_t row = begin; row < end; ++row) body(row, thread);
    });
  }

  std::shared_ptr<ThreadPool> m_pool;
  const kernels::KernelTable& m_kernels;
  platform::BigMemory m_weights, m_work;
  std::vector<LoadedMatrix> m_matrices;
  std::vector<const float*> m_vectors;
  std::vector<Rows> m_buffers;
  std::vector<Rope> m_ropes;
  std::array<std::byte*, Layout::kKinds> m_prepared{};      // the current operation's input
  std::array<std::byte*, Layout::kKinds> m_preparedNext{};  // its output, as the next one wants it
  struct Ready {
    const float* rows = nullptr;
    unsigned kinds = 0;
  };
  Ready m_ready;                   // what m_preparedNext holds
  std::vector<unsigned> m_wanted;  // by buffer: the kinds that it was prepared for without a norm so far
  std::optional<ThreadPool::Session> m_session;
  std::vector<ThreadScratch> m_scratch;

  // The current step.
  Batch m_batch;
  KvStorage* m_kv = nullptr;
  std::span<float> m_logits;
  std::int64_t m_rows = 0;                // of every buffer now
  std::vector<std::int32_t> m_positions;  // of each token
  std::vector<std::int32_t> m_kept;       // the tokens that keepLogitRows() left, where hidden states are wanted
  std::vector<std::int64_t> m_slots;      // page · pageTokens + place in the page, of each token
  // The current attention: pieces for the threads, the states of divided ones, and how many of their parts are not done yet.
  std::vector<AttentionWork> m_attention;
  bool m_attentionSmall = false;
  int m_attentionJoins = 0;
  std::int64_t m_attentionStates = 0;  // floats
  std::vector<float> m_states;
  std::vector<std::atomic<int>> m_unfinished;
  Routing m_routing;
  std::vector<ExpertPiece> m_expertPieces;
  std::atomic<bool> m_notFinite{false};
  bool m_abandoned = false;
};

}  // namespace hearth::cpu
