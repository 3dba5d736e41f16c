#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "core/server/transport/http_types.h"
#include "core/server/transport/request_parser.h"

namespace hearth::tls {
class ServerContext;
}

namespace hearth::http {

struct TransportLimits {
  ParseLimits parse;
  std::size_t connections = 16'384;        ///< in all; fewer when the system lets this process open fewer files
  std::size_t connectionsPerAddress = 0;   ///< from one client (of IPv6: one /64); 0 = no limit of its own
  std::size_t streamBufferBytes = 256 * 1024;          ///< output of one stream that the client has not read
  std::size_t bodiesBytes = 256ULL * 1024 * 1024;      ///< of all requests in flight together; beyond: 503
  std::chrono::milliseconds handshakeDeadline{10'000};  ///< of TLS, from the connection on
  std::chrono::milliseconds headDeadline{10'000};      ///< from a request's first byte to the end of its headers
  std::chrono::milliseconds bodyStall{30'000};         ///< without a byte of the body
  std::chrono::milliseconds bodyDeadline{300'000};     ///< for a whole body in memory
  std::chrono::milliseconds spoolDeadline{6 * 3'600'000};  ///< for one that goes to disk
  std::chrono::milliseconds keepAliveIdle{60'000};     ///< between requests, and before the first
  std::chrono::milliseconds writeStall{30'000};        ///< without the client reading a byte
  std::chrono::milliseconds stopGrace{1'000};          ///< for last words when the server stops
};

/// What the observer learns: at the start of a request (finished false, status 0) and at its end.
struct ExchangeRecord {
  std::uint64_t id = 0;
  double time = 0;  ///< seconds since the epoch, at its start
  std::string method, target, client;
  int status = 0;  ///< 499: the client went before an answer
  double seconds = 0;
  ExchangeNotes notes;
  bool finished = false;
  std::shared_ptr<const Identity> identity;  ///< whose request it was, where a judge said so
};

struct ListenerOptions {
  std::string host = "127.0.0.1";  ///< a loopback address, or "*": every interface, v4 and v6, with TLS only
  std::uint16_t port = 0;
  int ioThreads = 2;
  int workThreads = 4;
  TransportLimits limits;
  std::string serverName;  ///< of the Server header
  Handler handler;         ///< on a worker thread
  Judge judge;             ///< empty = checkHostAndOrigin for loopback alone
  std::function<Response(const HttpProblem&, const Request*)> problemWriter;  ///< any thread; empty = problemResponse
  std::shared_ptr<const tls::ServerContext> tls;  ///< null = plain HTTP
  std::filesystem::path spoolFolder;              ///< for Verdict::spool; empty = such requests get 500
  std::function<void(const ExchangeRecord&)> observer;  ///< on a server thread; must not block; may be empty
};

/// A bound and running HTTP/1.1 server. Owns its socket, its io threads and its worker threads. Any thread
/// may call, except the server's own (handler, observer, callbacks) for stop() and the destructor.
class Listener {
 public:
  /// Errors: InvalidArgument (not a loopback address, or "*" without TLS), PortInUse, PermissionDenied (each with host and port), Network.
  [[nodiscard]] static Result<std::unique_ptr<Listener>> start(ListenerOptions options);
  virtual ~Listener() = default;
  /// Stops accepting, aborts what runs (Stopping), lets last words out for `stopGrace`, closes and joins. Idempotent.
  virtual void stop() = 0;
  [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;
  [[nodiscard]] virtual std::string address() const = 0;  ///< "http://[::1]:11435"; with "*": "https://localhost:11435"
  /// The certificate for connections from now on; those that are there keep theirs. Only when started with TLS.
  virtual void replaceTls(std::shared_ptr<const tls::ServerContext> context) = 0;
  [[nodiscard]] virtual std::size_t connections() const noexcept = 0;
};

}  // namespace hearth::http
