#include "ui/desktop/bridge/worker.h"

namespace hearth::ui {

TaskThreads::~TaskThreads() {
  {
    const std::scoped_lock lock(m_mutex);
    m_ending = true;
  }
  m_changed.notify_all();
  for (std::thread& thread : m_threads) thread.join();
}

void TaskThreads::start(Task task) {
  const std::scoped_lock lock(m_mutex);
  m_tasks.push_back(std::move(task));
  if (m_idle < m_tasks.size() && m_threads.size() < m_most) m_threads.emplace_back([this] { loop(); });
  m_changed.notify_one();
}

void TaskThreads::finish() {
  std::unique_lock lock(m_mutex);
  // A thread that was just started is not idle yet, and the task for it still waits.
  m_finished.wait(lock, [this] { return m_tasks.empty() && m_idle == m_threads.size(); });
}

void TaskThreads::loop() {
  std::unique_lock lock(m_mutex);
  while (true) {
    ++m_idle;
    if (m_tasks.empty()) m_finished.notify_all();
    m_changed.wait(lock, [this] { return m_ending || !m_tasks.empty(); });
    --m_idle;
    if (m_tasks.empty()) return;
    Task task = std::move(m_tasks.front());
    m_tasks.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it holds ends before it counts as done
    lock.lock();
  }
}

Worker::Worker(QObject* parent) : QObject(parent) {
  // One at a time: a result may open a dialog, and the next must reach that.
  m_results = std::make_shared<Inbox<TaskThreads::Task>>(this, [this] {
    if (auto result = m_results->takeOne()) (*result)();
  });
}

Worker::~Worker() {
  finish();
  m_results->close();
}

void Worker::finish() {
  m_any.finish();
  m_ordered.finish();
}

}  // namespace hearth::ui
