#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>

#include "core/server/transport/session.h"

// A connection's bytes: TLS or none, reading, writing, and how it ends.
namespace hearth::http {
namespace asio = boost::asio;

namespace {

using boost::system::error_code;

constexpr std::size_t kMostUnreadInput = 256 * 1024;
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::chrono::milliseconds kLinger{3'000};
constexpr std::chrono::milliseconds kLingerWhenStopping{100};
/// The first byte of every TLS connection: a record of the handshake.
constexpr char kTlsHandshake = 0x16;

}  // namespace

asio::awaitable<bool> Session::waitFor(Io what) {
  error_code error;
  const auto direction = what == Io::WantWrite ? Tcp::socket::wait_write : Tcp::socket::wait_read;
  co_await m_socket.async_wait(direction, asio::redirect_error(asio::use_awaitable, error));
  co_return !error && !m_closed;
}

Io Session::tryRead(std::span<char> into, std::size_t& count) {
  if (m_tls) return m_tls->read(into, count);
  error_code error;
  count = m_socket.read_some(asio::buffer(into.data(), into.size()), error);
  if (!error) return Io::Done;
  if (error == asio::error::would_block || error == asio::error::try_again) return Io::WantRead;
  return error == asio::error::eof ? Io::Ended : Io::Failed;
}

Io Session::tryWrite(std::string_view data, std::size_t& count) {
  if (m_tls) return m_tls->write(data, count);
  error_code error;
  count = m_socket.write_some(asio::buffer(data.data(), data.size()), error);
  if (!error) return Io::Done;
  return error == asio::error::would_block || error == asio::error::try_again ? Io::WantWrite : Io::Failed;
}

asio::awaitable<bool> Session::openTls() {
  m_stallTimer.expires_after(m_shared.options.limits.handshakeDeadline);
  m_stallTimer.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error && self->m_handshaking) self->closeNow();
  });
  char first = 0;
  error_code error;
  std::size_t count = 0;
  do {  // a wait may end with nothing to read
    if (const bool ready = co_await waitFor(Io::WantRead); !ready) co_return false;
    count = m_socket.receive(asio::buffer(&first, 1), Tcp::socket::message_peek, error);
  } while (error == asio::error::would_block || error == asio::error::try_again);
  if (error || count == 0) co_return false;
  if (first != kTlsHandshake) {
    m_plainOnTls = true;
    co_return true;
  }
  const auto context = m_shared.tls();
  m_tls = std::make_unique<TlsStream>(m_socket, *context);
  for (;;) {
    const Io result = m_tls->handshake();
    if (result == Io::Done) co_return true;
    if (result != Io::WantRead && result != Io::WantWrite) co_return false;
    if (const bool ready = co_await waitFor(result); !ready) co_return false;
  }
}

asio::awaitable<void> Session::readLoop() {
  // One for each thread and none for each connection: between a read and the copy below nothing waits.
  thread_local std::array<char, kReadBytes> scratch;
  for (;;) {
    std::size_t count = 0;
    const Io result = m_closed ? Io::Failed : tryRead(scratch, count);
    if (result == Io::WantRead || result == Io::WantWrite) {
      const bool ready = co_await waitFor(result);
      if (m_closed) co_return;
      if (ready) continue;
    }
    if (result != Io::Done) {
      m_inputEnded = true;
      wake();
      co_return;
    }
    if (!m_discard) {
      m_input.append(scratch.data(), count);
      m_fresh = true;
      wake();
    }
    while (!m_closed && !m_discard && m_input.size() - m_inputStart >= kMostUnreadInput) {
      error_code ignored;
      m_spaceTimer.expires_at(Clock::time_point::max());
      co_await m_spaceTimer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
  }
}

asio::awaitable<bool> Session::writeAll(std::string data) {
  std::size_t written = 0;
  while (written < data.size()) {
    if (m_closed) co_return false;
    std::size_t count = 0;
    const Io result = tryWrite(std::string_view(data).substr(written), count);
    if (result == Io::Done) {
      written += count;
      continue;
    }
    if (result != Io::WantWrite && result != Io::WantRead) co_return false;
    const std::uint64_t turn = ++m_writeTurn;
    m_stallTimer.expires_after(m_shared.options.limits.writeStall);
    m_stallTimer.async_wait([self = shared_from_this(), turn](const error_code& error) {
      if (error || self->m_writeTurn != turn) return;
      self->m_stalled = true;
      self->closeNow();
    });
    const bool ready = co_await waitFor(result);
    ++m_writeTurn;
    m_stallTimer.cancel();
    if (!ready) co_return false;
  }
  co_return !m_closed;
}

asio::awaitable<void> Session::linger() {
  // Closing with unread input makes the kernel send a reset, which can destroy the answer before the client has read it.
  m_discard = true;
  std::string().swap(m_input);
  m_inputStart = 0;
  m_spaceTimer.cancel();
  error_code ignored;
  if (m_tls) m_tls->sayGoodbye();
  m_socket.shutdown(Tcp::socket::shutdown_send, ignored);
  auto deadline = Clock::now() + kLinger;
  while (!m_inputEnded) {
    if (m_stopping) deadline = std::min(deadline, Clock::now() + kLingerWhenStopping);
    if (Clock::now() >= deadline) break;
    co_await sleepUntilWoken(deadline);
  }
}

}  // namespace hearth::http
