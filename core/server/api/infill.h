#pragma once

#include <string_view>
#include <vector>

#include "core/engine/engine_pool.h"
#include "core/server/api/api_error.h"

namespace hearth::api {

/// Prompt tokens that make a model write what stands between `prefix` and `suffix`: its own fill-in-the-middle tokens, from
/// the file's metadata or by the names that the families gave them (prefix, suffix, middle: Bavarian et al. 2022).
/// Error: 400 about `at` when the model has none.
[[nodiscard]] ApiResult<std::vector<TokenId>> infillPrompt(const LoadedModel& model, std::string_view prefix,
                                                           std::string_view suffix, std::string_view at);
/// The same question alone.
[[nodiscard]] bool canInfill(const LoadedModel& model);

}  // namespace hearth::api
