#include "tests/server/tls_client.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace hearth::test {

TlsClient::TlsClient(std::uint16_t port, const Options& options) {
  ::signal(SIGPIPE, SIG_IGN);  // this test program's; the server must not need it
  m_socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{10, 0};
  ::setsockopt(m_socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(m_socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    m_problem = "cannot connect";
    return;
  }
  m_context = SSL_CTX_new(TLS_client_method());
  if (options.newestVersion != 0) {
    SSL_CTX_set_security_level(m_context, 0);
    SSL_CTX_set_min_proto_version(m_context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(m_context, options.newestVersion);
  }
  if (!options.authority.empty()) {
    BIO* bio = BIO_new_mem_buf(options.authority.data(), static_cast<int>(options.authority.size()));
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    if (certificate != nullptr) X509_STORE_add_cert(SSL_CTX_get_cert_store(m_context), certificate);
    X509_free(certificate);
    BIO_free(bio);
    SSL_CTX_set_verify(m_context, SSL_VERIFY_PEER, nullptr);
  }
  m_ssl = SSL_new(m_context);
  SSL_set_tlsext_host_name(m_ssl, options.name.c_str());
  X509_VERIFY_PARAM* const check = SSL_get0_param(m_ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(check, options.name.c_str()) != 1)
    X509_VERIFY_PARAM_set1_host(check, options.name.c_str(), 0);
  if (!options.alpn.empty()) {
    const std::string list = std::string(1, static_cast<char>(options.alpn.size())) + options.alpn;
    SSL_set_alpn_protos(m_ssl, reinterpret_cast<const unsigned char*>(list.data()), static_cast<unsigned>(list.size()));
  }
  SSL_set_fd(m_ssl, m_socket);
  ERR_clear_error();
  m_connected = SSL_connect(m_ssl) == 1;
  if (m_connected) return;
  const long verify = SSL_get_verify_result(m_ssl);
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  m_problem = verify != X509_V_OK ? X509_verify_cert_error_string(verify) : (reason != nullptr ? reason : "no reason");
  ERR_clear_error();
}

TlsClient::~TlsClient() {
  SSL_free(m_ssl);
  SSL_CTX_free(m_context);
  if (m_socket >= 0) ::close(m_socket);
}

std::string TlsClient::protocol() const { return SSL_get_version(m_ssl); }

std::string TlsClient::alpn() const {
  const unsigned char* data = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(m_ssl, &data, &size);
  return {reinterpret_cast<const char*>(data), size};
}

std::string TlsClient::peerCertificate() const {
  X509* certificate = SSL_get1_peer_certificate(m_ssl);
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  X509_free(certificate);
  return out;
}

bool TlsClient::send(std::string_view bytes) {
  std::size_t count = 0;
  return SSL_write_ex(m_ssl, bytes.data(), bytes.size(), &count) == 1 && count == bytes.size();
}

std::string TlsClient::readAll(bool* clean) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const int count = SSL_read(m_ssl, buffer.data(), static_cast<int>(buffer.size()));
    if (count <= 0) {
      if (clean != nullptr) *clean = SSL_get_error(m_ssl, count) == SSL_ERROR_ZERO_RETURN;
      ERR_clear_error();
      return std::exchange(m_buffer, {});
    }
    m_buffer.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

std::string TlsClient::readUntil(std::string_view marker) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const std::size_t found = m_buffer.find(marker);
    if (found != std::string::npos) {
      std::string out = m_buffer.substr(0, found + marker.size());
      m_buffer.erase(0, found + marker.size());
      return out;
    }
    const int count = SSL_read(m_ssl, buffer.data(), static_cast<int>(buffer.size()));
    if (count <= 0) {
      ERR_clear_error();
      return {};
    }
    m_buffer.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace hearth::test
