#include "core/server/tls/server_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <string_view>

#include "core/server/tls/openssl.h"

namespace hearth::tls {
namespace {

constexpr std::string_view kHttp11 = "http/1.1";

/// RFC 7301: the one protocol there is; a client that offers others only is told so.
int chooseProtocol(SSL*, const unsigned char** out, unsigned char* outSize, const unsigned char* in, unsigned inSize,
                   void*) {
  for (unsigned at = 0; at < inSize;) {
    const unsigned size = in[at];
    if (at + 1 + size > inSize) break;
    if (std::string_view(reinterpret_cast<const char*>(in + at + 1), size) == kHttp11) {
      *out = in + at + 1;
      *outSize = static_cast<unsigned char>(size);
      return SSL_TLSEXT_ERR_OK;
    }
    at += 1 + size;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// The certificates that follow the first one.
bool addChain(SSL_CTX* context, const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return false;
  for (bool first = true;; first = false) {
    CertPtr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    if (first) continue;
    if (SSL_CTX_add0_chain_cert(context, certificate.get()) != 1) return false;
    (void)certificate.release();
  }
  ERR_clear_error();
  return true;
}

}  // namespace

Result<std::shared_ptr<const ServerContext>> ServerContext::create(const KeyPair& identity) {
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) return fail(ErrorCode::Internal, "TLS cannot be set up: " + opensslReason());
  std::shared_ptr<const ServerContext> owner(new ServerContext(context));
  const CertPtr certificate = certificateFromPem(identity.certificate);
  const KeyPtr key = keyFromPem(identity.key);
  if (!certificate || !key)
    return fail(ErrorCode::Corrupt, "the server's certificate or key cannot be read: " + opensslReason());
  if (SSL_CTX_use_certificate(context, certificate.get()) != 1 || SSL_CTX_use_PrivateKey(context, key.get()) != 1 ||
      SSL_CTX_check_private_key(context) != 1 || !addChain(context, identity.certificate))
    return fail(ErrorCode::Corrupt, "the server's certificate and key cannot be used: " + opensslReason());
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL") != 1)
    return fail(ErrorCode::Internal, "TLS cannot be set up: " + opensslReason());
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Idle connections give their record buffers back; a write may go on from another address, with what is left of it.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Clients resume by tickets, which cost this side no memory.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nullptr);
  return owner;
}

ServerContext::~ServerContext() { SSL_CTX_free(m_context); }

}  // namespace hearth::tls
