#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "core/base/error.h"

namespace hearth {

/// One rank's end of a group that computes a model together. Every rank makes the same calls in the same order, each from one
/// thread of its own. The first failure (a rank that does not come in time, calls that differ, cancel()) ends the whole group:
/// all ranks get that error, from this call or their next, so that none waits for ever. A group that failed stays failed.
class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual int rank() const noexcept = 0;
  [[nodiscard]] virtual int size() const noexcept = 0;
  /// data = Σ over ranks of their data, added in the order of the ranks: the same bits on each. Errors: InvalidArgument (the
  /// ranks' calls or sizes differ), Timeout (evidence: waited_ms, arrived, ranks), Cancelled. `data` is then unchanged.
  [[nodiscard]] virtual Result<void> allReduce(std::span<float> data) = 0;
  /// whole = the ranks' parts one after the other; parts are of one size, whole has size() of it. Errors as allReduce().
  [[nodiscard]] virtual Result<void> allGather(std::span<const float> part, std::span<float> whole) = 0;
  /// Returns when all ranks have come. Errors as allReduce().
  [[nodiscard]] virtual Result<void> barrier() = 0;
  /// Ends the group: waiting ranks return Cancelled. Any thread, any time.
  virtual void cancel() noexcept = 0;
};

/// A group of ranks in this process. `timeout` is for one meeting of all ranks. Errors: InvalidArgument (ranks not in 1 … 64,
/// a timeout that is not positive).
[[nodiscard]] Result<std::vector<std::unique_ptr<Communicator>>> makeLocalGroup(int ranks, std::chrono::milliseconds timeout);

}  // namespace hearth
