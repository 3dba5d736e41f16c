#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/server/lan/mdns.h"
#include "core/server/lan/self_test.h"
#include "core/server/lan/tls_keeper.h"

namespace hearth::lan {

/// Looks after a server that the LAN can reach, on a thread of its own: follows changes of addresses and certificates, tests
/// whether its addresses answer, announces it by mDNS. Any thread may call; the callbacks come from its thread.
class Presence {
 public:
  struct Options {
    std::uint16_t port = 0;
    std::vector<std::string> extraNames;
    bool lan = false;  ///< else only the certificate is looked after
    std::string version;
    std::function<void(const tls::ServerNames&)> onNames;
    std::function<void(std::shared_ptr<const tls::ServerContext>)> onCertificate;
  };
  struct Snapshot {
    std::vector<std::string> addresses;  ///< of the network, without ports
    std::string fingerprint, authorityFingerprint;
    std::int64_t certificateEndsMs = 0;
    bool tested = false;
    std::vector<SelfTestResult> checks;
    std::string firewall, announcedAs;
  };

  Presence(Options options, std::unique_ptr<TlsKeeper> keeper);
  ~Presence();  ///< joins: at most as long as one address's test takes
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

  [[nodiscard]] Snapshot snapshot() const;

 private:
  void run();
  void look();
  void test();

  const Options m_options;
  const std::unique_ptr<TlsKeeper> m_keeper;  // the thread's, once it runs
  std::unique_ptr<MdnsAnnouncement> m_mdns;   // made before the thread starts, and constant after that
  std::vector<std::string> m_addresses;       // the thread's: as they were last tested

  mutable std::mutex m_mutex;
  std::condition_variable m_wake;
  bool m_stopping = false;  // guarded by m_mutex
  Snapshot m_snapshot;      // guarded by m_mutex
  std::thread m_thread;
};

}  // namespace hearth::lan
