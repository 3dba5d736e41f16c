#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What this machine is called and where it can be reached. One .cpp for each system.
namespace hearth::platform {

/// The machine's own name without its domain, lower case; "localhost" when it has none.
[[nodiscard]] std::string hostName();

/// Numeric addresses of the interfaces that are up, loopback and link-local ones left out, sorted, v4 before v6. Those of
/// bridges that only containers on this machine see are listed too: they cannot be told from others.
[[nodiscard]] std::vector<std::string> networkAddresses();

/// "ufw" or "firewalld" when that packet filter is switched on here, as far as files say; empty otherwise.
[[nodiscard]] std::string activeFirewall();

/// "192.168.1.5" as its 4 bytes, "fd00::5" as its 16, in network order; empty when it is no numeric address.
[[nodiscard]] std::string addressBytes(const std::string& text);
/// The other way round; empty unless 4 or 16 bytes.
[[nodiscard]] std::string addressText(std::string_view bytes);

}  // namespace hearth::platform
