#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace hearth {

class ChatService;
class EnginePool;
class Library;
class MetricsRegistry;
struct EngineOptions;
struct InstalledModel;

struct ServerOptions {
  std::string host = "127.0.0.1";  ///< only loopback addresses until accounts and TLS exist (issue "LAN server"); others are refused
  std::uint16_t port = 11435;      ///< 0 picks one
  int threads = 2;                 ///< for sockets, not for compute
  std::string defaultModel;        ///< used when a request's model is empty
};

/// One line of the request log.
struct RequestRecord {
  std::uint64_t id = 0;
  double time = 0;  ///< seconds since the epoch, at its start
  std::string method, target, client, model;
  int status = 0;               ///< 0 while it runs
  double seconds = 0;
  int promptTokens = 0, generatedTokens = 0;
  std::string errorCode;        ///< as the client got it: "model_not_found"; empty when nothing failed
  std::string error;            ///< the message that the client got
  bool finished = false;
};

/// The HTTP server (Boost.Beast coroutines on threads of its own). Any thread may call.
class Server {
 public:
  struct Rooms {
    ChatService& chat;
    EnginePool& pool;
    Library& library;
    MetricsRegistry& metrics;
    std::function<EngineOptions(const InstalledModel&)> engineOptions = {};  ///< how a model is loaded that is not in memory; empty = the defaults
  };
  using RequestListener = std::function<void(const RequestRecord&)>;  ///< at start and end; from server threads; must not block

  [[nodiscard]] static std::unique_ptr<Server> create(Rooms rooms);
  virtual ~Server() = default;
  /// Binds and starts. Errors: PortInUse (host, port), PermissionDenied, InvalidArgument (address), AlreadyExists (running).
  [[nodiscard]] virtual Result<void> start(const ServerOptions& options) = 0;
  /// Stops accepting, cancels requests, closes connections, joins. Idempotent.
  virtual void stop() = 0;
  [[nodiscard]] virtual bool running() const noexcept = 0;
  [[nodiscard]] virtual std::string address() const = 0;  ///< "http://127.0.0.1:11435", empty when stopped
  [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;
  virtual void setRequestListener(RequestListener listener) = 0;
};

}  // namespace hearth
