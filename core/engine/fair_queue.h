#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/engine/sequence.h"

namespace hearth {

/// The waiting requests and the order in which they get their turn. Engine thread only.
///
/// Fairness is by principal: each has a counter of the work that was done for it (a prompt token counts 1, an output token
/// kOutputCost), and the principal with the lowest counter is next ("virtual token counter": Sheng et al., "Fairness in
/// serving large language models", OSDI 2024). One that comes back from idleness starts at the lowest active counter (with
/// nobody active, at that of the last who was): rest is not saved up, and nobody who was served alone pays for it later.
/// Prompts are charged as they are computed; for its turn a principal's admitted prompts count beforehand, or one that sends
/// many at once would get all places. The same counters order the prompts of those who run (promptTurn()), so that a prompt
/// does not wait for all that another principal had sent before it. Among the requests of one principal the better priority
/// class goes first, then the older; every kAgeingSeconds of waiting lift a request by one class. What was preempted goes
/// before fresh requests of no better class.
class FairQueue {
 public:
  static constexpr double kOutputCost = 2;
  static constexpr double kAgeingSeconds = 10;
  static constexpr double kFairQuantum = 1024;  // in the counters' unit

  void push(std::unique_ptr<Sequence> sequence);
  /// The request whose turn it is, still queued; null when none waits.
  [[nodiscard]] Sequence* next(EngineClock::time_point now) const;
  [[nodiscard]] std::unique_ptr<Sequence> take(const Sequence* sequence);
  /// All waiting requests in the order they would be served in, as far as can be known now.
  [[nodiscard]] std::vector<Sequence*> order(EngineClock::time_point now) const;
  [[nodiscard]] const std::vector<std::unique_ptr<Sequence>>& waiting() const noexcept { return m_waiting; }

  /// `sequence` begins to run, or goes on after being preempted.
  void admitted(const Sequence& sequence);
  /// `count` tokens of a running sequence go into this step; with `complete` these are all it has.
  void computed(Sequence& sequence, int count, bool complete);
  /// `sequence` runs no longer.
  void stopped(Sequence& sequence);
  [[nodiscard]] int running(const std::string& principal) const;
  /// Whether it has requests here, waiting or running.
  [[nodiscard]] bool active(const std::string& principal) const;
  /// Prompts of running sequences go in this order: who got less comes first (differences below kFairQuantum do not count),
  /// then who has fewer running.
  [[nodiscard]] std::pair<double, int> promptTurn(const std::string& principal) const;

  /// Work done for a principal.
  void charge(const std::string& principal, double cost);
  /// A request of the principal left the engine for good.
  void leave(const std::string& principal);

  [[nodiscard]] static int rankOf(const Sequence& sequence, EngineClock::time_point now) noexcept;

 private:
  struct Account {
    double served = 0;
    double promised = 0;  // prompt tokens of running sequences that are to be computed
    double inWork = 0;    // of `served`: for prompts that are not complete
    int active = 0;       // requests waiting or running
    int running = 0;
    [[nodiscard]] double claimed() const noexcept { return served + promised; }
    [[nodiscard]] double finished() const noexcept { return served - inWork; }
  };
  [[nodiscard]] static Sequence* choose(const std::vector<Sequence*>& waiting,
                                        const std::unordered_map<std::string, Account>& accounts,
                                        EngineClock::time_point now);

  std::vector<std::unique_ptr<Sequence>> m_waiting;  // by arrival, preempted ones anywhere
  std::unordered_map<std::string, Account> m_accounts;
  double m_last = 0;  // counter of the last principal that was active
};

}  // namespace hearth
