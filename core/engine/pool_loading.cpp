#include "core/engine/pool_loading.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "core/base/log.h"
#include "core/base/platform/platform.h"

namespace hearth::pool {
namespace {

constexpr std::chrono::milliseconds kProgressInterval{50};
/// How long a load waits for the memory of models whose last holder has not let go yet.
constexpr std::chrono::seconds kReleasePatience{30};

}  // namespace

void answer(const EnginePool::LoadCallback& done, Result<LoadedModelPtr> result) noexcept {
  try {
    if (done) done(std::move(result));
  } catch (const std::exception& problem) {
    log::error("engine", std::string("a load callback threw: ") + problem.what());
  } catch (...) {
    log::error("engine", "a load callback threw");
  }
}

void Loading::run() {
  platform::nameThisThread("hearth-loading");
  for (;;) {
    std::string id;
    {
      std::unique_lock lock(m_books->mutex);
      m_books->changed.wait(lock, [this] { return m_books->closing || !m_books->loadQueue.empty(); });
      if (m_books->loadQueue.empty()) return;  // closing, and every waiter has been answered
      id = m_books->loadQueue.front();
      m_books->loadQueue.erase(m_books->loadQueue.begin());
    }
    try {
      loadOne(id);
    } catch (const std::exception& problem) {
      conclude(id, fail(ErrorCode::OutOfMemory, std::string("loading failed: ") + problem.what()), 0);
    }
  }
}

void Loading::loadOne(const std::string& id) {
  std::filesystem::path path;
  EngineOptions options;
  std::shared_ptr<std::atomic<bool>> cancel;
  {
    std::lock_guard lock(m_books->mutex);
    const Slot& slot = m_books->slots[id];
    path = slot.path;
    options = slot.options;
    cancel = slot.cancelLoad;
  }
  const auto cancelled = [&]() -> std::unexpected<Error> { return fail(ErrorCode::Cancelled, "loading was cancelled", {{"model", id}}); };
  if (cancel->load()) return conclude(id, cancelled(), 0);
  auto prepared = m_loader->prepare(id, path, options);
  if (!prepared) return conclude(id, std::unexpected(std::move(prepared).error()), 0);
  auto needed = makeRoom(id, **prepared, options.loadAnyway, *cancel);
  if (cancel->load()) return conclude(id, cancelled(), 0);
  if (!needed) return conclude(id, std::unexpected(std::move(needed).error()), 0);

  ModelLoader::Hooks hooks;
  hooks.cancelled = [cancel] { return cancel->load(std::memory_order_relaxed); };
  hooks.progress = [this, &id, last = Clock::time_point{}](double fraction) mutable {
    const auto now = Clock::now();
    if (now - last < kProgressInterval) return;
    last = now;
    {
      std::lock_guard lock(m_books->mutex);
      m_books->slots[id].progress = std::clamp(fraction, 0.0, 1.0);
      m_books->announce(id);
    }
    m_books->changed.notify_all();
  };
  const std::uint64_t residents = residentBytes(), before = platform::residentBytes();
  auto loaded = (*prepared)->load(hooks);
  // Where another model went meanwhile, or nothing was planned, the difference means nothing.
  if (loaded && m_options.records && (*prepared)->loadedBytes() > 0 && residents == residentBytes()) {
    const std::uint64_t after = platform::residentBytes();
    if (before > 0 && after > before) m_options.records->add(id, {(*prepared)->loadedBytes(), after - before});
  }
  conclude(id, std::move(loaded), *needed);
}

/// Evicts what is idle, least recently used first, until the model fits, and waits until that memory is free. Nothing is
/// evicted unless it will fit. Returns the bytes it will take.
Result<std::uint64_t> Loading::makeRoom(const std::string& model, ModelLoader::Prepared& prepared, bool anyway, const std::atomic<bool>& cancel) {
  std::unique_lock lock(m_books->mutex);
  std::uint64_t staying = 0, movable = 0;
  for (const auto& [id, slot] : m_books->slots) {
    if (slot.resident) (slot.pinned || slot.resident->busy() ? staying : movable) += slot.resident->bytes;
  }
  for (const auto& resident : m_books->leaving) movable += resident->bytes;
  lock.unlock();
  const std::uint64_t available = m_options.availableBytes();
  const std::uint64_t room = std::min(m_options.memoryBudgetBytes - std::min(staying, m_options.memoryBudgetBytes), available + movable);
  HEARTH_TRY(const std::uint64_t planned, prepared.neededBytes(room));
  const std::uint64_t needed = corrected(planned, m_options.records ? m_options.records->correction(model) : 0);
  const auto tooLarge = [&]() -> std::unexpected<Error> {
    return std::unexpected(Error{ErrorCode::OutOfMemory, "the model does not fit beside those in use", {}}
                               .with("needed_bytes", needed)
                               .with("available_bytes", room)
                               .with("in_use_bytes", staying));
  };
  if (needed > room) {
    // Whoever insists gets what can be freed, and the rest of the risk.
    if (!anyway) return tooLarge();
    lock.lock();
    sendAwayIdle();
    return needed;
  }

  lock.lock();
  const std::uint64_t before = m_books->residentBytes();
  const std::uint64_t toFree = needed > available ? needed - available : 0;
  const auto enough = [&](std::uint64_t now) { return now + needed <= m_options.memoryBudgetBytes && (before <= now ? 0 : before - now) >= toFree; };
  const auto deadline = Clock::now() + kReleasePatience;
  while (!enough(m_books->residentBytes())) {
    if (cancel.load()) return fail(ErrorCode::Cancelled, "loading was cancelled");
    std::uint64_t onItsWay = 0;
    for (const auto& other : m_books->leaving) onItsWay += other->bytes;
    if (!enough(m_books->residentBytes() - onItsWay)) {
      auto oldest = m_books->slots.end();
      for (auto it = m_books->slots.begin(); it != m_books->slots.end(); ++it) {
        if (!it->second.resident || it->second.pinned || it->second.resident->busy()) continue;
        if (oldest == m_books->slots.end() || it->second.resident->lastUsed < oldest->second.resident->lastUsed) oldest = it;
      }
      // Someone has taken hold of what was idle a moment ago.
      if (oldest == m_books->slots.end()) return tooLarge();
      m_books->sendAway(oldest->first, oldest->second);
      m_books->changed.notify_all();
      continue;
    }
    if (m_books->changed.wait_until(lock, std::min(deadline, Clock::now() + std::chrono::milliseconds(100))) == std::cv_status::timeout && Clock::now() >= deadline)
      return tooLarge();
  }
  return needed;
}

void Loading::sendAwayIdle() {
  for (auto& [id, slot] : m_books->slots) {
    if (slot.resident && !slot.pinned && !slot.resident->busy()) m_books->sendAway(id, slot);
  }
  m_books->changed.notify_all();
}

std::uint64_t Loading::residentBytes() const {
  const std::lock_guard lock(m_books->mutex);
  return m_books->residentBytes();
}

void Loading::conclude(const std::string& id, Result<std::unique_ptr<LoadedModel>> loaded, std::uint64_t bytes) {
  std::vector<EnginePool::LoadCallback> waiters;
  std::vector<LoadedModelPtr> leases;
  std::optional<Error> error;
  std::unique_ptr<LoadedModel> unwanted;  // destroyed without the lock
  {
    std::lock_guard lock(m_books->mutex);
    Slot& slot = m_books->slots[id];
    waiters = std::exchange(slot.waiters, {});
    // unload() sets the flag under the lock: from here on it finds the model Ready.
    if (loaded && slot.cancelLoad->load()) {
      unwanted = std::move(*loaded);
      loaded = fail(ErrorCode::Cancelled, "loading was cancelled", {{"model", id}});
    }
    slot.cancelLoad.reset();
    if (loaded) {
      slot.resident = std::make_shared<Resident>();
      slot.resident->id = id;
      slot.resident->model = std::move(*loaded);
      slot.resident->bytes = bytes;
      slot.state = ModelState::Ready;
      slot.progress = 1;
      if (slot.options.keepAlive) slot.keepAlive = slot.options.keepAlive;
      if (slot.options.pinned) slot.pinned = *slot.options.pinned;
      for (std::size_t i = 0; i < waiters.size(); ++i) leases.push_back(m_books->lease(slot.resident));
    } else {
      error = m_books->closing ? Error{ErrorCode::ShuttingDown, "the application is closing", {}} : std::move(loaded).error();
      const bool wanted = error->code != ErrorCode::Cancelled && error->code != ErrorCode::ShuttingDown;
      slot.state = wanted ? ModelState::Failed : ModelState::Unloaded;
      if (wanted) slot.error = error;
      slot.progress = 0;
    }
    m_books->announce(id);
    if (!slot.later.empty()) {
      // Only a cancelled load has these, and then it did not succeed.
      slot.waiters = std::exchange(slot.later, {});
      m_books->enqueue(id, slot);
    }
  }
  m_books->changed.notify_all();
  for (std::size_t i = 0; i < waiters.size(); ++i) {
    if (error) {
      answer(waiters[i], std::unexpected(*error));
    } else {
      answer(waiters[i], std::move(leases[i]));
    }
  }
}

}  // namespace hearth::pool
