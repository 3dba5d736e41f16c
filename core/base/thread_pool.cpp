#include "core/base/thread_pool.h"

#include <algorithm>
#include <chrono>

#include "core/base/platform/platform.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hearth {
namespace {

inline void pause() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

// Waits until `done()`, spinning for `microseconds`; false when the time ran out first.
template <class Done>
bool spinUntil(Done done, int microseconds) noexcept {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(microseconds);
  for (;;) {
    for (int i = 0; i < 64; ++i) {
      if (done()) return true;
      pause();
    }
    if (std::chrono::steady_clock::now() >= end) return false;
  }
}

}  // namespace

ThreadPool::ThreadPool(ThreadPoolOptions options) : m_options(options) {
  m_threadCount = std::clamp(options.threads > 0 ? options.threads : platform::physicalCores(), 1, 512);
  for (int thread = 1; thread < m_threadCount; ++thread) m_workers.emplace_back([this, thread] { work(thread); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(m_parkMutex);
    m_stop.store(true, std::memory_order_seq_cst);
  }
  m_parked.notify_all();
  for (auto& worker : m_workers) worker.join();
}

void ThreadPool::runErased(Job job, void* context, bool onEveryThread) {
  if (m_threadCount == 1) {
    job(context, 0, 1);
    return;
  }
  std::lock_guard turn(m_callerMutex);
  m_job = job;
  m_context = context;
  m_finished.store(0, std::memory_order_relaxed);
  {
    // Opened under the lock so that a worker about to park cannot miss it.
    std::lock_guard lock(m_parkMutex);
    const std::uint64_t last = m_gate.load(std::memory_order_relaxed) / kNextJob;
    m_gate.store((last + 1) * kNextJob, std::memory_order_release);
  }
  m_parked.notify_all();
  job(context, 0, m_threadCount);
  // On an oversubscribed machine give the core away instead of spinning for ever.
  const auto wait = [](auto done) {
    while (!spinUntil(done, 50)) std::this_thread::yield();
  };
  if (onEveryThread) wait([this] { return m_finished.load(std::memory_order_acquire) == m_threadCount - 1; });
  m_gate.fetch_or(kShut, std::memory_order_relaxed);
  wait([this] { return (m_gate.load(std::memory_order_acquire) & kInside) == 0; });
}

void ThreadPool::work(int thread) {
  platform::nameThisThread("hearth-compute");
  if (m_options.pin) platform::pinThisThread(thread);
  std::uint64_t seen = 0;
  for (;;) {
    const auto ready = [&] {
      return m_gate.load(std::memory_order_relaxed) / kNextJob != seen || m_stop.load(std::memory_order_relaxed);
    };
    if (!spinUntil(ready, m_options.spinMicroseconds)) {
      std::unique_lock lock(m_parkMutex);
      m_parked.wait(lock, ready);
    }
    std::uint64_t gate = m_gate.load(std::memory_order_relaxed);
    if (gate / kNextJob == seen) return;  // stopping, and no job left
    bool entered = false;
    while ((gate & kShut) == 0 && !entered) entered = m_gate.compare_exchange_weak(gate, gate + 1, std::memory_order_acquire);
    seen = gate / kNextJob;
    if (!entered) continue;  // the work was done without us
    m_job(m_context, thread, m_threadCount);
    m_finished.fetch_add(1, std::memory_order_release);
    m_gate.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace hearth
