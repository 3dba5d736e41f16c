#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/thread_pool.h"
#include "core/compute/batch.h"
#include "core/formats/gguf.h"
#include "kernels/cpu/kernel_table.h"

namespace hearth {

/// Hyperparameters that every family shares (GGUF `<arch>.*`), plus what the engine needs to know.
struct ModelConfig {
  std::string architecture;  ///< "llama", "qwen2", "gemma3"
  std::string name;          ///< general.name, or the file's stem
  std::string quantisation;  ///< "Q4_K_M", from general.file_type, else the most frequent tensor format
  std::int64_t parameters = 0;
  int layers = 0;
  int embedding = 0;
  int heads = 0;
  int kvHeads = 0;
  int headDim = 0;
  int feedForward = 0;
  int vocabulary = 0;
  int trainedContext = 0;
};

/// How the KV cache of a model is shaped.
struct KvShape {
  int layers = 0;
  int kvHeads = 0;
  int headDim = 0;
  kernels::KvType type = kernels::KvType::F16;
  [[nodiscard]] std::uint64_t bytesPerToken() const noexcept {
    return 2ULL * static_cast<unsigned>(layers) * static_cast<unsigned>(kvHeads) * static_cast<unsigned>(headDim) *
           (type == kernels::KvType::F16 ? 2U : 4U);
  }
};

/// The memory of all KV pages of one engine. Owned by the engine, written by Model::forward through block tables.
/// A page holds `pageTokens` positions of every layer: [layer][K|V][kvHead][pageTokens][headDim].
class KvStorage {
 public:
  /// Reserves address space for all pages; memory is touched as pages are first written. Error: OutOfMemory with needed_bytes.
  [[nodiscard]] static Result<std::unique_ptr<KvStorage>> create(const KvShape& shape, int pageTokens, int pageCount);
  ~KvStorage();
  KvStorage(const KvStorage&) = delete;
  KvStorage& operator=(const KvStorage&) = delete;

  [[nodiscard]] const KvShape& shape() const noexcept { return m_shape; }
  [[nodiscard]] int pageTokens() const noexcept { return m_pageTokens; }
  [[nodiscard]] int pageCount() const noexcept { return m_pageCount; }
  [[nodiscard]] std::byte* keys(PageId page, int layer, int kvHead) const noexcept;    ///< [pageTokens][headDim]
  [[nodiscard]] std::byte* values(PageId page, int layer, int kvHead) const noexcept;  ///< [pageTokens][headDim]
  /// Copies a whole page (copy-on-write).
  void copyPage(PageId from, PageId to) noexcept;
  [[nodiscard]] std::uint64_t pageBytes() const noexcept { return m_pageBytes; }

 private:
  KvStorage() = default;
  KvShape m_shape;
  int m_pageTokens = 0;
  int m_pageCount = 0;
  std::uint64_t m_pageBytes = 0;
  std::byte* m_data = nullptr;
  std::uint64_t m_bytes = 0;
};

/// A model in memory. forward() is called by one thread at a time (the engine thread); the rest is immutable.
class Model {
 public:
  virtual ~Model() = default;
  [[nodiscard]] virtual const ModelConfig& config() const noexcept = 0;
  [[nodiscard]] virtual KvShape kvShape() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t weightBytes() const noexcept = 0;
  /// Runs one step: writes K and V of all tokens into the pages, and logits[i][vocabulary] for each of batch.logitRows.
  /// A sequence's logits do not depend on its neighbours in the batch nor on how its prompt was cut into steps.
  /// Errors: InvalidArgument (a token out of the vocabulary, a block table too short), Corrupt (weights gave NaN), OutOfMemory (scratch).
  [[nodiscard]] virtual Result<void> forward(const Batch& batch, KvStorage& kv, std::span<float> logits) = 0;
  /// Most tokens that forward() takes in one step.
  [[nodiscard]] virtual int maxBatchTokens() const noexcept = 0;
};

struct ModelLoadOptions {
  std::function<void(double fraction)> progress;  ///< 0…1, called from the loading thread; may be empty
  std::function<bool()> cancelled;                ///< polled while loading; may be empty
  bool exact = false;  ///< dequantise all weights to F32 and compute in F32: the reference for tests
  int maxBatchTokens = 512;
  std::uint64_t memoryBudgetBytes = 0;  ///< refuse with OutOfMemory when the plan is larger; 0 = what the machine has available
};

/// Reads the config only: cheap, for lists and details. Errors: UnsupportedArchitecture (evidence: architecture), Corrupt.
[[nodiscard]] Result<ModelConfig> readModelConfig(const GgufFile& file);
/// What loading would take: packed weights + scratch, in bytes, without the KV cache.
[[nodiscard]] Result<std::uint64_t> estimateModelBytes(const GgufFile& file, const ModelLoadOptions& options);
/// Loads weights, packing them in parallel on `pool`, which forward() uses later too: file and pool outlive the model
/// (shared). Errors: UnsupportedArchitecture, UnsupportedFormat, Corrupt (a tensor missing or of the wrong shape: evidence names it),
/// OutOfMemory (before allocating, with needed_bytes and available_bytes), Cancelled.
[[nodiscard]] Result<std::unique_ptr<Model>> loadModel(std::shared_ptr<const GgufFile> file, std::shared_ptr<ThreadPool> pool,
                                                       const ModelLoadOptions& options = {});
/// Names of the registered architectures, for messages and tests.
[[nodiscard]] std::vector<std::string> supportedArchitectures();

}  // namespace hearth
