#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/server/tls/server_context.h"

struct ssl_st;  // OpenSSL's SSL

namespace hearth::http {

/// How one attempt at a socket that must not block ended.
enum class Io : std::uint8_t {
  Done,
  WantRead,   ///< again once the socket is readable
  WantWrite,  ///< again once the socket is writable
  Ended,      ///< the peer has closed its side properly
  Failed,
};

/// The server's end of TLS over a non-blocking socket that it does not own. OpenSSL reads and writes the socket itself, with
/// no buffers between: an idle connection costs its session state alone. The connection's strand only.
class TlsStream {
 public:
  using Tcp = boost::asio::ip::tcp;
  TlsStream(Tcp::socket& socket, const tls::ServerContext& context);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  [[nodiscard]] Io handshake();
  [[nodiscard]] Io read(std::span<char> into, std::size_t& count);
  [[nodiscard]] Io write(std::string_view data, std::size_t& count);
  /// Says goodbye, if there is room for it now; does not wait for an answer.
  void sayGoodbye();

 private:
  [[nodiscard]] Io outcome(int result);

  ssl_st* m_ssl;
};

}  // namespace hearth::http
