#pragma once

#include <array>
#include <memory>
#include <span>

#include "core/engine/page_manager.h"
#include "core/engine/scheduler.h"
#include "core/engine/speculation/draft_model.h"
#include "core/engine/speculation/step_times.h"

namespace hearth {

/// Beside the sampler: guesses the next tokens of decoding sequences, so that one step checks several at once. Guesses
/// never change what comes out: every token is sampled from the model's own logits, with the random numbers it would have
/// had, and is kept whatever was guessed; a guess that equals it only means that the next row of logits is valid too. (For a
/// guess made without looking at those random numbers that is speculative sampling of Leviathan et al., "Fast inference
/// from transformers via speculative decoding", ICML 2023: accepted with the probability the model gives it, replaced from
/// the remainder otherwise.)
///
/// How many tokens are guessed follows from what is measured: the time of a step by its rows, and how often guesses of this
/// kind came true. Whatever the estimates say, a sequence may lose no more than kMostLoss of its decoding time to wrong
/// guesses: it has a credit that grows by that share and by what right guesses saved, and no guess is made that it could not
/// pay for.
///
/// Engine thread only.
class Speculator {
 public:
  static constexpr double kMostLoss = 0.02;
  static constexpr int kMostDraft = 16;  ///< tokens guessed at once, a sequence

  /// `always` guesses without regard to what it costs. `draft` may be null; it is asked where the text itself gives no
  /// guess.
  Speculator(bool on, int stepTokens, PageManager& pages, std::unique_ptr<DraftModel> draft = nullptr, bool always = false)
      : m_on(on), m_always(always), m_stepTokens(stepTokens), m_pages(pages), m_draft(std::move(draft)) {}

  /// Fills in the drafts (Sequence::speculation.draft) of a planned step and reserves the pages they need; never by
  /// preempting. No drafts beside prompts: such a step is bound by arithmetic.
  void propose(std::span<const Scheduler::Slice> slices);
  /// After a step without prompts: what it took. accepted[i] of the draft of slices[i] came true.
  void record(std::span<const Scheduler::Slice> slices, std::span<const int> accepted, double seconds);
  /// The sequence leaves the engine.
  void release(Sequence& sequence) {
    if (m_draft) m_draft->release(sequence);
  }
  [[nodiscard]] const DraftModel* draftModel() const noexcept { return m_draft.get(); }

 private:
  /// The best length of a draft of at most `most` tokens that come true with `chance` each, `rows` being in the step
  /// already.
  [[nodiscard]] int bestLength(int rows, int most, double chance, double tokenValue, double credit,
                               double draftSeconds) const noexcept;
  [[nodiscard]] double chanceOf(const Sequence& sequence, std::size_t kind) const noexcept;

  bool m_on, m_always;
  int m_stepTokens;
  PageManager& m_pages;
  std::unique_ptr<DraftModel> m_draft;
  StepTimes m_times;
  std::array<AcceptanceRate, kGuessKinds> m_rates{};  // of all sequences
};

}  // namespace hearth
