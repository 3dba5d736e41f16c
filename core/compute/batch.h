#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "core/text/tokenizer.h"

namespace hearth {

using PageId = std::int32_t;

/// One sequence's part of a step: tokens [tokenBegin, tokenBegin + tokenCount) of the batch, which continue at position
/// `pastLength`. blockTable[i] is the page that holds positions [i·pageTokens, (i+1)·pageTokens); pages wholly behind a
/// sliding window are still listed (their content may be stale for windowed layers).
struct SequenceSlice {
  std::int32_t tokenBegin = 0;
  std::int32_t tokenCount = 0;
  std::int32_t pastLength = 0;
  std::span<const PageId> blockTable;  ///< covers pastLength + tokenCount positions
};

/// A ragged step: T tokens of many sequences, no padding, no mask. The spans are kept by the caller during forward().
struct Batch {
  std::span<const TokenId> tokens;               ///< [T]
  std::span<const SequenceSlice> sequences;      ///< cover [0, T) in order
  std::span<const std::int32_t> logitRows;       ///< indices into tokens whose logits are wanted, ascending
  std::span<const std::int32_t> hiddenRows = {};  ///< indices into tokens whose last hidden state is wanted, ascending
  std::span<float> hidden = {};  ///< gets them: [hiddenRows × embedding], normalised as the head would read them
  /// Asked between layers by the thread that runs the step; true: nobody wants it any more, and forward() gives Cancelled.
  /// What the pages hold at the batch's positions is then of no use. May be empty; must not throw.
  std::function<bool()> abandoned = {};
};

}  // namespace hearth
