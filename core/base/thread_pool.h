#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/platform/topology.h"

namespace hearth {

/// Where workers may run. Automatic: on their NUMA node where there are several, else wherever the system puts them (a
/// worker nailed to a core that something else uses would be waited for).
enum class Affinity { Automatic, None, Node, Core };

struct ThreadPoolOptions {
  int threads = 0;  ///< compute threads, the caller included; 0 = as many as the machine carries (Topology::threads)
  bool leaveOneCore = false;  ///< an automatic number leaves one core of more than four to others: a window, a browser
  Affinity affinity = Affinity::Automatic;
  int spinMicroseconds = 60;  ///< how long a worker spins for the next job before it parks, outside of sessions
  const platform::Topology* topology = nullptr;  ///< null = this machine's; read by the constructor only
};

/// Persistent compute threads that spin briefly, then park, so that an idle pool burns no core. Threads whose cores share a
/// cache form a group with gate and work counter of its own: what many cores do together touches no line that all write to.
/// Owns its workers. run() and the for… functions may be called from any thread (calls from several take turns); not from
/// inside a body. Bodies must not throw.
class ThreadPool {
 public:
  explicit ThreadPool(ThreadPoolOptions options = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int threadCount() const noexcept { return m_threadCount; }
  [[nodiscard]] int groupCount() const noexcept { return static_cast<int>(m_groups.size()); }
  [[nodiscard]] int groupOf(int thread) const noexcept;

  /// While a session lives, workers expect one job after the other and spin instead of parking (not for longer than a few
  /// milliseconds without any). Cheap to open; any thread, any number at a time.
  class Session {
   public:
    explicit Session(ThreadPool& pool) noexcept : m_pool(&pool) { pool.m_sessions.fetch_add(1, std::memory_order_relaxed); }
    ~Session() {
      if (m_pool != nullptr) m_pool->m_sessions.fetch_sub(1, std::memory_order_relaxed);
    }
    Session(Session&& other) noexcept : m_pool(std::exchange(other.m_pool, nullptr)) {}
    Session& operator=(Session&& other) noexcept {
      std::swap(m_pool, other.m_pool);
      return *this;
    }

   private:
    ThreadPool* m_pool;
  };

  /// Runs body(thread, threadCount) once on each thread, the caller as thread 0, and returns when all have finished.
  template <class Body>
  void run(Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    runErased([](void* context, int thread, int count) { (*static_cast<Plain*>(context))(thread, count); },
              const_cast<std::remove_const_t<Plain>*>(&body), m_groups.size(), true);
  }

  /// body(column, row, thread) for each cell of a grid, cells taken dynamically. A share of the columns is at home in each
  /// group, the same share for the same number of columns every time, so that what a group has in its caches or its memory
  /// it finds there again; a group walks its share row by row, then helps the others. A worker that the system keeps from
  /// running is not waited for unless it has taken a cell: on a busy machine the others do the work.
  template <class Body>
  void forGrid(std::int64_t columns, std::int64_t rows, Body&& body) {
    if (columns <= 0 || rows <= 0) return;
    if (m_threadCount == 1 || columns * rows == 1) {
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t column = 0; column < columns; ++column) body(column, row, 0);
      }
      return;
    }
    const std::size_t groups = groupsFor(columns * rows);
    const std::int64_t threads = m_groups[groups - 1]->firstThread + m_groups[groups - 1]->threads;
    auto take = [&](int thread, int) {
      const auto home = static_cast<std::size_t>(groupOf(thread));
      for (std::size_t i = 0; i < groups; ++i) {
        Group& group = *m_groups[(home + i) % groups];
        const std::int64_t first = columns * group.firstThread / threads;
        const std::int64_t width = columns * (group.firstThread + group.threads) / threads - first;
        while (group.next.load(std::memory_order_relaxed) < width * rows) {
          const std::int64_t cell = group.next.fetch_add(1, std::memory_order_relaxed);
          if (cell >= width * rows) break;
          body(first + cell % width, cell / width, thread);
        }
      }
    };
    runErased([](void* context, int thread, int count) { (*static_cast<decltype(take)*>(context))(thread, count); }, &take,
              groups, false);
  }

  /// Splits [0, total) into pieces of `grain`, taken as the columns of forGrid(): body(begin, end, thread).
  template <class Body>
  void forRange(std::int64_t total, std::int64_t grain, Body&& body) {
    if (total <= 0) return;
    if (total <= grain || m_threadCount == 1) {
      body(std::int64_t{0}, total, 0);
      return;
    }
    forGrid((total + grain - 1) / grain, 1, [&](std::int64_t piece, std::int64_t, int thread) {
      const std::int64_t begin = piece * grain;
      body(begin, begin + grain < total ? begin + grain : total, thread);
    });
  }

 private:
  using Job = void (*)(void* context, int thread, int count);
  // A job's gate: a worker passes it once, by counting itself in while it is open; the caller shuts it when no more help is
  // wanted, waits until nobody is inside, and only then lets go of the job (it lives on the caller's stack).
  static constexpr std::uint64_t kShut = 1U << 15U;
  static constexpr std::uint64_t kInside = kShut - 1;
  static constexpr std::uint64_t kNextJob = 1U << 16U;
  struct Group {
    int firstThread = 0, threads = 0, workers = 0;  // constant; the caller is a thread of the first group, but no worker
    alignas(64) std::atomic<std::uint64_t> gate{kShut};  // job number · 2^16 | kShut | workers inside
    std::atomic<int> finished{0};                        // workers that have done the current job
    alignas(64) std::atomic<std::int64_t> next{0};       // the next cell of this group's share
    alignas(64) std::atomic<int> parked{0};
    std::mutex parkMutex;
    std::condition_variable wake;
  };

  void makeGroups(const platform::Topology& topology);
  [[nodiscard]] std::size_t groupsFor(std::int64_t pieces) const noexcept;
  void runErased(Job job, void* context, std::size_t groups, bool onEveryThread);
  void work(int thread, std::vector<int> cpus);
  template <class Ready>
  [[nodiscard]] bool spinForJob(Ready ready) const noexcept;

  // Constant after construction.
  int m_threadCount = 1;
  int m_spinMicroseconds = 0;
  std::vector<std::unique_ptr<Group>> m_groups;
  std::vector<int> m_groupOf;
  std::vector<std::thread> m_workers;
  // Self-synchronised.
  std::mutex m_callerMutex;  // callers take turns
  std::atomic<int> m_sessions{0};
  std::atomic<bool> m_stop{false};
  // Written while all gates are shut and nobody is inside; read by workers that have passed one.
  alignas(64) Job m_job = nullptr;
  void* m_context = nullptr;
};

}  // namespace hearth
