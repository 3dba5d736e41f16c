// The mixture of experts on the CPU. Tokens are sorted by expert, so that an expert's weights are unpacked once for all of
// its tokens, and only the experts that somebody chose are read:
//
//   route    scores of all experts, the chosen ones and their shares, a counting sort into slots (expert, token)
//   inner    pieces (expert, block of slots, rows): gathered rows × gate and up, joined; taken by whichever thread is free
//   prepare  each slot's inner row times its share, quantised
//   output   pieces of output rows: every expert in turn adds its product to its tokens, in the order of the experts
//
// A token's sum is always formed in that order, and no product depends on its neighbours: the result is the same in any
// batch.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/compute/cpu/cpu_model.h"

namespace hearth::cpu {
namespace {

// Pieces are cut between units of so many rows of a matrix.
constexpr std::int64_t kUnitRows = 64;
static_assert(kUnitRows % kElementwiseAlignment == 0);
constexpr std::int64_t kRouterBlock = 48;  // rows that a thread scores at a time
constexpr std::int64_t kOutputBlock = 96;  // slots whose products wait to be added
constexpr std::int64_t kPiecesPerThread = 8;
constexpr std::int64_t kOutputPiecesPerThread = 4;  // fewer: each piece reads the inner rows of all slots

std::int64_t ceilDiv(std::int64_t value, std::int64_t by) noexcept { return (value + by - 1) / by; }

std::byte* alignedUp(std::byte* p) noexcept { return p + (64 - reinterpret_cast<std::uintptr_t>(p) % 64) % 64; }

template <class T>
void growTo(std::vector<T>& vector, std::int64_t size) {
  if (static_cast<std::int64_t>(vector.size()) < size) vector.resize(static_cast<std::size_t>(size));
}

/// The `used` largest of the scores (of equals the first), as ascending indices, and each one's share: its part of the
/// softmax over the chosen ones, or over all. Whatever the scores hold, the indices are valid and differ.
void choose(const float* scores, int experts, int used, bool normalise, std::int32_t* chosen, float* shares) noexcept {
  int count = 0;
  for (int e = 0; e < experts; ++e) {  // best first
    if (count == used && !(scores[e] > scores[chosen[count - 1]])) continue;
    int at = count < used ? count++ : count - 1;
    for (; at > 0 && scores[e] > scores[chosen[at - 1]]; --at) chosen[at] = chosen[at - 1];
    chosen[at] = e;
  }
  const float most = scores[chosen[0]];
  float sum = 0.0F;
  if (!normalise) {
    for (int e = 0; e < experts; ++e) sum += std::exp(scores[e] - most);
  }
  std::sort(chosen, chosen + used);
  for (int i = 0; i < used; ++i) {
    shares[i] = std::exp(scores[chosen[i]] - most);
    if (normalise) sum += shares[i];
  }
  for (int i = 0; i < used; ++i) shares[i] /= sum;
}

}  // namespace

void CpuModel::multiplyRows(const LoadedMatrix& weight, const std::byte* x, std::int64_t m, std::int64_t n0, std::int64_t n1,
                            float* y, std::int64_t yStride) const noexcept {
  kernels::PackPlan part = weight.plan;
  part.rows = n1 - n0;
  part.tiles = ceilDiv(part.rows, part.tileRows);
  m_kernels.matmul(part, weight.data + n0 / part.tileRows * part.tileBytes, x, activationStride(weight), m, y, yStride, 0, part.tiles, false);
}

void CpuModel::route(const ExpertMixture& mixture) {
  const LoadedMatrix& router = matrix(mixture.router);
  const Rows scores = rows(mixture.scores);
  const std::byte* prepared = m_prepared[router.plan.activation];
  const std::int64_t stride = activationStride(router);
  const int experts = mixture.gate.count, used = mixture.used;

  // Few rows: the router's rows are shared out as well.
  const std::int64_t blocks = ceilDiv(m_rows, kRouterBlock);
  const std::int64_t units = ceilDiv(router.plan.rows, kUnitRows);
  const std::int64_t parts = blocks >= 2 * m_pool->threadCount() ? 1 : units;
  const std::int64_t partRows = ceilDiv(units, parts) * kUnitRows;
  m_pool->forRange(blocks * parts, 1, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t piece = begin; piece < end; ++piece) {
      const std::int64_t m0 = piece / parts * kRouterBlock, m1 = std::min(m0 + kRouterBlock, m_rows);
      const std::int64_t n0 = piece % parts * partRows, n1 = std::min(n0 + partRows, router.plan.rows);
      multiplyRows(router, prepared + m0 * stride, m1 - m0, n0, n1, scores.row(m0) + n0, scores.cols);
    }
  });

  Routing& r = m_routing;
  growTo(r.chosen, m_rows * used);
  growTo(r.shares, m_rows * used);
  eachRow(m_rows, 4 * experts, [&](std::int64_t row, int) {
    if (anyNotFinite(scores.row(row), experts)) m_notFinite.store(true, std::memory_order_relaxed);
    choose(scores.row(row), experts, used, mixture.normalise, &r.chosen[static_cast<std::size_t>(row * used)],
           &r.shares[static_cast<std::size_t>(row * used)]);
  });

  const auto slots = static_cast<std::size_t>(m_rows * used);
  r.begin.assign(static_cast<std::size_t>(experts) + 2, 0);
  for (std::size_t i = 0; i < slots; ++i) ++r.begin[static_cast<std::size_t>(r.chosen[i]) + 2];
  for (std::size_t e = 2; e < r.begin.size(); ++e) r.begin[e] += r.begin[e - 1];
  growTo(r.row, m_rows * used);
  growTo(r.share, m_rows * used);
  for (std::size_t i = 0; i < slots; ++i) {  // begin[e + 1] runs from the first slot of e to its end
    const auto slot = static_cast<std::size_t>(r.begin[static_cast<std::size_t>(r.chosen[i]) + 1]++);
    r.row[slot] = static_cast<std::int32_t>(i / static_cast<std::size_t>(used));
    r.share[slot] = r.shares[i];
  }
}

/// The prepared rows of the slots, one after the other: where they are when they are neighbours, else copied to `to`.
const std::byte* CpuModel::gather(std::uint16_t kind, std::int64_t stride, std::int64_t begin, std::int64_t end,
                                  std::byte* to) const noexcept {
  const std::int32_t* row = m_routing.row.data() + begin;
  const std::int64_t count = end - begin;
  if (row[count - 1] - row[0] == count - 1) return m_prepared[kind] + row[0] * stride;
  for (std::int64_t i = 0; i < count; ++i)
    std::memcpy(to + i * stride, m_prepared[kind] + row[i] * stride, static_cast<std::size_t>(stride));
  return to;
}

void CpuModel::expertInner(const ExpertMixture& mixture, const ExpertPiece& piece, ThreadScratch& mine) noexcept {
  const LoadedMatrix& gate = matrix(mixture.gate[piece.expert]);
  const LoadedMatrix& up = matrix(mixture.up[piece.expert]);
  const std::int64_t count = piece.slotEnd - piece.slotBegin, width = gate.plan.rows;
  std::byte* space = alignedUp(mine.gathered.data());
  const std::byte* x = gather(gate.plan.activation, activationStride(gate), piece.slotBegin, piece.slotEnd, space);
  const std::byte* forUp = x;
  if (up.plan.activation != gate.plan.activation) {
    forUp = gather(up.plan.activation, activationStride(up), piece.slotBegin, piece.slotEnd,
                   space + count * activationStride(gate));
  }
  const auto activate = mixture.kind == GateKind::Silu ? m_kernels.siluMul : m_kernels.geluMul;
  for (std::int64_t n0 = piece.rowBegin; n0 < piece.rowEnd; n0 += kUnitRows) {
    const std::int64_t n1 = std::min(n0 + kUnitRows, piece.rowEnd);
    float* inner = rows(mixture.inner).data + piece.slotBegin * width + n0;
    multiplyRows(gate, x, count, n0, n1, inner, width);
    multiplyRows(up, forUp, count, n0, n1, mine.product.data(), n1 - n0);
    for (std::int64_t i = 0; i < count; ++i)
      activate(inner + i * width, mine.product.data() + i * (n1 - n0), n1 - n0, inner + i * width);
  }
}

void CpuModel::expertOutput(const ExpertMixture& mixture, std::int64_t rowBegin, std::int64_t rowEnd,
                            ThreadScratch& mine) noexcept {
  const Rows out = rows(mixture.out);
  const std::int64_t height = rowEnd - rowBegin;
  for (int e = 0; e < mixture.down.count; ++e) {
    const std::int64_t begin = m_routing.begin[static_cast<std::size_t>(e)],
                       end = m_routing.begin[static_cast<std::size_t>(e) + 1];
    if (begin == end) continue;
    const LoadedMatrix& down = matrix(mixture.down[e]);
    const std::byte* prepared = m_prepared[down.plan.activation];
    const std::int64_t stride = activationStride(down);
    for (std::int64_t slot = begin; slot < end; slot += kOutputBlock) {
      const std::int64_t count = std::min(kOutputBlock, end - slot);
      multiplyRows(down, prepared + slot * stride, count, rowBegin, rowEnd, mine.product.data(), height);
      for (std::int64_t i = 0; i < count; ++i) {
        m_kernels.add(out.row(m_routing.row[static_cast<std::size_t>(slot + i)]) + rowBegin,
                      mine.product.data() + i * height, height);
      }
    }
  }
}

void CpuModel::mixExperts(Buffer in, const Norm& norm, const ExpertMixture& mixture) {
  if (m_rows == 0) return;
  const LoadedMatrix& gate = matrix(mixture.gate[0]);
  const LoadedMatrix& up = matrix(mixture.up[0]);
  const LoadedMatrix& down = matrix(mixture.down[0]);
  prepare(rows(in), norm,
          1U << matrix(mixture.router).plan.activation | 1U << gate.plan.activation | 1U << up.plan.activation);
  route(mixture);

  // Pieces small enough that the threads end together; with many tokens that is a whole expert.
  const std::int64_t threads = m_pool->threadCount();
  const std::int64_t rowBytes =
      activationStride(gate) + (up.plan.activation != gate.plan.activation ? activationStride(up) : 0);
  const std::int64_t block = columnsPerPass(rowBytes), width = gate.plan.rows, units = ceilDiv(width, kUnitRows);
  std::int64_t blocks = 0, widest = 0;
  const auto& begin = m_routing.begin;
  for (std::size_t e = 0; e < static_cast<std::size_t>(mixture.gate.count); ++e) {
    blocks += ceilDiv(begin[e + 1] - begin[e], block);
    widest = std::max(widest, begin[e + 1] - begin[e]);
  }
  const std::int64_t pieceRows =
      std::clamp<std::int64_t>(blocks * units / (kPiecesPerThread * threads), 1, units) * kUnitRows;
  m_expertPieces.clear();
  for (int e = 0; e < mixture.gate.count; ++e) {
    const std::int64_t end = begin[static_cast<std::size_t>(e) + 1];
    for (std::int64_t slot = begin[static_cast<std::size_t>(e)]; slot < end; slot += block) {
      for (std::int64_t row = 0; row < width; row += pieceRows) {
        m_expertPieces.push_back({e, slot, std::min(slot + block, end), row, std::min(row + pieceRows, width)});
      }
    }
  }
  const std::int64_t outRows = down.plan.rows, outUnits = ceilDiv(outRows, kUnitRows);
  const std::int64_t outPiece = std::max<std::int64_t>(1, outUnits / (kOutputPiecesPerThread * threads)) * kUnitRows;
  // Grown before the threads start, so that none of them has to allocate.
  for (ThreadScratch& one : m_scratch) {
    growTo(one.gathered, std::min(block, widest) * rowBytes + 64);
    growTo(one.product, std::max(std::min(block, widest) * kUnitRows, std::min(kOutputBlock, widest) * outPiece));
  }

  m_pool->forRange(static_cast<std::int64_t>(m_expertPieces.size()), 1,
                   [&](std::int64_t first, std::int64_t last, int thread) {
                     for (std::int64_t i = first; i < last; ++i)
                       expertInner(mixture, m_expertPieces[static_cast<std::size_t>(i)], scratch(thread));
                   });

  const std::int64_t slots = m_rows * mixture.used;
  const auto kind = static_cast<kernels::ActivationKind>(down.plan.activation);
  float* inner = rows(mixture.inner).data;
  eachRow(slots, width, [&](std::int64_t slot, int) {
    float* x = inner + slot * width;
    m_kernels.scale(x, m_routing.share[static_cast<std::size_t>(slot)], width);
    if (!m_kernels.prepareActivation(kind, x, width, m_prepared[kind] + slot * activationStride(down)))
      m_notFinite.store(true, std::memory_order_relaxed);
  });

  m_pool->forRange(ceilDiv(outRows, outPiece), 1, [&](std::int64_t first, std::int64_t last, int thread) {
    for (std::int64_t i = first; i < last; ++i) {
      expertOutput(mixture, i * outPiece, std::min((i + 1) * outPiece, outRows), scratch(thread));
    }
  });
}

}  // namespace hearth::cpu
