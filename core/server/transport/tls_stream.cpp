#include "core/server/transport/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <boost/asio/buffer.hpp>

#include <new>

namespace hearth::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = TlsStream::Tcp;

// OpenSSL's own socket BIO raises SIGPIPE when a peer is gone; asio's sends do not.

bool isRetry(const error_code& error) { return error == asio::error::would_block || error == asio::error::try_again; }

int bioRead(BIO* bio, char* data, std::size_t size, std::size_t* count) {
  BIO_clear_retry_flags(bio);
  error_code error;
  *count = static_cast<Tcp::socket*>(BIO_get_data(bio))->read_some(asio::buffer(data, size), error);
  if (!error) return 1;
  if (isRetry(error)) BIO_set_retry_read(bio);
  return 0;
}

int bioWrite(BIO* bio, const char* data, std::size_t size, std::size_t* count) {
  BIO_clear_retry_flags(bio);
  error_code error;
  *count = static_cast<Tcp::socket*>(BIO_get_data(bio))->write_some(asio::buffer(data, size), error);
  if (!error) return 1;
  if (isRetry(error)) BIO_set_retry_write(bio);
  return 0;
}

long bioControl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int bioCreate(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

/// Made once and kept until the process ends.
BIO_METHOD* socketMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hearth socket");
    if (made == nullptr) throw std::bad_alloc();
    BIO_meth_set_read_ex(made, bioRead);
    BIO_meth_set_write_ex(made, bioWrite);
    BIO_meth_set_ctrl(made, bioControl);
    BIO_meth_set_create(made, bioCreate);
    return made;
  }();
  return method;
}

}  // namespace

TlsStream::TlsStream(Tcp::socket& socket, const tls::ServerContext& context) : m_ssl(SSL_new(context.native())) {
  BIO* const bio = m_ssl != nullptr ? BIO_new(socketMethod()) : nullptr;
  if (bio == nullptr) {
    SSL_free(m_ssl);
    ERR_clear_error();
    throw std::bad_alloc();
  }
  BIO_set_data(bio, &socket);
  SSL_set_bio(m_ssl, bio, bio);
  SSL_set_accept_state(m_ssl);
}

TlsStream::~TlsStream() { SSL_free(m_ssl); }

Io TlsStream::outcome(int result) {
  const int reason = SSL_get_error(m_ssl, result);
  // Errors are kept for each thread, and the next connection of this one must not find ours.
  ERR_clear_error();
  switch (reason) {
    case SSL_ERROR_NONE: return Io::Done;
    case SSL_ERROR_WANT_READ: return Io::WantRead;
    case SSL_ERROR_WANT_WRITE: return Io::WantWrite;
    case SSL_ERROR_ZERO_RETURN: return Io::Ended;
    default: return Io::Failed;
  }
}

Io TlsStream::handshake() {
  ERR_clear_error();
  return outcome(SSL_do_handshake(m_ssl));
}

Io TlsStream::read(std::span<char> into, std::size_t& count) {
  ERR_clear_error();
  count = 0;
  return outcome(SSL_read_ex(m_ssl, into.data(), into.size(), &count));
}

Io TlsStream::write(std::string_view data, std::size_t& count) {
  ERR_clear_error();
  count = 0;
  return outcome(SSL_write_ex(m_ssl, data.data(), data.size(), &count));
}

void TlsStream::sayGoodbye() {
  // After a failure of the protocol OpenSSL wants no such call; it says so itself and nothing is sent.
  if (SSL_is_init_finished(m_ssl) == 1) (void)SSL_shutdown(m_ssl);
  ERR_clear_error();
}

}  // namespace hearth::http
