#include "core/engine/pool_books.h"

#include <algorithm>
#include <utility>

namespace hearth::pool {
namespace {

void add(EngineStats& sum, const EngineStats& stats) {
  sum.running += stats.running;
  sum.waiting += stats.waiting;
  sum.kvPagesUsed += stats.kvPagesUsed;
  sum.kvPagesTotal += stats.kvPagesTotal;
  sum.promptTokens += stats.promptTokens;
  sum.generatedTokens += stats.generatedTokens;
  sum.cachedPromptTokens += stats.cachedPromptTokens;
  sum.draftedTokens += stats.draftedTokens;
  sum.acceptedTokens += stats.acceptedTokens;
  sum.requests += stats.requests;
  sum.cancelled += stats.cancelled;
  sum.failed += stats.failed;
  sum.preemptions += stats.preemptions;
  sum.steps += stats.steps;
  sum.decodeTokensPerSecond += stats.decodeTokensPerSecond;
  sum.prefillTokensPerSecond += stats.prefillTokensPerSecond;
}

/// One consumer's hold on a model.
class Lease {
 public:
  /// Under the books' lock.
  Lease(std::shared_ptr<Books> books, std::shared_ptr<Resident> resident) : m_books(std::move(books)), m_resident(std::move(resident)) {
    ++m_resident->holders;
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    {
      const std::lock_guard lock(m_books->mutex);
      --m_resident->holders;
      m_resident->lastUsed = Clock::now();
    }
    m_books->changed.notify_all();
  }

 private:
  std::shared_ptr<Books> m_books;
  std::shared_ptr<Resident> m_resident;
};

}  // namespace

bool Resident::busy() const {
  const auto stats = model->engine->stats();
  return holders > 0 || stats.running + stats.waiting > 0;
}

LoadedModelPtr Books::lease(const std::shared_ptr<Resident>& resident) {
  return {std::make_shared<Lease>(shared_from_this(), resident), resident->model.get()};
}

ModelStatus Books::statusOf(const std::string& id, const Slot& slot) const {
  ModelStatus status;
  status.id = id;
  status.state = slot.state;
  status.progress = slot.progress;
  status.error = slot.error;
  status.pinned = slot.pinned;
  const Resident* resident = slot.resident.get();
  if (slot.state == ModelState::Unloaded || slot.state == ModelState::Failed) {
    for (const auto& other : leaving) {
      if (other->id == id && other->model) {
        resident = other.get();
        status.state = ModelState::Unloading;
      }
    }
  }
  if (resident != nullptr && resident->model) {
    status.weightBytes = resident->model->engine->weightBytes();
    status.kvBytes = resident->model->engine->kvBytes();
  }
  if (slot.state == ModelState::Ready && keepAliveOf(slot).count() >= 0 && !slot.pinned && !slot.resident->busy()) {
    const auto left = slot.resident->lastUsed + keepAliveOf(slot) - Clock::now();
    status.unloadsInSeconds = std::max(0.0, std::chrono::duration<double>(left).count());
  }
  return status;
}

std::uint64_t Books::residentBytes() const {
  std::uint64_t sum = 0;
  for (const auto& [id, slot] : slots) sum += slot.resident ? slot.resident->bytes : 0;
  for (const auto& other : leaving) sum += other->bytes;
  return sum;
}

EngineStats Books::totals() const {
  EngineStats sum = retired;
  for (const auto& [id, slot] : slots) {
    if (slot.resident) add(sum, slot.resident->model->engine->stats());
  }
  for (const auto& resident : leaving) {
    if (resident->model) add(sum, resident->model->engine->stats());
  }
  return sum;
}

void Books::enqueue(const std::string& id, Slot& slot) {
  slot.state = ModelState::Loading;
  slot.progress = 0;
  slot.error.reset();
  slot.cancelLoad = std::make_shared<std::atomic<bool>>(closing);
  loadQueue.push_back(id);
  announce(id);
}

void Books::sendAway(const std::string& id, Slot& slot) {
  leaving.push_back(std::move(slot.resident));
  slot.resident.reset();
  slot.keepAlive.reset();
  slot.state = ModelState::Unloaded;
  slot.progress = 0;
  announce(id);
}

void Books::announce(const std::string& id) { news.push_back(statusOf(id, slots[id])); }

void Books::retire(EngineStats last) {
  last.running = last.waiting = last.kvPagesUsed = last.kvPagesTotal = 0;
  last.decodeTokensPerSecond = last.prefillTokensPerSecond = 0;
  add(retired, last);
}

Clock::time_point Books::expire() {
  auto next = Clock::time_point::max();
  const auto now = Clock::now();
  for (auto& [id, slot] : slots) {
    if (!slot.resident || slot.pinned || keepAliveOf(slot).count() < 0) continue;
    // A held model announces its release; requests without a holder do not, so those are looked at again.
    if (slot.resident->holders > 0) continue;
    const bool busy = slot.resident->busy();
    if (busy) slot.resident->lastUsed = now;
    const auto end = slot.resident->lastUsed + keepAliveOf(slot);
    if (end <= now && !busy) {
      sendAway(id, slot);
    } else {
      next = std::min(next, std::max(end, now + std::chrono::milliseconds(1)));
    }
  }
  return next;
}

}  // namespace hearth::pool
