#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/server/tls/identity_files.h"
#include "core/server/tls/server_context.h"

namespace hearth::lan {

/// What this machine may be called from outside: its addresses, its host name, that with ".local", "localhost", and `extra`
/// (names or addresses that the operator adds, for what the machine cannot know itself: DNS, a port forwarding).
[[nodiscard]] tls::ServerNames namesOfThisMachine(const std::vector<std::string>& extra);

/// Holds the server's certificate and notices when it must be another one: other addresses, an end in sight, or new files of
/// the operator's. One thread at a time.
class TlsKeeper {
 public:
  struct Options {
    std::filesystem::path folder;            ///< of this installation's own certificates
    std::filesystem::path certificate, key;  ///< the operator's instead; both or none
  };
  /// Errors: InvalidArgument (one file without the other), those of ensureIdentity and readIdentity.
  [[nodiscard]] static Result<std::unique_ptr<TlsKeeper>> create(Options options, const tls::ServerNames& names);

  /// True when there is a new context. What cannot be read or made is logged once, and the old one stays.
  [[nodiscard]] bool refresh(const tls::ServerNames& names);

  [[nodiscard]] const std::shared_ptr<const tls::ServerContext>& context() const noexcept { return m_context; }
  [[nodiscard]] const tls::Identity& identity() const noexcept { return m_identity; }

 private:
  explicit TlsKeeper(Options options) : m_options(std::move(options)) {}
  [[nodiscard]] Result<void> load(const tls::ServerNames& names);
  [[nodiscard]] std::string stampOfFiles() const;

  const Options m_options;
  tls::ServerNames m_names;
  std::string m_stamp;      // of the operator's files, as they were read
  std::string m_complaint;  // the last one that was logged
  tls::Identity m_identity;
  std::shared_ptr<const tls::ServerContext> m_context;
};

}  // namespace hearth::lan
