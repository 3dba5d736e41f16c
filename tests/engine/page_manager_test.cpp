#include "core/engine/page_manager.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace hearth {
namespace {

std::vector<TokenId> range(int begin, int count) {
  std::vector<TokenId> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(begin + i);
  return tokens;
}

/// A page manager with a stand-in for the memory: each page remembers the token written at each position.
struct Memory {
  explicit Memory(int pages, int pageTokens, bool cache = true)
      : content(static_cast<std::size_t>(pages), std::vector<TokenId>(static_cast<std::size_t>(pageTokens), -1)),
        manager(pages, pageTokens, cache, [this](PageId from, PageId to) {
          content[static_cast<std::size_t>(to)] = content[static_cast<std::size_t>(from)];
          ++copies;
        }) {}

  /// What a step does: reserve, write, commit. False when pages are missing.
  bool advance(BlockTable& table, const std::vector<TokenId>& tokens, int count) {
    if (!manager.reserve(table, count)) return false;
    for (int i = table.tokens; i < table.tokens + count; ++i) {
      const PageId page = table.pages[static_cast<std::size_t>(i / manager.pageTokens())];
      EXPECT_EQ(manager.references(page), 1) << "a shared page is written";
      EXPECT_FALSE(manager.isCached(page)) << "a cached page is written";
      content[static_cast<std::size_t>(page)][static_cast<std::size_t>(i % manager.pageTokens())] = tokens[static_cast<std::size_t>(i)];
    }
    manager.commit(table, tokens, count);
    return true;
  }
  void expectContent(const BlockTable& table, const std::vector<TokenId>& tokens) const {
    for (int i = 0; i < table.tokens; ++i) {
      const PageId page = table.pages[static_cast<std::size_t>(i / manager.pageTokens())];
      ASSERT_EQ(content[static_cast<std::size_t>(page)][static_cast<std::size_t>(i % manager.pageTokens())], tokens[static_cast<std::size_t>(i)]) << "position " << i;
    }
  }

  std::vector<std::vector<TokenId>> content;
  PageManager manager;
  int copies = 0;
};

TEST(PageManager, CountsPages) {
  Memory memory(8, 4);
  BlockTable table;
  ASSERT_TRUE(memory.advance(table, range(0, 9), 9));
  EXPECT_EQ(memory.manager.usedPages(), 3);
  EXPECT_EQ(memory.manager.freePages(), 5);
  EXPECT_EQ(memory.manager.cachedPages(), 2);
  memory.manager.release(table);
  EXPECT_EQ(memory.manager.usedPages(), 0);
  EXPECT_EQ(memory.manager.cachedPages(), 2);
  memory.manager.dropCache();
  EXPECT_EQ(memory.manager.cachedPages(), 0);
  EXPECT_EQ(memory.manager.freePages(), 8);
}

TEST(PageManager, ReserveIsAllOrNothing) {
  Memory memory(4, 4);
  BlockTable a, b;
  ASSERT_TRUE(memory.advance(a, range(0, 9), 9));
  EXPECT_FALSE(memory.manager.reserve(b, 5));
  EXPECT_TRUE(b.pages.empty());
  EXPECT_EQ(memory.manager.freePages(), 1);
}

TEST(PageManager, FindsThePrefixAndLeavesATokenToCompute) {
  Memory memory(16, 4);
  const auto tokens = range(0, 12);
  BlockTable a, b;
  ASSERT_TRUE(memory.advance(a, tokens, 12));
  EXPECT_EQ(memory.manager.extendFromCache(b, tokens), 11) << "two whole pages and three tokens of the third";
  EXPECT_EQ(b.pages, a.pages);
  memory.expectContent(b, tokens);
  ASSERT_TRUE(memory.advance(b, tokens, 1));
  EXPECT_EQ(memory.copies, 1);
  EXPECT_EQ(b.pages, a.pages) << "the copy equals the cached page and was exchanged for it";
  memory.expectContent(a, tokens);
}

TEST(PageManager, CopiesAPageThatGoesOnDifferently) {
  Memory memory(16, 4);
  auto first = range(0, 12), second = first;
  second[10] = 99;
  BlockTable a, b;
  ASSERT_TRUE(memory.advance(a, first, 12));
  EXPECT_EQ(memory.manager.extendFromCache(b, second), 10);
  ASSERT_TRUE(memory.advance(b, second, 2));
  EXPECT_NE(a.pages[2], b.pages[2]);
  memory.expectContent(a, first);
  memory.expectContent(b, second);
}

TEST(PageManager, FullPoolTakesOverACachedPageInsteadOfCopying) {
  Memory memory(3, 4);
  auto first = range(0, 12), second = first;
  second[10] = 99;
  BlockTable a, b;
  ASSERT_TRUE(memory.advance(a, first, 12));
  memory.manager.release(a);
  EXPECT_EQ(memory.manager.extendFromCache(b, second), 10);
  ASSERT_TRUE(memory.advance(b, second, 2));
  EXPECT_EQ(memory.copies, 0);
  memory.expectContent(b, second);
  const BlockTable* tables[] = {&b};
  EXPECT_EQ(memory.manager.audit(tables), "");
}

TEST(PageManager, EqualPagesComputedTwiceBecomeOne) {
  Memory memory(16, 4);
  const auto tokens = range(0, 8);
  BlockTable a, b;
  ASSERT_TRUE(memory.manager.reserve(a, 8));
  ASSERT_TRUE(memory.advance(b, tokens, 8));
  for (int i = 0; i < 8; ++i) memory.content[static_cast<std::size_t>(a.pages[static_cast<std::size_t>(i / 4)])][static_cast<std::size_t>(i % 4)] = i;
  memory.manager.commit(a, tokens, 8);
  EXPECT_EQ(a.pages, b.pages);
  EXPECT_EQ(memory.manager.usedPages(), 2);
}

TEST(PageManager, SameTokensUnderAnotherParentAreNotFound) {
  Memory memory(16, 4);
  std::vector<TokenId> first{1, 1, 1, 1, 7, 7, 7, 7, 0}, second{2, 2, 2, 2, 7, 7, 7, 7, 0};
  BlockTable a, b;
  ASSERT_TRUE(memory.advance(a, first, 9));
  EXPECT_EQ(memory.manager.extendFromCache(b, second), 0);
}

TEST(PageManager, EvictsTheLeastRecentlyUsedTailFirst) {
  Memory memory(6, 4);
  const auto old = range(0, 12), recent = range(100, 12);
  BlockTable a, b, c;
  ASSERT_TRUE(memory.advance(a, old, 12));
  ASSERT_TRUE(memory.advance(b, recent, 12));
  memory.manager.release(a);
  memory.manager.release(b);
  const auto fresh = range(500, 5);
  ASSERT_TRUE(memory.advance(c, fresh, 5));  // two pages: the tail of `old`
  BlockTable d;
  EXPECT_EQ(memory.manager.extendFromCache(d, old), 4);
  memory.manager.release(d);
  EXPECT_EQ(memory.manager.extendFromCache(d, recent), 11);
  memory.manager.release(d);
}

TEST(PageManager, WithoutTheCacheNothingIsShared) {
  Memory memory(8, 4, false);
  const auto tokens = range(0, 9);
  BlockTable a, b;
  ASSERT_TRUE(memory.advance(a, tokens, 9));
  memory.manager.release(a);
  EXPECT_EQ(memory.manager.cachedPages(), 0);
  EXPECT_EQ(memory.manager.extendFromCache(b, tokens), 0);
}

/// Random sequences over a small alphabet, so that prefixes are shared all the time, in a pool that is always too small.
TEST(PageManager, TruncateGivesBackWhatLiesBehindTheEnd) {
  PageManager pages(8, 4, true, [](PageId, PageId) {});
  const std::vector<TokenId> tokens{1, 2, 3, 4, 5, 6, 7};
  BlockTable table;
  ASSERT_TRUE(pages.reserve(table, 7));
  pages.commit(table, tokens, 5);
  ASSERT_TRUE(pages.reserve(table, 12));  // guesses: positions 5…16
  EXPECT_EQ(table.pages.size(), 5U);
  pages.commit(table, tokens, 1);         // one was right
  pages.truncate(table, table.tokens);
  EXPECT_EQ(table.pages.size(), 2U);
  EXPECT_EQ(table.tokens, 6);
  EXPECT_EQ(pages.cachedPages(), 1) << "only the page whose tokens are final";
  const BlockTable* const tables[] = {&table};
  EXPECT_EQ(pages.audit(tables), "");
  pages.truncate(table, 4);
  EXPECT_EQ(table.pages.size(), 1U);
  EXPECT_EQ(pages.audit(tables), "");
}

TEST(PageManager, RandomOperationsKeepTheBooks) {
  for (const std::uint32_t seed : {1U, 2U, 3U, 4U}) {
    std::mt19937 random(seed);
    const int pageTokens = 1 + static_cast<int>(random() % 5);
    Memory memory(24, pageTokens, seed != 4);
    struct Live {
      std::vector<TokenId> tokens;
      BlockTable table;
    };
    std::vector<std::unique_ptr<Live>> live;
    int gained = 0, refused = 0;
    for (int step = 0; step < 6000; ++step) {
      const auto action = random() % 10;
      if (action < 3 || live.empty()) {
        auto sequence = std::make_unique<Live>();
        sequence->tokens.resize(1 + random() % 40);
        for (TokenId& token : sequence->tokens) token = random() % 8 == 0 ? 1 : 0;
        gained += memory.manager.extendFromCache(sequence->table, sequence->tokens);
        ASSERT_LT(sequence->table.tokens, static_cast<int>(sequence->tokens.size()));
        memory.expectContent(sequence->table, sequence->tokens);
        live.push_back(std::move(sequence));
      } else {
        const std::size_t index = random() % live.size();
        Live& sequence = *live[index];
        if (action < 8) {
          const int left = static_cast<int>(sequence.tokens.size()) - sequence.table.tokens;
          const int count = std::min(left, 1 + static_cast<int>(random() % 9));
          if (left == 0) {
            sequence.tokens.push_back(static_cast<TokenId>(random() % 2));
          } else if (!memory.advance(sequence.table, sequence.tokens, count)) {
            ++refused;
            memory.manager.release(sequence.table);
            live.erase(live.begin() + static_cast<std::ptrdiff_t>(index));
            continue;
          }
          memory.expectContent(sequence.table, sequence.tokens);
        } else {
          memory.manager.release(sequence.table);
          live.erase(live.begin() + static_cast<std::ptrdiff_t>(index));
        }
      }
      std::vector<const BlockTable*> tables;
      for (const auto& sequence : live) tables.push_back(&sequence->table);
      ASSERT_EQ(memory.manager.audit(tables), "") << "seed " << seed << " step " << step;
    }
    EXPECT_GT(refused, 50);
    if (seed != 4) {
      EXPECT_GT(gained, 1000);
    }
    for (auto& sequence : live) memory.manager.release(sequence->table);
    EXPECT_EQ(memory.manager.freePages(), 24);
  }
}

}  // namespace
}  // namespace hearth
