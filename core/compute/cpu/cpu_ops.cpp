#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/compute/cpu/cpu_model.h"

namespace hearth::cpu {
namespace {

// Floats of elementwise work (norm, rotation, quantisation) that one thread does in about a microsecond or two: less than
// twice this is not worth waking the others for.
constexpr std::int64_t kSmallWork = 8192;
// A pass of the matmul keeps its prepared activations in the second-level cache while the weights stream past.
constexpr std::int64_t kActivationCacheBytes = 384 << 10;
}  // namespace

template <class Body>
void CpuModel::eachRow(std::int64_t rowCount, std::int64_t workPerRow, Body&& body) {
  const std::int64_t least = std::max<std::int64_t>(1, kSmallWork / std::max<std::int64_t>(1, workPerRow));
  const std::int64_t fair = rowCount / (4 * m_pool->threadCount());
  m_pool->forRange(rowCount, std::max(least, fair), [&](std::int64_t begin, std::int64_t end, int thread) {
    for (std::int64_t row = begin; row < end; ++row) body(row, thread);
  });
}

Ops& CpuModel::beginStep(const Batch& batch, KvStorage& kv, std::span<float> logits) {
  m_batch = batch;
  m_kv = &kv;
  m_logits = logits;
  m_rows = static_cast<std::int64_t>(batch.tokens.size());
  m_notFinite.store(false, std::memory_order_relaxed);
  placeTokens();
  return *this;
}

void CpuModel::placeTokens() {
  const int pageTokens = m_kv->pageTokens();
  for (const SequenceSlice& sequence : m_batch.sequences) {
    for (int i = 0; i < sequence.tokenCount; ++i) {
      const auto token = static_cast<std::size_t>(sequence.tokenBegin + i);
      const int position = sequence.pastLength + i;
      m_positions[token] = position;
      const std::int64_t page = sequence.blockTable[static_cast<std::size_t>(position / pageTokens)];
      m_slots[token] = page * pageTokens + position % pageTokens;
    }
  }
  for (Rope& rope : m_ropes) {
    const auto pairs = static_cast<std::int64_t>(rope.frequencies.size());
    eachRow(m_rows, pairs * 16, [&](std::int64_t row, int) {
      const double position = m_positions[static_cast<std::size_t>(row)];
      for (std::int64_t pair = 0; pair < pairs; ++pair) {
        const double angle = position * rope.frequencies[static_cast<std::size_t>(pair)];
        rope.cosines[row * pairs + pair] = static_cast<float>(std::cos(angle));
        rope.sines[row * pairs + pair] = static_cast<float>(std::sin(angle));
      }
    });
  }
}

Result<void> CpuModel::endStep() {
  m_kv = nullptr;
  m_batch = {};
  if (m_notFinite.load(std::memory_order_relaxed)) {
    return fail(ErrorCode::Corrupt, "the model computed values that are not finite: its weights are damaged");
  }
  return {};
}

void CpuModel::embed(Matrix table, float scale, Buffer out) {
  const LoadedMatrix& source = matrix(table);
  const Rows to = rows(out);
  const std::int64_t rowBytes = to.cols / source.source->blockElements * source.source->blockBytes;
  eachRow(m_rows, to.cols, [&](std::int64_t row, int) {
    source.source->dequantize(source.data + m_batch.tokens[static_cast<std::size_t>(row)] * rowBytes, to.row(row), to.cols);
    if (scale != 1.0F) m_kernels.scale(to.row(row), scale, to.cols);
  });
}

void CpuModel::prepare(Rows in, const Norm& norm, unsigned kinds) {
  std::array<std::int64_t, Layout::kKinds> stride{};
  for (std::size_t kind = 0; kind < Layout::kKinds; ++kind) {
    if ((kinds >> kind & 1U) != 0) stride[kind] = m_kernels.activationBytes(static_cast<kernels::ActivationKind>(kind), in.cols);
  }
  const float* weight = vector(norm.weight);
  eachRow(m_rows, in.cols, [&](std::int64_t row, int thread) {
    const float* x = in.row(row);
    if (weight != nullptr) {
      float* normed = scratch(thread).row.data();
      m_kernels.rmsNorm(x, weight, norm.epsilon, in.cols, normed);
      x = normed;
    }
    // Quantising could turn a NaN into some number: here, before every product, it is still to be seen.
    if (anyNotFinite(x, in.cols)) m_notFinite.store(true, std::memory_order_relaxed);
    for (std::size_t kind = 0; kind < Layout::kKinds; ++kind) {
      if (stride[kind] != 0) {
        m_kernels.prepareActivation(static_cast<kernels::ActivationKind>(kind), x, in.cols, m_prepared[kind] + row * stride[kind]);
      }
    }
  });
}

std::int64_t CpuModel::columnsPerPass(std::int64_t stride) const noexcept {
  return std::max<std::int64_t>(32, kActivationCacheBytes / std::max<std::int64_t>(1, stride) / 16 * 16);
}

void CpuModel::multiplyPiece(const Product& product, std::int64_t tileBegin, std::int64_t tileEnd, std::int64_t m0,
                             std::int64_t m1) noexcept {
  const kernels::PackPlan& plan = product.matrix->plan;
  const auto kind = static_cast<kernels::ActivationKind>(plan.activation);
  const std::int64_t stride = m_kernels.activationBytes(kind, plan.cols);
  float* out = product.out + m0 * product.outStride;
  m_kernels.matmul(plan, product.matrix->data, m_prepared[kind] + m0 * stride, stride, m1 - m0, out, product.outStride, tileBegin,
                   tileEnd, product.accumulate);
  if (product.bias != nullptr) {
    const std::int64_t n0 = tileBegin * plan.tileRows;
    const std::int64_t n1 = std::min(tileEnd * plan.tileRows, plan.rows);
    for (std::int64_t m = 0; m < m1 - m0; ++m) m_kernels.add(out + m * product.outStride + n0, product.bias + n0, n1 - n0);
  }
}

template <class After>
void CpuModel::multiply(std::span<Product> products, std::int64_t rowAlignment, After&& after) {
  const std::int64_t count = m_rows;
  if (count == 0) return;
  std::int64_t totalTiles = 0, pass = count;
  for (const Product& product : products) {
    const auto& plan = product.matrix->plan;
    totalTiles += plan.tiles;
    pass = std::min(pass, columnsPerPass(m_kernels.activationBytes(static_cast<kernels::ActivationKind>(plan.activation), plan.cols)));
  }
  const std::int64_t passes = (count + pass - 1) / pass;
  // Pieces small enough that the threads end together, large enough that taking one costs nothing beside it.
  const std::int64_t wanted = std::max<std::int64_t>(1, totalTiles * passes / (8 * m_pool->threadCount()));
  std::int64_t chunks = 0;
  for (Product& product : products) {
    const std::int64_t unit = std::max<std::int64_t>(1, rowAlignment / product.matrix->plan.tileRows);
    product.chunkTiles = (std::min(wanted, product.matrix->plan.tiles) + unit - 1) / unit * unit;
    product.chunks = (product.matrix->plan.tiles + product.chunkTiles - 1) / product.chunkTiles;
    chunks += product.chunks;
  }
  m_pool->forRange(chunks * passes, 1, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t piece = begin; piece < end; ++piece) {
      const std::int64_t m0 = piece / chunks * pass;
      std::int64_t chunk = piece % chunks;
      std::size_t index = 0;
      while (chunk >= products[index].chunks) chunk -= products[index++].chunks;
      const Product& product = products[index];
      const auto& plan = product.matrix->plan;
      const std::int64_t tileBegin = chunk * product.chunkTiles;
      const std::int64_t tileEnd = std::min(tileBegin + product.chunkTiles, plan.tiles);
      const std::int64_t m1 = std::min(m0 + pass, count);
      multiplyPiece(product, tileBegin, tileEnd, m0, m1);
      after(tileBegin, tileEnd, m0, m1);
    }
  });
}

void CpuModel::project(Buffer in, const Norm& norm, std::span<const Projection> projections) {
  // Families project at most q, k, v together; more would be several calls.
  std::array<Product, 4> products;
  unsigned kinds = 0;
  std::size_t count = 0;
  for (const Projection& projection : projections.first(std::min(projections.size(), products.size()))) {
    const LoadedMatrix& weight = matrix(projection.weight);
    const Rows out = rows(projection.out);
    products[count++] = {&weight, out.data, out.cols, vector(projection.bias), projection.accumulate, 1, 0};
    kinds |= 1U << weight.plan.activation;
  }
  prepare(rows(in), norm, kinds);
  multiply(std::span(products).first(count), 1, [](auto...) {});
  if (projections.size() > count) project(in, norm, projections.subspan(count));
}

void CpuModel::gatedProject(Buffer in, const Norm& norm, const GatedProjection& gated) {
  const LoadedMatrix& gate = matrix(gated.gate);
  const LoadedMatrix& up = matrix(gated.up);
  const Rows inner = rows(gated.inner), other = rows(gated.scratch);
  const auto activate = gated.kind == GateKind::Silu ? m_kernels.siluMul : m_kernels.geluMul;
  prepare(rows(in), norm, 1U << gate.plan.activation | 1U << up.plan.activation);
  Product gateProduct{&gate, inner.data, inner.cols};
  Product upProduct{&up, other.data, other.cols};
  if (gate.plan.tileRows == up.plan.tileRows) {
    // The thread that has a piece of the gate in its cache makes the same piece of `up` and joins them there and then.
    multiply(std::span(&gateProduct, 1), kElementwiseAlignment, [&](std::int64_t t0, std::int64_t t1, std::int64_t m0, std::int64_t m1) {
      multiplyPiece(upProduct, t0, t1, m0, m1);
      const std::int64_t n0 = t0 * gate.plan.tileRows;
      const std::int64_t n1 = std::min(t1 * gate.plan.tileRows, gate.plan.rows);
      for (std::int64_t m = m0; m < m1; ++m) activate(inner.row(m) + n0, other.row(m) + n0, n1 - n0, inner.row(m) + n0);
    });
    return;
  }
  std::array products{gateProduct, upProduct};
  multiply(products, 1, [](auto...) {});
  eachRow(m_rows, inner.cols, [&](std::int64_t row, int) { activate(inner.row(row), other.row(row), inner.cols, inner.row(row)); });
}

void CpuModel::addNormed(Buffer in, const Norm& norm, Buffer residual) {
  const Rows from = rows(in), to = rows(residual);
  eachRow(m_rows, from.cols, [&](std::int64_t row, int thread) {
    float* normed = scratch(thread).row.data();
    m_kernels.rmsNorm(from.row(row), vector(norm.weight), norm.epsilon, from.cols, normed);
    m_kernels.add(to.row(row), normed, from.cols);
  });
}

void CpuModel::keepLogitRows(std::span<const Buffer> buffers) {
  for (const Buffer buffer : buffers) {
    const Rows moved = rows(buffer);
    std::int64_t to = 0;
    for (const std::int32_t from : m_batch.logitRows) {  // ascending: a row only ever moves to the front
      if (from != to) std::copy_n(moved.row(from), moved.cols, moved.row(to));
      ++to;
    }
  }
  m_rows = static_cast<std::int64_t>(m_batch.logitRows.size());
}

void CpuModel::head(Buffer in, const Norm& norm, Matrix weight) {
  const LoadedMatrix& head = matrix(weight);
  prepare(rows(in), norm, 1U << head.plan.activation);
  Product product{&head, m_logits.data(), head.plan.rows};
  multiply(std::span(&product, 1), 1, [&](std::int64_t t0, std::int64_t t1, std::int64_t m0, std::int64_t m1) {
    const std::int64_t n0 = t0 * head.plan.tileRows;
    const std::int64_t n1 = std::min(t1 * head.plan.tileRows, head.plan.rows);
    for (std::int64_t m = m0; m < m1; ++m) {
      if (anyNotFinite(m_logits.data() + m * head.plan.rows + n0, n1 - n0)) m_notFinite.store(true, std::memory_order_relaxed);
    }
  });
}

}  // namespace hearth::cpu
