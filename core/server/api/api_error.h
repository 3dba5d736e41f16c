#pragma once

#include <expected>
#include <string>

#include "core/base/error.h"
#include "core/server/api/dialect.h"
#include "core/server/transport/http_types.h"

namespace hearth::api {

/// An answer that is no success, in OpenAI's vocabulary.
struct ApiError {
  int status = 400;
  std::string type = "invalid_request_error";
  std::string code;     ///< empty = null
  std::string message;
  std::string param;    ///< the field at fault; empty = null
  int retryAfterSeconds = 0;  ///< 0 = no Retry-After
  bool retryUseless = false;  ///< tells SDKs that would try again that it will not help
};

template <class T>
using ApiResult = std::expected<T, ApiError>;

/// 400 about one field.
[[nodiscard]] ApiError badField(std::string param, std::string message, std::string code = "invalid_value");
/// 400 for a field of OpenAI's that this server does not have yet: said by name, never dropped silently.
[[nodiscard]] ApiError unsupported(std::string param, std::string message);

/// In the dialect's shape; see Dialect.
[[nodiscard]] std::string errorBody(const ApiError& error, Dialect dialect = Dialect::OpenAi);
[[nodiscard]] http::Response errorResponse(const ApiError& error, Dialect dialect = Dialect::OpenAi);
/// What an error of the lower rooms means to a client of the chat API.
[[nodiscard]] ApiError fromError(const Error& error);

}  // namespace hearth::api
