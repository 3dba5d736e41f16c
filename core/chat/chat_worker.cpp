#include "core/chat/chat_worker.h"

#include "core/base/log.h"
#include "core/base/platform/platform.h"

namespace hearth::chat {

ChatWorker::ChatWorker(std::chrono::milliseconds interval, std::function<void()> tick)
    : m_interval(interval), m_tick(std::move(tick)), m_thread([this] { work(); }) {}

ChatWorker::~ChatWorker() {
  {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
  }
  m_wake.notify_one();
  m_thread.join();
}

void ChatWorker::post(std::function<void()> job) {
  {
    const std::lock_guard lock(m_mutex);
    m_jobs.push_back(std::move(job));
  }
  m_wake.notify_one();
}

void ChatWorker::work() {
  platform::nameThisThread("hearth-chat");
  auto nextTick = Clock::now() + m_interval;
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(m_mutex);
      m_wake.wait_until(lock, nextTick, [&] { return m_stop || !m_jobs.empty(); });
      if (!m_jobs.empty()) {
        job = std::move(m_jobs.front());
        m_jobs.pop_front();
      } else if (m_stop) {
        return;
      }
    }
    try {
      if (job) job();
      // Also between jobs: a storm of them must not keep partial replies from the disk.
      if (Clock::now() >= nextTick) {
        m_tick();
        nextTick = Clock::now() + m_interval;
      }
    } catch (const std::exception& problem) {
      log::error("chat", std::string("worker: ") + problem.what());
    }
  }
}

}  // namespace hearth::chat
