#pragma once

#include <chrono>
#include <deque>

namespace hearth {

/// Events per second over the last two seconds. One thread, or under its owner's lock.
class RateWindow {
 public:
  using Clock = std::chrono::steady_clock;
  void add(Clock::time_point now, int count) {
    if (count <= 0) return;
    trim(now);
    m_entries.push_back({now, count});
  }
  [[nodiscard]] double perSecond(Clock::time_point now) const {
    int sum = 0;
    for (auto it = m_entries.rbegin(); it != m_entries.rend() && now - it->time <= kSpan; ++it) sum += it->count;
    return sum / std::chrono::duration<double>(kSpan).count();
  }

 private:
  static constexpr std::chrono::seconds kSpan{2};
  struct Entry {
    Clock::time_point time;
    int count;
  };
  void trim(Clock::time_point now) {
    while (!m_entries.empty() && now - m_entries.front().time > kSpan) {
      m_entries.pop_front();
    }
  }
  std::deque<Entry> m_entries;
};

}  // namespace hearth
