#include "core/server/transport/listener.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
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
        m_shared{m_options, m_workers},
        m_acceptStrand(asio::make_strand(m_io)),
        m_acceptor(m_acceptStrand),
        m_backoff(m_acceptStrand),
        m_work(asio::make_work_guard(m_io)) {
    const std::size_t files = platform::openFileLimit();
    m_maxConnections = std::max<std::size_t>(1, std::min(m_options.limits.connections, files > 2 * kReservedFiles ? files - kReservedFiles : files / 2));
  }
  ~AsioListener() override { AsioListener::stop(); }

  Result<void> bind() {
    error_code error;
    const std::string host = m_options.host == "localhost" ? "127.0.0.1" : m_options.host;
    const auto address = asio::ip::make_address(host, error);
    const auto facts = [&](ErrorCode code, std::string message) {
      return fail(Error{code, std::move(message), {}}.with("host", m_options.host).with("port", std::uint64_t{m_options.port}));
    };
    if (error) return facts(ErrorCode::InvalidArgument, fmt::format("\"{}\" is not an address of this machine", m_options.host));
    if (!address.is_loopback())
      return facts(ErrorCode::InvalidArgument,
                   fmt::format("The server listens on loopback addresses only (127.0.0.1, ::1) until it has accounts and TLS; {} is not one",
                               m_options.host));
    const Tcp::endpoint endpoint(address, m_options.port);
    m_acceptor.open(endpoint.protocol(), error);
    // On Linux this allows a port in TIME_WAIT, never one that somebody listens on.
    if (!error) m_acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error) m_acceptor.bind(endpoint, error);
    if (!error) m_acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error) m_endpoint = m_acceptor.local_endpoint(error);
    if (!error) return {};
    error_code ignored;
    m_acceptor.close(ignored);
    if (error == asio::error::address_in_use)
      return facts(ErrorCode::PortInUse, fmt::format("Port {} of {} is used by another program", m_options.port, m_options.host));
    if (error == asio::error::access_denied)
      return facts(ErrorCode::PermissionDenied, fmt::format("The system does not let this user listen on port {}", m_options.port));
    return facts(ErrorCode::Network, fmt::format("Cannot listen on {}:{}: {}", m_options.host, m_options.port, error.message()));
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
    const std::string host = m_endpoint.address().to_string();
    return m_endpoint.address().is_v6() ? fmt::format("http://[{}]:{}", host, port()) : fmt::format("http://{}:{}", host, port());
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

  void admit(Tcp::socket socket) {
    const std::uint64_t id = m_nextSession++;
    std::shared_ptr<Session> session;
    {
      const std::lock_guard lock(m_mutex);
      if (m_sessions.size() >= m_maxConnections + kMostRefusals) return;
      session = std::make_shared<Session>(std::move(socket), m_shared, m_sessions.size() >= m_maxConnections);
      m_sessions.emplace(id, session);
    }
    session->start([this, id] {
      const std::lock_guard lock(m_mutex);
      m_sessions.erase(id);
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
      for (const auto& [id, weak] : m_sessions) {
        if (auto session = weak.lock()) sessions.push_back(std::move(session));
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
  std::unordered_map<std::uint64_t, std::weak_ptr<Session>> m_sessions;
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
