#include "core/server/api/api_error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/server/json_text.h"

namespace hearth::api {

ApiError badField(std::string param, std::string message, std::string code) {
  ApiError error;
  error.code = std::move(code);
  error.message = std::move(message);
  error.param = std::move(param);
  return error;
}

ApiError unsupported(std::string param, std::string message) {
  return badField(std::move(param), std::move(message), "unsupported_parameter");
}

Dialect dialectOf(std::string_view path) noexcept {
  if (path.starts_with("/api/")) return Dialect::Ollama;
  if (path == "/v1/messages" || path.starts_with("/v1/messages/")) return Dialect::Anthropic;
  return Dialect::OpenAi;
}

namespace {

/// Anthropic's name for what a status means.
std::string_view anthropicType(int status) noexcept {
  switch (status) {
    case 400: return "invalid_request_error";
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 413: return "request_too_large";
    case 429: return "rate_limit_error";
    case 503: return "overloaded_error";
    case 529: return "overloaded_error";
    default: return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

}  // namespace

std::string errorBody(const ApiError& error, Dialect dialect) {
  if (dialect == Dialect::Ollama) return R"({"error":)" + jsonString(error.message) + '}';
  if (dialect == Dialect::Anthropic)
    return R"({"type":"error","error":{"type":)" + jsonString(anthropicType(error.status)) + R"(,"message":)" + jsonString(error.message) + "}}";
  const auto orNull = [](const std::string& text) { return text.empty() ? std::string("null") : jsonString(text); };
  return R"({"error":{"message":)" + jsonString(error.message) + R"(,"type":)" + jsonString(error.type) + R"(,"param":)" +
         orNull(error.param) + R"(,"code":)" + orNull(error.code) + "}}";
}

http::Response errorResponse(const ApiError& error, Dialect dialect) {
  http::Response response;
  // Anthropic's clients know an overloaded server by 529.
  response.status = dialect == Dialect::Anthropic && error.status == 503 ? 529 : error.status;
  response.body = errorBody(error, dialect);
  if (error.retryAfterSeconds > 0) response.headers.push_back({"Retry-After", std::to_string(error.retryAfterSeconds)});
  if (error.retryUseless) response.headers.push_back({"x-should-retry", "false"});
  return response;
}

namespace {

// The facts that prove it, in brackets; where files lie on this machine is nobody's business on the network.
std::string withEvidence(const Error& error) {
  std::string facts;
  for (const Evidence& fact : error.evidence) {
    if (fact.key == "path" || fact.key == "field" || fact.value.empty()) continue;
    facts += (facts.empty() ? " (" : ", ") + fact.key + ": " + fact.value;
  }
  return facts.empty() ? error.message : error.message + facts + ')';
}

/// Whole seconds, rounded up: "2.4" → 3. 0 when there are none.
int secondsOf(std::string_view text) {
  double seconds = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return problem == std::errc{} && seconds > 0 ? static_cast<int>(std::min(std::ceil(seconds), 3e6)) : 0;
}

}  // namespace

ApiError fromError(const Error& error) {
  ApiError out;
  out.message = withEvidence(error);
  out.code = errorCodeName(error.code);
  switch (error.code) {
    case ErrorCode::NotFound:
      out.status = 404;
      out.code = "model_not_found";
      out.param = "model";
      return out;
    case ErrorCode::InvalidArgument:
      out.code = "invalid_value";
      out.param = error.find("field");
      return out;
    case ErrorCode::TemplateFailed:  // a template refuses messages that it cannot render: the caller's to change
      out.param = "messages";
      return out;
    case ErrorCode::ContextOverflow: {
      out.code = "context_length_exceeded";
      out.param = "messages";
      const auto context = error.find("context_tokens");
      const auto prompt = error.find("prompt_tokens");
      if (!context.empty() && !prompt.empty())
        out.message = "This model's context holds " + std::string(context) + " tokens, and the messages came to " + std::string(prompt) +
                      " tokens. Shorten the messages.";
      return out;
    }
    case ErrorCode::Unauthenticated:
      out.status = 401;
      out.code = "unauthenticated";
      return out;
    case ErrorCode::Forbidden:
      out.status = 403;
      out.code = "permission_denied";
      if (!error.find("model").empty()) out.param = "model";
      return out;
    case ErrorCode::QuotaExceeded: {
      // A limit of a minute passes by itself; a spent budget does not, and trying again is no use.
      out.status = 429;
      out.type = "requests";
      out.retryAfterSeconds = secondsOf(error.find("retry_after_seconds"));
      out.retryUseless = out.retryAfterSeconds == 0;
      out.code = out.retryUseless ? "insufficient_quota" : "rate_limit_exceeded";
      if (out.retryUseless) out.type = "insufficient_quota";
      return out;
    }
    case ErrorCode::TooManyAttempts:
      out.status = 429;
      out.code = "too_many_attempts";
      out.retryAfterSeconds = std::max(1, secondsOf(error.find("retry_after_seconds")));
      return out;
    case ErrorCode::QueueFull:
    case ErrorCode::ShuttingDown:
    case ErrorCode::ModelNotLoaded:
    case ErrorCode::Cancelled:
      out.status = 503;
      out.type = "server_error";
      out.retryAfterSeconds = 2;
      return out;
    case ErrorCode::OutOfMemory:
    case ErrorCode::Corrupt:
    case ErrorCode::Truncated:
    case ErrorCode::WrongMagic:
    case ErrorCode::UnsupportedVersion:
    case ErrorCode::UnsupportedArchitecture:
    case ErrorCode::UnsupportedFormat:
      out.retryUseless = true;
      break;
    default:
      break;
  }
  out.status = 500;
  out.type = "server_error";
  return out;
}

}  // namespace hearth::api
