#include "core/base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <numeric>
#include <thread>

namespace hearth {
namespace {

TEST(ThreadPool, RunsTheBodyOnceOnEachThread) {
  ThreadPool pool({.threads = 4});
  for (int round = 0; round < 2000; ++round) {
    std::vector<int> seen(4, 0);
    pool.run([&](int thread, int count) {
      EXPECT_EQ(count, 4);
      ++seen[static_cast<std::size_t>(thread)];
    });
    ASSERT_EQ(seen, std::vector<int>(4, 1));
  }
}

TEST(ThreadPool, RangeCoversEveryIndexOnce) {
  ThreadPool pool({.threads = 3});
  for (const std::int64_t total : {0, 1, 7, 64, 1000}) {
    std::vector<std::atomic<int>> hits(static_cast<std::size_t>(total));
    pool.forRange(total, 7, [&](std::int64_t begin, std::int64_t end, int) {
      for (auto i = begin; i < end; ++i) ++hits[static_cast<std::size_t>(i)];
    });
    for (auto& hit : hits) ASSERT_EQ(hit.load(), 1);
  }
}

TEST(ThreadPool, SeveralCallersTakeTurns) {
  ThreadPool pool({.threads = 3});
  std::atomic<std::int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) pool.run([&](int, int) { sum.fetch_add(1); });
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(sum.load(), 4 * 200 * 3);
}

// Two nodes of two caches of two cores.
platform::Topology eightCores() {
  platform::Topology topology;
  for (int cpu = 0; cpu < 8; ++cpu) topology.cores.push_back({cpu, cpu / 4, cpu / 2 * 2});
  return topology;
}

TEST(ThreadPool, ThreadsThatShareACacheFormAGroup) {
  const auto topology = eightCores();
  ThreadPool pool({.topology = &topology});
  ASSERT_EQ(pool.threadCount(), 8);
  ASSERT_EQ(pool.groupCount(), 4);
  for (int thread = 0; thread < 8; ++thread) EXPECT_EQ(pool.groupOf(thread), thread / 2);

  platform::Topology wide;  // one cache, more cores than a gate likes
  for (int cpu = 0; cpu < 40; ++cpu) wide.cores.push_back({cpu, 0, 0});
  ThreadPool large({.threads = 40, .topology = &wide});
  ASSERT_EQ(large.groupCount(), 3);
  std::atomic<int> ran{0};
  large.run([&](int, int) { ++ran; });
  EXPECT_EQ(ran.load(), 40);
}

TEST(ThreadPool, GridCoversEveryCellOnceInAnyNumberOfGroups) {
  const auto topology = eightCores();
  for (const int threads : {1, 2, 3, 7, 8, 11}) {
    ThreadPool pool({.threads = threads, .topology = &topology});
    for (const auto& [columns, rows] : {std::pair{1, 1}, {1, 5}, {2, 1}, {3, 2}, {13, 3}, {200, 4}, {0, 3}, {3, 0}}) {
      std::vector<std::atomic<int>> hits(static_cast<std::size_t>(columns * rows));
      pool.forGrid(columns, rows, [&, width = columns](std::int64_t column, std::int64_t row, int thread) {
        ASSERT_TRUE(thread >= 0 && thread < threads);
        ++hits[static_cast<std::size_t>(row * width + column)];
      });
      for (auto& hit : hits) ASSERT_EQ(hit.load(), 1) << threads << " threads, " << columns << " x " << rows;
    }
  }
}

TEST(ThreadPool, GroupsDoTheirOwnShareFirst) {
  const auto topology = eightCores();
  ThreadPool pool({.topology = &topology});
  constexpr int kColumns = 64;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<int>> taken(8);
    pool.forGrid(kColumns, 1, [&](std::int64_t column, std::int64_t, int thread) {
      taken[static_cast<std::size_t>(thread)].push_back(static_cast<int>(column));
    });
    for (int thread = 0; thread < 8; ++thread) {
      // Shares of 16 columns: group by group, beginning at home.
      int last = 0;
      for (const int column : taken[static_cast<std::size_t>(thread)]) {
        const int distance = (column / 16 - pool.groupOf(thread) + 4) % 4;
        ASSERT_GE(distance, last);
        last = distance;
      }
    }
  }
}

TEST(ThreadPool, SleepersAreAlwaysWoken) {
  const auto topology = eightCores();
  ThreadPool pool({.threads = 6, .spinMicroseconds = 0, .topology = &topology});
  std::atomic<std::int64_t> sum{0};
  for (int round = 0; round < 3000; ++round) pool.run([&](int, int) { sum.fetch_add(1, std::memory_order_relaxed); });
  EXPECT_EQ(sum.load(), 3000 * 6);
}

TEST(ThreadPool, JobsThatAreOverBeforeASleeperComesAreDoneOnce) {
  // The only worker sleeps and needs some microseconds to wake: many of these jobs are over by then, some are not.
  ThreadPool pool({.threads = 2, .spinMicroseconds = 0});
  std::atomic<std::int64_t> cells{0};
  for (int round = 0; round < 2000; ++round) {
    pool.forGrid(2, 1, [&](std::int64_t, std::int64_t, int) { cells.fetch_add(1, std::memory_order_relaxed); });
    if (round % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  EXPECT_EQ(cells.load(), 4000);
}

TEST(ThreadPool, LeavesOneCoreOfMany) {
  platform::Topology few, many;
  for (int cpu = 0; cpu < 4; ++cpu) few.cores.push_back({cpu, 0, 0});
  for (int cpu = 0; cpu < 6; ++cpu) many.cores.push_back({cpu, 0, 0});
  EXPECT_EQ(ThreadPool({.leaveOneCore = true, .topology = &few}).threadCount(), 4);
  EXPECT_EQ(ThreadPool({.leaveOneCore = true, .topology = &many}).threadCount(), 5);
  EXPECT_EQ(ThreadPool({.topology = &many}).threadCount(), 6);
  EXPECT_EQ(ThreadPool({.threads = 6, .leaveOneCore = true, .topology = &many}).threadCount(), 6) << "asked for";
  many.quota = 2.5;
  EXPECT_EQ(ThreadPool({.topology = &many}).threadCount(), 2);
}

double cpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

TEST(ThreadPool, IdlePoolBurnsNoCore) {
  ThreadPool pool({.threads = 4});
  pool.run([](int, int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // past the spin
  const double before = cpuSeconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(cpuSeconds() - before, 0.02);
}

TEST(ThreadPool, WorkersSpinInASessionButNotForEver) {
  ThreadPool pool({.threads = 2, .spinMicroseconds = 0});
  ThreadPool::Session session(pool);
  pool.run([](int, int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // a step that hangs in something else
  const double before = cpuSeconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(cpuSeconds() - before, 0.02);
  pool.run([](int, int) {});
}

}  // namespace
}  // namespace hearth
