#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "core/base/log.h"
#include "core/engine/engine_core.h"

// One step of the loop: what is computed and which tokens are chosen. Engine thread; sampling on the pool's.
namespace hearth {
namespace {

/// Steps of so many tokens are asked between layers whether they are still wanted.
constexpr std::size_t kLongStep = 32;
/// A step is given up for a newcomer no oftener than this: whoever makes up newcomers wastes little.
constexpr std::chrono::seconds kYieldInterval{1};

/// How many hidden states a slice of a text's tokens adds to its embedding: the last ones of the slice, or its first.
int hiddenRows(const Scheduler::Slice& slice) {
  switch (slice.sequence->request.pooling) {
    case Pooling::First: return slice.sequence->table.tokens == 0 ? 1 : 0;
    case Pooling::Last: return slice.logits ? 1 : 0;
    case Pooling::None:
    case Pooling::Mean: break;
  }
  return slice.count;
}

}  // namespace

void EngineCore::step() {
  const auto begin = EngineClock::now();
  const auto slices = m_scheduler.plan(begin);
  {
    const auto& waiting = m_scheduler.queue().waiting();
    std::lock_guard lock(m_mutex);
    m_queued = static_cast<std::size_t>(std::count_if(waiting.begin(), waiting.end(), [](const auto& s) { return !s->preempted; }));
  }
  reportQueue(begin);
  if (slices.empty()) return;
  int decodes = 0, prompts = 0;
  for (const auto& slice : slices) {
    Sequence& sequence = *slice.sequence;
    const bool decoding = sequence.generated() > 0 && slice.count == 1;
    (decoding ? decodes : prompts) += slice.count;
    if (sequence.started) continue;
    sequence.started = true;
    m_counters.promptTokens += static_cast<std::uint64_t>(sequence.promptTokens);
    m_counters.cachedPromptTokens += static_cast<std::uint64_t>(sequence.table.tokens);
    EngineEvent event;
    event.kind = EngineEvent::Kind::Started;
    event.promptTokens = sequence.promptTokens;
    event.cachedTokens = sequence.table.tokens;
    send(sequence, event);
  }

  m_speculator.propose(slices);
  startGrammars(slices);
  const auto drafted = EngineClock::now();
  auto done = forward(slices);
  if (!done && done.error().code == ErrorCode::Cancelled) return abandon(slices);
  m_abandoned = false;
  if (!done) {
    log::warning("engine", fmt::format("a step failed: {}", done.error().describe()));
    for (const auto& slice : slices) finish(slice.sequence, FinishReason::Error, done.error());
    return;
  }
  std::vector<Sampled> rows;
  std::size_t logitRows = 0;
  rows.reserve(slices.size());
  pool(slices);
  for (const auto& slice : slices) {
    m_pages.commit(slice.sequence->table, slice.sequence->tokens, slice.count);
    if (!slice.logits || slice.sequence->embeds()) continue;
    rows.push_back({slice.sequence, logitRows, {}, std::nullopt});
    logitRows += 1 + slice.sequence->speculation.draft.size();
  }
  sampleRows(rows);
  const auto now = EngineClock::now();
  if (logitRows == rows.size()) m_scheduler.recordStep(seconds(now - begin), decodes, prompts);
  if (rows.size() == slices.size() && prompts == 0) recordSpeculation(slices, rows, seconds(now - drafted));
  ++m_counters.steps;
  {
    std::size_t tokens = 0;
    for (const auto& row : rows) tokens += row.tokens.size();
    std::lock_guard lock(m_mutex);
    m_decodeRate.add(now, static_cast<int>(tokens));
    m_prefillRate.add(now, prompts);
  }
  for (const auto& slice : slices) {
    if (slice.logits && slice.sequence->embeds()) finish(slice.sequence, slice.sequence->cancelled() ? FinishReason::Cancelled : FinishReason::Stop);
  }
  for (auto& row : rows) emit(row, now);
}

// The hidden states of the step, in the order of forward(): one row after the other into each text's sum, so that the result
// does not depend on how the text was cut.
void EngineCore::pool(const std::vector<Scheduler::Slice>& slices) {
  const float* hidden = m_hidden.data();
  for (const auto& slice : slices) {
    Sequence& sequence = *slice.sequence;
    if (!sequence.embeds()) continue;
    if (sequence.table.tokens == 0) sequence.pooled.assign(m_embedding, 0.0);  // the beginning, or again after a preemption
    const int rows = hiddenRows(slice);
    for (int row = 0; row < rows; ++row, hidden += m_embedding) {
      for (std::size_t i = 0; i < m_embedding; ++i) sequence.pooled[i] += static_cast<double>(hidden[i]);
    }
  }
}

Result<void> EngineCore::forward(const std::vector<Scheduler::Slice>& slices) {
  m_batchTokens.clear();
  m_batchSlices.clear();
  m_batchRows.clear();
  m_hiddenRows.clear();
  for (const auto& slice : slices) {
    const Sequence& sequence = *slice.sequence;
    const auto& draft = sequence.speculation.draft;
    const auto first = sequence.tokens.begin() + sequence.table.tokens;
    m_batchSlices.push_back({static_cast<std::int32_t>(m_batchTokens.size()), slice.count + static_cast<std::int32_t>(draft.size()),
                             sequence.table.tokens, sequence.table.pages});
    m_batchTokens.insert(m_batchTokens.end(), first, first + slice.count);
    if (sequence.embeds()) {
      const int count = hiddenRows(slice);
      const auto end = static_cast<std::int32_t>(m_batchTokens.size());
      const std::int32_t begin = sequence.request.pooling == Pooling::First ? end - slice.count : end - count;
      for (std::int32_t at = begin; at < begin + count; ++at) m_hiddenRows.push_back(at);
      continue;
    }
    auto row = static_cast<std::int32_t>(m_batchTokens.size()) - 1;
    m_batchTokens.insert(m_batchTokens.end(), draft.begin(), draft.end());
    if (!slice.logits) continue;
    for (const auto end = static_cast<std::int32_t>(m_batchTokens.size()); row < end; ++row) m_batchRows.push_back(row);
  }
  if (m_logits.size() < m_batchRows.size() * m_vocabulary) m_logits.resize(m_batchRows.size() * m_vocabulary);
  if (m_hidden.size() < m_hiddenRows.size() * m_embedding) m_hidden.resize(m_hiddenRows.size() * m_embedding);
  Batch batch{m_batchTokens, m_batchSlices, m_batchRows, m_hiddenRows, std::span(m_hidden).first(m_hiddenRows.size() * m_embedding)};
  if (m_batchTokens.size() >= kLongStep) batch.abandoned = [this, &slices] { return unwanted(slices); };
  return m_model->forward(batch, *m_storage,
                          std::span(m_logits).first(m_batchRows.size() * m_vocabulary));
}

// Between two layers of a long step. Nothing was committed: what the step was to compute is computed by a later one.
bool EngineCore::unwanted(const std::vector<Scheduler::Slice>& slices) {
  const auto now = EngineClock::now();
  const auto crowds = [&](int rank) {
    return std::all_of(slices.begin(), slices.end(), [&](const auto& slice) {
      return slice.sequence->rank >= rank && m_scheduler.crowd(slice.sequence->request.principal);
    });
  };
  {
    std::lock_guard lock(m_mutex);
    if (m_stopping) return true;
    if (now >= m_nextYield && std::any_of(m_inbox.begin(), m_inbox.end(), [&](const auto& fresh) {
          return !m_scheduler.queue().active(fresh->request.principal) && crowds(static_cast<int>(fresh->request.priority));
        })) {
      m_nextYield = now + kYieldInterval;
      return true;
    }
  }
  if (m_abandoned) return false;
  int wanted = 0, cancelled = 0;
  for (const auto& slice : slices) (slice.sequence->cancelled() ? cancelled : wanted) += slice.count;
  return cancelled > wanted;
}

void EngineCore::abandon(const std::vector<Scheduler::Slice>& slices) {
  m_abandoned = true;
  for (const auto& slice : slices) {
    Sequence& sequence = *slice.sequence;
    sequence.speculation.draft.clear();
    if (slice.logits && sequence.grammar) m_grammars.collect(*sequence.grammar);
    m_pages.truncate(sequence.table, sequence.table.tokens);
  }
}

void EngineCore::recordSpeculation(const std::vector<Scheduler::Slice>& slices, const std::vector<Sampled>& rows, double took) {
  m_accepted.clear();
  for (const auto& row : rows) m_accepted.push_back(row.tokens.empty() ? 0 : static_cast<int>(row.tokens.size()) - 1);
  m_speculator.record(slices, m_accepted, took);
}

// The masks of a step need only tokens that are known by now: they are made while the model runs. Guesses that the grammar
// does not allow are dropped before they cost a row.
void EngineCore::startGrammars(const std::vector<Scheduler::Slice>& slices) {
  for (const auto& slice : slices) {
    if (!slice.logits || !slice.sequence->grammar) continue;
    auto& draft = slice.sequence->speculation.draft;
    draft.resize(slice.sequence->grammar->prepare(draft));
    m_grammars.start(slice.sequence->grammar);
  }
}

void EngineCore::sampleRows(std::vector<Sampled>& rows) {
  if (m_pool && rows.size() > 1) {
    m_pool->forRange(static_cast<std::int64_t>(rows.size()), 1, [&](std::int64_t begin, std::int64_t end, int thread) {
      for (auto i = begin; i < end; ++i) sampleOne(rows[static_cast<std::size_t>(i)], m_scratch[static_cast<std::size_t>(thread)]);
    });
  } else {
    for (auto& row : rows) sampleOne(row, m_scratch[0]);
  }
}

// A row of logits is valid when all tokens before it are what was guessed. Rows are sampled in order, each with the tokens
// chosen before it: penalties and random numbers are those of a step without guesses.
void EngineCore::sampleOne(Sampled& row, SamplerScratch& scratch) {
  Sequence& sequence = *row.sequence;
  const auto& draft = sequence.speculation.draft;
  try {
    std::span<const TokenId> history = sequence.tokens;
    if (!draft.empty()) {
      scratch.history.assign(sequence.tokens.begin(), sequence.tokens.end());
      scratch.history.insert(scratch.history.end(), draft.begin(), draft.end());
    }
    if (sequence.grammar) m_grammars.collect(*sequence.grammar);
    for (std::size_t i = 0; i <= draft.size(); ++i) {
      const TokenMask* mask = nullptr;
      if (sequence.grammar) {
        auto made = sequence.grammar->mask(i);
        if (!made) {
          row.error = std::move(made).error();
          return;
        }
        mask = *made;
      }
      if (i > 0) history = std::span(scratch.history).first(sequence.tokens.size() + i);
      auto token = sequence.sampler.sample(std::span(m_logits).subspan((row.row + i) * m_vocabulary, m_vocabulary), history,
                                           static_cast<std::uint64_t>(sequence.generated()) + i, scratch, mask);
      if (!token) {
        row.error = std::move(token).error();
        return;
      }
      const TokenId chosen = token->token;
      if (sequence.grammar) {
        if (auto moved = sequence.grammar->advance(i, chosen); !moved) {
          row.error = std::move(moved).error();
          return;
        }
      }
      row.tokens.push_back(std::move(*token));
      const bool ends = !sequence.request.ignoreEnd && m_tokenizer->isEndOfGeneration(chosen);
      if (ends || i == draft.size() || draft[i] != chosen) return;
    }
  } catch (const std::exception& problem) {
    row.error = Error{ErrorCode::OutOfMemory, fmt::format("sampling failed: {}", problem.what()), {}};
  }
}

}  // namespace hearth
