#pragma once

#include <QObject>
#include <QPointer>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "ui/desktop/bridge/inbox.h"

namespace hearth::ui {

/// At most `most` threads, started when they are needed, that run tasks in the order in which these came.
class TaskThreads {
 public:
  using Task = std::move_only_function<void()>;

  explicit TaskThreads(std::size_t most) : m_most(most) {}
  /// Runs what is still waiting, then ends.
  ~TaskThreads();
  TaskThreads(const TaskThreads&) = delete;
  TaskThreads& operator=(const TaskThreads&) = delete;

  void start(Task task);
  /// Returns when nothing runs or waits.
  void finish();

 private:
  void loop();

  const std::size_t m_most;
  std::mutex m_mutex;
  std::condition_variable m_changed;   // for the threads
  std::condition_variable m_finished;  // for finish()
  std::deque<Task> m_tasks;
  std::vector<std::thread> m_threads;
  std::size_t m_idle = 0;
  bool m_ending = false;
};

/// Runs blocking calls of core away from the Qt thread and brings their results back to it. Owns its threads. run() and
/// runInOrder() are called on the Qt thread; `work` runs on a worker, `done` on the Qt thread, and only while `context` lives.
class Worker : public QObject {
  Q_OBJECT
 public:
  explicit Worker(QObject* parent = nullptr);
  /// Waits for what runs; results that arrive later are dropped.
  ~Worker() override;

  void finish();

  /// Long or independent work.
  template <class Work, class Done>
  void run(QObject* context, Work work, Done done) {
    start(m_any, context, std::move(work), std::move(done));
  }
  /// Store calls: one after the other in the order they were asked for, so that a read sees the write before it.
  template <class Work, class Done>
  void runInOrder(QObject* context, Work work, Done done) {
    start(m_ordered, context, std::move(work), std::move(done));
  }
  /// Any thread: `call` runs on the Qt thread, unless this Worker ends first.
  void post(TaskThreads::Task call) { m_results->push(std::move(call)); }

 private:
  template <class Work, class Done>
  void start(TaskThreads& threads, QObject* context, Work work, Done done) {
    threads.start([this, guard = QPointer<QObject>(context), work = std::move(work), done = std::move(done)]() mutable {
      if constexpr (std::is_void_v<decltype(work())>) {
        work();
        post([guard = std::move(guard), done = std::move(done)]() mutable { if (guard) done(); });
      } else {
        post([guard = std::move(guard), result = work(), done = std::move(done)]() mutable {
          if (guard) done(std::move(result));
        });
      }
    });
  }

  std::shared_ptr<Inbox<TaskThreads::Task>> m_results;
  TaskThreads m_ordered{1};
  TaskThreads m_any{3};
};

}  // namespace hearth::ui
