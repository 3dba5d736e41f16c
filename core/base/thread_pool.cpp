#include "core/base/thread_pool.h"

#include <algorithm>
#include <chrono>

#include "core/base/platform/platform.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hearth {
namespace {

constexpr int kMostThreads = 512;
constexpr int kCoresEnoughToLeaveOne = 5;
// A gate's line passes from one core to the next for each worker that enters: more than this in a group is felt.
constexpr int kMostInGroup = 16;
// A session without a job for so long is a step that is stuck in something else.
constexpr int kSessionSpinMicroseconds = 3000;

inline void pause() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

// Waits until `done()`, giving the core away now and then: on an oversubscribed machine somebody else needs it to get there.
template <class Done>
void waitFor(Done done) noexcept {
  using Clock = std::chrono::steady_clock;
  for (;;) {
    const auto end = Clock::now() + std::chrono::microseconds(50);
    do {
      for (int i = 0; i < 64; ++i) {
        if (done()) return;
        pause();
      }
    } while (Clock::now() < end);
    std::this_thread::yield();
  }
}

}  // namespace

ThreadPool::ThreadPool(ThreadPoolOptions options) : m_spinMicroseconds(options.spinMicroseconds) {
  const platform::Topology& topology = options.topology != nullptr ? *options.topology : platform::topology();
  m_threadCount = options.threads;
  if (m_threadCount <= 0) {
    m_threadCount = topology.threads();
    if (options.leaveOneCore && m_threadCount >= kCoresEnoughToLeaveOne) --m_threadCount;
  }
  m_threadCount = std::clamp(m_threadCount, 1, kMostThreads);
  makeGroups(topology);

  const auto& cores = topology.cores;
  Affinity affinity = options.affinity;
  if (affinity == Affinity::Automatic) affinity = cores.front().node != cores.back().node ? Affinity::Node : Affinity::None;
  for (int thread = 1; thread < m_threadCount; ++thread) {
    const platform::Core& own = cores[static_cast<std::size_t>(thread) % cores.size()];
    std::vector<int> cpus;
    for (const platform::Core& core : cores) {
      if (affinity == Affinity::Core ? core == own : affinity == Affinity::Node && core.node == own.node)
        cpus.push_back(core.cpu);
    }
    m_workers.emplace_back([this, thread, allowed = std::move(cpus)] { work(thread, allowed); });
  }
}

ThreadPool::~ThreadPool() {
  m_stop.store(true, std::memory_order_seq_cst);
  for (const auto& group : m_groups) {
    {
      std::lock_guard lock(group->parkMutex);
    }  // who is about to park has parked, and hears the call
    group->wake.notify_all();
  }
  for (auto& worker : m_workers) worker.join();
}

void ThreadPool::makeGroups(const platform::Topology& topology) {
  const auto& cores = topology.cores;
  const auto core = [&](int thread) -> const platform::Core& {
    return cores[static_cast<std::size_t>(thread) % cores.size()];
  };
  for (int first = 0; first < m_threadCount;) {
    int end = first + 1;
    while (end < m_threadCount && core(end).node == core(first).node && core(end).cache == core(first).cache) ++end;
    const int parts = (end - first + kMostInGroup - 1) / kMostInGroup;
    for (int part = 0; part < parts; ++part) {
      auto group = std::make_unique<Group>();
      group->firstThread = first + (end - first) * part / parts;
      group->threads = first + (end - first) * (part + 1) / parts - group->firstThread;
      group->workers = group->threads - (group->firstThread == 0 ? 1 : 0);
      m_groupOf.insert(m_groupOf.end(), static_cast<std::size_t>(group->threads), static_cast<int>(m_groups.size()));
      m_groups.push_back(std::move(group));
    }
    first = end;
  }
}

int ThreadPool::groupOf(int thread) const noexcept { return m_groupOf[static_cast<std::size_t>(thread)]; }

// Few pieces wake few groups.
std::size_t ThreadPool::groupsFor(std::int64_t pieces) const noexcept {
  std::size_t groups = 1;
  while (groups < m_groups.size() && m_groups[groups - 1]->firstThread + m_groups[groups - 1]->threads < pieces) ++groups;
  return groups;
}

void ThreadPool::runErased(Job job, void* context, std::size_t groups, bool onEveryThread) {
  if (m_threadCount == 1) {
    job(context, 0, 1);
    return;
  }
  std::lock_guard turn(m_callerMutex);
  m_job = job;
  m_context = context;
  const auto each = [&](auto&& act) {
    for (std::size_t i = 0; i < groups; ++i) act(*m_groups[i]);
  };
  each([](Group& group) {
    group.finished.store(0, std::memory_order_relaxed);
    group.next.store(0, std::memory_order_relaxed);
    const std::uint64_t last = group.gate.load(std::memory_order_relaxed) / kNextJob;
    // Before the look at `parked`, in the one order that all threads see: a worker counts itself as parked before its last
    // look at the gate, so one of the two sees the other.
    group.gate.store((last + 1) * kNextJob, std::memory_order_seq_cst);
  });
  each([](Group& group) {
    if (group.parked.load(std::memory_order_seq_cst) == 0) return;
    {
      std::lock_guard lock(group.parkMutex);
    }
    group.wake.notify_all();
  });
  job(context, 0, m_threadCount);
  if (onEveryThread) {
    each([](Group& group) { waitFor([&] { return group.finished.load(std::memory_order_acquire) == group.workers; }); });
  }
  each([](Group& group) { group.gate.fetch_or(kShut, std::memory_order_relaxed); });
  each([](Group& group) { waitFor([&] { return (group.gate.load(std::memory_order_acquire) & kInside) == 0; }); });
}

// False when it is time to park.
template <class Ready>
bool ThreadPool::spinForJob(Ready ready) const noexcept {
  using Clock = std::chrono::steady_clock;
  using Time = std::chrono::microseconds;
  const auto begin = Clock::now();
  auto nextYield = begin + Time(50);
  for (;;) {
    for (int i = 0; i < 64; ++i) {
      if (ready()) return true;
      pause();
    }
    const auto now = Clock::now();
    const bool session = m_sessions.load(std::memory_order_relaxed) > 0;
    if (now - begin >= Time(session ? std::max(kSessionSpinMicroseconds, m_spinMicroseconds) : m_spinMicroseconds))
      return false;
    if (now >= nextYield) {
      std::this_thread::yield();
      nextYield = now + Time(50);
    }
  }
}

void ThreadPool::work(int thread, std::vector<int> cpus) {
  platform::nameThisThread("hearth-compute");
  if (!cpus.empty()) platform::pinThisThread(cpus);
  Group& group = *m_groups[static_cast<std::size_t>(groupOf(thread))];
  std::uint64_t seen = 0;
  for (;;) {
    const auto ready = [&](std::memory_order order) {
      return group.gate.load(order) / kNextJob != seen || m_stop.load(order);
    };
    if (!spinForJob([&] { return ready(std::memory_order_relaxed); })) {
      std::unique_lock lock(group.parkMutex);
      group.parked.fetch_add(1, std::memory_order_seq_cst);
      group.wake.wait(lock, [&] { return ready(std::memory_order_seq_cst); });
      group.parked.fetch_sub(1, std::memory_order_relaxed);
    }
    std::uint64_t gate = group.gate.load(std::memory_order_relaxed);
    if (gate / kNextJob == seen) return;  // stopping, and no job left
    bool entered = false;
    while ((gate & kShut) == 0 && !entered)
      entered = group.gate.compare_exchange_weak(gate, gate + 1, std::memory_order_acquire);
    seen = gate / kNextJob;
    if (!entered) continue;  // the work was done without us
    m_job(m_context, thread, m_threadCount);
    group.finished.fetch_add(1, std::memory_order_release);
    group.gate.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace hearth
