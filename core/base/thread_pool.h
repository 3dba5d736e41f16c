#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace hearth {

struct ThreadPoolOptions {
  int threads = 0;        ///< compute threads, the caller included; 0 = physical cores
  bool pin = false;       ///< bind worker i to physical core i
  int spinMicroseconds = 60;  ///< how long a worker spins for the next job before it parks
};

/// Persistent compute threads that spin briefly, then park, so that an idle pool burns no core.
/// Owns its workers. run() may be called from any one thread at a time (calls from several threads take turns); it must
/// not be called from inside a body. Bodies must not throw.
class ThreadPool {
 public:
  explicit ThreadPool(ThreadPoolOptions options = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int threadCount() const noexcept { return m_threadCount; }

  /// Runs body(thread, threadCount) once on each thread, the caller as thread 0, and returns when all have finished.
  template <class Body>
  void run(Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    runErased([](void* context, int thread, int count) { (*static_cast<Plain*>(context))(thread, count); },
              const_cast<std::remove_const_t<Plain>*>(&body), true);
  }

  /// Splits [0, total) into chunks of `grain` taken dynamically: body(begin, end, thread). A worker that the system keeps from
  /// running is not waited for unless it has taken a chunk: on a busy machine the others do the work.
  template <class Body>
  void forRange(std::int64_t total, std::int64_t grain, Body&& body) {
    if (total <= 0) return;
    if (total <= grain || m_threadCount == 1) {
      body(std::int64_t{0}, total, 0);
      return;
    }
    std::atomic<std::int64_t> next{0};
    auto take = [&](int thread, int) {
      for (;;) {
        const std::int64_t begin = next.fetch_add(grain, std::memory_order_relaxed);
        if (begin >= total) return;
        body(begin, begin + grain < total ? begin + grain : total, thread);
      }
    };
    runErased([](void* context, int thread, int count) { (*static_cast<decltype(take)*>(context))(thread, count); }, &take, false);
  }

 private:
  using Job = void (*)(void* context, int thread, int count);
  // A job's gate: a worker passes it once, by counting itself in while it is open; the caller shuts it when no more help is
  // wanted, waits until nobody is inside, and only then lets go of the job (it lives on the caller's stack).
  static constexpr std::uint64_t kShut = 1U << 15U;
  static constexpr std::uint64_t kInside = kShut - 1;
  static constexpr std::uint64_t kNextJob = 1U << 16U;
  void runErased(Job job, void* context, bool onEveryThread);
  void work(int thread);

  // Constant after construction.
  int m_threadCount = 1;
  ThreadPoolOptions m_options;
  std::vector<std::thread> m_workers;
  // Written while the gate is shut and nobody is inside; read by workers that have passed it.
  Job m_job = nullptr;
  void* m_context = nullptr;
  // Self-synchronised.
  std::mutex m_callerMutex;  // callers take turns
  std::mutex m_parkMutex;
  std::condition_variable m_parked;
  alignas(64) std::atomic<std::uint64_t> m_gate{kShut};  // job number · 2^16 | kShut | workers inside
  alignas(64) std::atomic<int> m_finished{0};            // workers that have done the current job
  std::atomic<bool> m_stop{false};
};

}  // namespace hearth
