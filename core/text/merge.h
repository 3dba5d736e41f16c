#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

/// The inner loop of both BPE tokenizers: of all neighbouring pairs merge the one of the lowest rank, the leftmost of equals,
/// until no pair merges. `look(left, right)` gives std::pair<rank, merged item>, rank kNoMerge when the two do not merge.
namespace hearth::merging {

inline constexpr std::uint32_t kNoMerge = 0xffffffff;
/// Up to so many items looking through all pairs for each merge is faster than a heap.
inline constexpr std::size_t kShort = 32;
/// Positions are 32-bit numbers: longer words are cut (a gigabyte without a space is no text).
inline constexpr std::size_t kMaxWordBytes = std::size_t{1} << 30U;

/// In place over `items`, at most kShort of them; returns how many are left.
template <class Item, class Look>
std::size_t mergeShort(Item* items, std::size_t count, const Look& look) {
  std::array<std::uint32_t, kShort> ranks;  // of items i and i + 1
  std::array<Item, kShort> merged;
  const auto lookAt = [&](std::size_t i) { std::tie(ranks[i], merged[i]) = look(items[i], items[i + 1]); };
  for (std::size_t i = 0; i + 1 < count; ++i) lookAt(i);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i) {
      if (ranks[i] < ranks[best]) best = i;
    }
    if (ranks[best] == kNoMerge) break;
    items[best] = merged[best];
    --count;
    for (std::size_t i = best + 1; i < count; ++i) items[i] = items[i + 1];
    for (std::size_t i = best; i + 1 < count; ++i) {
      ranks[i] = ranks[i + 1];
      merged[i] = merged[i + 1];
    }
    if (best > 0) lookAt(best - 1);
    if (best + 1 < count) lookAt(best);
  }
  return count;
}

/// The same for any number of items by a heap: O(n log n), so that a megabyte of one letter takes no longer than prose.
template <class Item, class Look, class Emit>
void mergeLong(std::vector<Item>& items, const Look& look, const Emit& emit) {
  if (items.empty()) return;
  const auto size = static_cast<std::uint32_t>(items.size());
  // An item merged into its left neighbour has span 0; a living one covers `span` of the original items from its place on.
  struct Link {
    std::uint32_t span;
    std::uint32_t previous;
  };
  std::vector<Link> links(size);
  for (std::uint32_t i = 0; i < size; ++i) links[i] = {1, i - 1};
  struct Candidate {
    std::uint64_t order;  // rank, then place
    std::uint32_t span;   // of both items when it was found: spans only grow, so another sum means that it is stale
  };
  const auto later = [](const Candidate& a, const Candidate& b) { return a.order > b.order; };
  std::vector<Candidate> heap;
  heap.reserve(size);
  const auto find = [&](std::uint32_t at) {
    const std::uint32_t next = at + links[at].span;
    if (next >= size) return false;
    const std::uint32_t rank = look(items[at], items[next]).first;
    if (rank == kNoMerge) return false;
    heap.push_back({static_cast<std::uint64_t>(rank) << 32U | at, links[at].span + links[next].span});
    return true;
  };
  for (std::uint32_t i = 0; i < size; ++i) (void)find(i);
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const Candidate best = heap.back();
    heap.pop_back();
    const auto at = static_cast<std::uint32_t>(best.order);
    const std::uint32_t next = at + links[at].span;
    if (links[at].span == 0 || next >= size || links[at].span + links[next].span != best.span) continue;
    items[at] = look(items[at], items[next]).second;
    links[at].span = best.span;
    links[next].span = 0;
    if (at + best.span < size) links[at + best.span].previous = at;
    if (at > 0 && find(links[at].previous)) std::push_heap(heap.begin(), heap.end(), later);
    if (find(at)) std::push_heap(heap.begin(), heap.end(), later);
  }
  for (std::uint32_t i = 0; i < size; i += links[i].span) emit(items[i]);
}

}  // namespace hearth::merging
