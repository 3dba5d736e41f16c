#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "core/compute/parallel/communicator.h"

namespace hearth {
namespace {

enum class Call { AllReduce, AllGather, Barrier };

/// What the ranks share. A rank's numbers are copied in before the others may read them: a rank that gave up (and freed its
/// buffers) must not be read by one that is late.
class Group {
 public:
  Group(int ranks, std::chrono::milliseconds timeout)
      : m_ranks(static_cast<std::size_t>(ranks)), m_timeout(timeout), m_calls(m_ranks, Call::Barrier), m_slots(m_ranks) {}

  [[nodiscard]] std::size_t ranks() const noexcept { return m_ranks; }

  /// Brings a rank's call and numbers, and waits until all have brought theirs.
  Result<void> bring(std::size_t rank, Call call, std::span<const float> data) {
    {
      const std::lock_guard lock(m_mutex);
      if (m_failure) return fail(*m_failure);
    }
    // Nobody reads this slot: the others are past the last call's second meeting, or the group has failed.
    m_slots[rank].assign(data.begin(), data.end());
    m_calls[rank] = call;
    HEARTH_CHECK(meet(data.size()));
    for (std::size_t other = 0; other < m_ranks; ++other) {
      if (m_calls[other] == call && m_slots[other].size() == data.size()) continue;
      const std::lock_guard lock(m_mutex);
      failLocked(Error{ErrorCode::InvalidArgument, "the ranks of a group made different calls",
                       {{"rank", std::to_string(rank)},
                        {"size", std::to_string(data.size())},
                        {"other", std::to_string(other)},
                        {"other_size", std::to_string(m_slots[other].size())}}});
      return fail(*m_failure);
    }
    return {};
  }

  /// A rank's share of the sums; the others do theirs at the same time.
  void reduceShare(std::size_t rank) noexcept {
    const std::size_t size = m_slots[0].size();
    const std::size_t begin = size * rank / m_ranks, end = size * (rank + 1) / m_ranks;
    for (std::size_t i = begin; i < end; ++i) {
      float sum = m_slots[0][i];
      for (std::size_t r = 1; r < m_ranks; ++r) sum += m_slots[r][i];
      m_sums[i] = sum;
    }
  }
  [[nodiscard]] std::span<const float> sums() const noexcept { return m_sums; }
  [[nodiscard]] std::span<const float> slot(std::size_t rank) const noexcept { return m_slots[rank]; }

  /// Waits for all ranks; the last one makes room for `size` sums.
  Result<void> meet(std::size_t size) {
    std::unique_lock lock(m_mutex);
    if (m_failure) return fail(*m_failure);
    const std::uint64_t meeting = m_meeting;
    if (++m_arrived == m_ranks) {
      m_sums.resize(std::max(m_sums.size(), size));
      m_arrived = 0;
      ++m_meeting;
      m_changed.notify_all();
      return {};
    }
    const auto over = [&] { return m_meeting != meeting || m_failure; };
    const bool intime = m_changed.wait_for(lock, m_timeout, over);
    if (m_meeting != meeting) return {};  // it took place, whatever came after
    if (!intime) {
      failLocked(Error{ErrorCode::Timeout, "a rank of the group did not come",
                       {{"waited_ms", std::to_string(m_timeout.count())},
                        {"arrived", std::to_string(m_arrived)},
                        {"ranks", std::to_string(m_ranks)}}});
    }
    return fail(*m_failure);
  }

  void cancel() {
    const std::lock_guard lock(m_mutex);
    failLocked(Error{ErrorCode::Cancelled, "the group was cancelled", {}});
  }

 private:
  void failLocked(Error error) {
    if (!m_failure) m_failure = std::move(error);
    m_changed.notify_all();
  }

  const std::size_t m_ranks;
  const std::chrono::milliseconds m_timeout;
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::size_t m_arrived = 0;
  std::uint64_t m_meeting = 0;
  std::optional<Error> m_failure;
  // Written by their rank before a meeting, read by all between that meeting and the next.
  std::vector<Call> m_calls;
  std::vector<std::vector<float>> m_slots;
  std::vector<float> m_sums;
};

/// A rank's end; shares the group with the others.
class LocalCommunicator final : public Communicator {
 public:
  LocalCommunicator(std::shared_ptr<Group> group, std::size_t rank) : m_group(std::move(group)), m_rank(rank) {}

  [[nodiscard]] int rank() const noexcept override { return static_cast<int>(m_rank); }
  [[nodiscard]] int size() const noexcept override { return static_cast<int>(m_group->ranks()); }

  Result<void> allReduce(std::span<float> data) override {
    HEARTH_CHECK(m_group->bring(m_rank, Call::AllReduce, data));
    m_group->reduceShare(m_rank);
    HEARTH_CHECK(m_group->meet(0));
    // The sums stay until all ranks have come to the next call.
    std::copy_n(m_group->sums().begin(), data.size(), data.begin());
    return {};
  }
  Result<void> allGather(std::span<const float> part, std::span<float> whole) override {
    if (whole.size() != part.size() * m_group->ranks()) {
      return fail(ErrorCode::InvalidArgument, "the gathered whole has another size than its parts together",
                  {{"part", std::to_string(part.size())}, {"whole", std::to_string(whole.size())}});
    }
    HEARTH_CHECK(m_group->bring(m_rank, Call::AllGather, part));
    m_gathered.clear();
    for (std::size_t r = 0; r < m_group->ranks(); ++r) {
      m_gathered.insert(m_gathered.end(), m_group->slot(r).begin(), m_group->slot(r).end());
    }
    HEARTH_CHECK(m_group->meet(0));  // then the slots may be filled again
    std::copy(m_gathered.begin(), m_gathered.end(), whole.begin());
    return {};
  }
  Result<void> barrier() override {
    HEARTH_CHECK(m_group->bring(m_rank, Call::Barrier, {}));
    return m_group->meet(0);
  }
  void cancel() noexcept override {
    try {
      m_group->cancel();
    } catch (...) {  // a lock or an allocation failed: the timeout ends the group
    }
  }

 private:
  std::shared_ptr<Group> m_group;
  std::size_t m_rank;
  std::vector<float> m_gathered;
};

}  // namespace

Result<std::vector<std::unique_ptr<Communicator>>> makeLocalGroup(int ranks, std::chrono::milliseconds timeout) {
  if (ranks < 1 || ranks > 64 || timeout.count() <= 0) {
    return fail(ErrorCode::InvalidArgument, fmt::format("a group cannot have {} ranks and wait {} ms", ranks, timeout.count()),
                {{"ranks", std::to_string(ranks)}, {"timeout_ms", std::to_string(timeout.count())}});
  }
  auto group = std::make_shared<Group>(ranks, timeout);
  std::vector<std::unique_ptr<Communicator>> ends;
  for (std::size_t r = 0; r < static_cast<std::size_t>(ranks); ++r) ends.push_back(std::make_unique<LocalCommunicator>(group, r));
  return ends;
}

}  // namespace hearth
