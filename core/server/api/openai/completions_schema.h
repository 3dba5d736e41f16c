#pragma once

#include <string_view>

#include "core/server/api/field_table.h"

namespace hearth::api {

/// POST /v1/completions: prompts that are continued as they stand.
[[nodiscard]] const BodySchema& completionsSchema();
[[nodiscard]] ApiResult<Call> parseCompletionsCall(std::string_view body);

/// "prompt": a string, strings, tokens or arrays of tokens.
[[nodiscard]] Failure readPrompts(Draft& draft, const boost::json::value& value, const std::string& at);

}  // namespace hearth::api
