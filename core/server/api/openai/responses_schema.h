#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/server/api/field_table.h"

namespace hearth::api {

/// POST /v1/responses.
[[nodiscard]] const BodySchema& responsesSchema();

/// A checked call. `call.request.messages` is the new input alone.
struct ResponsesCall {
  Call call;
  std::string instructions;
  std::string previous;  ///< previous_response_id; empty = none
  bool store = true;
  std::string echo;  ///< the members of the response object that repeat the request, as JSON, each followed by a comma
};
[[nodiscard]] ApiResult<ResponsesCall> parseResponsesCall(std::string_view body);

}  // namespace hearth::api
