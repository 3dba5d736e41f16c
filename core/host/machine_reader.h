#pragma once

#include <chrono>
#include <memory>
#include <mutex>

#include "core/monitor/monitor.h"

namespace hearth {

/// The machine's readings for whoever asks, however many do: at most one a second is taken. Owns its monitor, which is made
/// when somebody asks first. Any thread; reads /proc and the GPU driver: not on the UI thread.
class MachineReader {
 public:
  [[nodiscard]] HardwareSample read() {
    const std::lock_guard lock(m_mutex);
    const auto now = std::chrono::steady_clock::now();
    if (m_monitor == nullptr) {
      m_monitor = HardwareMonitor::create();
    } else if (now - m_taken < std::chrono::seconds(1)) {
      return m_sample;
    }
    m_sample = m_monitor->sample();
    m_taken = now;
    return m_sample;
  }

 private:
  std::mutex m_mutex;
  std::unique_ptr<HardwareMonitor> m_monitor;
  HardwareSample m_sample;
  std::chrono::steady_clock::time_point m_taken;
};

}  // namespace hearth
