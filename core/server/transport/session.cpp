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
#include "core/server/transport/spooled_body.h"

namespace hearth::http {
namespace asio = boost::asio;

namespace {

using boost::system::error_code;

/// What has been read and parsed is moved out of the way when it is this much.
constexpr std::size_t kMostParsedInput = 64 * 1024;

// Named objects and not temporaries: GCC 12 destroys aggregate temporaries of a co_await expression twice (its bug 102489).
const HttpProblem kTooManyBodies{503, "overloaded", "The server holds too many request bodies at once."};
const HttpProblem kNoRoom{507, "insufficient_storage", "The server has no room for this upload."};
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

Session::Session(Tcp::socket socket, SessionShared& shared, std::optional<HttpProblem> refusal)
    : m_shared(shared),
      m_refusal(std::move(refusal)),
      m_socket(std::move(socket)),
      m_wakeTimer(m_socket.get_executor()),
      m_spaceTimer(m_socket.get_executor()),
      m_stallTimer(m_socket.get_executor()) {
  error_code error;
  const auto peer = m_socket.remote_endpoint(error);
  if (!error) {
    auto address = peer.address();
    // A v4 client of a socket that serves both kinds.
    if (address.is_v6() && address.to_v6().is_v4_mapped()) address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    m_clientAddress = address.to_string();
    m_client = fmt::format(fmt::runtime(address.is_v6() ? "[{}]:{}" : "{}:{}"), m_clientAddress, peer.port());
  }
  m_socket.set_option(Tcp::no_delay(true), error);
  // What the kernel holds for a client that does not read counts too: without a bound it grows to megabytes on loopback.
  m_socket.set_option(asio::socket_base::send_buffer_size(128 * 1024), error);
  m_socket.non_blocking(true, error);
}

void Session::start(std::function<void()> ended) {
  if (!m_shared.tls()) return startLoops(std::move(ended));
  m_handshaking = true;
  asio::co_spawn(m_socket.get_executor(), openTls(), [self = shared_from_this(), ended = std::move(ended)](std::exception_ptr problem, bool open) {
    self->m_handshaking = false;
    self->m_stallTimer.cancel();
    if (problem) log::error("server", fmt::format("connection {}: TLS could not be set up", self->m_client));
    if (!problem && open && !self->m_closed) return self->startLoops(ended);
    self->closeNow();
    ended();
  });
}

void Session::startLoops(std::function<void()> ended) {
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
    if (self->m_handshaking) self->closeNow();
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
    std::string().swap(m_input);  // gives the memory back, which assigning does not
    m_inputStart = 0;
  } else if (m_inputStart > kMostParsedInput) {
    m_input.erase(0, m_inputStart);
    m_inputStart = 0;
  }
  m_spaceTimer.cancel();
}

std::string Session::head(const Response& response, bool streamed, bool chunked, bool keepAlive, std::uint64_t id) const {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, reasonPhrase(response.status), httpDate());
  const auto add = [&](std::string_view name, std::string_view value) {
    if (isPlainHeader(name) && isPlainHeader(value)) out += fmt::format("{}: {}\r\n", name, value);
  };
  if (!m_shared.options.serverName.empty()) add("Server", m_shared.options.serverName);
  if (id != 0) add("X-Request-Id", requestIdText(id));
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

asio::awaitable<void> Session::refuse(const HttpProblem& problem, const Request* request) {
  Response response = m_shared.options.problemWriter ? m_shared.options.problemWriter(problem, request) : problemResponse(problem);
  ExchangeNotes notes;
  notes.errorCode = problem.code;
  notes.error = problem.message;
  (void)co_await answerEarly(std::move(response), request, std::move(notes), false);
}

asio::awaitable<bool> Session::answerEarly(Response response, const Request* request, ExchangeNotes notes, bool keepAlive) {
  ExchangeRecord record;
  record.id = m_shared.nextId++;
  record.time = epochSeconds();
  record.client = m_client;
  record.status = response.status;
  record.notes = std::move(notes);
  record.finished = true;
  if (request != nullptr) {
    record.method = request->method;
    record.target = request->target;
  }
  const bool bodyless = request != nullptr && request->method == "HEAD";
  report(record);
  keepAlive = keepAlive && !m_stopping;
  std::string bytes = head(response, false, false, keepAlive, record.id);
  if (!bodyless) bytes += response.body;
  const bool written = co_await writeAll(std::move(bytes));
  if (written && !keepAlive) co_await linger();
  co_return written && keepAlive;
}

asio::awaitable<void> Session::redirectToTls(const Request& request) {
  const std::string* host = request.header("host");
  Response response;
  response.contentType = "text/plain; charset=utf-8";
  ExchangeNotes notes;
  notes.errorCode = "https_only";
  notes.error = "plain HTTP on a port for HTTPS";
  if (host != nullptr && hostOfAuthority(*host) && (request.method == "GET" || request.method == "HEAD")) {
    response.status = 307;
    response.headers.push_back({"Location", "https://" + *host + request.path + (request.query.empty() ? "" : "?" + request.query)});
  } else {
    response.status = 400;
  }
  response.body = "This port speaks HTTPS only: begin the address with https://\n";
  (void)co_await answerEarly(std::move(response), &request, std::move(notes), false);
}

asio::awaitable<void> Session::serveLoop() {
  if (m_refusal) {
    co_await refuse(*m_refusal, nullptr);
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
  request.client = m_client;
  request.clientAddress = m_clientAddress;
  request.secure = m_tls != nullptr;

  // Judged before any of the body is taken.
  const bool malformed = parser->malformed();
  auto problem = malformed ? parser->problem() : splitTarget(request);
  if (problem) {
    co_await refuse(*problem, request.method.empty() ? nullptr : &request);
    co_return false;
  }
  if (m_plainOnTls) {
    co_await redirectToTls(request);
    co_return false;
  }
  Verdict verdict = judge(request);
  if (verdict.bodyBytes != 0) parser->limitBody(verdict.bodyBytes);
  if (verdict.refusal) {
    const bool keepAlive = parser->done() && parser->keepAlive() && !verdict.hangUp;
    const bool again = co_await answerEarly(std::move(*verdict.refusal), &request, std::move(verdict.notes), keepAlive);
    co_return again;
  }
  request.identity = verdict.identity;
  const bool complete = co_await readBody(*parser, verdict);
  if (!complete) co_return false;

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
  exchange->note([&](ExchangeNotes& notes) { notes = std::move(verdict.notes); });
  co_await runExchange(std::move(exchange), keepAlive);
  accountBody(0);
  co_return m_keepAlive && !m_closed;
}

Verdict Session::judge(const Request& request) const {
  if (m_shared.options.judge) return m_shared.options.judge(request);
  Verdict verdict;
  if (const auto problem = checkHostAndOrigin(request)) {
    verdict.refusal = m_shared.options.problemWriter ? m_shared.options.problemWriter(*problem, &request) : problemResponse(*problem);
    verdict.hangUp = true;
    verdict.notes.errorCode = problem->code;
    verdict.notes.error = problem->message;
  }
  return verdict;
}

asio::awaitable<bool> Session::readBody(RequestParser& parser, const Verdict& verdict) {
  const TransportLimits& limits = m_shared.options.limits;
  Request& request = parser.request();
  if (parser.problem()) {  // too large, by its own word
    co_await refuse(*parser.problem(), &request);
    co_return false;
  }
  std::shared_ptr<SpooledBody> file;
  if (verdict.spool) {
    auto created = SpooledBody::create(m_shared.options.spoolFolder);
    if (!created) {
      log::error("server", "an upload cannot be stored: " + created.error().describe());
      co_await refuse(kNoRoom, &request);
      co_return false;
    }
    file = std::move(*created);
  }
  if (!parser.done() && parser.expectsContinue() && m_inputStart == m_input.size()) {
    std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool written = co_await writeAll(std::move(interim));
    if (!written) co_return false;
  }
  const auto deadline = Clock::now() + (file ? limits.spoolDeadline : limits.bodyDeadline);
  for (;;) {
    feed(parser);
    if (parser.problem()) {
      accountBody(0);
      co_await refuse(*parser.problem(), &request);
      co_return false;
    }
    const bool last = parser.done();
    if (file && (last || !request.body.empty())) {
      std::string piece = std::exchange(request.body, {});
      const bool stored = co_await spool(file, std::move(piece), last);
      if (!stored) {
        co_await refuse(kNoRoom, &request);
        co_return false;
      }
    }
    accountBody(request.body.size());
    if (m_shared.bodyBytes > limits.bodiesBytes) {
      std::string().swap(request.body);
      accountBody(0);
      co_await refuse(kTooManyBodies, &request);
      co_return false;
    }
    if (last) break;
    const Wait result = co_await waitInput(std::min(deadline, Clock::now() + limits.bodyStall));
    if (result == Wait::Data) continue;
    if (result == Wait::TimedOut) co_await refuse(kSlowBody, &request);
    co_return false;
  }
  request.file = std::move(file);
  co_return true;
}

asio::awaitable<bool> Session::spool(std::shared_ptr<SpooledBody>& file, std::string piece, bool last) {
  // On a worker: writing to a disk may take its time, and this thread has other connections.
  struct Work {
    std::atomic<bool> over{false};
    bool good = false;
  };
  const auto work = std::make_shared<Work>();
  asio::post(m_shared.workers, [self = shared_from_this(), file, work, piece = std::move(piece), last] {
    work->good = file->append(piece) && (!last || file->finish());
    work->over = true;
    asio::post(self->m_socket.get_executor(), [self] { self->wake(); });
  });
  while (!work->over) co_await sleepUntilWoken(Clock::time_point::max());
  co_return work->good;
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
  record.identity = request.identity;
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
