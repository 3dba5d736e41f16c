#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/compute/batch.h"

namespace hearth {

/// Where one sequence's K and V lie: pages[i] holds positions [i·pageTokens, (i+1)·pageTokens), valid up to `tokens`.
/// Changed by PageManager only.
struct BlockTable {
  std::vector<PageId> pages;
  int tokens = 0;            ///< positions whose K and V are written
  int cachedPages = 0;       ///< leading pages that the prefix cache knows
  std::uint64_t chain = 0;   ///< the cache's name for the content of those pages
};

/// Who holds which KV page. Owns the reference counts, the free list and the prefix cache; not the memory itself. One
/// thread (the engine's) calls it.
///
/// Prefix cache: a full page whose content is final gets an entry keyed by (entry of the page before it, its tokens). Keys
/// are compared in full, so two contents never share a name; entries are numbered and numbers are never used again, so an
/// entry whose parent was evicted simply cannot be found any more. Pages that nobody holds stay cached until their memory is
/// needed, least recently used first, the tail of a sequence before its head. A cached or shared page is never written:
/// reserve() copies it first.
class PageManager {
 public:
  /// `copy` duplicates a page's memory (copy-on-write).
  PageManager(int pageCount, int pageTokens, bool prefixCache, std::function<void(PageId from, PageId to)> copy);

  /// Takes over what the cache has of tokens beyond table.tokens (which must be a page boundary, with nothing reserved
  /// beyond), but leaves at least the last token to compute. The end may lie inside a page. Returns the number of tokens gained.
  int extendFromCache(BlockTable& table, std::span<const TokenId> tokens);
  /// Makes `count` positions from table.tokens on writable. All or nothing: false when pages are missing.
  [[nodiscard]] bool reserve(BlockTable& table, int count);
  /// K and V of the next `count` positions are written. `tokens` is the whole sequence, at least table.tokens + count long.
  /// Full pages enter the cache; one that equals a cached page is exchanged for it.
  void commit(BlockTable& table, std::span<const TokenId> tokens, int count);
  /// The sequence ends after `tokens` positions (guesses beyond were wrong): pages behind are given back. Not into what is
  /// cached: tokens ≥ table.cachedPages · pageTokens.
  void truncate(BlockTable& table, int tokens);
  /// Lets go of all pages; the table is empty afterwards.
  void release(BlockTable& table);
  /// Forgets everything cached that nobody holds.
  void dropCache();

  [[nodiscard]] int pageCount() const noexcept { return static_cast<int>(m_pages.size()); }
  [[nodiscard]] int pageTokens() const noexcept { return m_pageTokens; }
  /// Pages that can be had at once: empty ones and those only the cache holds.
  [[nodiscard]] int freePages() const noexcept { return static_cast<int>(m_empty.size()) + m_idleCount; }
  [[nodiscard]] int usedPages() const noexcept { return pageCount() - freePages(); }
  [[nodiscard]] int cachedPages() const noexcept { return static_cast<int>(m_index.size()); }
  [[nodiscard]] int pagesFor(int tokens) const noexcept { return (tokens + m_pageTokens - 1) / m_pageTokens; }
  [[nodiscard]] int references(PageId page) const noexcept { return m_pages[static_cast<std::size_t>(page)].references; }
  [[nodiscard]] bool isCached(PageId page) const noexcept { return m_pages[static_cast<std::size_t>(page)].entry != 0; }
  /// Empty when the books balance, given all tables in use; else what is wrong. For tests.
  [[nodiscard]] std::string audit(std::span<const BlockTable* const> tables) const;

 private:
  struct Page {
    int references = 0;
    std::uint64_t entry = 0;   // own entry number, 0 = not cached
    std::uint64_t parent = 0;  // entry of the page before, 0 = first page
    std::uint64_t key = 0;     // hash under which m_index has it
    std::vector<TokenId> tokens;
    PageId newer = -1, older = -1;  // the list of cached pages that nobody holds
  };

  [[nodiscard]] PageId take();  // an unused page with one reference, or −1
  void drop(PageId page);       // one reference less
  void hold(PageId page);       // one reference more
  void forget(PageId page);     // out of the cache
  void linkNewest(PageId page);
  void unlink(PageId page);
  [[nodiscard]] PageId find(std::uint64_t parent, std::span<const TokenId> tokens) const;
  [[nodiscard]] static std::uint64_t keyOf(std::uint64_t parent, std::span<const TokenId> tokens) noexcept;
  [[nodiscard]] Page& at(PageId page) noexcept { return m_pages[static_cast<std::size_t>(page)]; }
  [[nodiscard]] const Page& at(PageId page) const noexcept { return m_pages[static_cast<std::size_t>(page)]; }

  int m_pageTokens;
  bool m_prefixCache;
  std::function<void(PageId, PageId)> m_copy;
  std::vector<Page> m_pages;
  std::vector<PageId> m_empty;  // a stack: lately used memory first
  PageId m_newest = -1, m_oldest = -1;
  int m_idleCount = 0;
  std::uint64_t m_nextEntry = 1;
  std::unordered_multimap<std::uint64_t, PageId> m_index;     // key → page
  std::unordered_multimap<std::uint64_t, PageId> m_children;  // parent entry → page
};

}  // namespace hearth
