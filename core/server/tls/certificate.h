#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"

/// Certificates of a machine in a LAN: an authority of its own, and what it signs. Pure functions over PEM text.
namespace hearth::tls {

using Time = std::chrono::system_clock::time_point;

/// A certificate with its private key, both PEM. The certificate may be a chain, leaf first.
struct KeyPair {
  std::string certificate;
  std::string key;
};

/// What clients may call a server. Sorted and without doubles when it comes from here.
struct ServerNames {
  std::vector<std::string> dns;        ///< "localhost", "maple.local"
  std::vector<std::string> addresses;  ///< numeric: "192.168.1.5", "fd00::5"
  friend bool operator==(const ServerNames&, const ServerNames&) = default;
};

struct CertificateInfo {
  std::string subject;      ///< its common name
  std::string fingerprint;  ///< SHA-256 of the whole certificate: "AB:CD:…", as browsers show it
  ServerNames names;
  Time notBefore, notAfter;
  bool authority = false;
};

/// P-256, ten years, signs servers only (pathlen 0). `name` is for people: "Hearth on maple".
[[nodiscard]] Result<KeyPair> makeAuthority(const std::string& name, Time now);
/// P-256, 397 days (what clients accept at most is 398), signed by `authority`. Errors: InvalidArgument (a name that is
/// none, or no name at all), Corrupt (the authority).
[[nodiscard]] Result<KeyPair> makeServerCertificate(const KeyPair& authority, const ServerNames& names, Time now);

/// The first certificate of a PEM text. Error: Corrupt.
[[nodiscard]] Result<CertificateInfo> readCertificate(const std::string& pem);
/// True when `authority` signed the first certificate of `pem`.
[[nodiscard]] bool isSignedBy(const std::string& pem, const std::string& authority);
/// True when the key is that of the first certificate.
[[nodiscard]] bool isKeyOf(const KeyPair& pair);

}  // namespace hearth::tls
