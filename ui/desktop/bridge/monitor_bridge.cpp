#include "ui/desktop/bridge/monitor_bridge.h"

namespace hearth::ui {

namespace {
constexpr int kWatchedMilliseconds = 1000;
constexpr int kUnwatchedMilliseconds = 5000;
}  // namespace

MonitorBridge::MonitorBridge(Host& host, Worker& worker) : m_host(host), m_worker(worker) {
  m_timer.setInterval(kWatchedMilliseconds);
  m_timer.setTimerType(Qt::CoarseTimer);
  connect(&m_timer, &QTimer::timeout, this, &MonitorBridge::sample);
  m_timer.start();
}

void MonitorBridge::setWatched(bool watched) {
  const int wanted = watched ? kWatchedMilliseconds : kUnwatchedMilliseconds;
  if (m_timer.interval() == wanted) return;
  m_timer.setInterval(wanted);
  if (watched && m_timer.isActive()) sample();  // what is shown again is of now
}

void MonitorBridge::sample() {
  if (m_running) return;  // a slow driver must not pile up work
  m_running = true;
  m_worker.run(
      this, [this] { return MonitorSample{m_host.monitor().sample(), m_host.pool().totals()}; },
      [this](MonitorSample sample) {
        m_running = false;
        m_history.push_back(std::move(sample));
        while (m_history.size() > kKept || m_history.back().hardware.time - m_history.front().hardware.time > kKept) m_history.pop_front();
        emit sampled();
      });
}

void MonitorBridge::setHistory(std::deque<MonitorSample> history) {
  m_timer.stop();
  m_history = std::move(history);
  emit sampled();
}

}  // namespace hearth::ui
