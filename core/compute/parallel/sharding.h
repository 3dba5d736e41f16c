#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "kernels/quant/format.h"

/// Tensor parallelism (Megatron-LM, arXiv 1909.08053): the first matrices of a block are cut by output rows, the last by the
/// input columns that belong to them, so that each rank's results only need to be added (Communicator::allReduce).
namespace hearth::sharding {

struct Range {
  std::int64_t begin = 0, end = 0;
  [[nodiscard]] std::int64_t size() const noexcept { return end - begin; }
  friend bool operator==(const Range&, const Range&) = default;
};

/// Rank's part of `count` rows or columns cut only at multiples of `unit` (a quant block); sizes differ by one unit at most,
/// the first ranks have more. Errors: InvalidArgument (count no multiple of unit, fewer units than ranks: evidence count,
/// unit, ranks; a rank outside of 0 … ranks − 1).
[[nodiscard]] Result<Range> part(std::int64_t count, std::int64_t unit, int rank, int ranks);

/// A rank's attention heads: the query heads, and the key/value heads that they read.
struct HeadPart {
  Range query, kv;
  bool sharedKv = false;  ///< other ranks hold the same key/value heads: there are fewer of them than ranks
};

/// Cuts grouped-query attention. Whole groups go to ranks where there are enough of them; else the query heads of each group
/// are cut evenly and its key/value head is kept by each rank that reads it. The output projection is cut at these heads, so
/// a cut lies at a multiple of `columnBlock` (elements of its quant block). Errors: InvalidArgument (heads no multiple of
/// kvHeads, too few heads or blocks for the ranks, ranks that do not divide a group evenly).
[[nodiscard]] Result<HeadPart> headsOf(int heads, int kvHeads, int headDim, std::int64_t columnBlock, int rank, int ranks);

/// The stored rows `range` of a matrix with `cols` columns: a part of `source`, not a copy. Errors: InvalidArgument (the
/// range or the columns do not fit source and format).
[[nodiscard]] Result<std::span<const std::byte>> rowsOf(const kernels::FormatInfo& format, std::span<const std::byte> source,
                                                        std::int64_t cols, Range range);
/// The stored columns `range` of every row, which must be whole blocks: the bits stay as they are. Errors: InvalidArgument.
[[nodiscard]] Result<std::vector<std::byte>> columnsOf(const kernels::FormatInfo& format, std::span<const std::byte> source,
                                                       std::int64_t cols, Range range);

}  // namespace hearth::sharding
