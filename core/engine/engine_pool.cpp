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
#include "core/engine/pool_loading.h"

namespace hearth {
namespace {

using pool::Books;
using pool::Clock;
using pool::Resident;
using pool::Slot;

/// EnginePool with two threads of its own: one loads, one (the keeper) takes down what is idle or unloaded and tells the
/// listeners. Models are destroyed by the keeper, so that no consumer ever waits for an engine to wind down.
class Pool final : public EnginePool {
 public:
  Pool(const EnginePoolOptions& options, std::shared_ptr<ThreadPool> threads, std::unique_ptr<ModelLoader> loader)
      : m_options(completed(options)),
        m_threads(std::move(threads)),
        m_books(std::make_shared<Books>(options.keepAlive)),
        m_loading(m_books, m_options, std::move(loader)) {
    m_keeper = std::thread([this] { keep(); });
    m_loader = std::thread([this] { m_loading.run(); });
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
    m_loader.join();
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
        ready = m_books->lease(slot.resident);
      } else {
        if (slot.state == ModelState::Loading && !slot.cancelLoad->load()) {
          slot.waiters.push_back(std::move(done));
          return;
        }
        slot.path = path;
        const auto draft = std::exchange(slot.options, options).draft;
        // Who says how to speculate says it all.
        if (slot.options.draft.empty() && !slot.options.speculation) slot.options.draft = draft;
        if (!slot.options.speculation) slot.options.speculation = m_options.speculation;
        if (!slot.options.kvType) slot.options.kvType = m_options.kvType;
        if (slot.state == ModelState::Loading) {
          slot.later.push_back(std::move(done));
          return;
        }
        slot.waiters.push_back(std::move(done));
        m_books->enqueue(id, slot);
      }
    }
    if (ready) return pool::answer(done, std::move(ready));
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
    return it == m_books->slots.end() || it->second.state != ModelState::Ready ? nullptr : m_books->lease(it->second.resident);
  }

  Result<MemoryPlan> plan(const std::string& id, const std::filesystem::path& path, const EngineOptions& options) const override {
    EngineOptions wanted = options;
    if (!wanted.kvType) wanted.kvType = m_options.kvType;
    return m_loading.plan(id, path, wanted);
  }

  Result<void> unload(const std::string& id) override {
    {
      std::lock_guard lock(m_books->mutex);
      const auto it = m_books->slots.find(id);
      if (it != m_books->slots.end() && it->second.state == ModelState::Loading) {
        it->second.cancelLoad->store(true);
      } else if (it != m_books->slots.end() && it->second.state == ModelState::Ready) {
        m_books->sendAway(it->first, it->second);
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
      m_books->announce(id);
    }
    m_books->changed.notify_all();
  }

  void keepFor(const std::string& id, std::chrono::milliseconds time) override {
    {
      std::lock_guard lock(m_books->mutex);
      auto& slot = m_books->slots[id];
      slot.keepAlive = time;
      if (slot.resident) slot.resident->lastUsed = pool::Clock::now();
      m_books->announce(id);
    }
    m_books->changed.notify_all();
  }

  std::vector<ModelStatus> statuses() const override {
    std::lock_guard lock(m_books->mutex);
    std::vector<ModelStatus> result;
    for (const auto& [id, slot] : m_books->slots) result.push_back(m_books->statusOf(id, slot));
    return result;
  }

  EngineStats totals() const override {
    std::lock_guard lock(m_books->mutex);
    return m_books->totals();
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
      const auto next = m_books->expire();
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
      m_books->retire(model->engine->stats());
      lock.unlock();
      model.reset();
      lock.lock();
      std::erase(m_books->leaving, resident);
      m_books->announce(resident->id);
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

  static EnginePoolOptions completed(EnginePoolOptions options) {
    if (options.memoryBudgetBytes == 0) options.memoryBudgetBytes = platform::memoryInfo().totalBytes / 5 * 4;
    if (!options.availableBytes) options.availableBytes = [] { return platform::memoryInfo().availableBytes; };
    return options;
  }

  const EnginePoolOptions m_options;
  const std::shared_ptr<ThreadPool> m_threads;
  const std::shared_ptr<Books> m_books;
  pool::Loading m_loading;  // the loading thread's
  std::recursive_mutex m_listenerMutex;
  std::map<int, Listener> m_listeners;  // under m_listenerMutex, which is held while they are called
  int m_lastListener = 0;
  std::thread m_keeper, m_loader;
};

}  // namespace

Result<MemoryPlan> EnginePool::plan(const std::string& id, const std::filesystem::path&, const EngineOptions&) const {
  return fail(ErrorCode::NotFound, "this pool makes no memory plans", {{"model", id}});
}

std::unique_ptr<EnginePool> makeEnginePool(const EnginePoolOptions& options, std::shared_ptr<ThreadPool> threads, std::unique_ptr<ModelLoader> loader) {
  return std::make_unique<Pool>(options, std::move(threads), std::move(loader));
}

}  // namespace hearth
