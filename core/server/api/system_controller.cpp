#include <fmt/format.h>

#include "core/server/api/controllers.h"
#include "core/server/json_text.h"

namespace hearth::api {

void getBanner(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  http::Response response;
  const std::string* accept = exchange->request().header("accept");
  // Ollama's clients look for these words here, and take whatever comes.
  if (accept == nullptr || (accept->find("application/json") == std::string::npos && accept->find("text/html") == std::string::npos)) {
    response.contentType = "text/plain; charset=utf-8";
    response.body = "Ollama is running";
  } else {
    response.body = fmt::format(R"({{"name":"Hearth","version":{},"documentation":"/openapi.json","apis":["/v1","/api","/v1/messages"]}})", jsonString(context.version));
  }
  response.headers.push_back({"Vary", "Accept"});
  exchange->respond(std::move(response));
}

void getHealth(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  std::size_t loaded = 0;
  for (const ModelStatus& status : context.pool.statuses()) loaded += status.state == ModelState::Ready ? 1 : 0;
  const EngineStats totals = context.pool.totals();
  http::Response response;
  response.headers.push_back({"Cache-Control", "no-store"});
  response.body = fmt::format(R"({{"status":"ok","version":{},"models_loaded":{},"requests_running":{},"requests_waiting":{}}})",
                              jsonString(context.version), loaded, totals.running, totals.waiting);
  exchange->respond(std::move(response));
}

void getAuthority(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  http::Response response;
  if (context.authority.empty()) {
    ApiError error;
    error.status = 404;
    error.code = "no_authority";
    error.message = "This server has no certificate authority of its own: it speaks plain HTTP, or has a certificate of its operator's.";
    exchange->respond(errorResponse(error));
    return;
  }
  response.contentType = "application/x-x509-ca-cert";
  response.headers.push_back({"Content-Disposition", "attachment; filename=\"hearth-ca.pem\""});
  response.body = context.authority;
  exchange->respond(std::move(response));
}

void getMetrics(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  http::Response response;
  response.contentType = "text/plain; version=0.0.4; charset=utf-8";
  response.body = context.metrics.text();
  exchange->respond(std::move(response));
}

}  // namespace hearth::api
