#include "core/team/meter.h"

#include <algorithm>
#include <chrono>

namespace hearth::team {

std::int64_t monthStart(std::int64_t ms) {
  using namespace std::chrono;
  const sys_days day = floor<days>(sys_time<milliseconds>(milliseconds(ms)));
  const year_month_day date(day);
  return duration_cast<milliseconds>(sys_days(date.year() / date.month() / 1).time_since_epoch()).count();
}

void Meter::setQuotas(std::vector<store::QuotaRow> quotas) {
  m_quotas.clear();
  for (store::QuotaRow& row : quotas) m_quotas[{static_cast<SubjectKind>(row.subject), row.subjectId}].push_back(row);
}

void Meter::setMonth(const std::vector<store::QuotaCounterRow>& rows, std::int64_t nowMs) {
  for (const auto& row : rows) {
    if (row.monthMs != monthStart(nowMs)) continue;
    counts({static_cast<SubjectKind>(row.subject), row.subjectId}, nowMs).month =
        Amounts{{row.requests, row.tokens, row.computeMs}};
  }
}

Meter::Counts& Meter::counts(const Subject& subject, std::int64_t nowMs) {
  Counts& found = m_counts[subject];
  const std::int64_t now = nowMs / 1000;
  if (found.lastSecond == 0 || now - found.lastSecond >= kSeconds) {
    found.seconds = {};
    found.minute = {};
    found.lastSecond = now;
  }
  // A clock that was set back counts into the last second until it has caught up.
  while (found.lastSecond < now) {
    Amounts& oldest = found.seconds[static_cast<std::size_t>(++found.lastSecond % kSeconds)];
    found.minute.subtract(oldest);
    oldest = {};
  }
  if (const std::int64_t month = monthStart(nowMs); month > found.monthMs) {
    found.month = {};
    found.monthMs = month;
  }
  return found;
}

void Meter::count(const Subject& subject, const Amounts& amounts, std::int64_t nowMs) {
  Counts& found = counts(subject, nowMs);
  found.seconds[static_cast<std::size_t>(found.lastSecond % kSeconds)].add(amounts);
  found.minute.add(amounts);
  found.month.add(amounts);
  m_unsaved[{subject, found.monthMs}].add(amounts);
}

// How long until enough of the last minute has become old.
int Meter::secondsUntilBelow(const Counts& counts, Metric metric, std::int64_t limit) {
  std::int64_t left = counts.minute[metric];
  for (std::int64_t age = kSeconds - 1; age >= 0; --age) {
    left -= counts.seconds[static_cast<std::size_t>((counts.lastSecond - age + kSeconds) % kSeconds)][metric];
    if (left < limit) return static_cast<int>(kSeconds - age);
  }
  return static_cast<int>(kSeconds);
}

std::optional<Refusal> Meter::admit(std::span<const Subject> subjects, std::int64_t nowMs) {
  std::optional<Refusal> worst;
  for (const Subject& subject : subjects) {
    const auto quotas = m_quotas.find(subject);
    if (quotas == m_quotas.end()) continue;
    Counts& found = counts(subject, nowMs);
    for (const store::QuotaRow& quota : quotas->second) {
      const auto metric = static_cast<Metric>(quota.metric);
      const auto period = static_cast<Period>(quota.period);
      const std::int64_t used = period == Period::Minute ? found.minute[metric] : found.month[metric];
      if (used < quota.amount) continue;
      // A limit of zero is never free again, however long one waits.
      const int wait = period == Period::Minute && quota.amount > 0 ? secondsUntilBelow(found, metric, quota.amount) : 0;
      // The one that holds longest is told: waiting for a shorter one would be in vain.
      const bool longer = !worst || (wait == 0 && worst->retryAfterSeconds != 0) ||
                          (worst->retryAfterSeconds != 0 && wait > worst->retryAfterSeconds);
      if (longer) worst = Refusal{subject, metric, period, quota.amount, used, wait};
    }
  }
  if (!worst) {
    for (const Subject& subject : subjects) count(subject, Amounts{{1, 0, 0}}, nowMs);
  }
  return worst;
}

void Meter::charge(std::span<const Subject> subjects, const Amounts& amounts, std::int64_t nowMs) {
  for (const Subject& subject : subjects) count(subject, amounts, nowMs);
}

Amounts Meter::used(const Subject& subject, Period period, std::int64_t nowMs) {
  const auto found = m_counts.find(subject);
  if (found == m_counts.end()) return {};
  const Counts& now = counts(subject, nowMs);
  return period == Period::Minute ? now.minute : now.month;
}

std::vector<store::QuotaCounterRow> Meter::takeUnsaved() {
  std::vector<store::QuotaCounterRow> rows;
  for (const auto& [where, amounts] : m_unsaved) {
    rows.push_back(
        {static_cast<int>(where.first.kind), where.first.id, where.second, amounts.of[0], amounts.of[1], amounts.of[2]});
  }
  m_unsaved.clear();
  return rows;
}

void Meter::putBack(const std::vector<store::QuotaCounterRow>& rows) {
  for (const auto& row : rows) {
    m_unsaved[{{static_cast<SubjectKind>(row.subject), row.subjectId}, row.monthMs}].add(
        Amounts{{row.requests, row.tokens, row.computeMs}});
  }
}

}  // namespace hearth::team
