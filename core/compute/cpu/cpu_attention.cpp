#include <algorithm>

#include "core/compute/cpu/cpu_model.h"

namespace hearth::cpu {
namespace {

constexpr int kQueryRows = 32;  // query rows of one piece of prefill attention
// Multiply-adds of attention that one thread does in a few microseconds: less than this stays on the calling thread.
constexpr std::int64_t kSmallAttention = 100'000;

}  // namespace

void CpuModel::rotateAndStore(int layer, const HeadShape& shape, const QueryKeyValue& qkv) {
  const Rows query = rows(qkv.query), key = rows(qkv.key), value = rows(qkv.value);
  const Rope& rope = m_ropes[static_cast<std::size_t>(qkv.rope.index)];
  const float* queryNorm = vector(qkv.queryNorm.weight);
  const float* keyNorm = vector(qkv.keyNorm.weight);
  const std::int64_t pairs = rope.spec.dims / 2;
  const kernels::KvType type = m_kv->shape().type;
  const auto elementBytes = static_cast<std::int64_t>(m_kv->shape().elementBytes());
  const int pageTokens = m_kv->pageTokens();
  const auto turn = [&](float* heads, int count, const float* norm, float epsilon, std::int64_t row) {
    if (norm != nullptr) {
      for (int head = 0; head < count; ++head) {
        float* x = heads + static_cast<std::int64_t>(head) * shape.headDim;
        m_kernels.rmsNorm(x, norm, epsilon, shape.headDim, x);
      }
    }
    m_kernels.rope(heads, count, shape.headDim, rope.spec.dims, rope.spec.style, rope.cosines + row * pairs, rope.sines + row * pairs);
  };
  // Rows of a multi-token step are few microseconds each; one row is done at once by the caller.
  const std::int64_t rowWork = query.cols + 2 * key.cols;
  const std::int64_t grain = std::max(m_rows / (4 * m_pool->threadCount()), std::max<std::int64_t>(1, 8192 / rowWork));
  m_pool->forRange(m_rows, grain, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin; row < end; ++row) {
      turn(query.row(row), shape.heads, queryNorm, qkv.queryNorm.epsilon, row);
      turn(key.row(row), shape.kvHeads, keyNorm, qkv.keyNorm.epsilon, row);
      const std::int64_t slot = m_slots[static_cast<std::size_t>(row)];
      const auto page = static_cast<PageId>(slot / pageTokens);
      const std::int64_t offset = slot % pageTokens * shape.headDim * elementBytes;
      for (int head = 0; head < shape.kvHeads; ++head) {
        const std::int64_t at = static_cast<std::int64_t>(head) * shape.headDim;
        m_kernels.toKv(key.row(row) + at, shape.headDim, type, m_kv->keys(page, layer, head) + offset);
        m_kernels.toKv(value.row(row) + at, shape.headDim, type, m_kv->values(page, layer, head) + offset);
      }
    }
  });
}

void CpuModel::attend(int layer, const HeadShape& shape, Buffer query, Buffer out, const AttentionSpec& spec) {
  const Rows from = rows(query), to = rows(out);
  const int group = shape.heads / shape.kvHeads;
  const int pageTokens = m_kv->pageTokens();

  // Pieces: blocks of query rows × KV heads. When that leaves threads idle (long decode), the query heads of a group are
  // divided as well, at the price of reading its keys more than once.
  std::int64_t blocks = 0, work = 0;
  for (const SequenceSlice& sequence : m_batch.sequences) {
    blocks += (sequence.tokenCount + kQueryRows - 1) / kQueryRows;
    const std::int64_t span = sequence.pastLength + sequence.tokenCount;
    work += 2LL * sequence.tokenCount * (spec.window > 0 ? std::min<std::int64_t>(span, spec.window) : span) * from.cols;
  }
  const std::int64_t pieces = blocks * shape.kvHeads;
  const std::int64_t wanted = 3LL * m_pool->threadCount();
  const bool small = work < kSmallAttention;
  const int splits = small || pieces >= wanted ? 1 : static_cast<int>(std::min<std::int64_t>(group, (wanted + pieces - 1) / pieces));
  const int headsInPiece = (group + splits - 1) / splits;

  m_attention.clear();
  for (std::size_t index = 0; index < m_batch.sequences.size(); ++index) {
    const SequenceSlice& sequence = m_batch.sequences[index];
    // Last rows first: they see most, and the threads end together when the small pieces come last.
    for (int row = (sequence.tokenCount - 1) / kQueryRows * kQueryRows; row >= 0; row -= kQueryRows) {
      const int count = std::min(kQueryRows, sequence.tokenCount - row);
      for (int kvHead = 0; kvHead < shape.kvHeads; ++kvHead) {
        for (int head = 0; head < group; head += headsInPiece) {
          m_attention.push_back({static_cast<int>(index), row, count, kvHead, kvHead * group + head, std::min(headsInPiece, group - head)});
        }
      }
    }
  }

  const auto task = [&](const AttentionWork& piece) {
    const SequenceSlice& sequence = m_batch.sequences[static_cast<std::size_t>(piece.sequence)];
    const std::int64_t row = sequence.tokenBegin + piece.row;
    const std::int64_t column = static_cast<std::int64_t>(piece.firstHead) * shape.headDim;
    kernels::AttentionTask t;
    t.query = from.row(row) + column;
    t.output = to.row(row) + column;
    t.queryStride = from.cols;
    t.outputStride = to.cols;
    t.rows = piece.rows;
    t.firstPosition = sequence.pastLength + piece.row;
    t.window = spec.window;
    t.group = piece.heads;
    t.headDim = shape.headDim;
    t.scale = spec.scale;
    t.softcap = spec.softcap;
    t.pageTokens = pageTokens;
    t.type = m_kv->shape().type;
    return t;
  };
  // Scratch is grown before the threads start, so that none of them has to allocate.
  std::int64_t floats = 0;
  std::size_t pages = 0;
  for (const AttentionWork& piece : m_attention) {
    const kernels::AttentionTask t = task(piece);
    floats = std::max(floats, m_kernels.attentionScratchFloats(t));
    pages = std::max(pages, static_cast<std::size_t>((t.firstPosition + t.rows + pageTokens - 1) / pageTokens));
  }
  for (ThreadScratch& one : m_scratch) {
    if (one.attention.size() < static_cast<std::size_t>(floats)) one.attention.resize(static_cast<std::size_t>(floats));
    if (one.keys.size() < pages) {
      one.keys.resize(pages + pages / 4);
      one.values.resize(pages + pages / 4);
    }
  }

  const auto total = static_cast<std::int64_t>(m_attention.size());
  m_pool->forRange(total, small ? total : 1, [&](std::int64_t begin, std::int64_t end, int thread) {
    ThreadScratch& mine = scratch(thread);
    for (std::int64_t index = begin; index < end; ++index) {
      const AttentionWork& piece = m_attention[static_cast<std::size_t>(index)];
      kernels::AttentionTask t = task(piece);
      const auto& table = m_batch.sequences[static_cast<std::size_t>(piece.sequence)].blockTable;
      const int first = spec.window > 0 ? std::max(0, t.firstPosition - spec.window + 1) / pageTokens : 0;
      const int last = (t.firstPosition + t.rows - 1) / pageTokens;
      std::fill_n(mine.keys.begin(), first, nullptr);
      std::fill_n(mine.values.begin(), first, nullptr);
      for (int page = first; page <= last; ++page) {
        const auto place = static_cast<std::size_t>(page);
        mine.keys[place] = m_kv->keys(table[place], layer, piece.kvHead);
        mine.values[place] = m_kv->values(table[place], layer, piece.kvHead);
      }
      t.keyPages = mine.keys.data();
      t.valuePages = mine.values.data();
      t.scratch = mine.attention.data();
      m_kernels.attention(t);
    }
  });
}

}  // namespace hearth::cpu
