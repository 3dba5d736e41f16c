#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "core/base/log.h"
#include "core/base/platform/platform.h"
#include "core/engine/model_loader.h"

namespace hearth {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kProgressInterval{50};
/// How long a load waits for the memory of models whose last holder has not let go yet.
constexpr std::chrono::seconds kReleasePatience{30};

/// A model in memory, loaded or on its way out.
struct Resident {
  std::string id;
  std::unique_ptr<LoadedModel> model;
  std::uint64_t bytes = 0;
  int holders = 0;
  Clock::time_point lastUsed = Clock::now();
};

/// What the pool knows of one id.
struct Slot {
  std::filesystem::path path;
  EngineOptions options;
  ModelState state = ModelState::Unloaded;
  double progress = 0;
  std::optional<Error> error;
  bool pinned = false;
  std::shared_ptr<Resident> resident;  // Ready
  std::shared_ptr<std::atomic<bool>> cancelLoad;  // Loading
  std::vector<EnginePool::LoadCallback> waiters;  // Loading
  std::vector<EnginePool::LoadCallback> later;    // came after the load was cancelled: they want another one
};

void add(EngineStats& sum, const EngineStats& stats) {
  sum.running += stats.running;
  sum.waiting += stats.waiting;
  sum.kvPagesUsed += stats.kvPagesUsed;
  sum.kvPagesTotal += stats.kvPagesTotal;
  sum.promptTokens += stats.promptTokens;
  sum.generatedTokens += stats.generatedTokens;
  sum.cachedPromptTokens += stats.cachedPromptTokens;
  sum.draftedTokens += stats.draftedTokens;
  sum.acceptedTokens += stats.acceptedTokens;
  sum.requests += stats.requests;
  sum.cancelled += stats.cancelled;
  sum.failed += stats.failed;
  sum.preemptions += stats.preemptions;
  sum.steps += stats.steps;
  sum.decodeTokensPerSecond += stats.decodeTokensPerSecond;
  sum.prefillTokensPerSecond += stats.prefillTokensPerSecond;
}

/// The books, shared with the leases that consumers hold: they may outlive the pool. All members under `mutex`.
struct Books {
  std::mutex mutex;
  std::condition_variable changed;  // for the loading thread and the keeper
  std::map<std::string, Slot> slots;
  std::vector<std::shared_ptr<Resident>> leaving;
  std::vector<std::string> loadQueue;
  std::vector<ModelStatus> news;
  EngineStats retired;  // counters of models that are gone
  bool closing = false;
};

/// One consumer's hold on a model.
class Lease {
 public:
  /// Under the books' lock.
  Lease(std::shared_ptr<Books> books, std::shared_ptr<Resident> resident) : m_books(std::move(books)), m_resident(std::move(resident)) {
    ++m_resident->holders;
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    {
      std::lock_guard lock(m_books->mutex);
      --m_resident->holders;
      m_resident->lastUsed = Clock::now();
    }
    m_books->changed.notify_all();
  }

 private:
  std::shared_ptr<Books> m_books;
  std::shared_ptr<Resident> m_resident;
};

/// EnginePool with two threads of its own: one loads, one (the keeper) takes down what is idle or unloaded and tells the
/// listeners. Models are destroyed by the keeper, so that no consumer ever waits for an engine to wind down.
class Pool final : public EnginePool {
 public:
  Pool(const EnginePoolOptions& options, std::shared_ptr<ThreadPool> threads, std::unique_ptr<ModelLoader> loader)
      : m_options(options), m_threads(std::move(threads)), m_loader(std::move(loader)), m_books(std::make_shared<Books>()) {
    if (m_options.memoryBudgetBytes == 0) m_options.memoryBudgetBytes = platform::memoryInfo().totalBytes / 5 * 4;
    if (!m_options.availableBytes) m_options.availableBytes = [] { return platform::memoryInfo().availableBytes; };
    m_keeper = std::thread([this] { keep(); });
    m_loading = std::thread([this] { loadLoop(); });
  }

  ~Pool() override {
    {
      std::lock_guard lock(m_books->mutex);
      m_books->closing = true;
      for (auto& [id, slot] : m_books->slots) {
        if (slot.cancelLoad) slot.cancelLoad->store(true);
      }
    }
    m_books->changed.notify_all();
    m_loading.join();
    m_keeper.join();
    std::vector<std::shared_ptr<Resident>> residents;
    {
      std::lock_guard lock(m_books->mutex);
      for (auto& [id, slot] : m_books->slots) {
        if (slot.resident) residents.push_back(std::move(slot.resident));
      }
      for (auto& resident : m_books->leaving) residents.push_back(std::move(resident));
      m_books->slots.clear();
      m_books->leaving.clear();
    }
    // What consumers still hold lives on with their leases.
    residents.clear();
  }

  void acquire(const std::string& id, const std::filesystem::path& path, const EngineOptions& options, LoadCallback done) override {
    LoadedModelPtr ready;
    {
      std::lock_guard lock(m_books->mutex);
      Slot& slot = m_books->slots[id];
      if (slot.state == ModelState::Ready) {
        ready = lease(slot.resident);
      } else {
        if (slot.state == ModelState::Loading && !slot.cancelLoad->load()) {
          slot.waiters.push_back(std::move(done));
          return;
        }
        slot.path = path;
        const auto draft = std::exchange(slot.options, options).draft;
        if (slot.options.draft.empty()) slot.options.draft = draft;
        if (!slot.options.speculation) slot.options.speculation = m_options.speculation;
        if (!slot.options.kvType) slot.options.kvType = m_options.kvType;
        if (slot.state == ModelState::Loading) {
          slot.later.push_back(std::move(done));
          return;
        }
        slot.waiters.push_back(std::move(done));
        enqueue(id, slot);
      }
    }
    if (ready) return call(done, std::move(ready));
    m_books->changed.notify_all();
  }

  Result<LoadedModelPtr> load(const std::string& id, const std::filesystem::path& path, const EngineOptions& options) override {
    auto promise = std::make_shared<std::promise<Result<LoadedModelPtr>>>();
    auto future = promise->get_future();
    acquire(id, path, options, [promise](Result<LoadedModelPtr> result) { promise->set_value(std::move(result)); });
    return future.get();
  }

  LoadedModelPtr find(const std::string& id) const override {
    std::lock_guard lock(m_books->mutex);
    const auto it = m_books->slots.find(id);
    return it == m_books->slots.end() || it->second.state != ModelState::Ready ? nullptr : lease(it->second.resident);
  }

  Result<void> unload(const std::string& id) override {
    {
      std::lock_guard lock(m_books->mutex);
      const auto it = m_books->slots.find(id);
      if (it != m_books->slots.end() && it->second.state == ModelState::Loading) {
        it->second.cancelLoad->store(true);
      } else if (it != m_books->slots.end() && it->second.state == ModelState::Ready) {
        sendAway(it->first, it->second);
      } else {
        return fail(ErrorCode::ModelNotLoaded, "the model is not loaded", {{"model", id}});
      }
    }
    m_books->changed.notify_all();
    return {};
  }

  void pin(const std::string& id, bool pinned) override {
    {
      std::lock_guard lock(m_books->mutex);
      Slot& slot = m_books->slots[id];
      if (slot.pinned == pinned) return;
      slot.pinned = pinned;
      if (slot.resident) slot.resident->lastUsed = Clock::now();
      announce(id);
    }
    m_books->changed.notify_all();
  }

  std::vector<ModelStatus> statuses() const override {
    std::lock_guard lock(m_books->mutex);
    std::vector<ModelStatus> result;
    for (const auto& [id, slot] : m_books->slots) result.push_back(statusOf(id, slot));
    return result;
  }

  EngineStats totals() const override {
    std::lock_guard lock(m_books->mutex);
    EngineStats sum = m_books->retired;
    for (const auto& [id, slot] : m_books->slots) {
      if (slot.resident) add(sum, slot.resident->model->engine->stats());
    }
    for (const auto& resident : m_books->leaving) {
      if (resident->model) add(sum, resident->model->engine->stats());
    }
    return sum;
  }

  int threads() const noexcept override { return m_threads->threadCount(); }

  int addListener(Listener listener) override {
    std::lock_guard lock(m_listenerMutex);
    m_listeners.emplace(++m_lastListener, std::move(listener));
    return m_lastListener;
  }
  void removeListener(int id) override {
    std::lock_guard lock(m_listenerMutex);
    m_listeners.erase(id);
  }

 private:
  // Everything named "…Locked" or taking a Slot is called under the books' lock.

  LoadedModelPtr lease(const std::shared_ptr<Resident>& resident) const {
    return LoadedModelPtr(std::make_shared<Lease>(m_books, resident), resident->model.get());
  }

  static void call(const LoadCallback& done, Result<LoadedModelPtr> result) noexcept {
    try {
      if (done) done(std::move(result));
    } catch (const std::exception& problem) {
      log::error("engine", std::string("a load callback threw: ") + problem.what());
    } catch (...) {
      log::error("engine", "a load callback threw");
    }
  }

  static bool busy(const Resident& resident) {
    const auto stats = resident.model->engine->stats();
    return resident.holders > 0 || stats.running + stats.waiting > 0;
  }

  ModelStatus statusOf(const std::string& id, const Slot& slot) const {
    ModelStatus status;
    status.id = id;
    status.state = slot.state;
    status.progress = slot.progress;
    status.error = slot.error;
    status.pinned = slot.pinned;
    const Resident* resident = slot.resident.get();
    if (slot.state == ModelState::Unloaded || slot.state == ModelState::Failed) {
      for (const auto& other : m_books->leaving) {
        if (other->id == id && other->model) {
          resident = other.get();
          status.state = ModelState::Unloading;
        }
      }
    }
    if (resident != nullptr && resident->model) {
      status.weightBytes = resident->model->engine->weightBytes();
      status.kvBytes = resident->model->engine->kvBytes();
    }
    if (slot.state == ModelState::Ready && m_options.keepAlive.count() >= 0 && !slot.pinned && !busy(*slot.resident)) {
      const auto left = slot.resident->lastUsed + m_options.keepAlive - Clock::now();
      status.unloadsInSeconds = std::max(0.0, std::chrono::duration<double>(left).count());
    }
    return status;
  }

  void enqueue(const std::string& id, Slot& slot) {
    slot.state = ModelState::Loading;
    slot.progress = 0;
    slot.error.reset();
    slot.cancelLoad = std::make_shared<std::atomic<bool>>(m_books->closing);
    m_books->loadQueue.push_back(id);
    announce(id);
  }

  void announce(const std::string& id) { m_books->news.push_back(statusOf(id, m_books->slots[id])); }

  /// Ready → Unloading: the keeper takes it down once nobody holds it.
  void sendAway(const std::string& id, Slot& slot) {
    m_books->leaving.push_back(std::move(slot.resident));
    slot.resident.reset();
    slot.state = ModelState::Unloaded;
    slot.progress = 0;
    announce(id);
  }

  // ---- the loading thread ----

  void loadLoop() {
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

  void loadOne(const std::string& id) {
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
    auto needed = makeRoom(**prepared, *cancel);
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
        announce(id);
      }
      m_books->changed.notify_all();
    };
    auto loaded = (*prepared)->load(hooks);
    conclude(id, std::move(loaded), *needed);
  }

  /// Evicts what is idle, least recently used first, until the model fits, and waits until that memory is free. Nothing is
  /// evicted unless it will fit. Returns the bytes it will take.
  Result<std::uint64_t> makeRoom(ModelLoader::Prepared& prepared, const std::atomic<bool>& cancel) {
    std::unique_lock lock(m_books->mutex);
    std::uint64_t staying = 0, movable = 0;
    for (const auto& [id, slot] : m_books->slots) {
      if (slot.resident) (slot.pinned || busy(*slot.resident) ? staying : movable) += slot.resident->bytes;
    }
    for (const auto& resident : m_books->leaving) movable += resident->bytes;
    lock.unlock();
    const std::uint64_t available = m_options.availableBytes();
    const std::uint64_t room = std::min(m_options.memoryBudgetBytes - std::min(staying, m_options.memoryBudgetBytes), available + movable);
    HEARTH_TRY(const std::uint64_t needed, prepared.neededBytes(room));
    const auto tooLarge = [&]() -> std::unexpected<Error> {
      return std::unexpected(Error{ErrorCode::OutOfMemory, "the model does not fit beside those in use", {}}
                                 .with("needed_bytes", needed)
                                 .with("available_bytes", room)
                                 .with("in_use_bytes", staying));
    };
    if (needed > room) return tooLarge();

    const auto resident = [&] {
      std::uint64_t sum = 0;
      for (const auto& [id, slot] : m_books->slots) sum += slot.resident ? slot.resident->bytes : 0;
      for (const auto& other : m_books->leaving) sum += other->bytes;
      return sum;
    };
    lock.lock();
    const std::uint64_t before = resident();
    const std::uint64_t toFree = needed > available ? needed - available : 0;
    const auto enough = [&](std::uint64_t now) { return now + needed <= m_options.memoryBudgetBytes && (before <= now ? 0 : before - now) >= toFree; };
    const auto deadline = Clock::now() + kReleasePatience;
    while (!enough(resident())) {
      if (cancel.load()) return fail(ErrorCode::Cancelled, "loading was cancelled");
      std::uint64_t onItsWay = 0;
      for (const auto& other : m_books->leaving) onItsWay += other->bytes;
      if (!enough(resident() - onItsWay)) {
        auto oldest = m_books->slots.end();
        for (auto it = m_books->slots.begin(); it != m_books->slots.end(); ++it) {
          if (!it->second.resident || it->second.pinned || busy(*it->second.resident)) continue;
          if (oldest == m_books->slots.end() || it->second.resident->lastUsed < oldest->second.resident->lastUsed) oldest = it;
        }
        // Someone has taken hold of what was idle a moment ago.
        if (oldest == m_books->slots.end()) return tooLarge();
        sendAway(oldest->first, oldest->second);
        m_books->changed.notify_all();
        continue;
      }
      if (m_books->changed.wait_until(lock, std::min(deadline, Clock::now() + std::chrono::milliseconds(100))) == std::cv_status::timeout && Clock::now() >= deadline)
        return tooLarge();
    }
    return needed;
  }

  void conclude(const std::string& id, Result<std::unique_ptr<LoadedModel>> loaded, std::uint64_t bytes) {
    std::vector<LoadCallback> waiters;
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
        for (std::size_t i = 0; i < waiters.size(); ++i) leases.push_back(lease(slot.resident));
      } else {
        error = m_books->closing ? Error{ErrorCode::ShuttingDown, "the application is closing", {}} : std::move(loaded).error();
        const bool wanted = error->code != ErrorCode::Cancelled && error->code != ErrorCode::ShuttingDown;
        slot.state = wanted ? ModelState::Failed : ModelState::Unloaded;
        if (wanted) slot.error = error;
        slot.progress = 0;
      }
      announce(id);
      if (!slot.later.empty()) {
        // Only a cancelled load has these, and then it did not succeed.
        slot.waiters = std::exchange(slot.later, {});
        enqueue(id, slot);
      }
    }
    m_books->changed.notify_all();
    for (std::size_t i = 0; i < waiters.size(); ++i) {
      if (error) {
        call(waiters[i], std::unexpected(*error));
      } else {
        call(waiters[i], std::move(leases[i]));
      }
    }
  }

  // ---- the keeper ----

  void keep() {
    platform::nameThisThread("hearth-keeper");
    std::unique_lock lock(m_books->mutex);
    for (;;) {
      takeDown(lock);
      tell(lock);
      const bool more = !m_books->news.empty() || std::any_of(m_books->leaving.begin(), m_books->leaving.end(), [](const auto& r) { return r->holders == 0; });
      if (more) continue;
      if (m_books->closing) return;
      const auto next = expire();
      if (!m_books->news.empty()) continue;
      if (next == Clock::time_point::max()) {
        m_books->changed.wait(lock);
      } else {
        m_books->changed.wait_until(lock, next);
      }
    }
  }

  /// Destroys what was unloaded and is not held any more, outside the lock: an engine takes up to a step to wind down.
  void takeDown(std::unique_lock<std::mutex>& lock) {
    for (;;) {
      const auto it = std::find_if(m_books->leaving.begin(), m_books->leaving.end(), [](const auto& r) { return r->holders == 0 && r->model; });
      if (it == m_books->leaving.end()) return;
      const auto resident = *it;
      auto model = std::move(resident->model);
      EngineStats last = model->engine->stats();
      last.running = last.waiting = last.kvPagesUsed = last.kvPagesTotal = 0;
      last.decodeTokensPerSecond = last.prefillTokensPerSecond = 0;
      add(m_books->retired, last);
      lock.unlock();
      model.reset();
      lock.lock();
      std::erase(m_books->leaving, resident);
      announce(resident->id);
      m_books->changed.notify_all();
    }
  }

  void tell(std::unique_lock<std::mutex>& lock) {
    while (!m_books->news.empty()) {
      const auto news = std::exchange(m_books->news, {});
      lock.unlock();
      {
        std::lock_guard listening(m_listenerMutex);
        for (const auto& status : news) {
          std::vector<int> ids;
          for (const auto& [id, listener] : m_listeners) ids.push_back(id);
          for (const int id : ids) {
            // A listener may remove itself or another: look each one up, and call a copy.
            const auto it = m_listeners.find(id);
            if (it == m_listeners.end()) continue;
            const Listener listener = it->second;
            try {
              listener(status);
            } catch (const std::exception& problem) {
              log::error("engine", std::string("a pool listener threw: ") + problem.what());
            }
          }
        }
      }
      lock.lock();
    }
  }

  /// Unloads what was idle for long enough; returns when to look again.
  Clock::time_point expire() {
    auto next = Clock::time_point::max();
    if (m_options.keepAlive.count() < 0) return next;
    const auto now = Clock::now();
    for (auto& [id, slot] : m_books->slots) {
      if (!slot.resident || slot.pinned) continue;
      // A held model announces its release; requests without a holder do not, so those are looked at again.
      if (slot.resident->holders > 0) continue;
      if (busy(*slot.resident)) slot.resident->lastUsed = now;
      const auto end = slot.resident->lastUsed + m_options.keepAlive;
      if (end <= now && !busy(*slot.resident)) {
        sendAway(id, slot);
      } else {
        next = std::min(next, std::max(end, now + std::chrono::milliseconds(1)));
      }
    }
    return next;
  }

  EnginePoolOptions m_options;
  std::shared_ptr<ThreadPool> m_threads;
  std::unique_ptr<ModelLoader> m_loader;
  std::shared_ptr<Books> m_books;
  std::recursive_mutex m_listenerMutex;
  std::map<int, Listener> m_listeners;  // under m_listenerMutex, which is held while they are called
  int m_lastListener = 0;
  std::thread m_keeper, m_loading;
};

}  // namespace

std::unique_ptr<EnginePool> makeEnginePool(const EnginePoolOptions& options, std::shared_ptr<ThreadPool> threads, std::unique_ptr<ModelLoader> loader) {
  return std::make_unique<Pool>(options, std::move(threads), std::move(loader));
}

}  // namespace hearth
