#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/compute/placement/cost.h"

namespace hearth::placement {

/// Where every part goes: a candidate plan.
struct Candidate {
  Strategy strategy = Strategy::CpuOnly;
  std::vector<int> ranks;    ///< of tensor parallelism
  std::vector<int> device;   ///< of each part: GPU, kCpu or kSharded
  std::vector<int> streamTo;  ///< of each part in large steps: GPU, kSharded, or kCpu (never)
  double seconds = 0;        ///< of the workload's request
};

/// Seconds of one step along the candidate's path: its parts, and every crossing from device to device.
[[nodiscard]] double stepSeconds(const CostModel& cost, const Candidate& candidate, const Step& step, bool streaming);

/// What the candidate takes of one GPU, and of the host (gpu = kCpu).
[[nodiscard]] DeviceUse useOf(const CostModel& cost, const ModelDemand& model, const Machine& machine, const Candidate& candidate,
                              int gpu);

/// The fastest candidate within `budgets` (bytes of each GPU) and the host's memory; nothing when none fits.
///
/// Looked at are: which parts lie on GPUs, as the beginnings of two orders (all attention, then dense layers, then experts;
/// or layer by layer); with and without streaming the rest for large steps; whole layers over the GPUs in every contiguous
/// way, or every tensor over the first 2 … n of them. What is looked at does not depend on the budgets, and a larger budget
/// only admits more of it: so more memory is never slower.
[[nodiscard]] std::optional<Candidate> findBest(const CostModel& cost, const ModelDemand& model, const Machine& machine,
                                                std::span<const std::uint64_t> budgets);

}  // namespace hearth::placement
