#include "core/server/lan/mdns.h"

#ifdef HEARTH_AVAHI

#include <avahi-client/client.h>
#include <avahi-client/publish.h>
#include <avahi-common/alternative.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/strlst.h>
#include <avahi-common/thread-watch.h>

#include <mutex>
#include <utility>

#include "core/base/log.h"

namespace hearth::lan {
namespace {

constexpr const char* kServiceType = "_hearth._tcp";

/// All callbacks come on Avahi's thread, which the poll's lock holds off while this side is at work.
class AvahiAnnouncement final : public MdnsAnnouncement {
 public:
  AvahiAnnouncement(std::string name, std::uint16_t port, std::vector<std::string> text)
      : m_name(std::move(name)), m_port(port), m_text(std::move(text)), m_poll(avahi_threaded_poll_new()) {}

  ~AvahiAnnouncement() override {
    if (m_poll != nullptr) avahi_threaded_poll_stop(m_poll);
    if (m_client != nullptr) avahi_client_free(m_client);  // and its group
    if (m_poll != nullptr) avahi_threaded_poll_free(m_poll);
  }

  bool open() {
    if (m_poll == nullptr) return false;
    int problem = 0;
    // NO_FAIL: a daemon that starts later, or again, is waited for.
    m_client = avahi_client_new(avahi_threaded_poll_get(m_poll), AVAHI_CLIENT_NO_FAIL, onClient, this, &problem);
    if (m_client == nullptr) {
      log::info("server", std::string("not announced on the LAN: ") + avahi_strerror(problem));
      return false;
    }
    return avahi_threaded_poll_start(m_poll) == 0;
  }

  std::string announcedAs() const override {
    const std::lock_guard lock(m_mutex);
    return m_announced;
  }

 private:
  static void onClient(AvahiClient* client, AvahiClientState state, void* self) {
    auto* const me = static_cast<AvahiAnnouncement*>(self);
    me->m_client = client;  // the first call comes from within avahi_client_new
    if (state == AVAHI_CLIENT_S_RUNNING) {
      me->publish(client);
    } else if (state == AVAHI_CLIENT_S_COLLISION || state == AVAHI_CLIENT_S_REGISTERING) {
      if (me->m_group != nullptr) avahi_entry_group_reset(me->m_group);  // the host's own name changes; RUNNING comes again
      me->setAnnounced({});
    } else {
      // The daemon is gone, and the group with it.
      if (state == AVAHI_CLIENT_CONNECTING) me->m_group = nullptr;
      me->setAnnounced({});
    }
  }

  static void onGroup(AvahiEntryGroup* group, AvahiEntryGroupState state, void* self) {
    auto* const me = static_cast<AvahiAnnouncement*>(self);
    me->m_group = group;
    if (state == AVAHI_ENTRY_GROUP_ESTABLISHED) {
      me->setAnnounced(me->m_name);
    } else if (state == AVAHI_ENTRY_GROUP_COLLISION) {
      me->rename();
      me->publish(avahi_entry_group_get_client(group));
    }
  }

  void rename() {
    char* const other = avahi_alternative_service_name(m_name.c_str());
    m_name = other;
    avahi_free(other);
  }

  void publish(AvahiClient* client) {
    if (m_group == nullptr) m_group = avahi_entry_group_new(client, onGroup, this);
    if (m_group == nullptr) return;
    AvahiStringList* text = nullptr;
    for (const std::string& line : m_text) text = avahi_string_list_add(text, line.c_str());
    for (int attempt = 0; attempt < 8; ++attempt) {
      const int result =
          avahi_entry_group_add_service_strlst(m_group, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, AvahiPublishFlags{},
                                               m_name.c_str(), kServiceType, nullptr, nullptr, m_port, text);
      if (result != AVAHI_ERR_COLLISION) {
        if (result < 0) log::warning("server", std::string("not announced on the LAN: ") + avahi_strerror(result));
        break;
      }
      rename();
      avahi_entry_group_reset(m_group);
    }
    avahi_string_list_free(text);
    (void)avahi_entry_group_commit(m_group);
  }

  void setAnnounced(std::string name) {
    const std::lock_guard lock(m_mutex);
    m_announced = std::move(name);
  }

  std::string m_name;  // Avahi's thread, after open()
  const std::uint16_t m_port;
  const std::vector<std::string> m_text;
  AvahiThreadedPoll* const m_poll;
  AvahiClient* m_client = nullptr;
  AvahiEntryGroup* m_group = nullptr;  // Avahi's thread
  mutable std::mutex m_mutex;
  std::string m_announced;  // guarded by m_mutex
};

}  // namespace

std::unique_ptr<MdnsAnnouncement> MdnsAnnouncement::start(const std::string& name, std::uint16_t port,
                                                          std::vector<std::string> text) {
  auto announcement = std::make_unique<AvahiAnnouncement>(name, port, std::move(text));
  if (!announcement->open()) return nullptr;
  return announcement;
}

}  // namespace hearth::lan

#else

namespace hearth::lan {
std::unique_ptr<MdnsAnnouncement> MdnsAnnouncement::start(const std::string&, std::uint16_t, std::vector<std::string>) {
  return nullptr;
}
}  // namespace hearth::lan

#endif
