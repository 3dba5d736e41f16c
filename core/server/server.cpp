#include "core/server/server.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "core/base/log.h"
#include "core/monitor/monitor.h"
#include "core/server/api/api_context.h"
#include "core/server/api/router.h"
#include "core/server/transport/listener.h"

namespace hearth {
namespace {

/// A label's values must be few: a client may send any method at all.
std::string methodLabel(const std::string& method) {
  constexpr std::array kKnown{"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"};
  return std::ranges::find(kKnown, method) != kKnown.end() ? method : "other";
}

/// Puts transport and api together, and tells the log and the metrics. Any thread.
class HttpServer final : public Server {
 public:
  explicit HttpServer(Rooms rooms) : m_rooms(rooms) {}
  ~HttpServer() override { HttpServer::stop(); }

  Result<void> start(const ServerOptions& options) override {
    const std::lock_guard turn(m_turnMutex);
    const std::lock_guard lock(m_mutex);
    if (m_listener) return fail(ErrorCode::AlreadyExists, "The server runs already.", {{"address", m_listener->address()}});
    m_context = std::make_unique<api::ApiContext>(
        api::ApiContext{m_rooms.chat, m_rooms.pool, m_rooms.library, m_rooms.metrics, options.defaultModel, HEARTH_VERSION});
    m_context->engineOptions = m_rooms.engineOptions;
    http::ListenerOptions listen;
    listen.host = options.host;
    listen.port = options.port;
    listen.ioThreads = std::clamp(options.threads, 1, 64);
    listen.serverName = "Hearth/" HEARTH_VERSION;
    listen.handler = [context = m_context.get()](http::ExchangePtr exchange) { api::route(*context, exchange); };
    listen.observer = [this](const http::ExchangeRecord& record) { observe(record); };
    auto listener = http::Listener::start(std::move(listen));
    if (!listener) return std::unexpected(std::move(listener).error());
    m_listener = std::move(*listener);
    log::info("server", "listening on " + m_listener->address());
    return {};
  }

  void stop() override {
    std::unique_ptr<http::Listener> listener;
    const std::lock_guard turn(m_turnMutex);
    {
      const std::lock_guard lock(m_mutex);
      listener = std::move(m_listener);
    }
    if (listener) listener->stop();
  }

  bool running() const noexcept override {
    const std::lock_guard lock(m_mutex);
    return m_listener != nullptr;
  }
  std::string address() const override {
    const std::lock_guard lock(m_mutex);
    return m_listener ? m_listener->address() : std::string{};
  }
  std::uint16_t port() const noexcept override {
    const std::lock_guard lock(m_mutex);
    return m_listener ? m_listener->port() : std::uint16_t{0};
  }
  void setRequestListener(RequestListener listener) override {
    const std::lock_guard lock(m_observerMutex);
    m_requestListener = listener ? std::make_shared<RequestListener>(std::move(listener)) : nullptr;
  }

 private:
  void observe(const http::ExchangeRecord& record) {
    std::shared_ptr<RequestListener> listener;
    {
      const std::lock_guard lock(m_observerMutex);
      listener = m_requestListener;
    }
    if (listener) {
      RequestRecord line;
      line.id = record.id;
      line.time = record.time;
      line.method = record.method;
      line.target = record.target;
      line.client = record.client;
      line.model = record.notes.model;
      line.status = record.status;
      line.seconds = record.seconds;
      line.promptTokens = record.notes.promptTokens;
      line.generatedTokens = record.notes.generatedTokens;
      line.errorCode = record.notes.errorCode;
      line.error = record.notes.error;
      line.finished = record.finished;
      (*listener)(line);
    }
    if (!record.finished) return;
    const std::string route = record.notes.route.empty() ? "none" : record.notes.route;
    MetricsRegistry& metrics = m_rooms.metrics;
    metrics.add("hearth_http_requests_total", 1, {{"route", route}, {"method", methodLabel(record.method)}, {"status", std::to_string(record.status)}});
    metrics.observe("hearth_http_request_seconds", record.seconds, {{"route", route}});
    if (record.notes.model.empty()) return;
    const MetricsRegistry::Labels model{{"model", record.notes.model}};
    if (record.notes.promptTokens > 0) metrics.add("hearth_http_prompt_tokens_total", record.notes.promptTokens, model);
    if (record.notes.cachedTokens > 0) metrics.add("hearth_http_cached_prompt_tokens_total", record.notes.cachedTokens, model);
    if (record.notes.generatedTokens > 0) metrics.add("hearth_http_generated_tokens_total", record.notes.generatedTokens, model);
    if (record.notes.firstTokenSeconds >= 0) metrics.observe("hearth_http_time_to_first_token_seconds", record.notes.firstTokenSeconds, model);
  }

  const Rooms m_rooms;

  std::mutex m_turnMutex;  // start() and stop() take turns, so that a second stop() returns only after the first is through
  // Guarded by m_mutex.
  mutable std::mutex m_mutex;
  std::unique_ptr<api::ApiContext> m_context;  // of the running listener; its handlers have ended before it is replaced
  std::unique_ptr<http::Listener> m_listener;

  // Guarded by m_observerMutex.
  std::mutex m_observerMutex;
  std::shared_ptr<RequestListener> m_requestListener;
};

}  // namespace

std::unique_ptr<Server> Server::create(Rooms rooms) { return std::make_unique<HttpServer>(rooms); }

}  // namespace hearth
