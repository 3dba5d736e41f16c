#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "core/server/transport/exchange_impl.h"
#include "core/server/transport/listener.h"

namespace hearth::http {

/// What all connections of a listener share. Outlives them.
struct SessionShared {
  const ListenerOptions& options;
  boost::asio::thread_pool& workers;
  std::atomic<std::uint64_t> nextId{1};
  std::atomic<std::size_t> bodyBytes{0};
};

/// One connection: reads all the time (so that a disconnect is seen while a request is worked on), parses, hands requests
/// to the workers one after the other, and writes their output in order. Everything private runs on the connection's strand.
class Session : public std::enable_shared_from_this<Session> {
 public:
  using Tcp = boost::asio::ip::tcp;
  using Clock = std::chrono::steady_clock;

  /// `refused`: one connection too many: answers 503 and closes.
  Session(Tcp::socket socket, SessionShared& shared, bool refused);
  /// Starts the coroutines; `ended` is called on the strand when both are over.
  void start(std::function<void()> ended);
  void requestStop();  ///< any thread: ends soon, with last words
  void close();        ///< any thread: ends now

 private:
  enum class Wait : std::uint8_t { Data, Ended, TimedOut, Stopping };

  boost::asio::awaitable<void> readLoop();
  boost::asio::awaitable<void> serveLoop();
  boost::asio::awaitable<bool> serveOne();  ///< false = the connection ends
  boost::asio::awaitable<void> runExchange(std::shared_ptr<ExchangeImpl> exchange, bool keepAlive);
  boost::asio::awaitable<Wait> waitInput(Clock::time_point deadline);
  boost::asio::awaitable<bool> writeAll(std::string data);
  boost::asio::awaitable<void> refuse(const HttpProblem& problem, const Request* request);
  boost::asio::awaitable<void> linger();
  boost::asio::awaitable<void> sleepUntilWoken(Clock::time_point deadline);

  void feed(RequestParser& parser);
  void wake();
  void closeNow();
  [[nodiscard]] std::string head(const Response& response, bool streamed, bool chunked, bool keepAlive, std::uint64_t id) const;
  void report(const ExchangeRecord& record) const;
  void accountBody(std::size_t bytes);

  // Constant after construction.
  SessionShared& m_shared;
  const bool m_refused;
  std::string m_client;

  // Strand only.
  Tcp::socket m_socket;
  boost::asio::steady_timer m_wakeTimer;   // the serving coroutine's sleep
  boost::asio::steady_timer m_spaceTimer;  // the reading coroutine's sleep while the input is full
  boost::asio::steady_timer m_stallTimer;  // watches one write
  std::string m_input;
  std::size_t m_inputStart = 0;
  bool m_fresh = false;      // bytes came since the last feed
  bool m_inputEnded = false;
  bool m_discard = false;    // lingering: nothing that comes is looked at
  bool m_stopping = false;
  bool m_closed = false;
  bool m_stalled = false;
  bool m_woken = false;
  std::uint64_t m_writeTurn = 0;
  bool m_keepAlive = false;
  std::size_t m_bodyAccount = 0;
};

}  // namespace hearth::http
