#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>

#include "core/base/platform/network.h"

namespace hearth::platform {

std::string hostName() {
  std::array<char, 256> buffer{};
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return "localhost";
  std::string name(buffer.data());
  name.resize(std::min(name.find('.'), name.size()));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const bool valid = !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
                     name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos;
  return valid ? name : "localhost";
}

std::vector<std::string> networkAddresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
  std::vector<std::string> four;
  std::vector<std::string> six;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0 || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (entry->ifa_addr->sa_family == AF_INET) {
      const auto* address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
      if ((ntohl(address->sin_addr.s_addr) >> 16) == 0xA9FE) continue;  // 169.254.0.0/16
      if (::inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size()) != nullptr) four.emplace_back(text.data());
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      const auto* address = reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr);
      if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr)) continue;
      if (::inet_ntop(AF_INET6, &address->sin6_addr, text.data(), text.size()) != nullptr) six.emplace_back(text.data());
    }
  }
  for (auto* addresses : {&four, &six}) {
    std::ranges::sort(*addresses);
    addresses->erase(std::unique(addresses->begin(), addresses->end()), addresses->end());
  }
  four.insert(four.end(), six.begin(), six.end());
  return four;
}

std::string activeFirewall() {
  std::ifstream ufw("/etc/ufw/ufw.conf");
  for (std::string line; std::getline(ufw, line);) {
    if (line == "ENABLED=yes") return "ufw";
  }
  std::error_code ignored;
  return std::filesystem::exists("/run/firewalld.pid", ignored) || std::filesystem::exists("/run/firewalld", ignored) ? "firewalld" : "";
}

std::string addressBytes(const std::string& text) {
  std::array<char, 16> bytes{};
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
  return {};
}

std::string addressText(std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  return ::inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size()) != nullptr ? text.data()
                                                                                                                : "";
}

}  // namespace hearth::platform
