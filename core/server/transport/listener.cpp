#include "core/server/transport/listener.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/base/log.h"
#include "core/base/platform/platform.h"
#include "core/server/transport/session.h"

namespace hearth::http {
namespace asio = boost::asio;

namespace {

using Tcp = asio::ip::tcp;
using boost::system::error_code;

// Connections beyond the limit that are being told so; further ones are closed without a word.
constexpr std::size_t kMostRefusals = 64;
// Files that the rest of the program needs beside connections.
constexpr std::size_t kReservedFiles = 256;

class AsioListener final : public Listener {
 public:
  explicit AsioListener(ListenerOptions options)
      : m_options(std::move(options)),
        m_workers(static_cast<std::size_t>(std::max(1, m_options.workThreads))),
        m_shared(m_options, m_workers),
        m_acceptStrand(asio::make_strand(m_io)),
        m_acceptor(m_acceptStrand),
        m_backoff(m_acceptStrand),
        m_work(asio::make_work_guard(m_io)) {
    m_shared.tlsContext = m_options.tls;
    const std::size_t files = platform::openFileLimit();
    m_maxConnections = std::max<std::size_t>(1, std::min(m_options.limits.connections, files > 2 * kReservedFiles ? files - kReservedFiles : files / 2));
  }
  ~AsioListener() override { AsioListener::stop(); }

  Result<void> bind() {
    error_code error;
    const auto facts = [&](ErrorCode code, std::string message) {
      return fail(Error{code, std::move(message), {}}.with("host", m_options.host).with("port", std::uint64_t{m_options.port}));
    };
    if (m_options.host == "*") {
      if (!m_options.tls) return facts(ErrorCode::InvalidArgument, "The server listens on every interface with TLS only");
      error = open(Tcp::endpoint(asio::ip::address_v6::any(), m_options.port), true);
      // A machine without IPv6.
      if (error && error != asio::error::address_in_use && error != asio::error::access_denied)
        error = open(Tcp::endpoint(asio::ip::address_v4::any(), m_options.port), false);
    } else {
      const std::string host = m_options.host == "localhost" ? "127.0.0.1" : m_options.host;
      const auto address = asio::ip::make_address(host, error);
      if (error) return facts(ErrorCode::InvalidArgument, fmt::format("\"{}\" is not an address of this machine", m_options.host));
      if (!address.is_loopback())
        return facts(ErrorCode::InvalidArgument,
                     fmt::format("Without team mode (--lan) the server listens on loopback addresses only (127.0.0.1, ::1); {} is not one", m_options.host));
      error = open(Tcp::endpoint(address, m_options.port), false);
    }
    if (!error) return {};
    if (error == asio::error::address_in_use)
      return facts(ErrorCode::PortInUse, m_options.host == "*" ? fmt::format("Port {} is used by another program", m_options.port)
                                                               : fmt::format("Port {} of {} is used by another program", m_options.port, m_options.host));
    if (error == asio::error::access_denied)
      return facts(ErrorCode::PermissionDenied, fmt::format("The system does not let this user listen on port {}", m_options.port));
    return facts(ErrorCode::Network, fmt::format("Cannot listen on {}:{}: {}", m_options.host, m_options.port, error.message()));
  }

  error_code open(const Tcp::endpoint& endpoint, bool bothKinds) {
    error_code error;
    m_acceptor.open(endpoint.protocol(), error);
    // On Linux this allows a port in TIME_WAIT, never one that somebody listens on.
    if (!error) m_acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6()) m_acceptor.set_option(asio::ip::v6_only(!bothKinds), error);
    if (!error) m_acceptor.bind(endpoint, error);
    if (!error) m_acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error) m_endpoint = m_acceptor.local_endpoint(error);
    if (!error) return error;
    error_code ignored;
    m_acceptor.close(ignored);
    return error;
  }

  void run() {
    asio::co_spawn(m_acceptStrand, acceptLoop(), [](std::exception_ptr problem) {
      if (!problem) return;
      try {
        std::rethrow_exception(problem);
      } catch (const std::exception& e) {
        log::error("server", fmt::format("accepting ended: {}", e.what()));
      }
    });
    for (int i = 0; i < std::max(1, m_options.ioThreads); ++i) {
      m_threads.emplace_back([this] {
        platform::nameThisThread("hearth-http");
        for (;;) {
          try {
            m_io.run();
            return;
          } catch (const std::exception& e) {  // a callback of ours threw: one connection's trouble, not the server's
            log::error("server", e.what());
          }
        }
      });
    }
  }

  void stop() override {
    const std::lock_guard turn(m_stopMutex);
    if (m_stopped) return;
    m_stopped = true;
    asio::post(m_acceptStrand, [this] {
      m_stopping = true;
      error_code ignored;
      m_acceptor.close(ignored);
      m_backoff.cancel();
    });
    forEachSession([](Session& session) { session.requestStop(); });
    {
      std::unique_lock lock(m_mutex);
      if (!m_empty.wait_for(lock, m_options.limits.stopGrace, [this] { return m_sessions.empty(); })) {
        lock.unlock();
        forEachSession([](Session& session) { session.close(); });
        lock.lock();
        m_empty.wait(lock, [this] { return m_sessions.empty(); });
      }
    }
    m_work.reset();
    // What is left now is the accept loop's end; nothing that waits.
    for (auto& thread : m_threads) thread.join();
    m_workers.join();
  }

  std::uint16_t port() const noexcept override { return m_endpoint.port(); }
  std::string address() const override {
    const std::string scheme = m_options.tls ? "https" : "http";
    if (m_options.host == "*") return fmt::format("{}://localhost:{}", scheme, port());
    const std::string host = m_endpoint.address().to_string();
    return fmt::format(fmt::runtime(m_endpoint.address().is_v6() ? "{}://[{}]:{}" : "{}://{}:{}"), scheme, host, port());
  }
  void replaceTls(std::shared_ptr<const tls::ServerContext> context) override {
    if (!context || !m_options.tls) return;
    const std::lock_guard lock(m_shared.tlsMutex);
    m_shared.tlsContext = std::move(context);
  }
  std::size_t connections() const noexcept override {
    const std::lock_guard lock(m_mutex);
    return m_sessions.size();
  }

 private:
  asio::awaitable<void> acceptLoop() {
    for (;;) {
      error_code error;
      Tcp::socket socket = co_await m_acceptor.async_accept(asio::any_io_executor(asio::make_strand(m_io)),
                                                            asio::redirect_error(asio::use_awaitable, error));
      if (m_stopping || error == asio::error::operation_aborted || error == asio::error::bad_descriptor) co_return;
      if (error) {
        // Out of descriptors, or a client that left while it waited: never a reason to stop serving.
        log::warning("server", fmt::format("accepting a connection failed: {}", error.message()));
        m_backoff.expires_after(std::chrono::milliseconds(100));
        co_await m_backoff.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (m_stopping) co_return;
        continue;
      }
      admit(std::move(socket));
    }
  }

  /// Who counts as one client: a v4 address, or the v6 network that one household or office has.
  static std::string clientKey(const Tcp::socket& socket) {
    error_code error;
    const auto address = socket.remote_endpoint(error).address();
    if (error) return {};
    if (address.is_v4()) return address.to_string();
    auto bytes = address.to_v6().to_bytes();
    if (!address.to_v6().is_v4_mapped() && !address.is_loopback()) std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return asio::ip::address_v6(bytes).to_string();
  }

  void admit(Tcp::socket socket) {
    const std::uint64_t id = m_nextSession++;
    const std::size_t most = m_options.limits.connectionsPerAddress;
    const std::string client = most > 0 ? clientKey(socket) : std::string{};
    std::shared_ptr<Session> session;
    {
      const std::lock_guard lock(m_mutex);
      std::optional<HttpProblem> refusal;
      if (m_sessions.size() >= m_maxConnections) refusal = HttpProblem{503, "too_many_connections", "The server has too many open connections."};
      if (most > 0 && m_perClient[client] >= most)
        refusal = HttpProblem{429, "too_many_connections", "There are too many connections from this address."};
      if (refusal && m_refused >= kMostRefusals) return;
      session = std::make_shared<Session>(std::move(socket), m_shared, refusal);
      const bool refused = refusal.has_value();
      m_refused += refused ? 1 : 0;
      if (most > 0 && !refused) ++m_perClient[client];
      m_sessions.emplace(id, Entry{session, client, refused});
    }
    session->start([this, id] {
      const std::lock_guard lock(m_mutex);
      const auto found = m_sessions.find(id);
      if (found == m_sessions.end()) return;
      if (found->second.refused) {
        --m_refused;
      } else if (const auto count = m_perClient.find(found->second.client); count != m_perClient.end() && --count->second == 0) {
        m_perClient.erase(count);
      }
      m_sessions.erase(found);
      if (m_sessions.empty()) m_empty.notify_all();
    });
    // stop() may have walked the sessions just before this one came.
    if (m_stopping) session->requestStop();
  }

  template <class Action>
  void forEachSession(Action action) {
    std::vector<std::shared_ptr<Session>> sessions;
    {
      const std::lock_guard lock(m_mutex);
      for (const auto& [id, entry] : m_sessions) {
        if (auto session = entry.session.lock()) sessions.push_back(std::move(session));
      }
    }
    for (const auto& session : sessions) action(*session);
  }

  const ListenerOptions m_options;
  std::size_t m_maxConnections = 0;
  asio::io_context m_io;
  asio::thread_pool m_workers;
  SessionShared m_shared;
  asio::strand<asio::io_context::executor_type> m_acceptStrand;
  Tcp::acceptor m_acceptor;       // accept strand, after bind()
  asio::steady_timer m_backoff;   // accept strand
  asio::executor_work_guard<asio::io_context::executor_type> m_work;
  Tcp::endpoint m_endpoint;
  std::vector<std::thread> m_threads;
  std::atomic<bool> m_stopping{false};
  std::uint64_t m_nextSession = 0;  // accept strand

  std::mutex m_stopMutex;
  bool m_stopped = false;

  // Guarded by m_mutex.
  mutable std::mutex m_mutex;
  std::condition_variable m_empty;
  struct Entry {
    std::weak_ptr<Session> session;
    std::string client;  // clientKey, while those are counted
    bool refused = false;
  };
  std::unordered_map<std::uint64_t, Entry> m_sessions;
  std::unordered_map<std::string, std::size_t> m_perClient;
  std::size_t m_refused = 0;
};

}  // namespace

Result<std::unique_ptr<Listener>> Listener::start(ListenerOptions options) {
  try {
    auto listener = std::make_unique<AsioListener>(std::move(options));
    HEARTH_CHECK(listener->bind());
    listener->run();
    return listener;
  } catch (const std::exception& e) {
    return fail(ErrorCode::Network, fmt::format("The server could not start: {}", e.what()));
  }
}

}  // namespace hearth::http
