#pragma once

#include <cstdint>

#include "core/base/error.h"
#include "core/models/model.h"

namespace hearth {

/// What loading a model takes on the CPU, in bytes, by what becomes of it.
struct ModelBytes {
  std::uint64_t weights = 0;  ///< packed matrices and vectors: resident as soon as the model is loaded
  std::uint64_t work = 0;     ///< buffers of a step: resident as steps grow to `maxBatchTokens`
  std::uint64_t threadWork = 0;  ///< of each compute thread
  std::uint64_t lookups = 0;  ///< tables read in place from the mapped file: resident as their rows are asked for
};

/// estimateModelBytes() in parts: weights + work is the same sum. Errors: as loadModel, before anything is allocated.
[[nodiscard]] Result<ModelBytes> planModelBytes(const GgufFile& file, const ModelLoadOptions& options);

}  // namespace hearth
