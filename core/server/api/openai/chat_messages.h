#pragma once

#include <boost/json/fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/chat/chat_service.h"
#include "core/server/api/api_error.h"

namespace hearth::api {

/// The `messages` array. What the template needs beyond text (tool_calls, tool_call_id, reasoning_content) goes to
/// extraJson. Errors name the message and the part: "messages[2].content[0]".
[[nodiscard]] ApiResult<std::vector<ChatMessage>> parseChatMessages(const boost::json::value& messages);

/// Checks an assistant's earlier calls; `at` is the array's name.
[[nodiscard]] ApiResult<boost::json::array> parseToolCalls(const boost::json::value& calls, const std::string& at);

/// A call as templates want it: arguments as an object where they are one, for that is what templates are written for.
/// Arguments that are no JSON stay the string they were, so that one malformed call in a history does not make the
/// conversation unusable.
[[nodiscard]] boost::json::object toolCall(std::string_view id, std::string_view name, const boost::json::value& arguments);

inline constexpr std::size_t kMostTools = 256;  ///< of one request, in every dialect

/// Tools for the template, as a JSON array (empty text = none), and what they are called.
struct Tools {
  std::string json;
  std::vector<std::string> names;
};
/// The `tools` array of OpenAI and Ollama, checked.
[[nodiscard]] ApiResult<Tools> parseTools(const boost::json::value& tools, const std::string& at = "tools");
/// name, description and the parameters' schema of one tool.
[[nodiscard]] std::optional<ApiError> checkFunction(const boost::json::object& function, std::string_view schemaKey,
                                                    const std::string& at);
[[nodiscard]] bool isToolName(std::string_view name) noexcept;

}  // namespace hearth::api
