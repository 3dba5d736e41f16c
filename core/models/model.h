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
#include "core/compute/kv_storage.h"
#include "core/formats/gguf.h"

namespace hearth {

/// How the last hidden states of a text become its one vector (GGUF `<arch>.pooling_type`).
enum class Pooling : std::uint8_t {
  None,   ///< the model does not say
  Mean,   ///< of all tokens, special ones too
  First,  ///< the first token's: [CLS]
  Last,
};

/// Hyperparameters that every family shares (GGUF `<arch>.*`), plus what the engine needs to know.
struct ModelConfig {
  std::string architecture;  ///< "llama", "qwen2", "qwen3", "qwen3moe", "gemma3"
  std::string name;          ///< general.name, or the file's stem
  std::string quantisation;  ///< "Q4_K_M", from general.file_type, else the most frequent tensor format
  std::int64_t parameters = 0;
  std::int64_t lookupParameters = 0;  ///< of these: only looked up (a token embedding that is not the head as well)
  std::int64_t activeParameters =
      0;  ///< of these: what a generated token is multiplied with; without the experts it does not use
  int layers = 0;
  int embedding = 0;
  int heads = 0;
  int kvHeads = 0;
  int headDim = 0;
  int feedForward = 0;
  int vocabulary = 0;
  int trainedContext = 0;
  int experts = 0;      ///< of each layer that has them; 0 in a dense model
  int expertsUsed = 0;  ///< by one token
  bool encoder = false;  ///< reads whole texts for their embeddings; generates nothing
  Pooling pooling = Pooling::None;
  /// Made for embeddings: an encoder, or a decoder whose file says how to pool.
  [[nodiscard]] bool embeds() const noexcept { return encoder || pooling != Pooling::None; }
  /// As the APIs list it: what the model was made for. Every decoder can embed too when asked.
  [[nodiscard]] std::vector<std::string> capabilities() const {
    std::vector<std::string> list;
    if (!encoder) list.emplace_back("completion");
    if (embeds()) list.emplace_back("embedding");
    return list;
  }
};

/// The KV cache of such a model with elements of `type`. An encoder's holds one layer: it is done with a layer's keys before
/// the next one's are made.
[[nodiscard]] inline KvShape kvShapeOf(const ModelConfig& config, kernels::KvType type = kernels::KvType::F16) noexcept {
  return {config.encoder ? 1 : config.layers, config.kvHeads, config.headDim, type};
}

/// A model in memory. forward() is called by one thread at a time (the engine thread); the rest is immutable.
class Model {
 public:
  virtual ~Model() = default;
  [[nodiscard]] virtual const ModelConfig& config() const noexcept = 0;
  [[nodiscard]] virtual KvShape kvShape() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t weightBytes() const noexcept = 0;
  /// Runs one step: writes K and V of all tokens into the pages, logits[i][vocabulary] for each of batch.logitRows, and the
  /// last hidden state for each of batch.hiddenRows. An encoder (config().encoder) gives no logits and takes each sequence
  /// whole: past length 0, no longer than the trained context.
  /// A sequence's logits do not depend on its neighbours in the batch nor on how its prompt was cut into steps.
  /// Errors: InvalidArgument (a token out of the vocabulary, a block table too short), Corrupt (weights gave NaN),
  /// OutOfMemory (scratch), Cancelled (Batch::abandoned).
  [[nodiscard]] virtual Result<void> forward(const Batch& batch, KvStorage& kv, std::span<float> logits) = 0;
  /// Most tokens that forward() takes in one step.
  [[nodiscard]] virtual int maxBatchTokens() const noexcept = 0;
};

struct ModelLoadOptions {
  std::function<void(double fraction)> progress;  ///< 0…1, called from the loading thread; may be empty
  std::function<bool()> cancelled;                ///< polled while loading; may be empty
  bool exact = false;  ///< dequantise all weights to F32 and compute in F32: the reference for tests
  int maxBatchTokens = 512;
  std::uint64_t memoryBudgetBytes =
      0;  ///< refuse with OutOfMemory when the plan is larger; 0 = what the machine has available
};

/// Reads the config only: cheap, for lists and details. Errors: UnsupportedArchitecture (evidence: architecture), Corrupt.
[[nodiscard]] Result<ModelConfig> readModelConfig(const GgufFile& file);
/// What loading would take: packed weights + scratch, in bytes, without the KV cache.
[[nodiscard]] Result<std::uint64_t> estimateModelBytes(const GgufFile& file, const ModelLoadOptions& options);
/// Loads weights, packing them in parallel on `pool`, which forward() uses later too: file and pool outlive the model
/// (shared). Errors: UnsupportedArchitecture, UnsupportedFormat, Corrupt (a tensor missing or of the wrong shape: evidence
/// names it), OutOfMemory (before allocating, with needed_bytes and available_bytes), Cancelled.
[[nodiscard]] Result<std::unique_ptr<Model>> loadModel(std::shared_ptr<const GgufFile> file,
                                                       std::shared_ptr<ThreadPool> pool,
                                                       const ModelLoadOptions& options = {});
/// Names of the registered architectures, for messages and tests.
[[nodiscard]] std::vector<std::string> supportedArchitectures();

}  // namespace hearth
