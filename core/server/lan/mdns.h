#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace hearth::lan {

/// Tells the LAN of this server as `_hearth._tcp`, through Avahi's daemon. Without the library, the daemon or D-Bus there is
/// no announcement, which is normal. Owns a thread of Avahi's. Any thread may call.
class MdnsAnnouncement {
 public:
  /// `name` is for people ("Hearth on maple"; Avahi adds a number when another has it). `text` are TXT records, "key=value".
  /// Null when this machine has no Avahi to speak to.
  [[nodiscard]] static std::unique_ptr<MdnsAnnouncement> start(const std::string& name, std::uint16_t port,
                                                               std::vector<std::string> text);
  virtual ~MdnsAnnouncement() = default;
  /// The name under which it stands now; empty until it does.
  [[nodiscard]] virtual std::string announcedAs() const = 0;
};

}  // namespace hearth::lan
