#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <utility>

#include "core/compute/cpu/cpu_model.h"

namespace hearth::cpu {
namespace {

// A pass of the matmul keeps its prepared activations in the second-level cache while the weights stream past.
constexpr std::int64_t kActivationCacheBytes = 768 << 10;
// The kernels take columns in groups of 12 or 6: what is left over goes slower.
constexpr std::int64_t kColumnUnit = 12;
// What a thread does in a nanosecond, roughly and on a fast machine: weights streamed from memory, multiply-adds.
constexpr double kBytesPerNanosecond = 22.0;
constexpr double kMacsPerNanosecond = 220.0;
// A piece of a product is worth the taking from so much work on, and a thread has not more pieces than it needs to end with
// the others.
constexpr double kPieceNanoseconds = 800.0;
constexpr std::int64_t kMostPieces = 16;
// Few rows: memory is nearly the bound, and a piece's first weights come from there while they are wanted.
constexpr std::int64_t kFewRows = 64;
constexpr std::int64_t kMostPiecesOfFewRows = 8;
constexpr std::int64_t kLeastWidePieces = 4;

}  // namespace

Ops& CpuModel::beginStep(const Batch& batch, KvStorage& kv, std::span<float> logits) {
  m_batch = batch;
  m_kv = &kv;
  m_logits = logits;
  m_rows = static_cast<std::int64_t>(batch.tokens.size());
  m_notFinite.store(false, std::memory_order_relaxed);
  m_abandoned = false;
  forgetOutput();
  m_session.emplace(*m_pool);
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

bool CpuModel::abandoned() {
  m_abandoned = m_abandoned || (m_batch.abandoned && m_batch.abandoned());
  return m_abandoned;
}

Result<void> CpuModel::endStep() {
  m_session.reset();
  m_kv = nullptr;
  m_batch = {};
  if (m_abandoned) return fail(ErrorCode::Cancelled, "the step was abandoned");
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

void CpuModel::addLookup(Matrix table, LookupBy by, Buffer out) {
  forgetOutput();
  const LoadedMatrix& source = matrix(table);
  const Rows to = rows(out);
  const std::int64_t rowBytes = to.cols / source.source->blockElements * source.source->blockBytes;
  eachRow(m_rows, to.cols, [&](std::int64_t row, int thread) {
    // All of a text is the first segment: a second one is what pairs of texts have.
    const std::int64_t index = by == LookupBy::Position ? m_positions[static_cast<std::size_t>(row)] : 0;
    float* found = scratch(thread).row.data();
    source.source->dequantize(source.data + index * rowBytes, found, to.cols);
    m_kernels.add(to.row(row), found, to.cols);
  });
}

void CpuModel::applyNorm(const Norm& norm, const float* x, std::int64_t n, float* out) const noexcept {
  if (norm.bias) {
    m_kernels.layerNorm(x, vector(norm.weight), vector(norm.bias), norm.epsilon, n, out);
  } else {
    m_kernels.rmsNorm(x, vector(norm.weight), norm.epsilon, n, out);
  }
}

void CpuModel::normalise(Buffer buffer, const Norm& norm) {
  forgetOutput();
  const Rows made = rows(buffer);
  eachRow(m_rows, made.cols, [&](std::int64_t row, int) {
    applyNorm(norm, made.row(row), made.cols, made.row(row));
    prepareOutput(made, row, row + 1, 0, made.cols);
  });
  announceOutput(made);
}

void CpuModel::prepare(Rows in, const Norm& norm, unsigned kinds) {
  const Ready ready = std::exchange(m_ready, {});
  if (!norm) {
    m_wanted[static_cast<std::size_t>(in.buffer)] |= kinds;
    if (ready.rows == in.data && (kinds & ~ready.kinds) == 0) {
      std::swap(m_prepared, m_preparedNext);
      return;
    }
  }
  std::array<std::int64_t, Layout::kKinds> stride{};
  for (std::size_t kind = 0; kind < Layout::kKinds; ++kind) {
    if ((kinds >> kind & 1U) != 0)
      stride[kind] = m_kernels.activationBytes(static_cast<kernels::ActivationKind>(kind), in.cols);
  }
  eachRow(m_rows, in.cols, [&](std::int64_t row, int thread) {
    const float* x = in.row(row);
    if (norm) {
      float* normed = scratch(thread).row.data();
      applyNorm(norm, x, in.cols, normed);
      x = normed;
    }
    bool finite = true;  // every product's input is looked at: what comes out of it need not show a NaN any more
    for (std::size_t kind = 0; kind < Layout::kKinds; ++kind) {
      if (stride[kind] != 0) {
        finite = m_kernels.prepareActivation(static_cast<kernels::ActivationKind>(kind), x, in.cols,
                                             m_prepared[kind] + row * stride[kind]) && finite;
      }
    }
    if (!finite) m_notFinite.store(true, std::memory_order_relaxed);
  });
}

std::int64_t CpuModel::columnsPerPass(std::int64_t stride) const noexcept {
  return std::max(3 * kColumnUnit, kActivationCacheBytes / std::max<std::int64_t>(1, stride) / kColumnUnit * kColumnUnit);
}

void CpuModel::multiplyPiece(const Product& product, std::int64_t tileBegin, std::int64_t tileEnd, std::int64_t m0,
                             std::int64_t m1) noexcept {
  const kernels::PackPlan& plan = product.matrix->plan;
  const auto kind = static_cast<kernels::ActivationKind>(plan.activation);
  const std::int64_t stride = activationStride(*product.matrix);
  float* out = product.out + m0 * product.outStride;
  m_kernels.matmul(plan, product.matrix->data, m_prepared[kind] + m0 * stride, stride, m1 - m0, out, product.outStride,
                   tileBegin, tileEnd, product.accumulate);
  const std::int64_t n0 = tileBegin * plan.tileRows;
  const std::int64_t n1 = std::min(tileEnd * plan.tileRows, plan.rows);
  if (product.bias != nullptr) {
    for (std::int64_t m = 0; m < m1 - m0; ++m) m_kernels.add(out + m * product.outStride + n0, product.bias + n0, n1 - n0);
  }
  if (product.activation == Activation::Gelu) {
    for (std::int64_t m = 0; m < m1 - m0; ++m) {
      float* made = out + m * product.outStride + n0;
      m_kernels.gelu(made, n1 - n0, made);
    }
  }
}

CpuModel::OutputCut CpuModel::outputCut(Rows made, std::int64_t outputs) const noexcept {
  const std::int64_t wide = outputAlignment(made);
  // Wide pieces only where every thread has enough of them to end with the others.
  if (wide <= kElementwiseAlignment || outputs / wide >= kLeastWidePieces * m_pool->threadCount()) return {wide, true};
  return {kElementwiseAlignment, false};
}

std::int64_t CpuModel::outputAlignment(Rows made) const noexcept {
  std::int64_t alignment = kElementwiseAlignment;
  for (std::size_t kind = 0; kind < Layout::kKinds; ++kind) {
    if ((m_wanted[static_cast<std::size_t>(made.buffer)] >> kind & 1U) != 0)
      alignment = std::max(alignment, kernels::activationAlignment(static_cast<kernels::ActivationKind>(kind)));
  }
  return alignment;
}

void CpuModel::prepareOutput(Rows made, std::int64_t m0, std::int64_t m1, std::int64_t begin, std::int64_t end) noexcept {
  const unsigned kinds = m_wanted[static_cast<std::size_t>(made.buffer)];
  if (kinds == 0) return;
  for (std::int64_t m = m0; m < m1; ++m) {
    const float* x = made.row(m) + begin;
    bool finite = true;
    for (std::size_t kind = 0; kind < Layout::kKinds; ++kind) {
      if ((kinds >> kind & 1U) == 0) continue;
      const auto which = static_cast<kernels::ActivationKind>(kind);
      std::byte* row = m_preparedNext[kind] + m * m_kernels.activationBytes(which, made.cols);
      finite = m_kernels.prepareActivation(which, x, end - begin, row + m_kernels.activationOffset(which, begin)) && finite;
    }
    if (!finite) m_notFinite.store(true, std::memory_order_relaxed);
  }
}

template <class After>
void CpuModel::multiply(std::span<Product> products, std::int64_t rowAlignment, double work, After&& after) {
  const std::int64_t count = m_rows;
  if (count == 0) return;
  std::int64_t pass = count, units = 0;
  double bytes = 0, macs = 0;
  for (Product& product : products) {
    const auto& plan = product.matrix->plan;
    product.unitTiles = std::max<std::int64_t>(1, rowAlignment / plan.tileRows);
    product.units = (plan.tiles + product.unitTiles - 1) / product.unitTiles;
    product.firstUnit = units;
    units += product.units;
    bytes += static_cast<double>(plan.tiles * plan.tileBytes);
    macs += static_cast<double>(plan.rows * plan.cols);
    pass = std::min(pass, columnsPerPass(activationStride(*product.matrix)));
  }
  const std::int64_t passes = (count + pass - 1) / pass;
  pass = ((count + passes - 1) / passes + kColumnUnit - 1) / kColumnUnit * kColumnUnit;  // none much shorter than the others
  const double nanoseconds =
      work * std::max(bytes / kBytesPerNanosecond, macs * static_cast<double>(std::min(pass, count)) / kMacsPerNanosecond);
  const std::int64_t threads = m_pool->threadCount();
  const std::int64_t most = (count <= kFewRows ? kMostPiecesOfFewRows : kMostPieces) * threads;
  const auto wanted = static_cast<std::int64_t>(std::min(nanoseconds / kPieceNanoseconds, static_cast<double>(most)));
  const std::int64_t pieces = std::clamp<std::int64_t>((wanted + threads - 1) / threads * threads, 1, units);
  // Where groups of threads have caches or memory of their own, a piece is the same share of every product, so that a row
  // has one home however many products there are; else pieces follow one another through all products.
  const bool homes = m_pool->groupCount() > 1;
  m_pool->forGrid(pieces, passes, [&](std::int64_t piece, std::int64_t row, int) {
    const std::int64_t m0 = row * pass, m1 = std::min(m0 + pass, count);
    for (const Product& product : products) {
      const auto border = [&](std::int64_t at) {
        const std::int64_t unit = homes
                                      ? product.units * at / pieces
                                      : std::clamp<std::int64_t>(units * at / pieces - product.firstUnit, 0, product.units);
        return std::min(unit * product.unitTiles, product.matrix->plan.tiles);
      };
      const std::int64_t tileBegin = border(piece), tileEnd = border(piece + 1);
      if (tileBegin >= tileEnd) continue;
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
    products[count++] = {&weight, out.data, out.cols, vector(projection.bias), projection.accumulate, projection.activation};
    kinds |= 1U << weight.plan.activation;
  }
  prepare(rows(in), norm, kinds);
  if (projections.size() == 1 && projections[0].activation != Activation::None) {
    // What is activated is read next: whoever makes a piece prepares it.
    const Rows out = rows(projections[0].out);
    const kernels::PackPlan& plan = products[0].matrix->plan;
    const OutputCut cut = outputCut(out, plan.rows);
    multiply(std::span(products).first(1), cut.alignment, 1.0, [&](std::int64_t t0, std::int64_t t1, std::int64_t m0, std::int64_t m1) {
      if (cut.prepares) prepareOutput(out, m0, m1, t0 * plan.tileRows, std::min(t1 * plan.tileRows, plan.rows));
    });
    if (cut.prepares) announceOutput(out);
    return;
  }
  multiply(std::span(products).first(count), productAlignment(), 1.0, [](auto...) {});
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
    const OutputCut cut = outputCut(inner, gate.plan.rows);
    // The thread that has a piece of the gate in its cache makes the same piece of `up` and joins them there and then.
    multiply(std::span(&gateProduct, 1), cut.alignment, 2.0,
             [&](std::int64_t t0, std::int64_t t1, std::int64_t m0, std::int64_t m1) {
               multiplyPiece(upProduct, t0, t1, m0, m1);
               const std::int64_t n0 = t0 * gate.plan.tileRows;
               const std::int64_t n1 = std::min(t1 * gate.plan.tileRows, gate.plan.rows);
               for (std::int64_t m = m0; m < m1; ++m)
                 activate(inner.row(m) + n0, other.row(m) + n0, n1 - n0, inner.row(m) + n0);
               if (cut.prepares) prepareOutput(inner, m0, m1, n0, n1);
             });
    if (cut.prepares) announceOutput(inner);
    return;
  }
  std::array products{gateProduct, upProduct};
  multiply(products, productAlignment(), 1.0, [](auto...) {});
  eachRow(m_rows, inner.cols,
          [&](std::int64_t row, int) { activate(inner.row(row), other.row(row), inner.cols, inner.row(row)); });
}

void CpuModel::addNormed(Buffer in, const Norm& norm, Buffer residual) {
  forgetOutput();
  const Rows from = rows(in), to = rows(residual);
  eachRow(m_rows, from.cols, [&](std::int64_t row, int thread) {
    float* normed = scratch(thread).row.data();
    applyNorm(norm, from.row(row), from.cols, normed);
    m_kernels.add(to.row(row), normed, from.cols);
  });
}

void CpuModel::keepLogitRows(std::span<const Buffer> buffers) {
  forgetOutput();
  std::span<const std::int32_t> kept = m_batch.logitRows;
  if (!m_batch.hiddenRows.empty()) {
    m_kept.clear();
    std::ranges::set_union(m_batch.logitRows, m_batch.hiddenRows, std::back_inserter(m_kept));
    kept = m_kept;
  }
  for (const Buffer buffer : buffers) {
    const Rows moved = rows(buffer);
    std::int64_t to = 0;
    for (const std::int32_t from : kept) {  // ascending: a row only ever moves to the front
      if (from != to) std::copy_n(moved.row(from), moved.cols, moved.row(to));
      ++to;
    }
  }
  m_rows = static_cast<std::int64_t>(kept.size());
}

void CpuModel::takeHidden(Rows in, const Norm& norm) {
  forgetOutput();
  std::int64_t hidden = 0, logits = 0;
  for (std::size_t i = 0; i < m_kept.size(); ++i) {
    const float* row = in.row(static_cast<std::int64_t>(i));
    if (hidden < std::ssize(m_batch.hiddenRows) && m_batch.hiddenRows[static_cast<std::size_t>(hidden)] == m_kept[i]) {
      float* out = m_batch.hidden.data() + hidden++ * in.cols;
      if (norm) {
        applyNorm(norm, row, in.cols, out);
      } else {
        std::copy_n(row, in.cols, out);
      }
      if (anyNotFinite(out, in.cols)) m_notFinite.store(true, std::memory_order_relaxed);
    }
    if (logits < std::ssize(m_batch.logitRows) && m_batch.logitRows[static_cast<std::size_t>(logits)] == m_kept[i]) {
      if (static_cast<std::size_t>(logits) != i) std::copy_n(row, in.cols, in.row(logits));
      ++logits;
    }
  }
  m_rows = logits;
}

void CpuModel::head(Buffer in, const Norm& norm, Matrix weight) {
  if (!m_batch.hiddenRows.empty()) takeHidden(rows(in), norm);
  if (!weight || m_rows == 0) return;
  const LoadedMatrix& head = matrix(weight);
  prepare(rows(in), norm, 1U << head.plan.activation);
  Product product{&head, m_logits.data(), head.plan.rows};
  multiply(std::span(&product, 1), productAlignment(), 1.0, [&](std::int64_t t0, std::int64_t t1, std::int64_t m0, std::int64_t m1) {
    const std::int64_t n0 = t0 * head.plan.tileRows;
    const std::int64_t n1 = std::min(t1 * head.plan.tileRows, head.plan.rows);
    for (std::int64_t m = m0; m < m1; ++m) {
      if (anyNotFinite(m_logits.data() + m * head.plan.rows + n0, n1 - n0))
        m_notFinite.store(true, std::memory_order_relaxed);
    }
  });
}

}  // namespace hearth::cpu
