#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

/// OpenSSL's things as owners. Private to this room: include it in .cpp files only.
namespace hearth::tls {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* thing) const noexcept {
    Free(thing);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using CertPtr = std::unique_ptr<X509, Deleter<X509_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;
using BigPtr = std::unique_ptr<BIGNUM, Deleter<BN_free>>;

/// What OpenSSL's queue of this thread says last, and empties it.
[[nodiscard]] std::string opensslReason();

/// Null when it cannot be read. `pem` may hold more behind it.
[[nodiscard]] CertPtr certificateFromPem(const std::string& pem);
/// Null when it cannot be read; never asks for a passphrase.
[[nodiscard]] KeyPtr keyFromPem(const std::string& pem);
[[nodiscard]] std::string pemOf(X509* certificate);
[[nodiscard]] std::string pemOf(EVP_PKEY* key);

}  // namespace hearth::tls
