#include <algorithm>

#include "core/base/platform/platform.h"
#include "core/engine/pool_loading.h"

namespace hearth::pool {

Result<MemoryPlan> Loading::plan(const std::string& id, const std::filesystem::path& path, const EngineOptions& options) const {
  struct Idle {
    std::string id;
    std::uint64_t bytes = 0;
    Clock::time_point lastUsed;
  };
  MemoryPlan plan;
  std::vector<Idle> idle;
  std::uint64_t staying = 0, leaving = 0, replaced = 0, movable = 0;
  {
    const std::lock_guard lock(m_books->mutex);
    for (const auto& [name, slot] : m_books->slots) {
      if (!slot.resident) continue;
      if (name == id) {
        replaced = slot.resident->bytes;
      } else if (slot.pinned || slot.resident->busy()) {
        staying += slot.resident->bytes;
      } else {
        idle.push_back({name, slot.resident->bytes, slot.resident->lastUsed});
        movable += slot.resident->bytes;
      }
    }
    for (const auto& resident : m_books->leaving) leaving += resident->bytes;
  }
  const std::uint64_t available = m_options.availableBytes();
  plan.budgetBytes = m_options.memoryBudgetBytes;
  plan.budgetLeft = plan.budgetBytes - std::min(staying, plan.budgetBytes);
  const std::uint64_t room = std::min(plan.budgetLeft, available + leaving + replaced + movable);
  HEARTH_TRY(plan.model, m_loader->plan(path, options, room));
  plan.model.correction = m_options.records ? m_options.records->correction(id) : 0;

  const std::uint64_t needed = plan.model.needed();
  plan.overBudget = needed > plan.budgetLeft;
  DeviceMemory ram;
  const platform::MemoryInfo memory = platform::memoryInfo();
  ram.totalBytes = memory.totalBytes;
  ram.availableBytes = available;
  const std::uint64_t used = memory.totalBytes - std::min(memory.totalBytes, available);
  ram.oursBytes = std::min(used, platform::residentBytes());
  ram.othersBytes = used - ram.oursBytes;
  ram.parts = plan.model.cpu;
  ram.neededBytes = needed;
  ram.freedBytes = leaving + replaced;
  // As makeRoom() will: least recently used first, and nothing where it would not help.
  std::ranges::sort(idle, {}, &Idle::lastUsed);
  std::uint64_t kept = staying + movable;
  if (needed <= room) {
    for (const Idle& one : idle) {
      if (needed <= available + ram.freedBytes && kept + needed <= plan.budgetBytes) break;
      plan.unloads.push_back({one.id, one.bytes});
      ram.freedBytes += one.bytes;
      kept -= one.bytes;
    }
  }
  plan.devices.push_back(std::move(ram));
  return plan;
}

}  // namespace hearth::pool
