#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/memory_plan.h"

namespace hearth {

/// Everything a consumer needs of a loaded model. Reference-counted: an unload waits for the last holder, and a model that
/// is held is not evicted and does not count down: hold it while a request runs, not for ever.
struct LoadedModel {
  std::string id;                ///< the library's name of the model
  std::filesystem::path path;
  std::shared_ptr<const GgufFile> file;
  std::shared_ptr<Engine> engine;
  std::string templateSource;    ///< tokenizer.chat_template or a default; empty = the model has none
  std::shared_ptr<const ChatTemplate> chatTemplate;  ///< null when there is none or it failed to parse
  std::string templateProblem;   ///< why it failed
};
using LoadedModelPtr = std::shared_ptr<const LoadedModel>;

enum class ModelState : std::uint8_t { Unloaded, Loading, Ready, Failed, Unloading };

struct ModelStatus {
  std::string id;
  ModelState state = ModelState::Unloaded;
  double progress = 0;             ///< of a load, 0…1
  std::optional<Error> error;      ///< of the last failed load
  std::uint64_t weightBytes = 0, kvBytes = 0;
  bool pinned = false;
  double unloadsInSeconds = -1;    ///< −1 = not counting down
};

struct EnginePoolOptions {
  int threads = 0;                      ///< compute threads, shared by all engines; 0 = automatic (ThreadPoolOptions)
  std::uint64_t memoryBudgetBytes = 0;  ///< of all models together; 0 = 80% of the machine's memory
  Speculation speculation = Speculation::Lookup;  ///< of engines whose options leave it open
  std::chrono::milliseconds keepAlive{-1};  ///< unload a model idle for so long; negative = never
  std::optional<kernels::KvType> kvType;    ///< of the KV caches of models whose EngineOptions name none
  std::function<std::uint64_t()> availableBytes;  ///< free memory of the machine; empty = ask the system (tests fake it)
  std::shared_ptr<MemoryRecords> records;   ///< corrects what loads are expected to take; may be null
  bool leaveOneCore = false;  ///< an automatic number of threads leaves a core of many to a window
};

/// The models in memory: load on demand, keep-alive, pin, evict least recently used to fit the budget. Loads run on a
/// thread of the pool's own, are shared by all waiters, and survive a waiter's disconnect. Any thread.
class EnginePool {
 public:
  using LoadCallback = std::function<void(Result<LoadedModelPtr>)>;
  using Listener = std::function<void(const ModelStatus&)>;

  [[nodiscard]] static std::unique_ptr<EnginePool> create(const EnginePoolOptions& options);
  virtual ~EnginePool() = default;

  /// Calls back at once when loaded (whatever path and options it was loaded with), else after the load, on the loading
  /// thread. Never blocks. Errors: as GgufFile::open, loadModel, Engine::create; OutOfMemory (needed_bytes, available_bytes) before
  /// anything is evicted; Cancelled (unload came first); ShuttingDown.
  virtual void acquire(const std::string& id, const std::filesystem::path& path, const EngineOptions& options, LoadCallback done) = 0;
  /// The same, waiting. Not from the UI thread.
  [[nodiscard]] virtual Result<LoadedModelPtr> load(const std::string& id, const std::filesystem::path& path, const EngineOptions& options) = 0;
  [[nodiscard]] virtual LoadedModelPtr find(const std::string& id) const = 0;  ///< null unless Ready
  /// What loading this would take now, what would be unloaded for it, and whether it fits. A loaded model of the same id
  /// counts as unloaded. Reads the file's header: not on the UI thread. Errors: as GgufFile::open, planModelMemory.
  [[nodiscard]] virtual Result<MemoryPlan> plan(const std::string& id, const std::filesystem::path& path, const EngineOptions& options) const;
  /// New requests are refused from here on; memory goes when the last holder lets go. Cancels a load in progress.
  /// Error: ModelNotLoaded.
  virtual Result<void> unload(const std::string& id) = 0;
  virtual void pin(const std::string& id, bool pinned) = 0;
  /// How long this model stays after its last request, in place of the pool's own time: negative = for ever (but it may be
  /// evicted), 0 = unloaded as soon as it is idle. Holds until the model is unloaded.
  virtual void keepFor(const std::string& id, std::chrono::milliseconds time) = 0;
  [[nodiscard]] virtual std::vector<ModelStatus> statuses() const = 0;
  [[nodiscard]] virtual EngineStats totals() const = 0;
  [[nodiscard]] virtual int threads() const noexcept = 0;
  /// `listener` is called on a thread of the pool's on each change (progress at most 20 times a second). Returns an id to
  /// remove it with; once removeListener has returned, it is not called any more.
  virtual int addListener(Listener listener) = 0;
  virtual void removeListener(int id) = 0;
};

}  // namespace hearth
