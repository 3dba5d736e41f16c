#include "core/compute/parallel/communicator.h"

#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <cmath>
#include <functional>
#include <thread>

namespace hearth {
namespace {

using std::chrono::milliseconds;

std::vector<std::unique_ptr<Communicator>> group(int ranks, milliseconds timeout = milliseconds(60000)) {
  auto made = makeLocalGroup(ranks, timeout);
  EXPECT_TRUE(made);
  return std::move(*made);
}

/// Runs `body` for each rank on a thread of its own.
void onEach(std::vector<std::unique_ptr<Communicator>>& ends, const std::function<void(Communicator&)>& body) {
  std::vector<std::jthread> threads;
  for (auto& end : ends) threads.emplace_back([&body, &end] { body(*end); });
}

TEST(Communicator, SumsAreTheSameBitsOnEveryRank) {
  for (const int ranks : {1, 2, 3, 4, 8}) {
    auto ends = group(ranks);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{1000}}) {
      std::vector<std::vector<float>> data(static_cast<std::size_t>(ranks), std::vector<float>(size));
      std::vector<float> expected(size, 0.0F);
      for (std::size_t r = 0; r < data.size(); ++r) {
        for (std::size_t i = 0; i < size; ++i) {
          data[r][i] = std::sin(static_cast<float>(i * 7 + r)) * std::pow(10.0F, static_cast<float>(r % 5) - 2.0F);
          expected[i] = r == 0 ? data[r][i] : expected[i] + data[r][i];
        }
      }
      onEach(ends, [&](Communicator& c) { EXPECT_TRUE(c.allReduce(data[static_cast<std::size_t>(c.rank())])); });
      for (const std::vector<float>& d : data) {
        for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(std::bit_cast<std::uint32_t>(d[i]), std::bit_cast<std::uint32_t>(expected[i]));
      }
    }
  }
}

TEST(Communicator, ManyCallsInARowDoNotMix) {
  auto ends = group(4);
  onEach(ends, [](Communicator& c) {
    const auto rank = static_cast<float>(c.rank());
    for (int i = 0; i < 300; ++i) {
      const auto n = static_cast<float>(i);
      std::vector<float> data(static_cast<std::size_t>(1 + i % 17), rank * n);
      ASSERT_TRUE(c.allReduce(data));
      for (const float x : data) ASSERT_EQ(x, 6.0F * n);
      const std::vector<float> part{rank, n};
      std::vector<float> whole(8);
      ASSERT_TRUE(c.allGather(part, whole));
      for (std::size_t r = 0; r < 4; ++r) {
        ASSERT_EQ(whole[2 * r], static_cast<float>(r));
        ASSERT_EQ(whole[2 * r + 1], n);
      }
      if (i % 5 == 0) {
        ASSERT_TRUE(c.barrier());
      }
    }
  });
}

TEST(Communicator, NobodyLeavesABarrierBeforeAllHaveCome) {
  auto ends = group(5);
  std::atomic<int> come{0};
  onEach(ends, [&](Communicator& c) {
    for (int i = 1; i <= 50; ++i) {
      ++come;
      ASSERT_TRUE(c.barrier());
      ASSERT_GE(come.load(), 5 * i);
    }
  });
}

TEST(Communicator, ARankThatDoesNotComeEndsTheGroup) {
  auto ends = group(3, milliseconds(50));
  onEach(ends, [](Communicator& c) {
    if (c.rank() == 2) return;
    std::vector<float> data(4, 1.0F);
    const auto result = c.allReduce(data);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::Timeout);
    EXPECT_EQ(result.error().find("ranks"), "3");
    EXPECT_EQ(data, std::vector<float>(4, 1.0F));
  });
  const auto late = ends[2]->barrier();  // at once, not after another wait
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::Timeout);
}

TEST(Communicator, CancelFreesThoseWhoWait) {
  auto ends = group(3);
  std::atomic<int> waiting{0};
  std::vector<std::jthread> threads;
  for (std::size_t r = 0; r < 2; ++r) {
    threads.emplace_back([&, r] {
      ++waiting;
      const auto result = ends[r]->barrier();
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code, ErrorCode::Cancelled);
    });
  }
  while (waiting.load() < 2) std::this_thread::yield();
  ends[2]->cancel();
  threads.clear();
  EXPECT_FALSE(ends[2]->barrier());
}

TEST(Communicator, DifferentCallsAreAnErrorOnEveryRank) {
  for (const bool otherSize : {false, true}) {
    auto ends = group(3);
    onEach(ends, [&](Communicator& c) {
      std::vector<float> data(c.rank() == 1 && otherSize ? 5 : 4, 1.0F);
      const auto result = c.rank() == 1 && !otherSize ? c.barrier() : c.allReduce(data);
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
    });
  }
}

TEST(Communicator, BadGroupsAndSizesAreRefused) {
  EXPECT_FALSE(makeLocalGroup(0, milliseconds(10)));
  EXPECT_FALSE(makeLocalGroup(-1, milliseconds(10)));
  EXPECT_FALSE(makeLocalGroup(65, milliseconds(10)));
  EXPECT_FALSE(makeLocalGroup(2, milliseconds(0)));
  auto ends = group(1);
  const std::vector<float> part(3);
  std::vector<float> whole(4);
  EXPECT_FALSE(ends[0]->allGather(part, whole));
}

}  // namespace
}  // namespace hearth
