#pragma once

#include <string>
#include <string_view>

#include "core/server/api/field_table.h"

namespace hearth::api {

/// POST /v1/messages, and /v1/messages/count_tokens, where max_tokens may be missing.
[[nodiscard]] const BodySchema& messagesSchema();
[[nodiscard]] ApiResult<Call> parseMessagesCall(std::string_view body, bool countOnly = false);

/// A system prompt without the line that Claude Code puts before it for billing: it differs with every request, so that
/// no prompt would ever have a prefix in common with another.
[[nodiscard]] std::string withoutBillingHeader(std::string_view system);

}  // namespace hearth::api
