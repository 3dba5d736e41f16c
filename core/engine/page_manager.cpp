#include "core/engine/page_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace hearth {

PageManager::PageManager(int pageCount, int pageTokens, bool prefixCache, std::function<void(PageId, PageId)> copy)
    : m_pageTokens(pageTokens), m_prefixCache(prefixCache), m_copy(std::move(copy)), m_pages(static_cast<std::size_t>(pageCount)) {
  m_empty.reserve(m_pages.size());
  for (int page = pageCount - 1; page >= 0; --page) m_empty.push_back(page);
}

std::uint64_t PageManager::keyOf(std::uint64_t parent, std::span<const TokenId> tokens) noexcept {
  // splitmix64's finaliser over each token: spreads well, and equality never rests on it.
  std::uint64_t hash = parent + 0x9E3779B97F4A7C15ULL;
  for (const TokenId token : tokens) {
    hash ^= static_cast<std::uint32_t>(token);
    hash = (hash ^ (hash >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    hash = (hash ^ (hash >> 27U)) * 0x94D049BB133111EBULL;
    hash ^= hash >> 31U;
  }
  return hash;
}

PageId PageManager::find(std::uint64_t parent, std::span<const TokenId> tokens) const {
  const auto [first, last] = m_index.equal_range(keyOf(parent, tokens));
  for (auto it = first; it != last; ++it) {
    const Page& page = at(it->second);
    if (page.parent == parent && std::ranges::equal(page.tokens, tokens)) return it->second;
  }
  return -1;
}

int PageManager::extendFromCache(BlockTable& table, std::span<const TokenId> tokens) {
  // A page that the cache does not know (its twin was evicted, or the cache is off) ends the chain.
  if (!m_prefixCache || table.tokens % m_pageTokens != 0 || table.cachedPages * m_pageTokens != table.tokens ||
      table.pages.size() != static_cast<std::size_t>(table.cachedPages) || tokens.empty())
    return 0;
  const int before = table.tokens;
  const int limit = static_cast<int>(tokens.size()) - 1;
  while (table.tokens + m_pageTokens <= limit) {
    const PageId page = find(table.chain, tokens.subspan(static_cast<std::size_t>(table.tokens), static_cast<std::size_t>(m_pageTokens)));
    if (page < 0) break;
    hold(page);
    table.pages.push_back(page);
    table.tokens += m_pageTokens;
    ++table.cachedPages;
    table.chain = at(page).entry;
  }
  // The page that goes on longest as we do: its beginning is ours too. It is shared until reserve() copies it.
  const auto rest = tokens.subspan(static_cast<std::size_t>(table.tokens), static_cast<std::size_t>(std::min(limit - table.tokens, m_pageTokens)));
  PageId best = -1;
  std::size_t common = 0;
  const auto [first, last] = m_children.equal_range(table.chain);
  for (auto it = first; it != last; ++it) {
    const auto& other = at(it->second).tokens;
    const auto length = static_cast<std::size_t>(std::ranges::mismatch(rest, other).in1 - rest.begin());
    if (length > common) {
      common = length;
      best = it->second;
    }
  }
  if (best >= 0) {
    hold(best);
    table.pages.push_back(best);
    table.tokens += static_cast<int>(common);
  }
  return table.tokens - before;
}

bool PageManager::reserve(BlockTable& table, int count) {
  const int wanted = pagesFor(table.tokens + count);
  const int inside = table.tokens % m_pageTokens;
  const auto lastIndex = static_cast<std::size_t>(table.tokens / m_pageTokens);
  bool mustCopy = inside != 0 && (references(table.pages[lastIndex]) > 1 || isCached(table.pages[lastIndex]));
  const int missing = std::max(0, wanted - static_cast<int>(table.pages.size())) + (mustCopy ? 1 : 0);
  if (missing > freePages()) {
    // Without room for a copy, a page that only we and the cache have is taken out of the cache instead: otherwise a
    // sequence that fills the whole pool could never go on.
    if (!mustCopy || missing - 1 > freePages() || references(table.pages[lastIndex]) > 1) return false;
    forget(table.pages[lastIndex]);
    mustCopy = false;
  }
  if (mustCopy) {
    const PageId shared = table.pages[lastIndex];
    const PageId own = take();
    m_copy(shared, own);
    drop(shared);
    table.pages[lastIndex] = own;
  }
  while (static_cast<int>(table.pages.size()) < wanted) table.pages.push_back(take());
  return true;
}

void PageManager::commit(BlockTable& table, std::span<const TokenId> tokens, int count) {
  table.tokens += count;
  if (!m_prefixCache) return;
  while ((table.cachedPages + 1) * m_pageTokens <= table.tokens) {
    const auto index = static_cast<std::size_t>(table.cachedPages);
    const auto content = tokens.subspan(index * static_cast<std::size_t>(m_pageTokens), static_cast<std::size_t>(m_pageTokens));
    const PageId own = table.pages[index];
    const PageId known = find(table.chain, content);
    if (known >= 0 && known != own) {
      hold(known);
      drop(own);
      table.pages[index] = known;
    } else if (known < 0) {
      Page& page = at(own);
      page.entry = m_nextEntry++;
      page.parent = table.chain;
      page.tokens.assign(content.begin(), content.end());
      page.key = keyOf(page.parent, content);
      m_index.emplace(page.key, own);
      m_children.emplace(page.parent, own);
    }
    table.chain = at(table.pages[index]).entry;
    ++table.cachedPages;
  }
}

void PageManager::truncate(BlockTable& table, int tokens) {
  assert(tokens <= table.tokens && tokens >= table.cachedPages * m_pageTokens);
  table.tokens = tokens;
  const auto needed = static_cast<std::size_t>(pagesFor(table.tokens));
  while (table.pages.size() > needed) {
    drop(table.pages.back());
    table.pages.pop_back();
  }
}

void PageManager::release(BlockTable& table) {
  // Tail first: what is dropped first is evicted first, and a tail without its head is of no use.
  for (auto it = table.pages.rbegin(); it != table.pages.rend(); ++it) drop(*it);
  table = {};
}

void PageManager::dropCache() {
  while (m_oldest >= 0) {
    const PageId page = m_oldest;
    unlink(page);
    forget(page);
    m_empty.push_back(page);
  }
}

PageId PageManager::take() {
  PageId page = -1;
  if (!m_empty.empty()) {
    page = m_empty.back();
    m_empty.pop_back();
  } else if (m_oldest >= 0) {
    page = m_oldest;
    unlink(page);
    forget(page);
  } else {
    return -1;
  }
  at(page).references = 1;
  return page;
}

void PageManager::hold(PageId page) {
  if (at(page).references++ == 0) unlink(page);
}

void PageManager::drop(PageId page) {
  assert(at(page).references > 0);
  if (--at(page).references > 0) return;
  if (at(page).entry != 0) {
    linkNewest(page);
  } else {
    m_empty.push_back(page);
  }
}

void PageManager::forget(PageId page) {
  Page& self = at(page);
  const auto eraseFrom = [page](auto& map, std::uint64_t key) {
    const auto [first, last] = map.equal_range(key);
    for (auto it = first; it != last; ++it) {
      if (it->second == page) {
        map.erase(it);
        return;
      }
    }
  };
  eraseFrom(m_index, self.key);
  eraseFrom(m_children, self.parent);
  self.entry = self.parent = self.key = 0;
  self.tokens.clear();
}

void PageManager::linkNewest(PageId page) {
  Page& self = at(page);
  self.newer = -1;
  self.older = m_newest;
  if (m_newest >= 0) at(m_newest).newer = page;
  m_newest = page;
  if (m_oldest < 0) m_oldest = page;
  ++m_idleCount;
}

void PageManager::unlink(PageId page) {
  Page& self = at(page);
  (self.newer >= 0 ? at(self.newer).older : m_newest) = self.older;
  (self.older >= 0 ? at(self.older).newer : m_oldest) = self.newer;
  self.newer = self.older = -1;
  --m_idleCount;
}

std::string PageManager::audit(std::span<const BlockTable* const> tables) const {
  std::vector<int> expected(m_pages.size(), 0);
  for (const BlockTable* table : tables) {
    if (static_cast<int>(table->pages.size()) < pagesFor(table->tokens)) return "a table is shorter than its tokens";
    for (const PageId page : table->pages) {
      if (page < 0 || page >= pageCount()) return fmt::format("page {} does not exist", page);
      ++expected[static_cast<std::size_t>(page)];
    }
  }
  std::vector<bool> empty(m_pages.size(), false);
  for (const PageId page : m_empty) {
    if (empty[static_cast<std::size_t>(page)]) return fmt::format("page {} was freed twice", page);
    empty[static_cast<std::size_t>(page)] = true;
  }
  int idle = 0;
  for (PageId page = m_oldest; page >= 0; page = at(page).newer) {
    if (++idle > pageCount()) return "the list of idle pages is a ring";
    if (at(page).entry == 0) return fmt::format("idle page {} is not cached", page);
    if (at(page).references != 0) return fmt::format("idle page {} is held", page);
  }
  if (idle != m_idleCount) return "the idle count is wrong";
  std::size_t cached = 0;
  for (PageId page = 0; page < pageCount(); ++page) {
    const Page& self = at(page);
    if (self.references != expected[static_cast<std::size_t>(page)])
      return fmt::format("page {} has {} references, {} holders", page, self.references, expected[static_cast<std::size_t>(page)]);
    if (empty[static_cast<std::size_t>(page)] && (self.references != 0 || self.entry != 0)) return fmt::format("page {} is free and in use", page);
    if (self.references == 0 && self.entry == 0 && !empty[static_cast<std::size_t>(page)]) return fmt::format("page {} leaked", page);
    if (self.entry != 0) {
      ++cached;
      if (find(self.parent, self.tokens) != page) return fmt::format("cached page {} cannot be found", page);
    }
  }
  if (cached != m_index.size() || cached != m_children.size()) return "the cache's indices disagree";
  return {};
}

}  // namespace hearth
