#include "core/engine/scheduler.h"

#include <algorithm>
#include <tuple>

namespace hearth {
namespace {

constexpr double kSmoothing = 0.2;
/// Chunk beside decoding while the cost of a prompt token is unknown.
constexpr int kFirstChunk = 32;
/// A prompt gets at least this many tokens a step, whatever the target: below it steps cost the same and only take longer.
constexpr int kLeastChunk = 16;
/// Beside decoding that by itself takes long, a step may take so many times as long: where decoding alone misses the target,
/// prompts would otherwise crawl, and many short waits are no better than one long one.
constexpr double kDecodeShare = 2;
/// Who has so many running may lose one to a principal that has none.
constexpr int kLeastCrowd = 3;

/// A crowd's prompts miss at most so many steps in a row.
constexpr int kMostAside = 8;

double smooth(double old, double sample) noexcept { return old > 0 ? old + kSmoothing * (sample - old) : sample; }

}  // namespace

void StepCost::record(double seconds, int decodeTokens, int prefillTokens) noexcept {
  if (prefillTokens == 0) {
    m_fixed = smooth(m_fixed, seconds);
  } else if (prefillTokens >= kLeastChunk) {
    const double fixed = decodeTokens > 0 ? std::min(m_fixed, seconds) : 0;
    m_perToken = smooth(m_perToken, std::max((seconds - fixed) / prefillTokens, 1e-7));
  }
}

int StepCost::chunk(double targetSeconds, int least, int most) const noexcept {
  if (most <= least) return most;
  if (m_perToken <= 0) return std::clamp(kFirstChunk, least, most);
  const double room = (std::max(targetSeconds, kDecodeShare * m_fixed) - m_fixed) / m_perToken;
  return room <= least ? least : room >= most ? most : static_cast<int>(room);
}

int StepCost::chunkAlone(double targetSeconds, int least, int most) const noexcept {
  if (most <= least) return most;
  if (m_perToken <= 0) return std::clamp(kFirstChunk, least, most);
  const double room = std::max(targetSeconds, m_fixed) / m_perToken;
  return room <= least ? least : room >= most ? most : static_cast<int>(room);
}

// The cache has keys and values, not the hidden states that an embedding is made of.
void Scheduler::takeFromCache(Sequence& sequence) {
  if (!sequence.embeds()) m_pages.extendFromCache(sequence.table, sequence.tokens);
}

bool Scheduler::fits(Sequence& sequence) {
  const auto missing = [&](const Sequence& other) {
    return std::max(
        0, m_pages.pagesFor(static_cast<int>(other.tokens.size()) + 1) - static_cast<int>(other.table.pages.size()));
  };
  takeFromCache(sequence);
  // The prompts being computed have a claim on their remaining pages, and every running sequence may need one more soon:
  // without that reserve the newcomer would be the first to be preempted.
  int wanted = missing(sequence);
  for (const auto& other : m_running) wanted += missing(*other) + 1;
  // A sequence never needs more than what the pool holds, alone (Engine::submit checks it); the last page may not be needed.
  if (m_running.empty()) wanted = std::min(wanted, m_pages.pageCount() - static_cast<int>(sequence.table.pages.size()));
  if (wanted <= m_pages.freePages()) return true;
  m_pages.release(sequence.table);
  return false;
}

void Scheduler::admit(EngineClock::time_point now) {
  while (Sequence* next = m_queue.next(now)) {
    const int rank = FairQueue::rankOf(*next, now);
    while (m_running.size() >= static_cast<std::size_t>(m_options.maxSequences) || !fits(*next)) {
      // A better class may push another one out, and so may who has nothing running where another one has taken much; equals
      // wait their turn.
      Sequence* victim = worst();
      if (victim != nullptr && victim->rank <= rank) victim = crowding(*next, rank);
      if (victim == nullptr) return;
      preempt(victim);
    }
    auto sequence = m_queue.take(next);
    sequence->rank = rank;
    if (!sequence->preempted) {
      sequence->turn = m_turn++;
      sequence->admitted = now;
      sequence->owed = sequence->promptTokens - sequence->table.tokens;
      if (!m_queue.waiting().empty() && m_lastAdmission != EngineClock::time_point{})
        m_admissionInterval = smooth(m_admissionInterval, std::chrono::duration<double>(now - m_lastAdmission).count());
      m_lastAdmission = now;
    }
    m_queue.admitted(*sequence);
    const auto place = std::find_if(m_running.begin(), m_running.end(), [&](const auto& other) {
      return std::tuple(other->rank, other->turn) > std::tuple(sequence->rank, sequence->turn);
    });
    m_running.insert(place, std::move(sequence));
  }
}

Sequence* Scheduler::crowding(const Sequence& next, int rank) const {
  if (next.preempted || m_queue.running(next.request.principal) > 0) return nullptr;
  Sequence* victim = nullptr;
  int most = kLeastCrowd - 1;
  for (const auto& sequence : m_running) {  // the last of those who have most: it was admitted last
    const int running = m_queue.running(sequence->request.principal);
    if (sequence->rank < rank || running < most || running < kLeastCrowd) continue;
    victim = sequence.get();
    most = running;
  }
  return victim;
}

Sequence* Scheduler::worst() const { return m_running.empty() ? nullptr : m_running.back().get(); }

void Scheduler::preempt(Sequence* sequence) {
  const auto it =
      std::find_if(m_running.begin(), m_running.end(), [&](const auto& other) { return other.get() == sequence; });
  auto taken = std::move(*it);
  m_running.erase(it);
  m_pages.release(taken->table);
  m_queue.stopped(*taken);
  taken->preempted = true;
  ++m_preemptions;
  m_queue.push(std::move(taken));
}

bool Scheduler::reserve(Sequence* sequence, int count, std::vector<Slice>& plan) {
  while (!m_pages.reserve(sequence->table, count)) {
    Sequence* victim = worst();
    std::erase_if(plan, [&](const Slice& slice) { return slice.sequence == victim; });
    preempt(victim);
    if (victim == sequence) return false;
  }
  return true;
}

bool Scheduler::makeRoom(int count) {
  while (m_pages.freePages() < count) {
    if (m_running.empty()) return false;
    preempt(worst());
  }
  return true;
}

std::vector<Sequence*> Scheduler::inOrder(std::vector<Sequence*> prompting, EngineClock::time_point now) const {
  const auto key = [&](const Sequence* sequence) {
    // A prompt goes on ageing while it is cut up, or a stream of better ones could hold it for ever.
    const int rank = std::min(sequence->rank, FairQueue::rankOf(*sequence, now));
    const double waited = std::chrono::duration<double>(now - sequence->submitted).count();
    const auto [served, running] = m_queue.promptTurn(sequence->request.principal);
    return std::tuple(rank, served, running, m_cost.promptSeconds(sequence->pending()) - waited, sequence->turn);
  };
  std::sort(prompting.begin(), prompting.end(), [&](const Sequence* a, const Sequence* b) { return key(a) < key(b); });
  return prompting;
}

bool Scheduler::crowd(const std::string& principal) const { return m_queue.running(principal) >= kLeastCrowd; }

bool Scheduler::standAside(std::vector<Sequence*>& decoding, std::vector<Sequence*>& prompting,
                           EngineClock::time_point now) {
  if (prompting.empty() || crowd(prompting.front()->request.principal)) {
    m_aside = 0;
    return false;
  }
  const Sequence& guest = *prompting.front();
  const int rank = std::min(guest.rank, FairQueue::rankOf(guest, now));
  const double served = m_queue.promptTurn(guest.request.principal).first;
  const auto leaves = [&](const Sequence* sequence) {
    const std::string& principal = sequence->request.principal;
    return crowd(principal) && sequence->rank >= rank && m_queue.promptTurn(principal).first >= served;
  };
  const auto any = [&](const std::vector<Sequence*>& sequences) {
    return std::any_of(sequences.begin(), sequences.end(), leaves);
  };
  if ((!any(decoding) && !any(prompting)) || m_aside >= kMostAside) {
    m_aside = 0;
    return false;
  }
  const bool whole = m_aside++ % 2 == 0;
  if (whole) std::erase_if(decoding, leaves);
  std::erase_if(prompting, leaves);
  return whole;
}

bool Scheduler::computedBeside(const Sequence& sequence, const std::vector<Slice>& plan) const {
  const int page = m_pages.pageTokens();
  const BlockTable& own = sequence.table;
  // Only what extendFromCache() would take over at the next step is worth waiting for: a page that ends before our last
  // token.
  if (!m_options.prefixCache || sequence.embeds() || own.cachedPages * page != own.tokens) return false;
  const auto begin = static_cast<std::size_t>(own.cachedPages) * static_cast<std::size_t>(page);
  const auto end = begin + static_cast<std::size_t>(page);
  if (sequence.tokens.size() <= end) return false;
  return std::any_of(plan.begin(), plan.end(), [&](const Slice& slice) {
    const Sequence& other = *slice.sequence;
    return other.table.cachedPages == own.cachedPages && other.table.chain == own.chain && other.tokens.size() >= end &&
           std::equal(other.tokens.begin() + static_cast<std::ptrdiff_t>(begin),
                      other.tokens.begin() + static_cast<std::ptrdiff_t>(end),
                      sequence.tokens.begin() + static_cast<std::ptrdiff_t>(begin));
  });
}

std::vector<Scheduler::Slice> Scheduler::plan(EngineClock::time_point now) {
  admit(now);
  std::vector<Slice> plan;
  std::vector<Sequence*> decoding, prompting;
  for (const auto& sequence : m_running) {
    if (sequence->pending() > 1 && sequence->table.tokens % m_pages.pageTokens() == 0) takeFromCache(*sequence);
    (sequence->pending() == 1 ? decoding : prompting).push_back(sequence.get());
  }
  prompting = inOrder(std::move(prompting), now);
  const bool aside = standAside(decoding, prompting, now);
  const auto isRunning = [&](const Sequence* wanted) {
    return std::any_of(m_running.begin(), m_running.end(), [&](const auto& other) { return other.get() == wanted; });
  };

  int budget = m_stepTokens;
  // Prompts keep a share even when those who decode could fill the step.
  const int forPrompts = prompting.empty() ? 0 : std::min(kLeastChunk, m_stepTokens / 2);
  const auto decodeRoom = static_cast<std::size_t>(std::max(1, m_stepTokens - forPrompts));
  if (decoding.size() > decodeRoom) {
    m_rotation = (m_rotation + decodeRoom) % decoding.size();
    std::rotate(decoding.begin(), decoding.begin() + static_cast<std::ptrdiff_t>(m_rotation), decoding.end());
    decoding.resize(decodeRoom);
  }
  for (Sequence* sequence : decoding) {
    if (isRunning(sequence) && reserve(sequence, 1, plan)) plan.push_back({sequence, 1, true});
  }
  budget -= static_cast<int>(plan.size());
  const int least = std::min(kLeastChunk, budget);
  if (!plan.empty()) {
    budget = std::min(budget, m_cost.chunk(m_options.targetInterTokenSeconds, least, budget));
  } else if (aside) {  // those who stand aside wait for their next token
    budget = std::min(budget, m_cost.chunkAlone(m_options.targetInterTokenSeconds, least, budget));
  }
  for (Sequence* sequence : prompting) {
    if (budget <= 0) break;
    if (!isRunning(sequence) || computedBeside(*sequence, plan)) continue;
    const int count = std::min(budget, sequence->pending());
    if (m_wholePrompts && count < sequence->pending()) continue;
    if (!reserve(sequence, count, plan)) continue;
    plan.push_back({sequence, count, count == sequence->pending()});
    budget -= count;
  }
  for (const Slice& slice : plan) m_queue.computed(*slice.sequence, slice.count, slice.logits);
  return plan;
}

std::unique_ptr<Sequence> Scheduler::retire(Sequence* sequence) {
  auto taken = m_queue.take(sequence);
  if (!taken) {
    const auto it =
        std::find_if(m_running.begin(), m_running.end(), [&](const auto& other) { return other.get() == sequence; });
    if (it == m_running.end()) return nullptr;
    taken = std::move(*it);
    m_running.erase(it);
    m_queue.stopped(*taken);
  }
  m_pages.release(taken->table);
  m_queue.leave(taken->request.principal);
  return taken;
}

double Scheduler::estimate(int position, EngineClock::time_point now) const noexcept {
  if (m_admissionInterval < 0) return -1;
  const double since = std::chrono::duration<double>(now - m_lastAdmission).count();
  return std::max(0.0, position * m_admissionInterval - since);
}

}  // namespace hearth
