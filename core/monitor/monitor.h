#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace hearth {

struct GpuSample {
  std::string name;
  double utilisation = 0;          ///< 0…100
  std::uint64_t memoryTotal = 0, memoryOurs = 0, memoryOthers = 0;  ///< bytes; ours = this process
  double temperatureC = -1, powerWatts = -1, powerLimitWatts = -1;  ///< −1 = the driver does not say
};

/// One reading of the machine.
struct HardwareSample {
  double time = 0;                     ///< seconds since the epoch
  double cpuPercent = 0;               ///< of all cores together, since the last sample
  std::vector<double> corePercent;
  std::uint64_t memoryTotal = 0, memoryAvailable = 0, processResident = 0;
  std::vector<GpuSample> gpus;
};

enum class GpuDriverState : std::uint8_t {
  Ready,
  NoDriver,   ///< the library is not there (library, reason)
  NotLoaded,  ///< the library is there, the kernel's part is not running (library, reason, code)
  TooOld,     ///< the library lacks a function that we need (library, function)
  Failed,     ///< it did not start (library, reason, code)
};

/// What is known of the GPU driver. Words for people are made in ui, from state and evidence.
struct GpuDriver {
  GpuDriverState state = GpuDriverState::NoDriver;
  std::string version;             ///< when Ready; empty = the driver does not say
  std::vector<Evidence> evidence;  ///< when not Ready; `reason` is what the system or the driver itself says
};

/// Reads /proc, /sys and NVML (opened with dlopen, so that machines without a driver work). Owns the library handle. One
/// thread at a time calls sample(). A missing driver is a state, not an error.
class HardwareMonitor {
 public:
  /// `nvmlLibrary` empty = libnvidia-ml.so.1, or $HEARTH_NVML_LIBRARY (tests drive the charts with a fake one).
  [[nodiscard]] static std::unique_ptr<HardwareMonitor> create(const std::string& nvmlLibrary = {});
  virtual ~HardwareMonitor() = default;
  [[nodiscard]] virtual HardwareSample sample() = 0;
  [[nodiscard]] virtual const GpuDriver& gpuDriver() const noexcept = 0;  ///< constant after construction; any thread
};

/// Values sorted into the buckets of a histogram where they arise, so that the registry is asked once for many. Not
/// synchronised.
class Tally {
 public:
  enum class Unit : std::uint8_t { Seconds, Tokens };
  explicit Tally(Unit unit) noexcept : m_unit(unit), m_counts(boundaries(unit).size() + 1, 0) {}
  void add(double value);
  void clear() noexcept;
  [[nodiscard]] Unit unit() const noexcept { return m_unit; }
  [[nodiscard]] double sum() const noexcept { return m_sum; }
  [[nodiscard]] bool empty() const noexcept { return m_total == 0; }
  [[nodiscard]] const std::vector<double>& counts() const noexcept { return m_counts; }  ///< per bucket, the last without bound
  [[nodiscard]] static const std::vector<double>& boundaries(Unit unit) noexcept;      ///< upper, inclusive

 private:
  Unit m_unit;
  std::vector<double> m_counts;
  std::uint64_t m_total = 0;
  double m_sum = 0;
};

/// Counters, gauges and histograms in Prometheus text format. Any thread. Names as in research: `hearth_…`, with vLLM's as
/// aliases where dashboards expect them.
class MetricsRegistry {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  [[nodiscard]] static std::unique_ptr<MetricsRegistry> create();
  virtual ~MetricsRegistry() = default;
  virtual void add(const std::string& name, double amount, const Labels& labels = {}) = 0;      ///< counter
  virtual void set(const std::string& name, double value, const Labels& labels = {}) = 0;       ///< gauge
  virtual void observe(const std::string& name, double value, const Labels& labels = {}) = 0;   ///< histogram of seconds
  virtual void observe(const std::string& name, const Tally& values, const Labels& labels = {}) = 0;  ///< histogram of its unit
  /// Called before each text(): lets owners of live figures set their gauges.
  virtual void addCollector(std::function<void(MetricsRegistry&)> collector) = 0;
  [[nodiscard]] virtual std::string text() = 0;
};

}  // namespace hearth
