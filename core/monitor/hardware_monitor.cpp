#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "core/base/platform/platform.h"
#include "core/monitor/monitor.h"
#include "core/monitor/nvml.h"

namespace hearth {
namespace {

double busyPercent(const platform::CpuTimes& before, const platform::CpuTimes& now) {
  if (now.total <= before.total) return 0;
  const auto busy = static_cast<double>(now.busy > before.busy ? now.busy - before.busy : 0);
  return std::clamp(100.0 * busy / static_cast<double>(now.total - before.total), 0.0, 100.0);
}

class HardwareMonitorImpl final : public HardwareMonitor {
 public:
  explicit HardwareMonitorImpl(const std::string& library) : m_nvml(Nvml::open(library)), m_before(platform::cpuTimes()) {}

  HardwareSample sample() override {
    HardwareSample sample;
    sample.time = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    std::vector<platform::CpuTimes> now = platform::cpuTimes();
    for (std::size_t i = 0; i < now.size(); ++i) {
      const double percent = i < m_before.size() ? busyPercent(m_before[i], now[i]) : 0;
      if (i == 0) {
        sample.cpuPercent = percent;
      } else {
        sample.corePercent.push_back(percent);
      }
    }
    m_before = std::move(now);
    const platform::MemoryInfo memory = platform::memoryInfo();
    sample.memoryTotal = memory.totalBytes;
    sample.memoryAvailable = memory.availableBytes;
    sample.processResident = platform::residentBytes();
    sample.gpus = m_nvml->sample();
    return sample;
  }

  const GpuDriver& gpuDriver() const noexcept override { return m_nvml->driver(); }

 private:
  std::unique_ptr<Nvml> m_nvml;
  std::vector<platform::CpuTimes> m_before;  // [0] all cores together, then each
};

}  // namespace

std::unique_ptr<HardwareMonitor> HardwareMonitor::create(const std::string& nvmlLibrary) {
  std::string library = nvmlLibrary;
  if (library.empty()) {
    const char* chosen = std::getenv("HEARTH_NVML_LIBRARY");
    library = chosen != nullptr && *chosen != '\0' ? chosen : "libnvidia-ml.so.1";
  }
  return std::make_unique<HardwareMonitorImpl>(library);
}

}  // namespace hearth
