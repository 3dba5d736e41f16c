#include "core/engine/fair_queue.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace hearth {
namespace {

constexpr std::size_t kMostIdleAccounts = 1024;
/// Expected output of a request that sets no bound, for guessing the order further back.
constexpr double kUsualOutput = 256;

}  // namespace

int FairQueue::rankOf(const Sequence& sequence, EngineClock::time_point now) noexcept {
  const double waited = std::chrono::duration<double>(now - sequence.submitted).count();
  const int lifted = static_cast<int>(std::min(waited / kAgeingSeconds, 1000.0));
  return std::max(0, static_cast<int>(sequence.request.priority) - lifted);
}

void FairQueue::push(std::unique_ptr<Sequence> sequence) {
  if (!sequence->preempted) {
    Account& account = m_accounts[sequence->request.principal];
    if (account.active == 0) {
      double lowest = -1;
      for (const auto& [name, other] : m_accounts) {
        if (other.active > 0 && (lowest < 0 || other.finished() < lowest)) lowest = other.finished();
      }
      account.served = std::max(account.served, lowest < 0 ? m_last : lowest);
    }
    ++account.active;
  }
  m_waiting.push_back(std::move(sequence));
}

Sequence* FairQueue::choose(const std::vector<Sequence*>& waiting, const std::unordered_map<std::string, Account>& accounts,
                            EngineClock::time_point now) {
  Sequence* resumed = nullptr;
  Sequence* fresh = nullptr;
  std::tuple<int, std::uint64_t> resumedKey;
  const auto claimed = [&](const Sequence* sequence) {
    const auto account = accounts.find(sequence->request.principal);
    return account == accounts.end() ? 0.0 : account->second.claimed();
  };
  std::tuple<double, int, std::uint64_t> freshKey;
  // Principals tie at equal counters (at the start all are 0): then the oldest request of the better class decides.
  for (Sequence* sequence : waiting) {
    const int rank = rankOf(*sequence, now);
    if (sequence->preempted) {
      const std::tuple key{rank, sequence->turn};
      if (resumed == nullptr || key < resumedKey) {
        resumed = sequence;
        resumedKey = key;
      }
    } else {
      const std::tuple key{claimed(sequence), rank, sequence->id};
      if (fresh == nullptr || key < freshKey) {
        fresh = sequence;
        freshKey = key;
      }
    }
  }
  if (resumed == nullptr) return fresh;
  if (fresh == nullptr) return resumed;
  // What was pushed out goes on first, but not before a principal that got less: it was pushed out for such a one.
  if (std::get<0>(resumedKey) != std::get<1>(freshKey))
    return std::get<0>(resumedKey) < std::get<1>(freshKey) ? resumed : fresh;
  return claimed(resumed) <= claimed(fresh) ? resumed : fresh;
}

Sequence* FairQueue::next(EngineClock::time_point now) const {
  std::vector<Sequence*> waiting;
  waiting.reserve(m_waiting.size());
  for (const auto& sequence : m_waiting) waiting.push_back(sequence.get());
  return choose(waiting, m_accounts, now);
}

std::unique_ptr<Sequence> FairQueue::take(const Sequence* sequence) {
  const auto it =
      std::find_if(m_waiting.begin(), m_waiting.end(), [&](const auto& other) { return other.get() == sequence; });
  if (it == m_waiting.end()) return nullptr;
  auto taken = std::move(*it);
  m_waiting.erase(it);
  return taken;
}

std::vector<Sequence*> FairQueue::order(EngineClock::time_point now) const {
  auto accounts = m_accounts;
  std::vector<Sequence*> left, result;
  for (const auto& sequence : m_waiting) left.push_back(sequence.get());
  result.reserve(left.size());
  while (!left.empty()) {
    Sequence* sequence = choose(left, accounts, now);
    std::erase(left, sequence);
    result.push_back(sequence);
    if (sequence->preempted) continue;
    const double output = std::min(kUsualOutput, static_cast<double>(sequence->tokenLimit - sequence->promptTokens));
    accounts[sequence->request.principal].served += sequence->promptTokens + kOutputCost * output;
  }
  return result;
}

void FairQueue::admitted(const Sequence& sequence) {
  Account& account = m_accounts[sequence.request.principal];
  ++account.running;
  account.promised += sequence.owed;
}

void FairQueue::computed(Sequence& sequence, int count, bool complete) {
  if (sequence.owed == 0 && sequence.inWork == 0) return;
  Account& account = m_accounts[sequence.request.principal];
  const int charged = std::min(count, sequence.owed);
  account.served += charged;
  account.inWork += charged;
  account.promised -= charged;
  sequence.owed -= charged;
  sequence.inWork += charged;
  if (!complete) return;
  // What is left came out of the cache.
  account.promised -= sequence.owed;
  account.inWork -= sequence.inWork;
  sequence.owed = sequence.inWork = 0;
}

void FairQueue::stopped(Sequence& sequence) {
  Account& account = m_accounts[sequence.request.principal];
  --account.running;
  account.promised -= sequence.owed;
  account.inWork -= sequence.inWork;
  sequence.inWork = 0;
}

int FairQueue::running(const std::string& principal) const {
  const auto it = m_accounts.find(principal);
  return it == m_accounts.end() ? 0 : it->second.running;
}

bool FairQueue::active(const std::string& principal) const {
  const auto it = m_accounts.find(principal);
  return it != m_accounts.end() && it->second.active > 0;
}

std::pair<double, int> FairQueue::promptTurn(const std::string& principal) const {
  const auto it = m_accounts.find(principal);
  if (it == m_accounts.end()) return {0, 0};
  return {std::floor(it->second.finished() / kFairQuantum), it->second.running};
}

void FairQueue::charge(const std::string& principal, double cost) { m_accounts[principal].served += cost; }

void FairQueue::leave(const std::string& principal) {
  const auto it = m_accounts.find(principal);
  if (it == m_accounts.end()) return;
  --it->second.active;
  m_last = std::max(it->second.active > 0 ? 0.0 : it->second.served, m_last);
  // Idle principals are remembered (leaving must not wipe out what was served), but not without bound.
  if (m_accounts.size() > kMostIdleAccounts)
    std::erase_if(m_accounts, [](const auto& entry) { return entry.second.active <= 0; });
}

}  // namespace hearth
