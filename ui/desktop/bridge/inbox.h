#pragma once

#include <QMetaObject>
#include <QObject>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace hearth::ui {

/// Where threads of core leave updates for the Qt thread. push() is cheap, never blocks on the receiver, and wakes it once
/// for each batch; the receiver takes all at once, at most so often as it likes. Shared with the callbacks handed to core,
/// so that one that comes after the receiver's end finds no receiver instead of a dangling one.
template <class Item>
class Inbox {
 public:
  /// `wake` is invoked (queued) on `receiver` when the first item of a batch arrives.
  Inbox(QObject* receiver, std::function<void()> wake, std::size_t cap = 0)
      : m_receiver(receiver), m_wake(std::move(wake)), m_cap(cap) {}

  /// Any thread. False when the receiver is gone.
  bool push(Item item) {
    const std::scoped_lock lock(m_mutex);
    if (!m_receiver) return false;
    m_items.push_back(std::move(item));
    if (m_cap != 0 && m_items.size() > m_cap) m_items.erase(m_items.begin());
    if (!m_woken) {
      m_woken = true;
      QMetaObject::invokeMethod(m_receiver, m_wake, Qt::QueuedConnection);
    }
    return true;
  }
  /// Qt thread: everything so far.
  [[nodiscard]] std::vector<Item> take() {
    const std::scoped_lock lock(m_mutex);
    m_woken = false;
    return std::exchange(m_items, {});
  }
  /// Qt thread, before the receiver ends.
  void close() {
    const std::scoped_lock lock(m_mutex);
    m_receiver = nullptr;
    m_items.clear();
  }

 private:
  std::mutex m_mutex;
  QObject* m_receiver;            // guarded
  std::function<void()> m_wake;   // constant
  std::size_t m_cap;              // constant; 0 = none
  std::vector<Item> m_items;      // guarded
  bool m_woken = false;           // guarded
};

}  // namespace hearth::ui
