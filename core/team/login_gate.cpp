#include "core/team/login_gate.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace hearth::team {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kDayMs = 24 * 60 * kMinuteMs;
constexpr std::size_t kAttemptsPerMinute = 5;
constexpr std::size_t kNetworkAttemptsPerMinute = 30;
constexpr std::int64_t kLongestPauseMs = 60 * kMinuteMs;
constexpr std::size_t kMostEntries = 20'000;

constexpr int kHashesAtOnce = 2;
constexpr int kMostWaiting = 16;
constexpr std::chrono::seconds kLongestWait{5};

std::int64_t pauseMs(int pauses) {
  std::int64_t pause = kMinuteMs;
  for (int i = 1; i < pauses && pause < kLongestPauseMs; ++i) pause *= 2;
  return std::min(pause, kLongestPauseMs);
}

std::unexpected<Error> tooMany(std::int64_t waitMs) {
  return fail(ErrorCode::TooManyAttempts, "too many attempts to sign in",
              {{"retry_after_seconds", std::to_string((waitMs + 999) / 1000)}});
}

std::vector<std::string_view> groupsOf(std::string_view text) {
  std::vector<std::string_view> groups;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(':'), text.size());
    groups.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return groups;
}

}  // namespace

std::string networkOf(std::string_view client) {
  if (client.starts_with('[')) {
    client = client.substr(1, client.find(']') == std::string_view::npos ? std::string_view::npos : client.find(']') - 1);
  } else if (std::count(client.begin(), client.end(), ':') == 1) {
    client = client.substr(0, client.find(':'));
  }
  client = client.substr(0, client.find('%'));  // a link-local address names its interface
  if (client.find(':') == std::string_view::npos) return std::string(client);
  constexpr std::string_view kMapped = "::ffff:";
  if (client.starts_with(kMapped) && client.find('.') != std::string_view::npos)
    return std::string(client.substr(kMapped.size()));
  std::vector<std::string_view> groups;
  if (const std::size_t gap = client.find("::"); gap != std::string_view::npos) {
    groups = groupsOf(client.substr(0, gap));
    const auto right = groupsOf(client.substr(gap + 2));
    while (groups.size() + right.size() < 8) groups.emplace_back("0");
    groups.insert(groups.end(), right.begin(), right.end());
  } else {
    groups = groupsOf(client);
  }
  std::string network;
  for (std::size_t i = 0; i < 4 && i < groups.size(); ++i) (network += groups[i]) += ':';
  return network + ":/64";
}

Result<void> LoginGate::enter(const std::string& name, const std::string& network, std::int64_t nowMs) {
  const std::lock_guard lock(m_mutex);
  if (m_attempts.size() >= kMostEntries) makeRoom(nowMs);
  const auto prune = [&](Attempts& attempts) {
    if (nowMs - attempts.lastMs > kDayMs) attempts = {};
    while (!attempts.times.empty() && nowMs - attempts.times.front() >= kMinuteMs) attempts.times.pop_front();
  };
  Attempts& all = m_attempts[{std::string(), network}];
  prune(all);
  if (all.times.size() >= kNetworkAttemptsPerMinute) return tooMany(all.times.front() + kMinuteMs - nowMs);
  Attempts& own = m_attempts[{name, network}];
  prune(own);
  if (nowMs < own.blockedUntilMs) return tooMany(own.blockedUntilMs - nowMs);
  if (own.pauses == 0 && own.times.size() >= kAttemptsPerMinute) {
    own.pauses = 1;
    own.blockedUntilMs = nowMs + pauseMs(own.pauses);
    return tooMany(own.blockedUntilMs - nowMs);
  }
  if (own.pauses > 0) own.blockedUntilMs = nowMs + pauseMs(++own.pauses);
  own.times.push_back(nowMs);
  all.times.push_back(nowMs);
  own.lastMs = all.lastMs = nowMs;
  return {};
}

void LoginGate::succeeded(const std::string& name, const std::string& network) {
  const std::lock_guard lock(m_mutex);
  m_attempts.erase({name, network});
}

void LoginGate::makeRoom(std::int64_t nowMs) {
  std::erase_if(m_attempts, [&](const auto& entry) {
    return nowMs - entry.second.lastMs > kMinuteMs && nowMs >= entry.second.blockedUntilMs;
  });
  if (m_attempts.size() < kMostEntries) return;
  // The oldest eighth at once: to look for a single oldest at each attempt would cost whoever floods nothing and us a millisecond.
  std::vector<std::int64_t> last;
  last.reserve(m_attempts.size());
  for (const auto& entry : m_attempts) last.push_back(entry.second.lastMs);
  const auto eighth = last.begin() + static_cast<std::ptrdiff_t>(kMostEntries / 8);
  std::nth_element(last.begin(), eighth, last.end());
  std::erase_if(m_attempts, [&](const auto& entry) { return entry.second.lastMs <= *eighth; });
}

Result<HashSlots::Slot> HashSlots::enter() {
  std::unique_lock lock(m_mutex);
  const auto busy = [] {
    return fail(ErrorCode::QueueFull, "too many people are signing in at once", {{"retry_after_seconds", "2"}});
  };
  if (m_running >= kHashesAtOnce) {
    if (m_waiting >= kMostWaiting) return busy();
    ++m_waiting;
    const bool free = m_free.wait_for(lock, kLongestWait, [&] { return m_running < kHashesAtOnce; });
    --m_waiting;
    if (!free) return busy();
  }
  ++m_running;
  return Slot(this);
}

void HashSlots::leave() {
  {
    const std::lock_guard lock(m_mutex);
    --m_running;
  }
  m_free.notify_one();
}

}  // namespace hearth::team
