#include "core/engine/speculation/speculator.h"

#include <algorithm>

namespace hearth {
namespace {

/// Chances taken before anything is known, by kind.
constexpr std::array<double, kGuessKinds> kFirstChance{0.3, 0.4, 0.6, 0.75, 0.85, 0.6};
/// What all sequences did counts as so many tries of a new one, and the first chance as so many of theirs.
constexpr double kSharedWeight = 4, kFirstWeight = 8;
constexpr double kSharedFading = 0.99, kOwnFading = 0.9;
constexpr int kFurther = 4;
/// Credits, in tokens of decoding time: what a sequence begins with and the most it may save up.
constexpr double kFirstCredit = 1, kMostCredit = 6;

}  // namespace

double Speculator::chanceOf(const Sequence& sequence, std::size_t kind) const noexcept {
  const double shared = m_rates[kind].chance(kFirstChance[kind], kFirstWeight);
  return std::min(0.99, sequence.speculation.rates[kind].chance(shared, kSharedWeight));
}

int Speculator::bestLength(int rows, int most, double chance, double tokenValue, double credit,
                           double draftSeconds) const noexcept {
  if (m_always) return most;
  const double without = m_times.at(rows);
  int best = 0;
  double bestGain = 0, expected = 0, power = 1;
  for (int length = 1; length <= most; ++length) {
    power *= chance;
    expected += power;
    const double cost = std::max(0.0, m_times.at(rows + length) - without) + draftSeconds * length;
    if (cost > credit) break;
    const double gain = expected * tokenValue - cost;
    if (gain > bestGain) {
      bestGain = gain;
      best = length;
    }
  }
  return best;
}

void Speculator::propose(std::span<const Scheduler::Slice> slices) {
  bool decodingOnly = true;
  for (const auto& slice : slices) {
    slice.sequence->speculation.draft.clear();
    decodingOnly = decodingOnly && slice.count == 1 && slice.logits;
  }
  int rows = static_cast<int>(slices.size());
  // Wider than ever measured only by a few rows: what they cost is a guess too.
  const int measured = m_always ? StepTimes::kMostRows : std::max(rows, m_times.widest()) + kFurther;
  const int mostRows = std::min({m_stepTokens, StepTimes::kMostRows, measured});
  if (!m_on || !decodingOnly || rows == 0 || rows >= mostRows) return;
  const double tokenValue = m_times.at(rows) / rows;
  if (tokenValue <= 0 && !m_always) return;  // the first step shows what one takes
  std::vector<DraftModel::Wish> wishes;
  for (const auto& slice : slices) {
    Sequence& sequence = *slice.sequence;
    auto& state = sequence.speculation;
    if (!sequence.request.speculate) continue;
    if (state.credit < 0) state.credit = kFirstCredit * tokenValue;
    // The step gives one token more than is guessed.
    const int room =
        std::min({kMostDraft, sequence.tokenLimit - static_cast<int>(sequence.tokens.size()) - 1, mostRows - rows});
    if (room <= 0) continue;
    const auto guess = state.lookup.guess(sequence.tokens, room);
    int length = 0;
    if (guess.matched > 0) {
      state.kind = kindOfMatch(guess.matched);
      length = bestLength(rows, static_cast<int>(guess.tokens.size()), chanceOf(sequence, state.kind), tokenValue,
                          state.credit, 0);
    }
    if (length == 0 && m_draft) {
      // A draft step serves all sequences at once.
      const double share = m_draft->stepSeconds() / static_cast<double>(slices.size());
      length = bestLength(rows, room, chanceOf(sequence, kModelGuess), tokenValue, state.credit, share);
      if (length == 0 || !m_pages.reserve(sequence.table, 1 + length)) continue;
      state.kind = kModelGuess;
      wishes.push_back({&sequence, length});
      rows += length;
      continue;
    }
    if (length == 0 || !m_pages.reserve(sequence.table, 1 + length)) continue;
    state.draft.assign(guess.tokens.begin(), guess.tokens.begin() + length);
    state.draftSeconds = 0;
    rows += length;
  }
  if (!wishes.empty()) {
    m_draft->draft(wishes);
  } else if (m_draft) {
    m_draft->fade();
  }
}

void Speculator::record(std::span<const Scheduler::Slice> slices, std::span<const int> accepted, double seconds) {
  const int sequences = static_cast<int>(slices.size());
  int drafted = 0;
  for (const auto& slice : slices) drafted += static_cast<int>(slice.sequence->speculation.draft.size());
  m_times.record(sequences + drafted, seconds);
  const double plain = m_times.at(sequences);
  const double tokenValue = plain / sequences;
  const double rowCost = drafted > 0 ? std::max(0.0, m_times.at(sequences + drafted) - plain) / drafted : 0;
  for (std::size_t i = 0; i < slices.size(); ++i) {
    auto& state = slices[i].sequence->speculation;
    if (state.credit < 0) state.credit = kFirstCredit * tokenValue;
    state.credit += kMostLoss * tokenValue;
    if (const int length = static_cast<int>(state.draft.size()); length > 0) {
      m_rates[state.kind].record(length, accepted[i], kSharedFading);
      state.rates[state.kind].record(length, accepted[i], kOwnFading);
      state.credit += accepted[i] * tokenValue - length * rowCost - state.draftSeconds;
    }
    state.credit = std::clamp(state.credit, 0.0, kMostCredit * tokenValue);
  }
}

}  // namespace hearth
