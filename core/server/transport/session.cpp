#include "core/server/transport/session.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "core/base/log.h"
#include "core/server/transport/http_policy.h"

namespace hearth::http {
namespace asio = boost::asio;

namespace {

using boost::system::error_code;

constexpr std::size_t kMostUnreadInput = 256 * 1024;
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::chrono::milliseconds kLinger{3'000};
constexpr std::chrono::milliseconds kLingerWhenStopping{100};

// Named objects and not temporaries: GCC 12 destroys aggregate temporaries of a co_await expression twice (its bug 102489).
const HttpProblem kTooManyConnections{503, "too_many_connections", "The server has too many open connections."};
const HttpProblem kTooManyBodies{503, "overloaded", "The server holds too many request bodies at once."};
const HttpProblem kSlowHead{408, "request_timeout", "The request's headers took too long."};
const HttpProblem kSlowBody{408, "request_timeout", "The request's body took too long."};

double epochSeconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// "Sun, 06 Nov 1994 08:49:37 GMT", without the locale that strftime would ask.
std::string httpDate() {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(now - day);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

bool isPlainHeader(std::string_view text) noexcept {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

Session::Session(Tcp::socket socket, SessionShared& shared, bool refused)
    : m_shared(shared),
      m_refused(refused),
      m_socket(std::move(socket)),
      m_wakeTimer(m_socket.get_executor()),
      m_spaceTimer(m_socket.get_executor()),
      m_stallTimer(m_socket.get_executor()) {
  error_code error;
  const auto peer = m_socket.remote_endpoint(error);
  if (!error) m_client = fmt::format(fmt::runtime(peer.address().is_v6() ? "[{}]:{}" : "{}:{}"), peer.address().to_string(), peer.port());
  m_socket.set_option(Tcp::no_delay(true), error);
  // What the kernel holds for a client that does not read counts too: without a bound it grows to megabytes on loopback.
  m_socket.set_option(asio::socket_base::send_buffer_size(128 * 1024), error);
  m_socket.non_blocking(true, error);
}

void Session::start(std::function<void()> ended) {
  // Each coroutine keeps the session alive; the one that ends last reports.
  auto left = std::make_shared<int>(2);
  const auto onEnd = [self = shared_from_this(), left, ended = std::move(ended)](std::exception_ptr problem, bool close) {
    if (problem) {
      close = true;
      try {
        std::rethrow_exception(problem);
      } catch (const std::exception& e) {
        log::error("server", fmt::format("connection {} ended: {}", self->m_client, e.what()));
      } catch (...) {
        log::error("server", fmt::format("connection {} ended by an unknown exception", self->m_client));
      }
    }
    // The end of reading is no end of writing: a client may close its side and wait for the answer.
    if (close) self->closeNow();
    if (--*left == 0) {
      self->accountBody(0);
      ended();
    }
  };
  asio::co_spawn(m_socket.get_executor(), readLoop(), [onEnd](std::exception_ptr problem) { onEnd(problem, false); });
  asio::co_spawn(m_socket.get_executor(), serveLoop(), [onEnd](std::exception_ptr problem) { onEnd(problem, true); });
}

void Session::requestStop() {
  asio::post(m_socket.get_executor(), [self = shared_from_this()] {
    self->m_stopping = true;
    self->wake();
  });
}

void Session::close() {
  asio::post(m_socket.get_executor(), [self = shared_from_this()] { self->closeNow(); });
}

void Session::wake() {
  m_woken = true;
  m_wakeTimer.cancel();
}

void Session::closeNow() {
  if (m_closed) return;
  m_closed = true;
  m_inputEnded = true;
  error_code ignored;
  m_socket.close(ignored);
  m_stallTimer.cancel();
  m_spaceTimer.cancel();
  wake();
}

void Session::accountBody(std::size_t bytes) {
  m_shared.bodyBytes += bytes;
  m_shared.bodyBytes -= m_bodyAccount;
  m_bodyAccount = bytes;
}

void Session::report(const ExchangeRecord& record) const {
  if (m_shared.options.observer) m_shared.options.observer(record);
}

asio::awaitable<void> Session::readLoop() {
  std::string scratch;
  for (;;) {
    error_code error;
    // No buffer is held while nothing comes: an idle connection costs two coroutine frames.
    co_await m_socket.async_wait(Tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
    if (m_closed) co_return;
    if (!error) {
      scratch.resize(kReadBytes);
      const std::size_t count = m_socket.read_some(asio::buffer(scratch), error);
      if (error == asio::error::would_block || error == asio::error::try_again) continue;
      if (!error && !m_discard) {
        m_input.append(scratch, 0, count);
        m_fresh = true;
        wake();
      }
    }
    if (error) {
      m_inputEnded = true;
      wake();
      co_return;
    }
    while (!m_closed && !m_discard && m_input.size() - m_inputStart >= kMostUnreadInput) {
      scratch = {};
      m_spaceTimer.expires_at(Clock::time_point::max());
      co_await m_spaceTimer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
    if (m_input.empty()) scratch = {};
  }
}

asio::awaitable<void> Session::sleepUntilWoken(Clock::time_point deadline) {
  if (!m_woken) {
    error_code ignored;
    m_wakeTimer.expires_at(deadline);
    co_await m_wakeTimer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  m_woken = false;
}

asio::awaitable<Session::Wait> Session::waitInput(Clock::time_point deadline) {
  for (;;) {
    if (m_fresh) co_return Wait::Data;
    if (m_inputEnded) co_return Wait::Ended;
    if (m_stopping) co_return Wait::Stopping;
    if (Clock::now() >= deadline) co_return Wait::TimedOut;
    co_await sleepUntilWoken(deadline);
  }
}

void Session::feed(RequestParser& parser) {
  m_fresh = false;
  m_inputStart += parser.feed(std::string_view(m_input).substr(m_inputStart));
  if (m_inputStart == m_input.size()) {
    m_input = {};  // gives the memory back
    m_inputStart = 0;
  } else if (m_inputStart > kReadBytes) {
    m_input.erase(0, m_inputStart);
    m_inputStart = 0;
  }
  m_spaceTimer.cancel();
}

asio::awaitable<bool> Session::writeAll(std::string data) {
  std::size_t written = 0;
  while (written < data.size()) {
    if (m_closed) co_return false;
    const std::uint64_t turn = ++m_writeTurn;
    m_stallTimer.expires_after(m_shared.options.limits.writeStall);
    m_stallTimer.async_wait([self = shared_from_this(), turn](const error_code& error) {
      if (error || self->m_writeTurn != turn) return;
      self->m_stalled = true;
      self->closeNow();
    });
    error_code error;
    written += co_await m_socket.async_write_some(asio::buffer(data.data() + written, data.size() - written),
                                                  asio::redirect_error(asio::use_awaitable, error));
    ++m_writeTurn;
    m_stallTimer.cancel();
    if (error) co_return false;
  }
  co_return !m_closed;
}

std::string Session::head(const Response& response, bool streamed, bool chunked, bool keepAlive, std::uint64_t id) const {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, reasonPhrase(response.status), httpDate());
  const auto add = [&](std::string_view name, std::string_view value) {
    if (isPlainHeader(name) && isPlainHeader(value)) out += fmt::format("{}: {}\r\n", name, value);
  };
  if (!m_shared.options.serverName.empty()) add("Server", m_shared.options.serverName);
  if (id != 0) add("X-Request-Id", fmt::format("req-{:08x}", id));
  if (response.status != 204) {
    if (!response.contentType.empty()) add("Content-Type", response.contentType);
    add("X-Content-Type-Options", "nosniff");
    if (!streamed) add("Content-Length", std::to_string(response.body.size()));
  }
  if (chunked) add("Transfer-Encoding", "chunked");
  for (const Header& header : response.headers) add(header.name, header.value);
  add("Connection", keepAlive ? "keep-alive" : "close");
  out += "\r\n";
  return out;
}

asio::awaitable<void> Session::linger() {
  // Closing with unread input makes the kernel send a reset, which can destroy the answer before the client has read it.
  m_discard = true;
  m_input = {};
  m_inputStart = 0;
  m_spaceTimer.cancel();
  error_code ignored;
  m_socket.shutdown(Tcp::socket::shutdown_send, ignored);
  auto deadline = Clock::now() + kLinger;
  while (!m_inputEnded) {
    if (m_stopping) deadline = std::min(deadline, Clock::now() + kLingerWhenStopping);
    if (Clock::now() >= deadline) break;
    co_await sleepUntilWoken(deadline);
  }
}

asio::awaitable<void> Session::refuse(const HttpProblem& problem, const Request* request) {
  ExchangeRecord record;
  record.id = m_shared.nextId++;
  record.time = epochSeconds();
  record.client = m_client;
  record.status = problem.status;
  record.notes.errorCode = problem.code;
  record.notes.error = problem.message;
  record.finished = true;
  if (request != nullptr) {
    record.method = request->method;
    record.target = request->target;
  }
  const Response response = problemResponse(problem);
  const bool bodyless = request != nullptr && request->method == "HEAD";
  report(record);
  std::string bytes = head(response, false, false, false, record.id);
  if (!bodyless) bytes += response.body;
  const bool written = co_await writeAll(std::move(bytes));
  if (written) co_await linger();
}

asio::awaitable<void> Session::serveLoop() {
  if (m_refused) {
    co_await refuse(kTooManyConnections, nullptr);
    co_return;
  }
  for (;;) {
    const bool again = co_await serveOne();
    if (!again) co_return;
  }
}

asio::awaitable<bool> Session::serveOne() {
  const TransportLimits& limits = m_shared.options.limits;
  auto parser = std::make_unique<RequestParser>(limits.parse);

  // The head. The clock starts with the request's first byte; before that the connection is merely idle.
  auto deadline = Clock::now() + limits.keepAliveIdle;
  bool counting = false;
  for (;;) {
    feed(*parser);
    if (parser->headDone() || parser->problem()) break;
    if (parser->started() && !counting) {
      counting = true;
      deadline = Clock::now() + limits.headDeadline;
    }
    const Wait result = co_await waitInput(deadline);
    if (result == Wait::Data) continue;
    if (result == Wait::TimedOut && counting) co_await refuse(kSlowHead, nullptr);
    co_return false;
  }
  Request& request = parser->request();
  if (parser->problem()) {
    co_await refuse(*parser->problem(), request.method.empty() ? nullptr : &request);
    co_return false;
  }

  // Judged before any of the body is taken.
  request.client = m_client;
  auto problem = splitTarget(request);
  if (!problem) problem = checkHostAndOrigin(request);
  if (problem) {
    co_await refuse(*problem, &request);
    co_return false;
  }

  if (!parser->done() && parser->expectsContinue() && m_inputStart == m_input.size()) {
    std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool written = co_await writeAll(std::move(interim));
    if (!written) co_return false;
  }
  const auto bodyDeadline = Clock::now() + limits.bodyDeadline;
  while (!parser->done()) {
    feed(*parser);
    accountBody(request.body.size());
    if (parser->problem()) {
      co_await refuse(*parser->problem(), &request);
      co_return false;
    }
    if (m_shared.bodyBytes > limits.bodiesBytes) {
      request.body = {};
      accountBody(0);
      co_await refuse(kTooManyBodies, &request);
      co_return false;
    }
    if (parser->done()) break;
    const Wait result = co_await waitInput(std::min(bodyDeadline, Clock::now() + limits.bodyStall));
    if (result == Wait::Data) continue;
    if (result == Wait::TimedOut) co_await refuse(kSlowBody, &request);
    co_return false;
  }

  request.id = m_shared.nextId++;
  const bool keepAlive = parser->keepAlive();
  auto exchange = std::make_shared<ExchangeImpl>(
      std::move(request), limits.streamBufferBytes,
      // A weak reference: an exchange that outlives its connection must not keep the socket open.
      [weak = weak_from_this(), executor = m_socket.get_executor()] {
        asio::post(executor, [weak] {
          if (const auto self = weak.lock()) self->wake();
        });
      });
  parser.reset();
  co_await runExchange(std::move(exchange), keepAlive);
  accountBody(0);
  co_return m_keepAlive && !m_closed;
}

asio::awaitable<void> Session::runExchange(std::shared_ptr<ExchangeImpl> exchange, bool keepAlive) {
  const Request& request = exchange->request();
  const bool isHead = request.method == "HEAD";
  const bool chunked = request.versionMinor >= 1;
  const auto started = Clock::now();
  ExchangeRecord record;
  record.id = request.id;
  record.time = epochSeconds();
  record.method = request.method;
  record.target = request.target;
  record.client = m_client;
  report(record);

  asio::post(m_shared.workers, [&handler = m_shared.options.handler,
                                handle = ExchangePtr(exchange.get(), [exchange](Exchange*) { exchange->dropped(); })]() mutable {
    const ExchangePtr mine = std::move(handle);
    try {
      handler(mine);
    } catch (const std::exception& e) {
      log::error("server", fmt::format("{} {}: {}", mine->request().method, mine->request().path, e.what()));
      mine->respond(problemResponse({500, "internal_error", "An internal error; the log has more."}));
      mine->abandon();
    }
  });

  // Whatever happens here, the exchange must not call a connection that is gone.
  struct Detacher {
    ExchangeImpl& exchange;
    ~Detacher() { (void)exchange.detach(); }
  } const detacher{*exchange};

  m_keepAlive = keepAlive && !m_stopping;
  bool ended = false;
  while (!ended) {
    auto out = exchange->take();
    std::string bytes;
    if (out.head) {
      record.status = out.head->status;
      const bool streamed = out.streamed;
      m_keepAlive = m_keepAlive && !m_stopping && (!streamed || chunked);
      bytes = head(*out.head, streamed, streamed && chunked && !isHead, m_keepAlive, record.id);
      if (!isHead && !streamed && out.head->status != 204) bytes += out.head->body;
    }
    if (!out.data.empty() && !isHead) {
      if (chunked) bytes += fmt::format("{:x}\r\n", out.data.size());
      bytes += out.data;
      if (chunked) bytes += "\r\n";
    }
    ended = out.ended;
    if (out.ended && out.streamed && !out.broken && chunked && !isHead) bytes += "0\r\n\r\n";
    if (out.broken) m_keepAlive = false;
    if (!bytes.empty()) {
      const bool written = co_await writeAll(std::move(bytes));
      if (!written) {
        m_keepAlive = false;
        exchange->abort(m_stalled ? AbortReason::SlowReader : AbortReason::Disconnected);
        if (record.status == 0) record.status = 499;
        if (m_stalled) record.notes.errorCode = "slow_reader", record.notes.error = "slow reader";
        break;
      }
      continue;
    }
    if (ended) break;
    if (out.overflow) {
      // It may still be reading what the kernel holds, but it lost text: only a broken connection tells it so.
      m_keepAlive = false;
      record.notes.errorCode = "slow_reader";
      record.notes.error = "slow reader";
      exchange->abort(AbortReason::SlowReader);
      closeNow();
      break;
    }
    if (m_inputEnded) exchange->abort(AbortReason::Disconnected);
    if (m_stopping) exchange->abort(AbortReason::Stopping);
    if (m_closed) break;
    // An abort callback may have answered at once: look again before sleeping.
    exchange->tick();
    co_await sleepUntilWoken(exchange->nextTick().value_or(Clock::time_point::max()));
  }
  const bool needsLinger = !m_keepAlive && !m_closed;
  const ExchangeNotes notes = exchange->detach();
  const ExchangeNotes transport = std::move(record.notes);
  record.notes = notes;
  if (!transport.error.empty()) {
    record.notes.errorCode = transport.errorCode;
    record.notes.error = transport.error;
  }
  if (record.status == 0) record.status = 499;
  record.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  record.finished = true;
  report(record);
  if (needsLinger) co_await linger();
}

}  // namespace hearth::http
