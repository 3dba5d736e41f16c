#include "core/server/tls/identity_files.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/log.h"
#include "core/base/platform/network.h"
#include "core/base/platform/small_file.h"

namespace hearth::tls {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::days kRenewBefore{30};
/// Certificates are a few kB; what is larger is something else.
constexpr std::size_t kMostBytes = 1024 * 1024;

Result<std::string> readText(const fs::path& path) { return platform::readSmallFile(path, kMostBytes); }

Result<std::optional<std::string>> readIfThere(const fs::path& path) {
  auto text = readText(path);
  if (text) return std::optional(std::move(*text));
  if (text.error().code == ErrorCode::NotFound) return std::optional<std::string>{};
  return std::unexpected(std::move(text).error());
}

/// The key goes first: a certificate on disk always has its key beside it.
Result<void> writePair(const fs::path& folder, const std::string& name, const KeyPair& pair) {
  HEARTH_CHECK(platform::replaceFile(folder / (name + ".key"), pair.key, true));
  return platform::replaceFile(folder / (name + ".pem"), pair.certificate, false);
}

Result<std::optional<KeyPair>> readPair(const fs::path& folder, const std::string& name) {
  HEARTH_TRY(auto certificate, readIfThere(folder / (name + ".pem")));
  HEARTH_TRY(auto key, readIfThere(folder / (name + ".key")));
  if (!certificate || !key) return std::optional<KeyPair>{};
  return std::optional(KeyPair{std::move(*certificate), std::move(*key)});
}

Result<KeyPair> ensureAuthority(const fs::path& folder, Time now) {
  HEARTH_TRY(auto kept, readPair(folder, "ca"));
  if (!kept) {
    if (fs::exists(folder / "ca.pem"))
      return fail(ErrorCode::Corrupt,
                  "The certificate authority's key is missing. Put it back, or remove ca.pem to make a new authority, which "
                  "every client must then trust anew.",
                  {{"path", (folder / "ca.key").string()}});
    HEARTH_TRY(KeyPair made, makeAuthority("Hearth on " + platform::hostName(), now));
    HEARTH_CHECK(writePair(folder, "ca", made));
    log::info("server", "made a certificate authority for this installation");
    return made;
  }
  const auto info = readCertificate(kept->certificate);
  if (!info || !info->authority || !isKeyOf(*kept))
    return fail(ErrorCode::Corrupt,
                "The certificate authority is damaged. Restore it, or remove ca.pem and ca.key to make a new one, which "
                "every client must then trust anew.",
                {{"path", (folder / "ca.pem").string()}});
  if (info->notAfter < now + std::chrono::days(1))
    return fail(ErrorCode::Corrupt,
                "The certificate authority is over. Remove ca.pem and ca.key to make a new one, which every client must "
                "then trust anew.",
                {{"path", (folder / "ca.pem").string()}});
  return std::move(*kept);
}

bool covers(const ServerNames& has, const ServerNames& wanted) {
  const auto all = [](const std::vector<std::string>& in, const std::vector<std::string>& names) {
    return std::ranges::all_of(names, [&](const std::string& name) { return std::ranges::find(in, name) != in.end(); });
  };
  return all(has.dns, wanted.dns) && all(has.addresses, wanted.addresses);
}

}  // namespace

Result<Identity> ensureIdentity(const fs::path& folder, const ServerNames& names, Time now) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) return fail(errorFromErrno(problem.value(), "cannot make the folder", folder.string()));
  fs::permissions(folder, fs::perms::owner_all, problem);
  HEARTH_TRY(const KeyPair authority, ensureAuthority(folder, now));
  HEARTH_TRY(const CertificateInfo authorityInfo, readCertificate(authority.certificate));
  HEARTH_TRY(auto server, readPair(folder, "server"));
  std::string why;
  if (!server) {
    why = "there was none";
  } else if (const auto info = readCertificate(server->certificate);
             !info || !isKeyOf(*server) || !isSignedBy(server->certificate, authority.certificate)) {
    why = "it was damaged or another authority's";
  } else if (info->notAfter < std::min<Time>(now + kRenewBefore, authorityInfo.notAfter) || info->notBefore > now) {
    why = "it was about to end";
  } else if (!covers(info->names, names)) {
    why = "the machine's names or addresses have changed";
  }
  if (!why.empty()) {
    HEARTH_TRY(server, makeServerCertificate(authority, names, now));
    HEARTH_CHECK(writePair(folder, "server", *server));
    log::info("server", "made a certificate: " + why);
  }
  // A key that somebody made readable for others is closed again.
  for (const char* key : {"ca.key", "server.key"})
    fs::permissions(folder / key, fs::perms::owner_read | fs::perms::owner_write, problem);
  Identity identity;
  identity.authority = authority.certificate;
  identity.authorityFingerprint = authorityInfo.fingerprint;
  HEARTH_TRY(identity.info, readCertificate(server->certificate));
  identity.server = std::move(*server);
  return identity;
}

Result<Identity> readIdentity(const fs::path& certificate, const fs::path& key) {
  Identity identity;
  HEARTH_TRY(identity.server.certificate, readText(certificate));
  HEARTH_TRY(identity.server.key, readText(key));
  auto info = readCertificate(identity.server.certificate);
  if (!info) return fail(std::move(info.error()).with("path", certificate.string()));
  identity.info = std::move(*info);
  if (!isKeyOf(identity.server))
    return fail(ErrorCode::Corrupt,
                "This is not the certificate's private key, or it needs a passphrase, which a server cannot type.",
                {{"path", key.string()}, {"certificate", certificate.string()}});
  return identity;
}

}  // namespace hearth::tls
