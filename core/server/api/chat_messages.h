#pragma once

#include <boost/json/fwd.hpp>

#include <vector>

#include "core/chat/chat_service.h"
#include "core/server/api/api_error.h"

namespace hearth::api {

/// The `messages` array. What the template needs beyond text (tool_calls, tool_call_id, reasoning_content) goes to
/// extraJson. Errors name the message and the part: "messages[2].content[0]".
[[nodiscard]] ApiResult<std::vector<ChatMessage>> parseChatMessages(const boost::json::value& messages);

/// The `tools` array, checked; returns it as JSON text for the template.
[[nodiscard]] ApiResult<std::string> parseTools(const boost::json::value& tools);

}  // namespace hearth::api
