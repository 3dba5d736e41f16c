#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace hearth::lan {

/// What came of calling this server at one of its own addresses.
struct SelfTestResult {
  enum class Outcome : std::uint8_t {
    Reachable,
    Refused,       ///< nobody listens there
    NoAnswer,      ///< silence: a packet filter, mostly
    OtherProgram,  ///< somebody answers, but it is not this server
    Failed,        ///< anything else, in `detail`
  } outcome = Outcome::Failed;
  std::string address;  ///< "192.168.1.5"
  std::string detail;   ///< the system's own words, in English
};
[[nodiscard]] std::string_view outcomeName(SelfTestResult::Outcome outcome) noexcept;  ///< "reachable", "no_answer"

/// Connects to https://address:port/health like a client does and compares the certificate's fingerprint. Takes up to
/// `patience` for each address: not on a thread that somebody waits for. It cannot see what other machines' firewalls, or
/// this one's rules for packets from outside, let through: activeFirewall() says whether there are any.
[[nodiscard]] std::vector<SelfTestResult> testOwnAddresses(const std::vector<std::string>& addresses, std::uint16_t port,
                                                           const std::string& fingerprint,
                                                           std::chrono::milliseconds patience);

}  // namespace hearth::lan
