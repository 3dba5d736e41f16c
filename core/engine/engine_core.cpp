#include "core/engine/engine_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <random>

#include "core/base/log.h"
#include "core/base/platform/platform.h"

namespace hearth {
namespace {

constexpr std::size_t kMostStops = 16;
constexpr std::size_t kLongestStop = 1024;
constexpr std::chrono::milliseconds kQueueReportInterval{500};

double seconds(EngineClock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::unexpected<Error> invalid(std::string_view field, std::string value, std::string_view message) {
  return fail(ErrorCode::InvalidArgument, std::string(message), {{"field", std::string(field)}, {"value", std::move(value)}});
}

std::uint64_t randomSeed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32U) | device();
}

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

Error shuttingDown() {
  return {ErrorCode::ShuttingDown, "the model is being unloaded", {}};
}

}  // namespace

EngineCore::EngineCore(std::unique_ptr<Model> model, std::unique_ptr<Tokenizer> tokenizer, std::unique_ptr<KvStorage> storage,
                       const EngineOptions& options, const KvPlan& plan, std::shared_ptr<ThreadPool> pool, std::unique_ptr<DraftModel> draft)
    : m_model(std::move(model)),
      m_tokenizer(std::move(tokenizer)),
      m_storage(std::move(storage)),
      m_options(options),
      m_plan(plan),
      m_pool(std::move(pool)),
      m_vocabulary(static_cast<std::size_t>(m_model->config().vocabulary)),
      m_embedding(static_cast<std::size_t>(m_model->config().embedding)),
      m_stepTokens(std::max(1, std::min(options.stepTokens, m_model->maxBatchTokens()))),
      m_grammars(*m_tokenizer),
      m_pages(plan.pageCount, options.pageTokens, options.prefixCache, [this](PageId from, PageId to) { m_storage->copyPage(from, to); }),
      m_scheduler(options, m_stepTokens, m_pages, m_model->config().encoder),
      m_speculator(options.speculation.value_or(Speculation::Lookup) == Speculation::Lookup, m_stepTokens, m_pages, std::move(draft),
                   options.speculateAlways),
      m_scratch(static_cast<std::size_t>(m_pool ? m_pool->threadCount() : 1)) {
  m_counters.kvPagesTotal = m_published.kvPagesTotal = plan.pageCount;
}

Result<void> EngineCore::check(const EngineRequest& request) const {
  if (!request.sink) return invalid("sink", "", "a request needs a sink");
  HEARTH_CHECK(request.sampling.validate(static_cast<std::int32_t>(m_vocabulary)));
  if (request.maxTokens != -1 && request.maxTokens < 1) return invalid("max_tokens", std::to_string(request.maxTokens), "max_tokens must be at least 1, or -1");
  if (request.stop.size() > kMostStops) return invalid("stop", std::to_string(request.stop.size()), fmt::format("at most {} stop strings", kMostStops));
  for (const auto& stop : request.stop) {
    if (stop.empty() || stop.size() > kLongestStop)
      return invalid("stop", fmt::format("{} bytes", stop.size()), fmt::format("a stop string has 1…{} bytes", kLongestStop));
  }
  if (request.priority > Priority::Batch) return invalid("priority", std::to_string(static_cast<int>(request.priority)), "unknown priority");
  if (request.prompt.empty()) return invalid("prompt", "0 tokens", "the prompt is empty");
  if (m_model->config().encoder && !request.embed)
    return invalid("model", m_model->config().architecture, "this model makes embeddings of texts; it cannot answer them");
  if (request.pooling > Pooling::Last) return invalid("pooling", std::to_string(static_cast<int>(request.pooling)), "unknown pooling");
  if (request.prompt.size() + (request.embed ? 0 : 1) > static_cast<std::size_t>(m_plan.contextTokens)) {
    return fail(ErrorCode::ContextOverflow, request.embed ? "the text is longer than the context" : "the prompt leaves no room for an answer in the context",
                {{"prompt_tokens", std::to_string(request.prompt.size())}, {"context_tokens", std::to_string(m_plan.contextTokens)}});
  }
  for (const TokenId token : request.prompt) {
    if (token < 0 || static_cast<std::size_t>(token) >= m_vocabulary) return invalid("prompt", std::to_string(token), "a token is not in the vocabulary");
  }
  return {};
}

Result<RequestHandle> EngineCore::submit(EngineRequest request) {
  HEARTH_CHECK(check(request));
  const std::uint64_t seed = request.sampling.seed ? *request.sampling.seed : randomSeed();
  const int most = request.embed ? 0 : request.maxTokens;
  if (request.embed) {
    request.speculate = false;
    if (request.pooling == Pooling::None) request.pooling = m_model->config().pooling;
    if (request.pooling == Pooling::None) request.pooling = Pooling::Mean;
  }
  auto sequence = std::make_unique<Sequence>(std::move(request), m_nextId.fetch_add(1, std::memory_order_relaxed), seed, *m_tokenizer);
  // min on the difference: promptTokens + maxTokens could overflow.
  const int room = m_plan.contextTokens - sequence->promptTokens;
  sequence->tokenLimit = sequence->promptTokens + (most < 0 ? room : std::min(room, most));
  if (sequence->request.grammar) {
    try {
      sequence->grammar = m_grammars.track(sequence->request.grammar);
    } catch (const std::exception& problem) {
      return fail(ErrorCode::OutOfMemory, fmt::format("no memory for the grammar: {}", problem.what()));
    }
  }
  sequence->submitted = EngineClock::now();
  RequestHandle handle(sequence->cancel, sequence->id);
  {
    std::lock_guard lock(m_mutex);
    if (m_stopping) return fail(shuttingDown());
    const std::size_t waiting = m_inbox.size() + m_queued;
    if (waiting >= static_cast<std::size_t>(m_options.maxQueued))
      return fail(ErrorCode::QueueFull, "too many requests are waiting", {{"waiting", std::to_string(waiting)}, {"max_queued", std::to_string(m_options.maxQueued)}});
    m_inbox.push_back(std::move(sequence));
  }
  m_wake.notify_one();
  return handle;
}

Result<std::vector<float>> EngineCore::logits(std::span<const TokenId> tokens) {
  if (m_model->config().encoder) return invalid("model", m_model->config().architecture, "this model makes embeddings of texts; it has no logits");
  if (tokens.empty()) return invalid("tokens", "0 tokens", "the window is empty");
  if (tokens.size() > static_cast<std::size_t>(m_plan.contextTokens)) {
    return fail(ErrorCode::ContextOverflow, "the window is longer than the context",
                {{"prompt_tokens", std::to_string(tokens.size())}, {"context_tokens", std::to_string(m_plan.contextTokens)}});
  }
  for (const TokenId token : tokens) {
    if (token < 0 || static_cast<std::size_t>(token) >= m_vocabulary) return invalid("tokens", std::to_string(token), "a token is not in the vocabulary");
  }
  const std::uint64_t needed = std::uint64_t{tokens.size()} * m_vocabulary * sizeof(float);
  if (const auto memory = platform::memoryInfo(); memory.availableBytes > 0 && needed > memory.availableBytes) {
    return std::unexpected(Error{ErrorCode::OutOfMemory, "the logits of this window do not fit into memory", {}}
                               .with("needed_bytes", needed)
                               .with("available_bytes", memory.availableBytes));
  }
  auto job = std::make_shared<LogitsJob>();
  job->tokens.assign(tokens.begin(), tokens.end());
  std::unique_lock lock(m_mutex);
  if (m_stopping) return fail(shuttingDown());
  if (std::this_thread::get_id() == m_thread) return fail(ErrorCode::InvalidArgument, "logits() called from a sink would wait for itself");
  m_jobs.push_back(job);
  m_wake.notify_one();
  m_jobDone.wait(lock, [&] { return job->done; });
  if (job->error) return std::unexpected(*job->error);
  return std::move(job->output);
}

EngineStats EngineCore::stats() const {
  std::lock_guard lock(m_mutex);
  EngineStats stats = m_published;
  stats.waiting += static_cast<int>(m_inbox.size());
  const auto now = EngineClock::now();
  stats.decodeTokensPerSecond = m_decodeRate.perSecond(now);
  stats.prefillTokensPerSecond = m_prefillRate.perSecond(now);
  return stats;
}

void EngineCore::stop() {
  {
    std::lock_guard lock(m_mutex);
    m_stopping = true;
  }
  m_wake.notify_all();
}

void EngineCore::run() {
  platform::nameThisThread("hearth-engine");
  {
    std::lock_guard lock(m_mutex);
    m_thread = std::this_thread::get_id();
  }
  while (waitForWork()) {
    try {
      finishCancelled();
      runLogits();
      step();
      publish();
    } catch (const std::exception& problem) {
      // Out of memory in our own bookkeeping: those who run may be half updated, so they fail; the engine goes on.
      log::error("engine", fmt::format("step failed: {}", problem.what()));
      while (!m_scheduler.running().empty())
        finish(m_scheduler.running().front().get(), FinishReason::Error, Error{ErrorCode::Internal, fmt::format("the step failed: {}", problem.what()), {}});
      publish();
    }
  }
  shutDown();
}

bool EngineCore::waitForWork() {
  std::unique_lock lock(m_mutex);
  const bool busy = !m_scheduler.running().empty() || !m_scheduler.queue().waiting().empty() || m_job;
  if (!busy) m_wake.wait(lock, [this] { return m_stopping || !m_inbox.empty() || !m_jobs.empty(); });
  if (m_stopping) return false;
  if (!m_job && !m_jobs.empty()) {
    m_job = m_jobs.front();
    m_jobs.erase(m_jobs.begin());
  }
  m_queued += m_inbox.size();
  m_counters.requests += m_inbox.size();
  auto inbox = std::exchange(m_inbox, {});
  lock.unlock();
  for (auto& sequence : inbox) m_scheduler.enqueue(std::move(sequence));
  return true;
}

void EngineCore::finishCancelled() {
  std::vector<Sequence*> cancelled;
  for (const auto& sequence : m_scheduler.running()) {
    if (sequence->cancelled()) cancelled.push_back(sequence.get());
  }
  for (const auto& sequence : m_scheduler.queue().waiting()) {
    if (sequence->cancelled()) cancelled.push_back(sequence.get());
  }
  for (Sequence* sequence : cancelled) finish(sequence, FinishReason::Cancelled);
}

// One chunk of a logits() call per step, so that those who are being answered do not stall. Its pages are held from the
// first chunk on and never cached: the window is nobody's conversation.
void EngineCore::runLogits() {
  if (!m_job) return;
  const auto job = m_job;
  const auto complete = [&](std::optional<Error> error) {
    m_pages.release(job->table);
    m_job.reset();
    std::lock_guard lock(m_mutex);
    job->error = std::move(error);
    job->done = true;
    m_jobDone.notify_all();
  };
  const int total = static_cast<int>(job->tokens.size());
  try {
    if (job->table.pages.empty()) {
      (void)m_scheduler.makeRoom(m_pages.pagesFor(total));
      if (!m_pages.reserve(job->table, total)) return complete(Error{ErrorCode::OutOfMemory, "no KV pages for the window", {}});
      job->output.resize(job->tokens.size() * m_vocabulary);
    }
    const int begin = job->table.tokens;
    const int count = std::min(total - begin, m_stepTokens);
    m_batchRows.resize(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) m_batchRows[static_cast<std::size_t>(i)] = i;
    const SequenceSlice slice{0, count, begin, job->table.pages};
    const Batch batch{std::span(job->tokens).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)), {&slice, 1}, m_batchRows};
    auto done = m_model->forward(batch, *m_storage,
                                 std::span(job->output).subspan(static_cast<std::size_t>(begin) * m_vocabulary, static_cast<std::size_t>(count) * m_vocabulary));
    if (!done) return complete(std::move(done).error());
    job->table.tokens += count;
    if (job->table.tokens == total) complete(std::nullopt);
  } catch (const std::exception& problem) {
    complete(Error{ErrorCode::OutOfMemory, fmt::format("logits failed: {}", problem.what()), {}});
  }
}

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
  return m_model->forward({m_batchTokens, m_batchSlices, m_batchRows, m_hiddenRows, std::span(m_hidden).first(m_hiddenRows.size() * m_embedding)}, *m_storage,
                          std::span(m_logits).first(m_batchRows.size() * m_vocabulary));
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

void EngineCore::emit(Sampled& row, EngineClock::time_point now) {
  Sequence& sequence = *row.sequence;
  if (sequence.cancelled()) return finish(&sequence, FinishReason::Cancelled);
  auto& speculation = sequence.speculation;
  speculation.drafted += static_cast<int>(speculation.draft.size());
  m_counters.draftedTokens += speculation.draft.size();
  for (std::size_t i = 0; i < row.tokens.size(); ++i) {
    if (i > 0) {
      // The token before this one was guessed rightly: its K and V are in place.
      m_pages.commit(sequence.table, sequence.tokens, 1);
      ++speculation.accepted;
      ++m_counters.acceptedTokens;
    }
    if (!emitToken(sequence, std::move(row.tokens[i]), now)) return;
  }
  if (row.error) return finish(&sequence, FinishReason::Error, std::move(row.error));
  m_pages.truncate(sequence.table, sequence.table.tokens);
}

bool EngineCore::emitToken(Sequence& sequence, SampledToken&& sampled, EngineClock::time_point now) {
  if (sequence.generated() == 0) sequence.firstToken = now;
  sequence.tokens.push_back(sampled.token);
  ++m_counters.generatedTokens;
  m_scheduler.queue().charge(sequence.request.principal, FairQueue::kOutputCost);

  const bool ended = !sequence.request.ignoreEnd && m_tokenizer->isEndOfGeneration(sampled.token);
  const bool full = static_cast<int>(sequence.tokens.size()) >= sequence.tokenLimit;
  std::string visible = ended ? std::string() : sequence.decoder.push(sampled.token);
  if (ended || full) visible += sequence.decoder.flush();
  auto output = sequence.stops.push(visible);
  if ((ended || full) && !output.stop) output.text += sequence.stops.flush();

  EngineEvent event;
  event.kind = EngineEvent::Kind::Token;
  event.token = sampled.token;
  event.text = std::move(output.text);
  event.logprob = std::move(sampled.logprob);
  if (!send(sequence, event)) {
    finish(&sequence, FinishReason::Cancelled);
  } else if (output.stop) {
    finish(&sequence, FinishReason::Stop, std::nullopt, std::move(*output.stop));
  } else if (ended) {
    finish(&sequence, FinishReason::Stop);
  } else if (full) {
    finish(&sequence, FinishReason::Length);
  } else {
    return true;
  }
  return false;
}

bool EngineCore::send(Sequence& sequence, const EngineEvent& event) noexcept {
  bool wanted = false;
  try {
    wanted = sequence.request.sink(event);
  } catch (const std::exception& problem) {
    log::error("engine", std::string("an event sink threw: ") + problem.what());
  } catch (...) {
    log::error("engine", "an event sink threw");
  }
  if (!wanted) sequence.cancel->store(true, std::memory_order_relaxed);
  return wanted;
}

void EngineCore::finish(Sequence* sequence, FinishReason reason, std::optional<Error> error, std::string stopString) {
  // Out of the scheduler first: whatever the sink does, this request is over and its pages are free.
  const auto taken = m_scheduler.retire(sequence);
  if (!taken) return;
  m_speculator.release(*taken);
  if (reason == FinishReason::Cancelled) ++m_counters.cancelled;
  if (reason == FinishReason::Error) ++m_counters.failed;
  const auto now = EngineClock::now();
  const bool admitted = taken->admitted != EngineClock::time_point{};
  const bool spoke = taken->generated() > 0;
  EngineEvent event;
  event.kind = EngineEvent::Kind::Finished;
  event.reason = reason;
  event.error = std::move(error);
  event.stopString = std::move(stopString);
  if (taken->embeds() && reason == FinishReason::Stop) {
    const double count = taken->request.pooling == Pooling::Mean ? taken->promptTokens : 1;
    event.embedding.reserve(taken->pooled.size());
    for (const double sum : taken->pooled) event.embedding.push_back(static_cast<float>(sum / count));
  }
  event.promptTokens = taken->promptTokens;
  event.generatedTokens = taken->generated();
  event.draftedTokens = taken->speculation.drafted;
  event.acceptedTokens = taken->speculation.accepted;
  event.queueSeconds = seconds((admitted ? taken->admitted : now) - taken->submitted);
  if (admitted) event.prefillSeconds = seconds((spoke ? taken->firstToken : now) - taken->admitted);
  if (spoke) {
    event.decodeSeconds = seconds(now - taken->firstToken);
    event.firstTokenSeconds = seconds(taken->firstToken - taken->submitted);
  }
  // The books first, so that who hears of the end finds it counted.
  publish();
  send(*taken, event);
}

void EngineCore::reportQueue(EngineClock::time_point now) {
  if (m_scheduler.queue().waiting().empty()) return;
  const bool fresh = std::any_of(m_scheduler.queue().waiting().begin(), m_scheduler.queue().waiting().end(),
                                 [](const auto& sequence) { return sequence->reportedPosition == 0; });
  if (!fresh && now < m_nextQueueReport) return;
  m_nextQueueReport = now + kQueueReportInterval;
  int position = 0;
  for (Sequence* sequence : m_scheduler.queue().order(now)) {
    ++position;
    if (sequence->reportedPosition == position || now - sequence->lastQueuedEvent < kQueueReportInterval) continue;
    sequence->reportedPosition = position;
    sequence->lastQueuedEvent = now;
    EngineEvent event;
    event.kind = EngineEvent::Kind::Queued;
    event.queuePosition = position;
    event.queueEstimateSeconds = m_scheduler.estimate(position, now);
    send(*sequence, event);
  }
}

void EngineCore::publish() {
  m_counters.running = static_cast<int>(m_scheduler.running().size());
  m_counters.waiting = static_cast<int>(m_scheduler.queue().waiting().size());
  m_counters.kvPagesUsed = m_pages.usedPages();
  m_counters.preemptions = m_scheduler.preemptions();
  std::lock_guard lock(m_mutex);
  m_published = m_counters;
}

void EngineCore::shutDown() {
  {
    std::lock_guard lock(m_mutex);
    if (m_job) m_jobs.push_back(m_job);
    for (const auto& job : m_jobs) {
      job->error = shuttingDown();
      job->done = true;
    }
    m_jobs.clear();
    m_jobDone.notify_all();
    m_counters.requests += m_inbox.size();
  }
  // Nobody adds to the inbox once m_stopping is set.
  for (auto& sequence : std::exchange(m_inbox, {})) m_scheduler.enqueue(std::move(sequence));
  while (!m_scheduler.running().empty()) finish(m_scheduler.running().front().get(), FinishReason::Cancelled, shuttingDown());
  while (!m_scheduler.queue().waiting().empty()) finish(m_scheduler.queue().waiting().front().get(), FinishReason::Cancelled, shuttingDown());
  publish();
}

}  // namespace hearth
