#include "core/server/api/router.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/server/api/dialect.h"
#include "core/server/transport/http_policy.h"

namespace hearth::api {
namespace {

bool isVariable(std::string_view segment) noexcept { return segment.size() > 2 && segment.front() == '{' && segment.back() == '}'; }

/// Takes the first segment off "a/b/c".
std::string_view takeSegment(std::string_view& path) noexcept {
  const std::size_t slash = path.find('/');
  const std::string_view segment = path.substr(0, slash);
  path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  return segment;
}

/// The arguments of `path`, or none when it does not fit.
std::optional<Arguments> match(std::string_view pattern, std::string_view path) {
  Arguments arguments;
  if (pattern.find('{') == std::string_view::npos) return pattern == path ? std::optional(std::move(arguments)) : std::nullopt;
  pattern.remove_prefix(1);
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  for (;;) {
    const bool lastOfPattern = pattern.find('/') == std::string_view::npos;
    const std::string_view wanted = takeSegment(pattern);
    if (wanted == "{rest}") {
      if (path.empty() || path.ends_with('/')) return std::nullopt;
      auto value = http::percentDecode(path);
      if (!value) return std::nullopt;
      arguments.push_back(std::move(*value));
      return arguments;
    }
    const bool lastOfPath = path.find('/') == std::string_view::npos;
    const std::string_view segment = takeSegment(path);
    if (isVariable(wanted)) {
      auto value = segment.empty() ? std::nullopt : http::percentDecode(segment);
      if (!value) return std::nullopt;
      arguments.push_back(std::move(*value));
    } else if (wanted != segment) {
      return std::nullopt;
    }
    if (lastOfPattern != lastOfPath) return std::nullopt;
    if (lastOfPattern) return arguments;
  }
}

/// True when `a` has text where `b` first has a variable: both fit the same path.
bool moreExact(std::string_view a, std::string_view b) noexcept {
  while (!a.empty() && !b.empty()) {
    const std::string_view left = takeSegment(a);
    const std::string_view right = takeSegment(b);
    if (isVariable(left) != isVariable(right)) return isVariable(right);
    if ((left == "{rest}") != (right == "{rest}")) return right == "{rest}";
  }
  return false;
}

std::string_view mediaType(std::string_view contentType) noexcept {
  contentType = contentType.substr(0, contentType.find(';'));
  while (contentType.ends_with(' ') || contentType.ends_with('\t')) contentType.remove_suffix(1);
  return contentType;
}

bool takesBody(std::string_view method) noexcept { return method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE"; }

ApiError problem(int status, std::string code, std::string message) {
  ApiError error;
  error.status = status;
  error.code = std::move(code);
  error.message = std::move(message);
  return error;
}

std::optional<ApiError> checkBody(const Route& route, const http::Request& request) {
  if (!takesBody(request.method)) return std::nullopt;
  const std::string* coding = request.header("content-encoding");
  if (coding != nullptr && !http::equalsIgnoringCase(*coding, "identity"))
    return problem(415, "unsupported_content_encoding", "Compressed request bodies are not supported.");
  if (route.body == Body::Binary || route.body == Body::Spool) return std::nullopt;
  const std::string* type = request.header("content-type");
  if (type == nullptr && request.body.empty()) return std::nullopt;
  if (type != nullptr && http::equalsIgnoringCase(mediaType(*type), "application/json")) return std::nullopt;
  // A web page can send text/plain anywhere without asking; JSON it cannot. What carries a mark of a browser is never let off.
  const bool fromBrowser = request.header("origin") != nullptr || request.header("cookie") != nullptr ||
                           request.header("referer") != nullptr || request.header("sec-fetch-site") != nullptr;
  if (route.body == Body::LooseJson && !fromBrowser) return std::nullopt;
  return problem(415, "unsupported_content_type", "The Content-Type must be application/json.");
}

void refuse(const http::ExchangePtr& exchange, const ApiError& error, const std::string& allow = {}) {
  exchange->note([&](http::ExchangeNotes& notes) {
    notes.errorCode = error.code;
    notes.error = error.message;
  });
  http::Response response = errorResponse(error, dialectOf(exchange->request().path));
  if (!allow.empty()) response.headers.push_back({"Allow", allow});
  exchange->respond(std::move(response));
}

}  // namespace

std::string_view accessName(Access access) noexcept {
  switch (access) {
    case Access::Public: return "public";
    case Access::Chat: return "chat";
    case Access::Own: return "own";
    case Access::Library: return "library";
    case Access::Admin: return "admin";
    case Access::Metrics: return "metrics";
  }
  return "admin";
}

RouteMatch matchRoute(std::span<const Route> table, std::string_view method, std::string_view path) {
  constexpr std::array<std::string_view, 6> kOrder{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  RouteMatch best;
  std::array<bool, kOrder.size()> taken{};
  bool exactMethod = false;
  for (const Route& route : table) {
    auto arguments = match(route.path, path);
    if (!arguments) continue;
    for (std::size_t i = 0; i < kOrder.size(); ++i) taken[i] = taken[i] || route.method == kOrder[i] || (kOrder[i] == "HEAD" && route.method == "GET");
    const bool exact = route.method == method;
    const bool fits = exact || (method == "HEAD" && route.method == "GET");
    if (best.pattern.empty() || (best.route == nullptr && moreExact(route.path, best.pattern))) best.pattern = route.path;
    if (!fits) continue;
    if (best.route != nullptr && !moreExact(route.path, best.route->path) && (route.path != best.route->path || exactMethod || !exact)) continue;
    best.route = &route;
    best.pattern = route.path;
    best.arguments = std::move(*arguments);
    exactMethod = exact;
  }
  if (best.pattern.empty()) return best;
  best.allow = "OPTIONS";
  for (std::size_t i = 0; i < kOrder.size(); ++i) {
    if (taken[i]) best.allow.append(", ").append(kOrder[i]);
  }
  return best;
}

void route(const ApiContext& context, const http::ExchangePtr& exchange) {
  const http::Request& request = exchange->request();
  if (request.path == "*") {  // OPTIONS *: the server as a whole
    exchange->respond({204, {}, {{"Allow", "OPTIONS, GET, HEAD, POST, PUT, PATCH, DELETE"}}, {}});
    return;
  }
  const RouteMatch found = matchRoute(routes(), request.method, request.path);
  if (found.pattern.empty()) {
    refuse(exchange, problem(404, "unknown_url", "Invalid URL (" + request.method.substr(0, 16) + " " + request.path.substr(0, 200) + ")."));
    return;
  }
  exchange->note([&](http::ExchangeNotes& notes) { notes.route = found.pattern; });
  if (request.method == "OPTIONS") {
    // No CORS headers: a browser's preflight fails, as it should.
    exchange->respond({204, {}, {{"Allow", found.allow}}, {}});
    return;
  }
  if (found.route == nullptr) {
    refuse(exchange, problem(405, "method_not_allowed", request.path.substr(0, 200) + " takes only " + found.allow + "."), found.allow);
    return;
  }
  if (const auto wrong = checkBody(*found.route, request)) return refuse(exchange, *wrong);
  found.route->controller(context, exchange, found.arguments);
}

}  // namespace hearth::api
