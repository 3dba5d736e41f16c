#pragma once

#include <string_view>

#include "core/server/api/field_table.h"

namespace hearth::api {

/// POST /v1/chat/completions.
[[nodiscard]] const BodySchema& chatSchema();
/// Body to call. Pure: any bytes in, no side effects.
[[nodiscard]] ApiResult<Call> parseChatCall(std::string_view body);

/// Parts that the Responses API has too.
[[nodiscard]] Failure readJsonSchemaFormat(Draft& draft, const boost::json::object& format, const std::string& at);
/// tool_choice as a word: auto, none, required.
[[nodiscard]] Failure readToolChoiceWord(Draft& draft, std::string_view word, const std::string& at);
/// `tools` as parseTools() wants them; Ollama's, too.
[[nodiscard]] Failure readFunctionTools(Draft& draft, const boost::json::value& value, const std::string& at);
/// What tool_choice, tools and parallel_tool_calls come to, once all are known; `at` names the choice.
[[nodiscard]] Failure settleTools(Draft& draft, const std::string& at = "tool_choice");

}  // namespace hearth::api
