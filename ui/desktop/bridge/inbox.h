#pragma once

#include <QCoreApplication>
#include <QEvent>
#include <QObject>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace hearth::ui {

/// Where other threads leave things for the Qt thread: the one way from them to it. push() is cheap, never blocks on the
/// receiver, and wakes it once for each batch; the receiver takes all at once, at most so often as it likes, or one by one.
/// Shared with those who push, so that one who comes after the receiver's end finds no receiver instead of a dangling one.
template <class Item>
class Inbox {
 public:
  /// Qt thread. `wake` is called on it, from the event loop, when the first item of a batch has arrived.
  Inbox(QObject* receiver, std::function<void()> wake, std::size_t cap = 0)
      : m_waker(new Waker(receiver, std::move(wake))), m_cap(cap) {}

  /// Any thread. False when the receiver is gone.
  bool push(Item item) {
    const std::scoped_lock lock(m_mutex);
    if (m_waker == nullptr) return false;
    m_items.push_back(std::move(item));
    if (m_cap != 0 && m_items.size() > m_cap) m_items.erase(m_items.begin());
    if (!std::exchange(m_woken, true)) wakeLater();
    return true;
  }
  /// Qt thread: everything so far.
  [[nodiscard]] std::vector<Item> take() {
    const std::scoped_lock lock(m_mutex);
    m_woken = false;
    return std::exchange(m_items, {});
  }
  /// Qt thread: the first item; for the others there will be another wake, also while this one is worked at.
  [[nodiscard]] std::optional<Item> takeOne() {
    const std::scoped_lock lock(m_mutex);
    m_woken = m_items.size() > 1;
    if (m_items.empty()) return std::nullopt;
    std::optional<Item> first(std::move(m_items.front()));
    m_items.erase(m_items.begin());
    if (m_woken) wakeLater();
    return first;
  }
  /// Qt thread, before the receiver ends.
  void close() {
    const std::scoped_lock lock(m_mutex);
    m_waker = nullptr;
    m_items.clear();
  }

 private:
  /// An event carries nothing, so all that threads share goes through the lock above.
  class Waker : public QObject {
   public:
    Waker(QObject* receiver, std::function<void()> wake) : QObject(receiver), m_wake(std::move(wake)) {}
    bool event(QEvent* event) override {
      if (event->type() != QEvent::User) return QObject::event(event);
      m_wake();
      return true;
    }

   private:
    std::function<void()> m_wake;
  };
  void wakeLater() { QCoreApplication::postEvent(m_waker, new QEvent(QEvent::User)); }

  std::mutex m_mutex;
  Waker* m_waker;             // guarded; the receiver's child
  std::size_t m_cap;          // constant; 0 = none
  std::vector<Item> m_items;  // guarded
  bool m_woken = false;       // guarded
};

}  // namespace hearth::ui
