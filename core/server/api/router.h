#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/server/api/api_context.h"
#include "core/server/api/api_error.h"
#include "core/server/transport/http_types.h"

namespace hearth::api {

/// Who may use a route. A route cannot be written down without one: there is no default.
enum class Access : std::uint8_t {
  Public,   ///< anybody who reaches the port: banner, health, sign-in, the page's files
  Chat,     ///< any signed-in user, or a key with the scope "inference"
  Own,      ///< a signed-in user about themselves, or a key with the scope "account"
  Library,  ///< who may change which models there are: pull, import, copy, delete, load, unload
  Metrics,  ///< a signed-in member, or a key with the scope "metrics"
  Admin,    ///< an administrator
};
[[nodiscard]] std::string_view accessName(Access access) noexcept;

/// What a request's body may be. Checked before the controller is called.
enum class Body : std::uint8_t {
  Json,       ///< application/json, or nothing at all
  LooseJson,  ///< as Ollama's own examples send it: JSON whatever the Content-Type says, but not from a web page
  Binary,     ///< any type
  Spool,      ///< any type, and on disk instead of in memory: Request::file
};

/// The values of a pattern's "{…}" in their order, percent-decoded, never empty.
using Arguments = std::vector<std::string>;

/// Called on worker threads, several at a time. Answers through `exchange`, now or later; must not wait for an answer.
using Controller = void (*)(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);

/// One line of the route table.
struct Route {
  std::string_view method;  ///< GET answers HEAD too, unless the path has a HEAD of its own
  std::string_view path;    ///< "{id}" stands for one segment, "{rest}" at the end for one or more
  Access access;
  Controller controller;
  Body body = Body::Json;
  std::size_t bodyBytes = 0;  ///< largest body; 0 = the transport's limit
};

/// Every route there is; routes.cpp. A new one is one line there (and its rule in the access test).
[[nodiscard]] std::span<const Route> routes() noexcept;

/// What a method and a path come to.
struct RouteMatch {
  const Route* route = nullptr;  ///< null: no such path, or (`allow` not empty) not with this method
  Arguments arguments;
  std::string_view pattern;  ///< of the path, also when the method is wrong; empty = no such path
  std::string allow;         ///< for the Allow header: "OPTIONS, GET, HEAD"
};
/// Where several patterns fit, the one with text where the others have "{…}" wins, read from the left. Pure.
[[nodiscard]] RouteMatch matchRoute(std::span<const Route> table, std::string_view method, std::string_view path);

/// Finds the controller of a request and calls it. OPTIONS is answered with Allow; unknown paths 404, wrong methods 405
/// with Allow, bodies that are not what the route takes 415. Any thread.
void route(const ApiContext& context, const http::ExchangePtr& exchange);

}  // namespace hearth::api
