#pragma once

#include <cstdint>

#include "core/base/error.h"
#include "core/engine/engine.h"
#include "core/models/model.h"

namespace hearth {

/// How much KV cache an engine gets.
struct KvPlan {
  int contextTokens = 0;  ///< longest sequence
  int pageCount = 0;
  std::uint64_t bytes = 0;
};

/// Fills in the defaults of EngineOptions (contextTokens, kvTokens) from the model and the memory there is, and checks the
/// rest. `draftBytesPerToken`: a draft model's cache beside each token. Pure. Errors: InvalidArgument (field), OutOfMemory (needed_bytes, available_bytes).
[[nodiscard]] Result<KvPlan> planKv(const KvShape& shape, int trainedContext, const EngineOptions& options, std::uint64_t availableBytes,
                                    std::uint64_t draftBytesPerToken = 0);

}  // namespace hearth
