#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace hearth::chat {

/// The service's thread: runs what must not happen on engine or loader threads (disk flushes, the release of a model's last
/// reference), and ticks while there is something to watch. post(): any thread, never blocks. Destruction runs what is queued.
class ChatWorker {
 public:
  using Clock = std::chrono::steady_clock;

  /// `tick` is called on the worker every `interval`.
  ChatWorker(std::chrono::milliseconds interval, std::function<void()> tick);
  ~ChatWorker();
  ChatWorker(const ChatWorker&) = delete;
  ChatWorker& operator=(const ChatWorker&) = delete;

  void post(std::function<void()> job);

 private:
  void work();

  // Constant after construction.
  std::chrono::milliseconds m_interval;
  std::function<void()> m_tick;
  // Guarded by m_mutex.
  std::mutex m_mutex;
  std::condition_variable m_wake;
  std::deque<std::function<void()>> m_jobs;
  bool m_stop = false;
  std::thread m_thread;
};

}  // namespace hearth::chat
