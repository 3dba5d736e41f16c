#pragma once

#include <filesystem>
#include <memory>
#include <mutex>

#include "core/monitor/monitor.h"

namespace hearth {

/// Sets the machine's figures of one scrape: hearth_cpu_usage_ratio (since the scrape before), hearth_memory_{total,available}_bytes,
/// hearth_disk_free_bytes of the data folder, and for each GPU (labels gpu, name) hearth_gpu_usage_ratio,
/// hearth_gpu_memory_{total,used}_bytes, and where the driver tells them hearth_gpu_temperature_celsius and
/// hearth_gpu_power_watts. Owns a monitor of its own: the window's has its own interval.
class HardwareMetrics {
 public:
  explicit HardwareMetrics(std::filesystem::path dataFolder) : m_folder(std::move(dataFolder)), m_monitor(HardwareMonitor::create()) {}
  void collect(MetricsRegistry& metrics);  // any thread

 private:
  const std::filesystem::path m_folder;
  std::mutex m_mutex;  // the monitor is for one thread at a time
  std::unique_ptr<HardwareMonitor> m_monitor;
};

}  // namespace hearth
