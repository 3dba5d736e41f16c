#include <algorithm>

#include "core/compute/cpu/cpu_model.h"

namespace hearth::cpu {
namespace {

constexpr int kQueryVectors =
    96;  // query vectors (heads of rows) of one piece of prefill attention: what the kernels take at once
// Multiply-adds of attention that one thread does in a few microseconds: less than this stays on the calling thread.
constexpr std::int64_t kSmallAttention = 100'000;

// The first position that no row of the task sees.
int endOfKeys(const kernels::AttentionTask& task) noexcept {
  return task.keys > 0 ? task.keys : task.firstPosition + task.rows;
}

// In rows × spans: all heads of a piece cost the same.
template <class Piece>
std::int64_t workOf(const Piece& piece) noexcept {
  return static_cast<std::int64_t>(piece.rows) * (piece.endSpan - piece.firstSpan);
}

}  // namespace

void CpuModel::rotateAndStore(int layer, const HeadShape& shape, const QueryKeyValue& qkv) {
  const Rows query = rows(qkv.query), key = rows(qkv.key), value = rows(qkv.value);
  const Rope* rope = qkv.rope ? &m_ropes[static_cast<std::size_t>(qkv.rope.index)] : nullptr;
  const float* queryNorm = vector(qkv.queryNorm.weight);
  const float* keyNorm = vector(qkv.keyNorm.weight);
  const std::int64_t pairs = rope != nullptr ? rope->spec.dims / 2 : 0;
  const kernels::KvType type = m_kv->shape().type;
  const int pageTokens = m_kv->pageTokens();
  const auto turn = [&](float* heads, int count, const float* norm, float epsilon, std::int64_t row) {
    if (norm != nullptr) {
      for (int head = 0; head < count; ++head) {
        float* x = heads + static_cast<std::int64_t>(head) * shape.headDim;
        m_kernels.rmsNorm(x, norm, epsilon, shape.headDim, x);
      }
    }
    if (rope == nullptr) return;
    m_kernels.rope(heads, count, shape.headDim, rope->spec.dims, rope->spec.style, rope->cosines + row * pairs,
                   rope->sines + row * pairs);
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
      const auto place = static_cast<int>(slot % pageTokens);
      for (int head = 0; head < shape.kvHeads; ++head) {
        const std::int64_t at = static_cast<std::int64_t>(head) * shape.headDim;
        m_kernels.writeKv(key.row(row) + at, value.row(row) + at, shape.headDim, type, pageTokens, place,
                          m_kv->keys(page, layer, head), m_kv->values(page, layer, head));
      }
    }
  });
}

kernels::AttentionTask CpuModel::attentionTask(const AttentionWork& piece, const HeadShape& shape, Rows query, Rows out,
                                               const AttentionSpec& spec) const noexcept {
  const SequenceSlice& sequence = m_batch.sequences[static_cast<std::size_t>(piece.sequence)];
  const std::int64_t row = sequence.tokenBegin + piece.row;
  const int group = shape.heads / shape.kvHeads;
  const std::int64_t column = static_cast<std::int64_t>(piece.kvHead) * group * shape.headDim;
  kernels::AttentionTask task;
  task.query = query.row(row) + column;
  task.output = out.row(row) + column;
  task.queryStride = query.cols;
  task.outputStride = out.cols;
  task.rows = piece.rows;
  task.firstPosition = sequence.pastLength + piece.row;
  task.window = spec.window;
  task.keys = spec.bidirectional ? sequence.pastLength + sequence.tokenCount : 0;
  task.group = group;
  task.headDim = shape.headDim;
  task.scale = spec.scale;
  task.softcap = spec.softcap;
  task.pageTokens = m_kv->pageTokens();
  task.type = m_kv->shape().type;
  return task;
}

void CpuModel::planAttention(const HeadShape& shape, const AttentionSpec& spec) {
  // Whole pieces are blocks of query rows × KV heads. A piece that holds more than its share of the work is divided by
  // spans of positions, so that one long sequence keeps every thread busy.
  const int group = shape.heads / shape.kvHeads;
  const int pieceRows = std::max(1, kQueryVectors / group);
  m_attention.clear();
  std::int64_t work = 0;
  for (std::size_t index = 0; index < m_batch.sequences.size(); ++index) {
    const SequenceSlice& sequence = m_batch.sequences[index];
    // Last rows first: they see most, and the threads end together when the small pieces come last.
    for (int row = (sequence.tokenCount - 1) / pieceRows * pieceRows; row >= 0; row -= pieceRows) {
      AttentionWork piece;
      piece.sequence = static_cast<int>(index);
      piece.row = row;
      piece.rows = std::min(pieceRows, sequence.tokenCount - row);
      const int first = sequence.pastLength + row;
      const int last = spec.bidirectional ? sequence.pastLength + sequence.tokenCount - 1 : first + piece.rows - 1;
      piece.firstSpan = (spec.window > 0 ? std::max(0, first - spec.window + 1) : 0) / kernels::kAttentionSpan;
      piece.endSpan = last / kernels::kAttentionSpan + 1;
      work += workOf(piece) * shape.kvHeads;
      for (piece.kvHead = 0; piece.kvHead < shape.kvHeads; ++piece.kvHead) m_attention.push_back(piece);
    }
  }
  m_attentionSmall = work * kernels::kAttentionSpan * 2 * group * shape.headDim < kSmallAttention;
  m_attentionJoins = 0;
  m_attentionStates = 0;
  if (m_attentionSmall || m_pool->threadCount() == 1) return;

  const std::int64_t share = std::max<std::int64_t>(1, work / (4 * m_pool->threadCount()));
  const std::size_t whole = m_attention.size();
  for (std::size_t index = 0; index < whole; ++index) {
    AttentionWork& piece = m_attention[index];
    const int spans = piece.endSpan - piece.firstSpan;
    const auto parts = static_cast<int>(std::min<std::int64_t>(spans, (workOf(piece) + share - 1) / share));
    if (parts <= 1) continue;
    piece.join = m_attentionJoins++;
    piece.states = m_attentionStates;
    piece.parts = parts;
    piece.allSpans = piece.firstSpan;
    m_attentionStates +=
        static_cast<std::int64_t>(spans) * piece.rows * group * kernels::attentionStateFloats(shape.headDim);
    const int first = piece.firstSpan;
    AttentionWork part = piece;
    piece.endSpan = first + spans / parts;
    for (int i = 1; i < parts; ++i) {
      part.firstSpan = first + i * spans / parts;
      part.endSpan = first + (i + 1) * spans / parts;
      m_attention.push_back(part);
    }
  }
}

void CpuModel::attend(int layer, const HeadShape& shape, Buffer query, Buffer out, const AttentionSpec& spec) {
  const Rows from = rows(query), to = rows(out);
  const int pageTokens = m_kv->pageTokens();
  planAttention(shape, spec);

  // Scratch is grown before the threads start, so that none of them has to allocate.
  std::int64_t floats = 0;
  std::size_t pages = 0;
  for (const AttentionWork& piece : m_attention) {
    const kernels::AttentionTask task = attentionTask(piece, shape, from, to, spec);
    floats = std::max(floats, m_kernels.attentionScratchFloats(task));
    pages = std::max(pages, static_cast<std::size_t>((endOfKeys(task) + pageTokens - 1) / pageTokens));
  }
  for (ThreadScratch& one : m_scratch) {
    if (one.attention.size() < static_cast<std::size_t>(floats)) one.attention.resize(static_cast<std::size_t>(floats));
    if (one.keys.size() < pages) {
      one.keys.resize(pages + pages / 4);
      one.values.resize(pages + pages / 4);
    }
  }
  if (m_states.size() < static_cast<std::size_t>(m_attentionStates))
    m_states.resize(static_cast<std::size_t>(m_attentionStates));
  if (m_unfinished.size() < static_cast<std::size_t>(m_attentionJoins))
    m_unfinished = std::vector<std::atomic<int>>(static_cast<std::size_t>(m_attentionJoins));
  for (const AttentionWork& piece : m_attention) {
    if (piece.join >= 0) m_unfinished[static_cast<std::size_t>(piece.join)].store(piece.parts, std::memory_order_relaxed);
  }

  const auto total = static_cast<std::int64_t>(m_attention.size());
  m_pool->forRange(total, m_attentionSmall ? total : 1, [&](std::int64_t begin, std::int64_t end, int thread) {
    ThreadScratch& mine = scratch(thread);
    for (std::int64_t index = begin; index < end; ++index) {
      const AttentionWork& piece = m_attention[static_cast<std::size_t>(index)];
      kernels::AttentionTask task = attentionTask(piece, shape, from, to, spec);
      const auto& table = m_batch.sequences[static_cast<std::size_t>(piece.sequence)].blockTable;
      const int seen = spec.window > 0 ? std::max(0, task.firstPosition - spec.window + 1) : 0;
      const int first = std::max(seen, piece.firstSpan * kernels::kAttentionSpan) / pageTokens;
      const int last = std::min(endOfKeys(task), piece.endSpan * kernels::kAttentionSpan) - 1;
      for (int page = first; page <= last / pageTokens; ++page) {
        const auto place = static_cast<std::size_t>(page);
        mine.keys[place] = m_kv->keys(table[place], layer, piece.kvHead);
        mine.values[place] = m_kv->values(table[place], layer, piece.kvHead);
      }
      task.keyPages = mine.keys.data();
      task.valuePages = mine.values.data();
      task.scratch = mine.attention.data();
      if (piece.join < 0) {
        m_kernels.attention(task);
        continue;
      }
      float* states = m_states.data() + piece.states;
      const std::int64_t spanFloats =
          static_cast<std::int64_t>(task.rows) * task.group * kernels::attentionStateFloats(task.headDim);
      for (int span = piece.firstSpan; span < piece.endSpan; ++span)
        m_kernels.attentionSpan(task, span, states + (span - piece.allSpans) * spanFloats);
      // Whoever ends last sees the states of all the others, and joins them.
      if (m_unfinished[static_cast<std::size_t>(piece.join)].fetch_sub(1, std::memory_order_acq_rel) == 1)
        m_kernels.attentionMerge(task, states);
    }
  });
}

}  // namespace hearth::cpu
