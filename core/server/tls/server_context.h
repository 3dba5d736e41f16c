#pragma once

#include <memory>

#include "core/base/error.h"
#include "core/server/tls/certificate.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace hearth::tls {

/// A server's certificate, key and rules (TLS 1.2 and 1.3, ALPN http/1.1, no renegotiation) ready for connections. Constant
/// after construction: any thread. Connections keep what they need of it, so it may be replaced while they live.
class ServerContext {
 public:
  /// Errors: Corrupt (certificate, key, or that they do not belong together), Internal.
  [[nodiscard]] static Result<std::shared_ptr<const ServerContext>> create(const KeyPair& identity);
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  [[nodiscard]] ssl_ctx_st* native() const noexcept { return m_context; }

 private:
  explicit ServerContext(ssl_ctx_st* context) noexcept : m_context(context) {}
  ssl_ctx_st* m_context;
};

}  // namespace hearth::tls
