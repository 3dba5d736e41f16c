#include "core/compute/parallel/sharding.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace hearth::sharding {
namespace {

std::unexpected<Error> refuse(std::string message, std::initializer_list<std::pair<const char*, std::int64_t>> facts) {
  Error error{ErrorCode::InvalidArgument, std::move(message), {}};
  for (const auto& [key, value] : facts) error.evidence.push_back({key, std::to_string(value)});
  return fail(std::move(error));
}

Result<void> checkRank(int rank, int ranks) {
  if (ranks < 1 || rank < 0 || rank >= ranks) return refuse("there is no such rank", {{"rank", rank}, {"ranks", ranks}});
  return {};
}

/// Bytes of a stored row.
Result<std::int64_t> rowBytes(const kernels::FormatInfo& format, std::span<const std::byte> source, std::int64_t cols) {
  const bool whole = cols > 0 && cols % format.blockElements == 0;
  const std::int64_t bytes = whole ? cols / format.blockElements * format.blockBytes : 0;
  if (!whole || static_cast<std::int64_t>(source.size()) % bytes != 0)
    return refuse("a matrix has no whole rows", {{"columns", cols}, {"bytes", static_cast<std::int64_t>(source.size())}});
  return bytes;
}

}  // namespace

Result<Range> part(std::int64_t count, std::int64_t unit, int rank, int ranks) {
  HEARTH_CHECK(checkRank(rank, ranks));
  if (unit < 1 || count < 1 || count % unit != 0 || count / unit < ranks)
    return refuse("the ranks cannot share this", {{"count", count}, {"unit", unit}, {"ranks", ranks}});
  const std::int64_t units = count / unit, each = units / ranks, more = units % ranks;
  const std::int64_t begin = each * rank + std::min<std::int64_t>(rank, more);
  return Range{begin * unit, (begin + each + (rank < more ? 1 : 0)) * unit};
}

Result<HeadPart> headsOf(int heads, int kvHeads, int headDim, std::int64_t columnBlock, int rank, int ranks) {
  HEARTH_CHECK(checkRank(rank, ranks));
  if (kvHeads < 1 || heads < kvHeads || heads % kvHeads != 0 || headDim < 1 || columnBlock < 1)
    return refuse("such heads do not exist", {{"heads", heads}, {"kv_heads", kvHeads}, {"head_dim", headDim}, {"block", columnBlock}});
  const std::int64_t group = heads / kvHeads;
  // The fewest query heads whose columns are whole blocks.
  const std::int64_t aligned = columnBlock / std::gcd<std::int64_t>(columnBlock, headDim);
  const std::int64_t unit = std::lcm(group, aligned) / group;  // in groups
  if (kvHeads % unit == 0 && kvHeads / unit >= ranks) {
    HEARTH_TRY(const Range kv, part(kvHeads, unit, rank, ranks));
    return HeadPart{{kv.begin * group, kv.end * group}, kv, false};
  }
  const std::int64_t perGroup = ranks / kvHeads;  // ranks that share a group
  if (ranks % kvHeads != 0 || group % perGroup != 0 || group / perGroup % aligned != 0) {
    return refuse("the ranks cannot share these heads", {{"heads", heads}, {"kv_heads", kvHeads}, {"head_dim", headDim},
                                                         {"block", columnBlock}, {"ranks", ranks}});
  }
  const std::int64_t each = group / perGroup, begin = rank * each, kv = rank / perGroup;
  return HeadPart{{begin, begin + each}, {kv, kv + 1}, perGroup > 1};
}

Result<std::span<const std::byte>> rowsOf(const kernels::FormatInfo& format, std::span<const std::byte> source, std::int64_t cols,
                                          Range range) {
  HEARTH_TRY(const std::int64_t bytes, rowBytes(format, source, cols));
  const std::int64_t rows = static_cast<std::int64_t>(source.size()) / bytes;
  if (range.begin < 0 || range.end < range.begin || range.end > rows)
    return refuse("a matrix has no such rows", {{"begin", range.begin}, {"end", range.end}, {"rows", rows}});
  return source.subspan(static_cast<std::size_t>(range.begin * bytes), static_cast<std::size_t>(range.size() * bytes));
}

Result<std::vector<std::byte>> columnsOf(const kernels::FormatInfo& format, std::span<const std::byte> source, std::int64_t cols,
                                         Range range) {
  HEARTH_TRY(const std::int64_t bytes, rowBytes(format, source, cols));
  if (range.begin < 0 || range.end < range.begin || range.end > cols || range.begin % format.blockElements != 0 ||
      range.end % format.blockElements != 0) {
    return refuse("a matrix has no such columns in whole blocks",
                  {{"begin", range.begin}, {"end", range.end}, {"columns", cols}, {"block", format.blockElements}});
  }
  const auto skip = static_cast<std::size_t>(range.begin / format.blockElements * format.blockBytes);
  const auto take = static_cast<std::size_t>(range.size() / format.blockElements * format.blockBytes);
  std::vector<std::byte> columns;
  columns.reserve(source.size() / static_cast<std::size_t>(bytes) * take);
  for (std::size_t row = 0; row < source.size(); row += static_cast<std::size_t>(bytes)) {
    const auto from = source.subspan(row + skip, take);
    columns.insert(columns.end(), from.begin(), from.end());
  }
  return columns;
}

}  // namespace hearth::sharding
