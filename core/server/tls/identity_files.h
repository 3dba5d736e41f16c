#pragma once

#include <filesystem>

#include "core/base/error.h"
#include "core/server/tls/certificate.h"

namespace hearth::tls {

/// This installation's certificates as they lie on disk.
struct Identity {
  std::string authority;  ///< PEM, without its key; empty when the certificate is the operator's own
  KeyPair server;
  CertificateInfo info;              ///< of the server's certificate
  std::string authorityFingerprint;  ///< empty like `authority`
};

/// The files `ca.pem`, `ca.key`, `server.pem`, `server.key` in `folder` (keys 0600). Makes what is missing; the authority is
/// kept for good (clients have installed it), the server's certificate is made anew when it lacks one of `names`, ends
/// within 30 days, or is not the authority's. An authority that is damaged or over is an error and never replaced silently.
/// Errors: Corrupt, PermissionDenied, ReadOnly, DiskFull, Io, each with the path. One thread at a time.
[[nodiscard]] Result<Identity> ensureIdentity(const std::filesystem::path& folder, const ServerNames& names, Time now);

/// The operator's own certificate (a chain, leaf first) and key. Errors: NotFound, PermissionDenied, Io, Corrupt
/// (unreadable, or the two do not belong together, or a key with a passphrase).
[[nodiscard]] Result<Identity> readIdentity(const std::filesystem::path& certificate, const std::filesystem::path& key);

}  // namespace hearth::tls
