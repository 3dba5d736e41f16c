#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/text/tokenizer.h"

namespace hearth {

/// Guesses what follows from the sequence's own text ("prompt lookup decoding", Saxena 2023): the longest tail that occurred
/// before, and what came after it there. Owns an index of one sequence's tokens (12 bytes a token), which grows with it.
/// One thread at a time. Code that is edited, quotes and lists repeat; free prose hardly does, and then nothing is found.
class PromptLookup {
 public:
  struct Guess {
    std::span<const TokenId> tokens;  ///< what came after the match, within the sequence; valid until it changes
    int matched = 0;                  ///< tokens that the match is long; 0 = nothing found
  };
  /// At most `most` tokens that may follow `tokens`, which must be the tokens of the call before and what was appended to
  /// them.
  [[nodiscard]] Guess guess(std::span<const TokenId> tokens, int most);

 private:
  /// Where each n-gram occurred: a chain of positions, the latest first.
  class Occurrences {
   public:
    explicit Occurrences(std::size_t length) : m_length(length) {}
    void add(std::span<const TokenId> tokens);
    /// Longest match of the tail among the last `tries` occurrences of its n-gram: (where it goes on, length); length 0 =
    /// none.
    [[nodiscard]] std::pair<std::size_t, int> longest(std::span<const TokenId> tokens, int tries) const;

   private:
    [[nodiscard]] std::size_t slot(std::span<const TokenId> tokens, std::size_t end) const noexcept;
    std::size_t m_length;
    std::size_t m_added = 0;             // n-grams that end before this position are in
    std::vector<std::int32_t> m_latest;  // by hash: end of the latest n-gram, −1 = none; equality is checked by comparing
    std::vector<std::int32_t> m_before;  // by end: the one before it in the chain
  };
  Occurrences m_long{4}, m_short{2};
};

}  // namespace hearth
