#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/grammar_worker.h"
#include "core/engine/page_manager.h"
#include "core/engine/rate_window.h"
#include "core/engine/scheduler.h"
#include "core/engine/sizing.h"
#include "core/engine/speculation/speculator.h"

namespace hearth {

/// The step loop and all that it touches. Shared by the Engine in front of it and the engine thread, so that an Engine may be
/// destroyed from within a sink. run() is the thread's body; everything that is not marked "engine thread" may be called
/// from any thread.
class EngineCore {
 public:
  EngineCore(std::unique_ptr<Model> model, std::unique_ptr<Tokenizer> tokenizer, std::unique_ptr<KvStorage> storage, const EngineOptions& options,
             const KvPlan& plan, std::shared_ptr<ThreadPool> pool, std::unique_ptr<DraftModel> draft = nullptr);

  void run();   ///< engine thread: until stop()
  void stop();  ///< asks the loop to end

  [[nodiscard]] Result<RequestHandle> submit(EngineRequest request);
  [[nodiscard]] Result<std::vector<float>> logits(std::span<const TokenId> tokens);
  [[nodiscard]] EngineStats stats() const;
  [[nodiscard]] const Model& model() const noexcept { return *m_model; }
  [[nodiscard]] const Tokenizer& tokenizer() const noexcept { return *m_tokenizer; }
  [[nodiscard]] const DraftModel* draft() const noexcept { return m_speculator.draftModel(); }
  [[nodiscard]] const KvPlan& plan() const noexcept { return m_plan; }

 private:
  /// A logits() call: its caller waits on `done` under m_mutex.
  struct LogitsJob {
    std::vector<TokenId> tokens;
    std::vector<float> output;
    BlockTable table;
    std::optional<Error> error;
    bool done = false;
  };
  /// What a step gives one sequence: a token for each row of its logits that turned out to be valid.
  struct Sampled {
    Sequence* sequence = nullptr;
    std::size_t row = 0;  ///< its first row of logits; the rows of its draft follow
    std::vector<SampledToken> tokens;
    std::optional<Error> error;  ///< after those tokens
  };

  [[nodiscard]] static double seconds(EngineClock::duration duration) { return std::chrono::duration<double>(duration).count(); }
  [[nodiscard]] static Error shuttingDown() { return {ErrorCode::ShuttingDown, "the model is being unloaded", {}}; }
  [[nodiscard]] Result<void> check(const EngineRequest& request) const;
  // All below: engine thread.
  bool waitForWork();  // false = stop
  void step();
  void runLogits();
  void finishCancelled();
  [[nodiscard]] Result<void> forward(const std::vector<Scheduler::Slice>& slices);
  /// Whether the step that is being computed is not worth ending: the model unloads, most of it is for requests that were
  /// cancelled meanwhile, or it is all a crowd's and somebody has come who had nothing running.
  [[nodiscard]] bool unwanted(const std::vector<Scheduler::Slice>& slices);
  void abandon(const std::vector<Scheduler::Slice>& slices);
  void startGrammars(const std::vector<Scheduler::Slice>& slices);
  void pool(const std::vector<Scheduler::Slice>& slices);
  void sampleRows(std::vector<Sampled>& rows);
  void sampleOne(Sampled& row, SamplerScratch& scratch);
  void recordSpeculation(const std::vector<Scheduler::Slice>& slices, const std::vector<Sampled>& rows, double took);
  void emit(Sampled& row, EngineClock::time_point now);
  bool emitToken(Sequence& sequence, SampledToken&& sampled, EngineClock::time_point now);
  bool send(Sequence& sequence, const EngineEvent& event) noexcept;
  void finish(Sequence* sequence, FinishReason reason, std::optional<Error> error = std::nullopt, std::string stopString = {});
  void reportQueue(EngineClock::time_point now);
  void publish();
  void shutDown();

  // Constant after construction.
  std::unique_ptr<Model> m_model;
  std::unique_ptr<Tokenizer> m_tokenizer;
  std::unique_ptr<KvStorage> m_storage;
  EngineOptions m_options;
  KvPlan m_plan;
  std::shared_ptr<ThreadPool> m_pool;
  std::size_t m_vocabulary, m_embedding;
  int m_stepTokens;
  GrammarWorker m_grammars;  // synchronises itself

  // Engine thread only.
  PageManager m_pages;
  Scheduler m_scheduler;
  Speculator m_speculator;
  std::vector<float> m_logits;
  std::vector<TokenId> m_batchTokens;
  std::vector<SequenceSlice> m_batchSlices;
  std::vector<std::int32_t> m_batchRows, m_hiddenRows;
  std::vector<float> m_hidden;  // [m_hiddenRows][m_embedding]
  std::vector<int> m_accepted;
  std::vector<SamplerScratch> m_scratch;  // one a sampling thread
  std::shared_ptr<LogitsJob> m_job;
  EngineStats m_counters;
  EngineClock::time_point m_nextQueueReport{}, m_nextYield{};
  bool m_abandoned = false;  // the step before: two in a row would hold those who stay

  // Guarded by m_mutex.
  mutable std::mutex m_mutex;
  std::condition_variable m_wake, m_jobDone;
  std::vector<std::unique_ptr<Sequence>> m_inbox;
  std::vector<std::shared_ptr<LogitsJob>> m_jobs;
  bool m_stopping = false;
  std::size_t m_queued = 0;  // fresh requests that wait in the scheduler
  EngineStats m_published;
  RateWindow m_decodeRate, m_prefillRate;
  std::thread::id m_thread;

  std::atomic<std::uint64_t> m_nextId{1};
};

}  // namespace hearth
