#pragma once

#include <filesystem>
#include <memory>

#include "core/host/machine_reader.h"
#include "core/monitor/monitor.h"

namespace hearth {

/// Sets the machine's figures of one scrape: hearth_cpu_usage_ratio (since the reading before), hearth_memory_{total,available}_bytes,
/// hearth_disk_free_bytes of the data folder, and for each GPU (labels gpu, name) hearth_gpu_usage_ratio,
/// hearth_gpu_memory_{total,used}_bytes, and where the driver tells them hearth_gpu_temperature_celsius and
/// hearth_gpu_power_watts.
class HardwareMetrics {
 public:
  HardwareMetrics(std::filesystem::path dataFolder, std::shared_ptr<MachineReader> machine)
      : m_folder(std::move(dataFolder)), m_machine(std::move(machine)) {}
  void collect(MetricsRegistry& metrics);  // any thread

 private:
  const std::filesystem::path m_folder;
  const std::shared_ptr<MachineReader> m_machine;
};

}  // namespace hearth
