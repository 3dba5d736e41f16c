#include "core/server/lan/tls_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/log.h"
#include "core/base/platform/network.h"

namespace hearth::lan {
namespace {

constexpr std::chrono::days kRenewBefore{30};

void sortAndUnique(std::vector<std::string>& list) {
  std::ranges::sort(list);
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

tls::ServerNames namesOfThisMachine(const std::vector<std::string>& extra) {
  tls::ServerNames names;
  names.dns = {"localhost"};
  if (const std::string host = platform::hostName(); host != "localhost") {
    names.dns.push_back(host);
    names.dns.push_back(host + ".local");
  }
  names.addresses = platform::networkAddresses();
  names.addresses.emplace_back("127.0.0.1");
  names.addresses.emplace_back("::1");
  for (const std::string& name : extra) (platform::addressBytes(name).empty() ? names.dns : names.addresses).push_back(name);
  sortAndUnique(names.dns);
  sortAndUnique(names.addresses);
  return names;
}

Result<std::unique_ptr<TlsKeeper>> TlsKeeper::create(Options options, const tls::ServerNames& names) {
  if (options.certificate.empty() != options.key.empty())
    return fail(ErrorCode::InvalidArgument, "A certificate of one's own needs both files: the certificate and its key.",
                {{"field", "tls-cert"}});
  std::unique_ptr<TlsKeeper> keeper(new TlsKeeper(std::move(options)));
  HEARTH_CHECK(keeper->load(names));
  return keeper;
}

std::string TlsKeeper::stampOfFiles() const {
  std::string stamp;
  for (const auto* file : {&m_options.certificate, &m_options.key}) {
    std::error_code problem;
    const auto time = std::filesystem::last_write_time(*file, problem);
    const auto size = std::filesystem::file_size(*file, problem);
    stamp += problem ? "?" : fmt::format("{}/{} ", time.time_since_epoch().count(), size);
  }
  return stamp;
}

Result<void> TlsKeeper::load(const tls::ServerNames& names) {
  const bool own = !m_options.certificate.empty();
  const std::string stamp = own ? stampOfFiles() : std::string{};
  auto identity = own ? tls::readIdentity(m_options.certificate, m_options.key)
                      : tls::ensureIdentity(m_options.folder, names, std::chrono::system_clock::now());
  if (!identity) return std::unexpected(std::move(identity).error());
  HEARTH_TRY(auto context, tls::ServerContext::create(identity->server));
  m_stamp = stamp;
  m_names = names;
  m_identity = std::move(*identity);
  m_context = std::move(context);
  return {};
}

bool TlsKeeper::refresh(const tls::ServerNames& names) {
  const bool own = !m_options.certificate.empty();
  const bool stale = own ? stampOfFiles() != m_stamp
                         : names != m_names || m_identity.info.notAfter < std::chrono::system_clock::now() + kRenewBefore;
  if (!stale) return false;
  const std::string before = m_identity.info.fingerprint;
  if (const auto loaded = load(names); !loaded) {
    // The two files are replaced one after the other: between them they do not fit, which is no news.
    if (loaded.error().message != m_complaint)
      log::warning("server", "the new certificate is not used: " + loaded.error().describe());
    m_complaint = loaded.error().message;
    return false;
  }
  m_complaint.clear();
  if (m_identity.info.fingerprint == before) return false;
  log::info("server", "serving with a new certificate, " + m_identity.info.fingerprint);
  return true;
}

}  // namespace hearth::lan
