#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "core/engine/page_manager.h"
#include "core/engine/speculation/prompt_lookup.h"

namespace hearth {

/// How often guesses of one kind come true: hits among tries, older ones fading.
struct AcceptanceRate {
  double hits = 0, tries = 0;
  /// A draft of `drafted` tokens of which the first `accepted` came true: nothing is known of what follows the first miss.
  void record(int drafted, int accepted, double fading) noexcept {
    hits = hits * fading + accepted;
    tries = tries * fading + accepted + (accepted < drafted ? 1 : 0);
  }
  /// The chance of one token, taking `prior` for as good as `weight` tries.
  [[nodiscard]] double chance(double prior, double weight) const noexcept {
    return (hits + prior * weight) / (tries + weight);
  }
};

/// Kinds of guesses: the longer the match, the likelier it goes on; and what a draft model says.
inline constexpr std::size_t kGuessKinds = 6;
inline constexpr std::size_t kModelGuess = 5;
[[nodiscard]] constexpr std::size_t kindOfMatch(int matched) noexcept {
  return matched <= 2 ? 0 : matched == 3 ? 1 : matched < 8 ? 2 : matched < 16 ? 3 : 4;
}

/// What speculation keeps of one sequence. Engine thread, except `draft`, which sampling threads read.
struct SpeculationState {
  PromptLookup lookup;
  std::array<AcceptanceRate, kGuessKinds> rates{};
  /// Seconds that wrong guesses may still cost (see Speculator). < 0 = the sequence has not decoded yet.
  double credit = -1;
  int drafted = 0, accepted = 0;  ///< since the request began

  // The draft model's side.
  BlockTable draftTable;
  std::vector<TokenId> draftFed;  ///< the tokens whose K and V it holds

  // This step.
  std::vector<TokenId> draft;  ///< guesses for what follows the sequence's last token
  std::size_t kind = 0;
  double draftSeconds = 0;  ///< what making it took
};

}  // namespace hearth
