#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/engine_pool.h"

namespace hearth::pool {

using Clock = std::chrono::steady_clock;

/// A model in memory, loaded or on its way out.
struct Resident {
  std::string id;
  std::unique_ptr<LoadedModel> model;
  std::uint64_t bytes = 0;
  int holders = 0;
  Clock::time_point lastUsed = Clock::now();

  [[nodiscard]] bool busy() const;  ///< held by a consumer, or its engine has requests
};

/// What the pool knows of one id.
struct Slot {
  std::filesystem::path path;
  EngineOptions options;
  ModelState state = ModelState::Unloaded;
  double progress = 0;
  std::optional<Error> error;
  bool pinned = false;
  std::optional<std::chrono::milliseconds> keepAlive;  // none = the pool's
  std::shared_ptr<Resident> resident;  // Ready
  std::shared_ptr<std::atomic<bool>> cancelLoad;  // Loading
  std::vector<EnginePool::LoadCallback> waiters;  // Loading
  std::vector<EnginePool::LoadCallback> later;    // came after the load was cancelled: they want another one
};

/// The books of a pool, shared by its threads and by the leases that consumers hold: they may outlive the pool. Everything,
/// the functions too, under `mutex`; who changes something that a thread waits for notifies `changed` after unlocking.
struct Books : std::enable_shared_from_this<Books> {
  explicit Books(std::chrono::milliseconds idleLimit) : keepAlive(idleLimit) {}

  [[nodiscard]] LoadedModelPtr lease(const std::shared_ptr<Resident>& resident);
  [[nodiscard]] ModelStatus statusOf(const std::string& id, const Slot& slot) const;
  [[nodiscard]] std::uint64_t residentBytes() const;  ///< of models in memory, those on their way out too
  [[nodiscard]] EngineStats totals() const;
  void enqueue(const std::string& id, Slot& slot);   ///< → Loading
  void sendAway(const std::string& id, Slot& slot);  ///< Ready → Unloading: the keeper takes it down once nobody holds it
  void announce(const std::string& id);              ///< its status is news for the listeners
  [[nodiscard]] std::chrono::milliseconds keepAliveOf(const Slot& slot) const noexcept { return slot.keepAlive.value_or(keepAlive); }
  void retire(EngineStats last);                     ///< of a model that goes: its counters stay in the totals
  /// Sends away what was idle for long enough; returns when to look again.
  [[nodiscard]] Clock::time_point expire();

  const std::chrono::milliseconds keepAlive;  ///< negative = for ever
  std::mutex mutex;
  std::condition_variable changed;  // for the loading thread and the keeper
  std::map<std::string, Slot> slots;
  std::vector<std::shared_ptr<Resident>> leaving;
  std::vector<std::string> loadQueue;
  std::vector<ModelStatus> news;
  EngineStats retired;  // counters of models that are gone
  bool closing = false;
};

}  // namespace hearth::pool
