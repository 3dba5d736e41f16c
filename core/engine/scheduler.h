#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/fair_queue.h"
#include "core/engine/page_manager.h"
#include "core/engine/sequence.h"

namespace hearth {

/// What a step costs, learnt from the steps before: a fixed part (weights streamed, tokens decoded) and a part for each
/// prompt token. It bounds prefill chunks so that those who are being answered do not stall. Engine thread only.
class StepCost {
 public:
  void record(double seconds, int decodeTokens, int prefillTokens) noexcept;
  /// Most prompt tokens that fit beside the decoding within `targetSeconds`; at least `least`.
  [[nodiscard]] int chunk(double targetSeconds, int least, int most) const noexcept;
  /// Most prompt tokens of a step without decoding that takes no longer than one beside it may; at least `least`.
  [[nodiscard]] int chunkAlone(double targetSeconds, int least, int most) const noexcept;
  /// Seconds that a prompt of so many tokens takes to compute; 0 while unknown.
  [[nodiscard]] double promptSeconds(int tokens) const noexcept { return m_perToken * tokens; }

 private:
  double m_fixed = 0, m_perToken = 0;  // seconds; 0 = not known yet
};

/// Continuous batching: who runs, and which tokens go into the next step. Owns the waiting and the running sequences and
/// hands out KV pages through `pages`. Engine thread only.
///
/// A step has one token budget. Decoding sequences come first, one token each; what is left goes to prompts in chunks: as
/// much as the target for the time between two tokens leaves room for, but never less than the time that decoding takes.
/// Among prompts the better rank goes first, then that of the principal that got less (FairQueue::promptTurn), then the one
/// with the least work left, less what it has waited already: short ones need not wait for long ones, and a long one waits
/// for no more than its own time. A prompt whose next page another one computes in the same step waits for it instead of
/// computing it again. A request is admitted when its whole prompt has room; a principal that has nothing running may push
/// out one of many of another, and while the prompt of one that got no more is read, one that has many running (a crowd)
/// stands aside: every other step is without it, the ones between without its prompts, and after kMostAside in a row
/// comes one with everything. When pages run out, the worst running sequence (rank, then latest admission) is preempted: it
/// gives its pages up and later recomputes them, its output unchanged. The best sequence is never preempted for another, so
/// there is always progress.
class Scheduler {
 public:
  struct Slice {
    Sequence* sequence = nullptr;
    int count = 0;        ///< tokens from sequence->table.tokens on
    bool logits = false;  ///< these are all it has: the next token can be sampled
  };

  /// With `wholePrompts` no prompt is cut: a step has room for the longest (encoders, whose tokens see all of their text).
  Scheduler(const EngineOptions& options, int stepTokens, PageManager& pages, bool wholePrompts = false)
      : m_options(options), m_stepTokens(stepTokens), m_pages(pages), m_wholePrompts(wholePrompts) {}

  void enqueue(std::unique_ptr<Sequence> sequence) { m_queue.push(std::move(sequence)); }
  /// Admits what has room, then fills a step. The pages of every slice are reserved and writable.
  [[nodiscard]] std::vector<Slice> plan(EngineClock::time_point now);
  /// Frees pages by preempting until `count` are free; false when nothing is left to preempt.
  bool makeRoom(int count);
  /// Takes a sequence, waiting or running, out for good and releases its pages.
  [[nodiscard]] std::unique_ptr<Sequence> retire(Sequence* sequence);
  void recordStep(double seconds, int decodeTokens, int prefillTokens) noexcept {
    m_cost.record(seconds, decodeTokens, prefillTokens);
  }

  /// A principal that has many running.
  [[nodiscard]] bool crowd(const std::string& principal) const;

  [[nodiscard]] FairQueue& queue() noexcept { return m_queue; }
  [[nodiscard]] const std::vector<std::unique_ptr<Sequence>>& running() const noexcept { return m_running; }
  [[nodiscard]] std::uint64_t preemptions() const noexcept { return m_preemptions; }
  /// Seconds until the request at `position` (1 = next) is likely to start; < 0 when nothing is known yet.
  [[nodiscard]] double estimate(int position, EngineClock::time_point now) const noexcept;

 private:
  void admit(EngineClock::time_point now);
  void takeFromCache(Sequence& sequence);
  [[nodiscard]] std::vector<Sequence*> inOrder(std::vector<Sequence*> prompting, EngineClock::time_point now) const;
  /// Takes out of a step what makes room for the prompt in front; true when nothing is left that decodes beside it on a
  /// crowd's behalf.
  bool standAside(std::vector<Sequence*>& decoding, std::vector<Sequence*>& prompting, EngineClock::time_point now);
  [[nodiscard]] bool computedBeside(const Sequence& sequence, const std::vector<Slice>& plan) const;
  [[nodiscard]] bool fits(Sequence& sequence);
  void preempt(Sequence* sequence);
  [[nodiscard]] Sequence* worst() const;
  /// Whom `next`, whose principal has nothing running, may push out: the newest of the principal that has most. Null:
  /// nobody.
  [[nodiscard]] Sequence* crowding(const Sequence& next, int rank) const;
  /// Reserves `count` positions for `sequence`, preempting worse ones (taken out of `plan`) if need be. False: it was itself
  /// the worst.
  [[nodiscard]] bool reserve(Sequence* sequence, int count, std::vector<Slice>& plan);

  EngineOptions m_options;
  int m_stepTokens;
  PageManager& m_pages;
  bool m_wholePrompts;
  FairQueue m_queue;
  std::vector<std::unique_ptr<Sequence>> m_running;  // best first: (rank, turn)
  StepCost m_cost;
  std::uint64_t m_turn = 0;
  std::size_t m_rotation = 0;  // who decodes first when not all fit into a step
  std::uint64_t m_preemptions = 0;
  int m_aside = 0;  // steps in a row in which a crowd stood aside
  EngineClock::time_point m_lastAdmission{};
  double m_admissionInterval = -1;  // smoothed seconds between admissions while others waited
};

}  // namespace hearth
