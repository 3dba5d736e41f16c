#pragma once

#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/engine/engine.h"

namespace hearth {

/// What one model takes on one device, in bytes.
struct MemoryParts {
  std::uint64_t weights = 0;  ///< packed for this machine, a draft model's too
  std::uint64_t kv = 0;       ///< every page of the KV cache; pages become resident as conversations fill them
  std::uint64_t compute = 0;  ///< working memory of a step and the logits; resident once a full step has run
  std::uint64_t tables = 0;   ///< vocabulary, metadata, the books of the pages
  std::uint64_t mapped = 0;   ///< read in place from the file: resident as it is read, and the system may take it back
  [[nodiscard]] std::uint64_t sum() const noexcept { return weights + kv + compute + tables + mapped; }
  /// What must be there for it to run well: all but what the system can read again from the file.
  [[nodiscard]] std::uint64_t needed() const noexcept { return weights + kv + compute + tables; }
};

/// What loading a model with some options would take: pure arithmetic on the file's header.
struct ModelMemory {
  MemoryParts cpu;
  std::vector<MemoryParts> gpus;  ///< [GPU of the machine]; empty where the model is computed on the CPU alone
  int contextTokens = 0;          ///< longest conversation
  int kvTokens = 0;               ///< of all conversations together
  int trainedContext = 0;
  kernels::KvType kvType = kernels::KvType::F16;
  std::uint64_t loadedBytes = 0;  ///< resident in RAM right after the load, before the first step
  std::int64_t correction = 0;    ///< what earlier loads of this model taught: measured − predicted, part of no other figure

  [[nodiscard]] std::uint64_t needed() const noexcept;  ///< RAM, corrected: what the budget is charged with
  [[nodiscard]] std::uint64_t filled() const noexcept;  ///< resident in RAM when all pages and rows were used, corrected
  [[nodiscard]] std::uint64_t loaded() const noexcept;  ///< loadedBytes, corrected
};

/// `bytes` with a correction; never below 0.
[[nodiscard]] std::uint64_t corrected(std::uint64_t bytes, std::int64_t correction) noexcept;

/// `availableBytes`: what the automatic sizes may spread out in; a KV cache that does not fit is no error here. `threads`
/// compute. `draft` may be null. Errors: as readModelConfig, planModelBytes, planKv (InvalidArgument).
[[nodiscard]] Result<ModelMemory> planModelMemory(const GgufFile& file, const ModelConfig& config, const EngineOptions& options, int threads,
                                                  std::uint64_t availableBytes, const GgufFile* draft = nullptr);

}  // namespace hearth
