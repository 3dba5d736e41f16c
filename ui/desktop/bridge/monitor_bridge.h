#pragma once

#include <QObject>
#include <QTimer>

#include <deque>

#include "core/host/host.h"
#include "ui/desktop/bridge/worker.h"

namespace hearth::ui {

/// One second of the machine and the engines.
struct MonitorSample {
  HardwareSample hardware;
  EngineStats engines;
};

/// Reads hardware and engines once a second, every five seconds while nobody looks, and keeps the last five minutes. Qt
/// thread only.
class MonitorBridge : public QObject {
  Q_OBJECT
 public:
  static constexpr int kKept = 301;

  MonitorBridge(Host& host, Worker& worker);
  [[nodiscard]] const std::deque<MonitorSample>& history() const noexcept { return m_history; }
  [[nodiscard]] const GpuDriver& gpuDriver() const { return m_host.monitor().gpuDriver(); }
  /// False while no window is to be seen.
  void setWatched(bool watched);
  [[nodiscard]] int interval() const { return m_timer.interval(); }  ///< milliseconds
  /// Reads one now, off the Qt thread (the timer does it each second).
  void sample();
  /// Tests and screenshots bring their own history.
  void setHistory(std::deque<MonitorSample> history);

 signals:
  void sampled();

 private:
  Host& m_host;
  Worker& m_worker;
  QTimer m_timer;
  bool m_running = false;
  std::deque<MonitorSample> m_history;
};

}  // namespace hearth::ui
