#include "ui/terminal/roof.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <vector>

#include "kernels/cpu/kernel_table.h"

namespace hearth::terminal {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kBytes = std::size_t{256} << 20U;  // past any cache
constexpr std::uint64_t kIterations = 2'000'000;

double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// The best of the rounds that fit: neighbours on the machine can only slow a round down.
template <class Round>
double bestRate(double seconds, Round round) {
  double best = 0;
  const auto begin = Clock::now();
  do {
    const auto start = Clock::now();
    const double work = round();
    best = std::max(best, work / since(start));
  } while (since(begin) < seconds);
  return best;
}

}  // namespace

Roof measureRoof(ThreadPool& pool, double seconds) {
  const kernels::KernelTable& table = kernels::chooseKernels();
  std::vector<std::byte> data(kBytes, std::byte{1});
  std::atomic<std::uint64_t> sink{0};
  Roof roof;
  roof.readGigabytesPerSecond = 1e-9 * bestRate(seconds, [&] {
    pool.run([&](int thread, int count) {
      const std::size_t share = kBytes / static_cast<std::size_t>(count) / 64 * 64;
      sink += table.readBytes(data.data() + share * static_cast<std::size_t>(thread), share);
    });
    return static_cast<double>(kBytes / static_cast<std::size_t>(pool.threadCount()) / 64 * 64) * pool.threadCount();
  });
  roof.int8GigaMacsPerSecond = 1e-9 * bestRate(seconds, [&] {
    std::atomic<std::uint64_t> macs{0};
    pool.run([&](int, int) { macs += table.int8MacLoop(kIterations); });
    return static_cast<double>(macs.load());
  });
  return roof;
}

}  // namespace hearth::terminal
