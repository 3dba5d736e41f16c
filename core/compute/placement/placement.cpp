#include "core/compute/placement/placement.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/compute/placement/check.h"
#include "core/compute/placement/search.h"

namespace hearth::placement {
namespace {

Plan finish(const CostModel& cost, const ModelDemand& model, const Machine& machine, std::span<const std::uint64_t> budgets,
            const Candidate& candidate) {
  Plan plan;
  plan.strategy = candidate.strategy;
  plan.ranks = candidate.ranks;
  plan.tensors.resize(model.tensors.size());
  plan.kvDevice.assign(static_cast<std::size_t>(model.layers), kCpu);
  const auto parts = cost.parts();
  for (std::size_t p = 0; p < parts.size(); ++p) {
    TensorPlacement placement{candidate.device[p], kCpu, 0};
    if (candidate.streamTo[p] != kCpu) {
      const std::vector<int> to = candidate.streamTo[p] == kSharded ? candidate.ranks : std::vector<int>{candidate.streamTo[p]};
      placement.streamFrom = cost.streamFrom(parts[p], to);
      if (placement.streamFrom > 0) placement.streamTo = candidate.streamTo[p];
    }
    for (const int i : parts[p].tensors) plan.tensors[static_cast<std::size_t>(i)] = placement;
    if (parts[p].kvBytes > 0) plan.kvDevice[static_cast<std::size_t>(parts[p].stage - 1)] = candidate.device[p];
  }
  for (std::size_t g = 0; g < machine.gpus.size(); ++g) {
    plan.gpus.push_back(useOf(cost, model, machine, candidate, static_cast<int>(g)));
    plan.gpus.back().budget = budgets[g];
  }
  plan.cpu = useOf(cost, model, machine, candidate, kCpu);
  plan.cpu.budget = machine.cpu.freeBytes;
  plan.decodeSeconds = stepSeconds(cost, candidate, cost.decode(), false);
  plan.prefillSeconds = stepSeconds(cost, candidate, cost.prefill(), true);
  plan.requestSeconds = candidate.seconds;
  return plan;
}

}  // namespace

std::uint64_t Plan::vramBytes() const noexcept {
  std::uint64_t sum = 0;
  for (const DeviceUse& use : gpus) sum += use.total();
  return sum;
}

Result<std::vector<Plan>> planPlacement(const ModelDemand& model, const Machine& machine, const Workload& workload) {
  HEARTH_CHECK(check(model, machine, workload));
  const CostModel cost(model, machine, workload);
  std::vector<Plan> plans;
  for (const int percent : {100, 90, 75, 50, 25, 0}) {
    std::vector<std::uint64_t> budgets;
    for (const GpuRates& g : machine.gpus) {
      const std::uint64_t budget = g.freeBytes > g.reserveBytes ? g.freeBytes - g.reserveBytes : 0;
      budgets.push_back(budget / 100 * static_cast<unsigned>(percent) + budget % 100 * static_cast<unsigned>(percent) / 100);
    }
    const std::optional<Candidate> candidate = findBest(cost, model, machine, budgets);
    if (!candidate) break;  // a smaller budget has nothing either
    Plan plan = finish(cost, model, machine, budgets, *candidate);
    if (plans.empty() || plan.vramBytes() < plans.back().vramBytes()) plans.push_back(std::move(plan));
  }
  if (plans.empty()) {
    std::uint64_t needed = model.computeBytes;
    for (const Part& part : cost.parts()) needed += part.bytes + part.kvBytes;
    std::uint64_t available = machine.cpu.freeBytes;
    for (const GpuRates& g : machine.gpus) available += g.freeBytes > g.reserveBytes ? g.freeBytes - g.reserveBytes : 0;
    return fail(ErrorCode::OutOfMemory, fmt::format("the model needs {} bytes, all devices together have too few", needed),
                {{"needed_bytes", std::to_string(needed)}, {"available_bytes", std::to_string(available)}});
  }
  return plans;
}

}  // namespace hearth::placement
