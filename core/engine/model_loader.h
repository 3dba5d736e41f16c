#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/engine/engine_pool.h"

namespace hearth {

/// How EnginePool brings one model into memory, in two parts so that room is made between them. Used by the pool's loading
/// thread only; tests put a loader of their own in its place.
class ModelLoader {
 public:
  struct Hooks {
    std::function<void(double fraction)> progress;
    std::function<bool()> cancelled;
  };
  /// A model that was looked at but not loaded: its file is open and its vocabulary read, so that what is broken shows
  /// before anything is evicted for it.
  class Prepared {
   public:
    virtual ~Prepared() = default;
    /// Weights, scratch and KV cache, in bytes, with `availableBytes` of memory to spread out in.
    [[nodiscard]] virtual Result<std::uint64_t> neededBytes(std::uint64_t availableBytes) = 0;
    [[nodiscard]] virtual Result<std::unique_ptr<LoadedModel>> load(const Hooks& hooks) = 0;
    /// Resident right after the load, as planned by neededBytes(); 0 = not known.
    [[nodiscard]] virtual std::uint64_t loadedBytes() const noexcept { return 0; }
  };

  virtual ~ModelLoader() = default;
  /// As planModelMemory, of the file and the draft that the options name.
  [[nodiscard]] virtual Result<ModelMemory> plan(const std::filesystem::path& path, const EngineOptions& options, std::uint64_t availableBytes) const = 0;
  /// Errors: as GgufFile::open, readModelConfig, Tokenizer::fromGguf.
  [[nodiscard]] virtual Result<std::unique_ptr<Prepared>> prepare(const std::string& id, const std::filesystem::path& path, const EngineOptions& options) = 0;
};

/// GGUF files, computed on `pool`.
[[nodiscard]] std::unique_ptr<ModelLoader> makeGgufLoader(std::shared_ptr<ThreadPool> pool);

/// The pool with a loader of the caller's choice. EnginePool::create uses makeGgufLoader.
[[nodiscard]] std::unique_ptr<EnginePool> makeEnginePool(const EnginePoolOptions& options, std::shared_ptr<ThreadPool> threads, std::unique_ptr<ModelLoader> loader);

}  // namespace hearth
