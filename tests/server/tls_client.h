#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace hearth::test {

/// A TLS connection to this machine that trusts `authority` alone. Blocking; give up after ten seconds without a byte.
class TlsClient {
 public:
  struct Options {
    std::string authority;           ///< PEM; empty = trusts everybody
    std::string name = "localhost";  ///< SNI, and what the certificate must be for
    std::string alpn;                ///< one protocol; empty = none offered
    int newestVersion = 0;           ///< OpenSSL's number; 0 = as new as it goes
  };
  TlsClient(std::uint16_t port, const Options& options);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  [[nodiscard]] bool connected() const noexcept { return m_connected; }
  [[nodiscard]] const std::string& problem() const noexcept { return m_problem; }  ///< why not
  [[nodiscard]] std::string protocol() const;                                      ///< "TLSv1.3"
  [[nodiscard]] std::string alpn() const;                                          ///< as chosen
  [[nodiscard]] std::string peerCertificate() const;                               ///< PEM
  [[nodiscard]] int socket() const noexcept { return m_socket; }

  bool send(std::string_view bytes);
  /// To the end of the connection. `clean`: it ended with TLS's own goodbye.
  [[nodiscard]] std::string readAll(bool* clean = nullptr);
  /// Up to and with `marker`; empty when the connection ends before.
  [[nodiscard]] std::string readUntil(std::string_view marker);

 private:
  int m_socket = -1;
  ssl_ctx_st* m_context = nullptr;
  ssl_st* m_ssl = nullptr;
  bool m_connected = false;
  std::string m_problem, m_buffer;
};

}  // namespace hearth::test
