#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace hearth::team {

/// The client's network as attempts are counted by: an IPv4 address, or the /64 of an IPv6 one (a household or an office has
/// at least that much). `client` is "address" or "address:port". Pure.
[[nodiscard]] std::string networkOf(std::string_view client);

/// Slows guessing down. For a name and network: five attempts a minute, then one at a time with pauses of 1, 2, 4 … 60
/// minutes until one succeeds or a day passes. For a network, whatever the names: thirty a minute. Thread-safe.
class LoginGate {
 public:
  /// Counts an attempt. Error: TooManyAttempts (retry_after_seconds).
  [[nodiscard]] Result<void> enter(const std::string& name, const std::string& network, std::int64_t nowMs);
  void succeeded(const std::string& name, const std::string& network);

 private:
  struct Attempts {
    std::deque<std::int64_t> times;  // within the last minute
    int pauses = 0;
    std::int64_t blockedUntilMs = 0, lastMs = 0;
  };
  void makeRoom(std::int64_t nowMs);
  std::mutex m_mutex;
  std::map<std::pair<std::string, std::string>, Attempts> m_attempts;  // an empty name: of the network as a whole
};

/// At most two password hashes are computed at a time (64 MiB and a core each); a few callers wait. Thread-safe.
class HashSlots {
 public:
  class Slot {
   public:
    explicit Slot(HashSlots* owner) noexcept : m_owner(owner) {}
    Slot(Slot&& other) noexcept : m_owner(std::exchange(other.m_owner, nullptr)) {}
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (m_owner != nullptr) m_owner->leave();
    }

   private:
    HashSlots* m_owner;
  };
  /// Waits up to five seconds. Error: QueueFull (retry_after_seconds) when too many wait already or it takes too long.
  [[nodiscard]] Result<Slot> enter();

 private:
  void leave();
  std::mutex m_mutex;
  std::condition_variable m_free;
  int m_running = 0, m_waiting = 0;
};

}  // namespace hearth::team
