#include "core/base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <numeric>

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

TEST(ThreadPool, IdlePoolBurnsNoCore) {
  ThreadPool pool({.threads = 4});
  pool.run([](int, int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // past the spin
  const auto cpuSeconds = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  };
  const double before = cpuSeconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(cpuSeconds() - before, 0.05);
}

}  // namespace
}  // namespace hearth
