#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/chat/chat_service.h"
#include "core/server/api/api_error.h"

namespace hearth::api {

/// A checked POST /v1/chat/completions.
struct ChatCall {
  ChatRequest request;  ///< model may be empty: the default one
  bool stream = false;
  bool includeUsage = false;
  bool logprobs = false;
  int choices = 1;
};

/// One numeric field of the request and its range: the one place that says so (docs/api.md and the tests follow it).
struct NumberField {
  std::string_view name;
  double low = 0, high = 0;  ///< both allowed
  bool integer = false;
};
[[nodiscard]] std::span<const NumberField> chatNumberFields() noexcept;

/// Body to call. Pure: any bytes in, no side effects. Every field is either used, listed in kIgnoredFields, or refused by name.
[[nodiscard]] ApiResult<ChatCall> parseChatCall(std::string_view body);

}  // namespace hearth::api
