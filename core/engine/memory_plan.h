#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/engine/model_memory.h"

namespace hearth {

/// One device's memory now, and after a load.
struct DeviceMemory {
  int gpu = -1;      ///< −1 = the machine's RAM
  std::string name;  ///< of the GPU
  std::uint64_t totalBytes = 0;
  std::uint64_t availableBytes = 0;  ///< now
  std::uint64_t oursBytes = 0;       ///< held by this process now
  std::uint64_t othersBytes = 0;     ///< by everybody else
  std::uint64_t freedBytes = 0;      ///< by the planned unloads
  std::uint64_t neededBytes = 0;     ///< by this model, corrected
  MemoryParts parts;
  [[nodiscard]] std::uint64_t freeAfterUnloads() const noexcept { return availableBytes + freedBytes; }
  [[nodiscard]] bool fits() const noexcept { return neededBytes <= freeAfterUnloads(); }
};

/// What a load would take and whether it fits, before anything is touched (EnginePool::plan).
struct MemoryPlan {
  struct Unload {
    std::string id;
    std::uint64_t bytes = 0;
  };
  ModelMemory model;
  std::vector<DeviceMemory> devices;  ///< RAM first
  std::vector<Unload> unloads;        ///< models that would make room, in this order
  std::uint64_t budgetBytes = 0;      ///< of all models together
  std::uint64_t budgetLeft = 0;       ///< of it, beside the models that stay
  bool overBudget = false;
  [[nodiscard]] bool fits() const noexcept {
    for (const DeviceMemory& device : devices) {
      if (!device.fits()) return false;
    }
    return !overBudget;
  }
};

/// Predicted against measured, by model: what corrects the next plan. Kept by the host; any thread.
class MemoryRecords {
 public:
  struct Record {
    std::uint64_t predicted = 0;  ///< ModelMemory::loadedBytes: without correction
    std::uint64_t measured = 0;   ///< what the process grew by
  };
  virtual ~MemoryRecords() = default;
  /// measured − predicted of the loads so far; 0 for a model never loaded.
  [[nodiscard]] virtual std::int64_t correction(const std::string& model) const = 0;
  virtual void add(const std::string& model, const Record& record) = 0;
};

}  // namespace hearth
