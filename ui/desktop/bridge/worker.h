#pragma once

#include <QMetaObject>
#include <QObject>
#include <QPointer>
#include <QThreadPool>

#include <type_traits>
#include <utility>

namespace hearth::ui {

/// Runs blocking calls of core away from the Qt thread and brings their results back to it. Owns its threads. run() and
/// runInOrder() are called on the Qt thread; `work` runs on a worker, `done` on the Qt thread, and only while `context` lives.
class Worker : public QObject {
  Q_OBJECT
 public:
  explicit Worker(QObject* parent = nullptr) : QObject(parent) {
    m_ordered.setMaxThreadCount(1);
    m_any.setMaxThreadCount(3);
  }
  /// Waits for what runs; results that arrive later are dropped.
  ~Worker() override { finish(); }

  void finish() {
    m_any.waitForDone();
    m_ordered.waitForDone();
  }

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

 private:
  template <class Work, class Done>
  void start(QThreadPool& pool, QObject* context, Work work, Done done) {
    pool.start([this, guard = QPointer<QObject>(context), work = std::move(work), done = std::move(done)]() mutable {
      if constexpr (std::is_void_v<decltype(work())>) {
        work();
        QMetaObject::invokeMethod(this, [guard, done = std::move(done)]() mutable { if (guard) done(); }, Qt::QueuedConnection);
      } else {
        QMetaObject::invokeMethod(
            this, [guard, result = work(), done = std::move(done)]() mutable { if (guard) done(std::move(result)); },
            Qt::QueuedConnection);
      }
    });
  }

  QThreadPool m_ordered;
  QThreadPool m_any;
};

}  // namespace hearth::ui
