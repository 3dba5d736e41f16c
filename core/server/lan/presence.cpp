#include "core/server/lan/presence.h"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <utility>

#include "core/base/log.h"
#include "core/base/platform/network.h"
#include "core/base/platform/platform.h"

namespace hearth::lan {
namespace {

/// New certificate files are used this soon; addresses are looked up as often, which costs one system call.
constexpr std::chrono::seconds kLookEvery{2};
constexpr std::chrono::milliseconds kTestPatience{3'000};

}  // namespace

Presence::Presence(Options options, std::unique_ptr<TlsKeeper> keeper)
    : m_options(std::move(options)), m_keeper(std::move(keeper)) {
  const tls::Identity& identity = m_keeper->identity();
  m_snapshot.fingerprint = identity.info.fingerprint;
  m_snapshot.authorityFingerprint = identity.authorityFingerprint;
  m_snapshot.certificateEndsMs =
      std::chrono::duration_cast<std::chrono::milliseconds>(identity.info.notAfter.time_since_epoch()).count();
  m_snapshot.addresses = platform::networkAddresses();
  if (m_options.lan) {
    m_snapshot.firewall = platform::activeFirewall();
    // The port and the fingerprint are public; nothing else that is needed to get in is said.
    m_mdns = MdnsAnnouncement::start(
        "Hearth on " + platform::hostName(), m_options.port,
        {"path=/", "scheme=https", "apis=openai,ollama,anthropic", "version=" + m_options.version,
         "sha256=" + (identity.authorityFingerprint.empty() ? identity.info.fingerprint : identity.authorityFingerprint)});
  }
  m_thread = std::thread([this] {
    platform::nameThisThread("hearth-lan");
    try {
      run();
    } catch (const std::exception& problem) {
      log::error("server", std::string("looking after the LAN ended: ") + problem.what());
    }
  });
}

Presence::~Presence() {
  {
    const std::lock_guard lock(m_mutex);
    m_stopping = true;
  }
  m_wake.notify_all();
  m_thread.join();
}

Presence::Snapshot Presence::snapshot() const {
  Snapshot out;
  {
    const std::lock_guard lock(m_mutex);
    out = m_snapshot;
  }
  if (m_mdns) out.announcedAs = m_mdns->announcedAs();
  return out;
}

void Presence::run() {
  m_addresses = platform::networkAddresses();
  if (m_options.lan) test();
  for (;;) {
    {
      std::unique_lock lock(m_mutex);
      if (m_wake.wait_for(lock, kLookEvery, [this] { return m_stopping; })) return;
    }
    look();
  }
}

void Presence::look() {
  const tls::ServerNames names = namesOfThisMachine(m_options.extraNames);
  if (m_options.onNames) m_options.onNames(names);
  const bool renewed = m_keeper->refresh(names);
  if (renewed && m_options.onCertificate) m_options.onCertificate(m_keeper->context());
  const auto addresses = platform::networkAddresses();
  if (!renewed && addresses == m_addresses) return;
  m_addresses = addresses;
  {
    const std::lock_guard lock(m_mutex);
    const tls::CertificateInfo& info = m_keeper->identity().info;
    m_snapshot.addresses = addresses;
    m_snapshot.fingerprint = info.fingerprint;
    m_snapshot.certificateEndsMs =
        std::chrono::duration_cast<std::chrono::milliseconds>(info.notAfter.time_since_epoch()).count();
  }
  if (m_options.lan) test();
}

void Presence::test() {
  std::vector<SelfTestResult> checks;
  for (const std::string& address : m_addresses) {
    auto one = testOwnAddresses({address}, m_options.port, m_keeper->identity().info.fingerprint, kTestPatience);
    checks.insert(checks.end(), one.begin(), one.end());
    const std::lock_guard lock(m_mutex);
    if (m_stopping) return;
  }
  for (const SelfTestResult& check : checks) {
    if (check.outcome != SelfTestResult::Outcome::Reachable)
      log::warning("server", fmt::format("the server does not answer at {}: {} {}", check.address,
                                         outcomeName(check.outcome), check.detail));
  }
  const std::lock_guard lock(m_mutex);
  m_snapshot.checks = std::move(checks);
  m_snapshot.tested = true;
}

}  // namespace hearth::lan
