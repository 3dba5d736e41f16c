#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/store/team_store.h"

namespace hearth::team {

enum class SubjectKind : std::uint8_t { User = 0, Group = 1, Key = 2 };
enum class Metric : std::uint8_t { Requests = 0, Tokens = 1, ComputeMs = 2 };
enum class Period : std::uint8_t { Minute = 0, Month = 1 };

struct Subject {
  SubjectKind kind = SubjectKind::User;
  std::int64_t id = 0;
  friend auto operator<=>(const Subject&, const Subject&) = default;
};

struct Amounts {
  std::array<std::int64_t, 3> of{};  ///< by Metric
  [[nodiscard]] std::int64_t operator[](Metric metric) const noexcept { return of[static_cast<std::size_t>(metric)]; }
  void add(const Amounts& more) noexcept {
    for (std::size_t i = 0; i < of.size(); ++i) of[i] += more.of[i];
  }
  void subtract(const Amounts& less) noexcept {
    for (std::size_t i = 0; i < of.size(); ++i) of[i] -= less.of[i];
  }
  [[nodiscard]] bool none() const noexcept { return of == std::array<std::int64_t, 3>{}; }
};

/// Which limit is used up.
struct Refusal {
  Subject subject;
  Metric metric = Metric::Requests;
  Period period = Period::Minute;
  std::int64_t limit = 0, used = 0;
  int retryAfterSeconds = 0;  ///< 0 = not within this budget
};

/// Start of the UTC month that holds `ms`.
[[nodiscard]] std::int64_t monthStart(std::int64_t ms);

/// Counts what subjects use, against their limits: the last 60 seconds (sliding, in steps of a second; forgotten at a
/// restart) and the calendar month. Requests count when they are admitted, tokens and computing when they are done: what
/// runs at the moment a budget ends may exceed it. Not thread-safe.
class Meter {
 public:
  void setQuotas(std::vector<store::QuotaRow> quotas);
  /// What was used in the month of `nowMs` before this program started.
  void setMonth(const std::vector<store::QuotaCounterRow>& counters, std::int64_t nowMs);

  /// Counts one request for all of `subjects`, or for none and says whose limit is used up.
  [[nodiscard]] std::optional<Refusal> admit(std::span<const Subject> subjects, std::int64_t nowMs);
  void charge(std::span<const Subject> subjects, const Amounts& amounts, std::int64_t nowMs);
  [[nodiscard]] Amounts used(const Subject& subject, Period period, std::int64_t nowMs);

  /// What was counted since the last call, for the database.
  [[nodiscard]] std::vector<store::QuotaCounterRow> takeUnsaved();
  /// That was not saved after all.
  void putBack(const std::vector<store::QuotaCounterRow>& rows);

 private:
  static constexpr std::int64_t kSeconds = 60;
  struct Counts {
    std::array<Amounts, kSeconds> seconds{};
    Amounts minute, month;
    std::int64_t lastSecond = 0, monthMs = 0;
  };
  Counts& counts(const Subject& subject, std::int64_t nowMs);
  void count(const Subject& subject, const Amounts& amounts, std::int64_t nowMs);
  static int secondsUntilBelow(const Counts& counts, Metric metric, std::int64_t limit);

  std::map<Subject, std::vector<store::QuotaRow>> m_quotas;
  std::map<Subject, Counts> m_counts;
  std::map<std::pair<Subject, std::int64_t>, Amounts> m_unsaved;
};

}  // namespace hearth::team
