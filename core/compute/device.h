#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "core/base/error.h"
#include "core/base/thread_pool.h"
#include "core/compute/kv_storage.h"
#include "core/compute/model_plan.h"
#include "core/compute/ops.h"

namespace hearth {

struct DeviceLoadOptions {
  std::function<void(double fraction)> progress;  ///< may be empty; called from the loading thread; must not throw
  std::function<bool()> cancelled;                ///< may be empty; polled from the loading thread; must not throw
  bool exact = false;                             ///< all weights and activations in F32
};

/// A model's weights and working memory on one device. Owns both. A step is begin, operations, end; one thread at a time.
class DeviceModel {
 public:
  virtual ~DeviceModel() = default;
  /// Opens a step. The batch was validated: it is kept until endStep(), as are `kv` and `logits` [logitRows × vocabulary].
  virtual Ops& beginStep(const Batch& batch, KvStorage& kv, std::span<float> logits) = 0;
  /// Waits for the step. Errors: Corrupt (the logits are not finite), Cancelled (it was abandoned).
  [[nodiscard]] virtual Result<void> endStep() = 0;
  [[nodiscard]] virtual std::uint64_t weightBytes() const noexcept = 0;
};

/// Where models compute. Devices are immutable and may be used by several loads at once.
class Device {
 public:
  virtual ~Device() = default;
  /// Bytes that load() would take on this device: packed weights and working memory. Allocates nothing.
  [[nodiscard]] virtual std::uint64_t planBytes(const ModelPlan& plan, bool exact) const = 0;
  /// Errors: OutOfMemory, Cancelled, Corrupt (a vector that is not finite).
  [[nodiscard]] virtual Result<std::unique_ptr<DeviceModel>> load(const ModelPlan& plan, const DeviceLoadOptions& options) const = 0;
};

/// planBytes() of the CPU device with these kernels, in its parts.
struct CpuPlanBytes {
  std::uint64_t weights = 0;
  std::uint64_t work = 0;
  std::uint64_t threadWork = 0;  ///< of each thread, beside the sum
  std::uint64_t lookups = 0;     ///< read in place from the file, beside the sum
  [[nodiscard]] std::uint64_t sum() const noexcept { return weights + work; }
};
[[nodiscard]] CpuPlanBytes cpuPlanBytes(const ModelPlan& plan, const kernels::KernelTable& kernels, bool exact);

/// The CPU: weights packed for `kernels`, work spread over `pool`, which outlives all models of the device (shared).
[[nodiscard]] std::unique_ptr<Device> makeCpuDevice(std::shared_ptr<ThreadPool> pool, const kernels::KernelTable& kernels);

}  // namespace hearth
