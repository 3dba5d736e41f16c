#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/engine/model_loader.h"
#include "core/engine/pool_books.h"

namespace hearth::pool {

/// What a pool's loading thread does: takes ids from the queue, makes room, loads, and answers whoever waits. Owns the loader.
class Loading {
 public:
  /// `options` has its defaults filled in.
  Loading(std::shared_ptr<Books> books, const EnginePoolOptions& options, std::unique_ptr<ModelLoader> loader)
      : m_books(std::move(books)), m_options(options), m_loader(std::move(loader)) {}

  [[nodiscard]] Result<MemoryPlan> plan(const std::string& id, const std::filesystem::path& path, const EngineOptions& options) const;  ///< any thread
  void run();  ///< on the loading thread, until the books close; every waiter has its answer then

 private:
  void loadOne(const std::string& id);
  [[nodiscard]] Result<std::uint64_t> makeRoom(const std::string& model, ModelLoader::Prepared& prepared, bool anyway, const std::atomic<bool>& cancel);
  void sendAwayIdle();  // under the books' lock
  [[nodiscard]] std::uint64_t residentBytes() const;
  void conclude(const std::string& id, Result<std::unique_ptr<LoadedModel>> loaded, std::uint64_t bytes);

  const std::shared_ptr<Books> m_books;
  const EnginePoolOptions m_options;
  const std::unique_ptr<ModelLoader> m_loader;
};

/// Tells a waiter; what it throws is logged.
void answer(const EnginePool::LoadCallback& done, Result<LoadedModelPtr> result) noexcept;

}  // namespace hearth::pool
