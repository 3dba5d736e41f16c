#include "core/host/hardware_metrics.h"

#include <string>
#include <system_error>

namespace hearth {

void HardwareMetrics::collect(MetricsRegistry& metrics) {
  const HardwareSample sample = m_machine->read();
  metrics.set("hearth_cpu_usage_ratio", sample.cpuPercent / 100);
  metrics.set("hearth_memory_total_bytes", static_cast<double>(sample.memoryTotal));
  metrics.set("hearth_memory_available_bytes", static_cast<double>(sample.memoryAvailable));
  std::error_code failed;
  if (const auto space = std::filesystem::space(m_folder, failed); !failed) {
    metrics.set("hearth_disk_free_bytes", static_cast<double>(space.available));
  }
  for (std::size_t i = 0; i < sample.gpus.size(); ++i) {
    const GpuSample& gpu = sample.gpus[i];
    const MetricsRegistry::Labels labels{{"gpu", std::to_string(i)}, {"name", gpu.name}};
    metrics.set("hearth_gpu_usage_ratio", gpu.utilisation / 100, labels);
    metrics.set("hearth_gpu_memory_total_bytes", static_cast<double>(gpu.memoryTotal), labels);
    metrics.set("hearth_gpu_memory_used_bytes", static_cast<double>(gpu.memoryOurs + gpu.memoryOthers), labels);
    if (gpu.temperatureC >= 0) metrics.set("hearth_gpu_temperature_celsius", gpu.temperatureC, labels);
    if (gpu.powerWatts >= 0) metrics.set("hearth_gpu_power_watts", gpu.powerWatts, labels);
  }
}

}  // namespace hearth
