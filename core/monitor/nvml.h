#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/monitor/monitor.h"

namespace hearth {

/// NVIDIA's management library, opened at run time. Owns the handle and shuts the library down. One thread at a time.
class Nvml {
 public:
  /// Never null: a missing or failing driver is a state with its reason.
  [[nodiscard]] static std::unique_ptr<Nvml> open(const std::string& library);
  Nvml();
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  [[nodiscard]] const GpuDriver& driver() const noexcept { return m_driver; }
  /// One entry for each GPU that answers; empty unless Ready.
  [[nodiscard]] std::vector<GpuSample> sample() const;

 private:
  struct Functions;
  void start(const std::string& library);

  void* m_handle = nullptr;
  std::unique_ptr<Functions> m_functions;
  bool m_initialised = false;
  GpuDriver m_driver;
};

}  // namespace hearth
