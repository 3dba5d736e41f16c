#include "core/server/api/router.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/server/api/controllers.h"
#include "core/server/transport/http_policy.h"

namespace hearth::api {
namespace {

using Controller = void (*)(const ApiContext&, http::ExchangePtr, const std::string&);

struct Resource {
  std::string_view path;  ///< "{id}" at the end stands for one segment
  Controller get = nullptr;
  Controller post = nullptr;
};

constexpr std::array kResources{
    Resource{"/", getBanner, nullptr},
    Resource{"/health", getHealth, nullptr},
    Resource{"/metrics", getMetrics, nullptr},
    Resource{"/v1/models", listModels, nullptr},
    Resource{"/v1/models/{id}", getModel, nullptr},
    Resource{"/v1/chat/completions", nullptr, postChatCompletions},
};

/// The "{id}" of `path` (empty when the pattern has none), or none when it does not match.
std::optional<std::string> match(std::string_view pattern, std::string_view path) {
  constexpr std::string_view kId = "{id}";
  if (!pattern.ends_with(kId)) return pattern == path ? std::optional(std::string{}) : std::nullopt;
  pattern.remove_suffix(kId.size());
  if (!path.starts_with(pattern)) return std::nullopt;
  path.remove_prefix(pattern.size());
  if (path.empty() || path.find('/') != std::string_view::npos) return std::nullopt;
  return http::percentDecode(path);
}

std::string allowed(const Resource& resource) {
  std::string out = "OPTIONS";
  if (resource.get != nullptr) out += ", GET, HEAD";
  if (resource.post != nullptr) out += ", POST";
  return out;
}

bool isJson(const std::string* contentType) {
  if (contentType == nullptr) return false;
  std::string_view type = *contentType;
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return http::equalsIgnoringCase(type, "application/json");
}

void refuse(const http::ExchangePtr& exchange, int status, std::string code, std::string message, const std::string& allow = {}) {
  ApiError error;
  error.status = status;
  error.code = std::move(code);
  error.message = std::move(message);
  exchange->note([&](http::ExchangeNotes& notes) { 
    notes.errorCode = error.code;
    notes.error = error.message;
  });
  http::Response response = errorResponse(error);
  if (!allow.empty()) response.headers.push_back({"Allow", allow});
  exchange->respond(std::move(response));
}

}  // namespace

void route(const ApiContext& context, const http::ExchangePtr& exchange) {
  const http::Request& request = exchange->request();
  if (request.path == "*") {  // OPTIONS *: the server as a whole
    exchange->respond({204, {}, {{"Allow", "OPTIONS, GET, HEAD, POST"}}, {}});
    return;
  }
  for (const Resource& resource : kResources) {
    const auto argument = match(resource.path, request.path);
    if (!argument) continue;
    exchange->note([&](http::ExchangeNotes& notes) { notes.route = resource.path; });
    if (request.method == "OPTIONS") {
      // No CORS headers: a browser's preflight fails, as it should.
      exchange->respond({204, {}, {{"Allow", allowed(resource)}}, {}});
      return;
    }
    Controller controller = nullptr;
    if (request.method == "GET" || request.method == "HEAD") controller = resource.get;
    if (request.method == "POST") controller = resource.post;
    if (controller == nullptr) {
      refuse(exchange, 405, "method_not_allowed", request.path + " takes only " + allowed(resource) + ".", allowed(resource));
      return;
    }
    if (request.method == "POST") {
      const std::string* coding = request.header("content-encoding");
      if (coding != nullptr && !http::equalsIgnoringCase(*coding, "identity")) {
        refuse(exchange, 415, "unsupported_content_encoding", "Compressed request bodies are not supported.");
        return;
      }
      // A web page can send text/plain anywhere without asking; JSON it cannot.
      if (!isJson(request.header("content-type"))) {
        refuse(exchange, 415, "unsupported_content_type", "The Content-Type must be application/json.");
        return;
      }
    }
    controller(context, exchange, *argument);
    return;
  }
  refuse(exchange, 404, "unknown_url", "Invalid URL (" + request.method.substr(0, 16) + " " + request.path.substr(0, 200) + ").");
}

}  // namespace hearth::api
