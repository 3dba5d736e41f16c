#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/log.h"
#include "core/base/platform/platform.h"
#include "core/team/team_state.h"

namespace hearth {

namespace json = boost::json;
using team::Amounts;
using team::Period;
using team::SnapshotPtr;
using team::SubjectKind;

namespace {

constexpr std::chrono::seconds kFlushInterval{2};
constexpr std::int64_t kDefaultUsageDays = 90;
constexpr std::int64_t kMostDays = 36'500;
constexpr std::int64_t kLargestQuota = std::int64_t{1} << 53;  // exact in JSON
constexpr std::int64_t kMinuteMs = 60'000;

std::string nameOf(const team::Snapshot& now, const team::Subject& subject) {
  switch (subject.kind) {
    case SubjectKind::User: return now.userName(subject.id);
    case SubjectKind::Group:
      for (const store::GroupRow& group : now.data.groups) {
        if (group.id == subject.id) return group.name;
      }
      return {};
    case SubjectKind::Key:
      if (const auto key = now.keys.find(subject.id); key != now.keys.end())
        return team::describe(now, *key->second, 0).prefix;
      return {};
  }
  return {};
}

bool exists(const team::Snapshot& now, const team::Subject& subject) { return !nameOf(now, subject).empty(); }

Result<std::int64_t> daysSetting(Store& store, const char* key, std::int64_t otherwise) {
  HEARTH_TRY(const auto text, store.setting(key));
  if (!text) return otherwise;
  std::int64_t days = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), days);
  if (problem != std::errc() || end != text->data() + text->size() || days < 0 || days > kMostDays) {
    log::warning("team", std::string("the setting ") + key + " has a value that cannot be used");
    return otherwise;
  }
  return days;
}

}  // namespace

Result<void> Team::admit(const Principal& who, std::string_view model) {
  if (!who.mayUseModel(model)) {
    return fail(ErrorCode::Forbidden, "this model is not open to this account or key",
                {{"model", std::string(model.substr(0, 300))}});
  }
  const auto subjects = team::subjectsOf(who);
  if (subjects.empty()) return {};
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  std::optional<team::Refusal> refusal;
  {
    const std::lock_guard lock(m_state->chargeMutex);
    refusal = m_state->meter.admit(subjects, m_state->now());
  }
  if (!refusal) return {};
  Error error{ErrorCode::QuotaExceeded, "a limit of this account is used up", {}};
  error.evidence = {{"subject", std::string(team::subjectName(refusal->subject.kind))},
                    {"name", nameOf(*snapshot, refusal->subject)},
                    {"metric", std::string(team::metricName(refusal->metric))},
                    {"period", std::string(team::periodName(refusal->period))},
                    {"limit", std::to_string(refusal->limit)},
                    {"used", std::to_string(refusal->used)}};
  if (refusal->retryAfterSeconds > 0)
    error.evidence.push_back({"retry_after_seconds", std::to_string(refusal->retryAfterSeconds)});
  return fail(std::move(error));
}

void Team::charge(const Principal& who, const std::string& model, std::int64_t promptTokens, std::int64_t generatedTokens,
                  double computeSeconds) {
  const std::int64_t now = m_state->now();
  const std::int64_t prompt = std::max<std::int64_t>(promptTokens, 0);
  const std::int64_t generated = std::max<std::int64_t>(generatedTokens, 0);
  // Rounded up, so that many short requests are not free.
  const auto computeMs = static_cast<std::int64_t>(
      std::isfinite(computeSeconds) && computeSeconds > 0 ? std::ceil(std::min(computeSeconds, 1e9) * 1000) : 0);
  const auto subjects = team::subjectsOf(who);
  const std::int64_t minute = now - now % kMinuteMs;
  const std::lock_guard lock(m_state->chargeMutex);
  m_state->meter.charge(subjects, Amounts{{0, prompt + generated, computeMs}}, now);
  store::UsageRow& row = m_state->ledger[{minute, who.userId, who.keyId, model}];
  row.startMs = minute;
  row.userId = who.userId;
  row.keyId = who.keyId;
  row.model = model;
  row.requests += 1;
  row.promptTokens += prompt;
  row.generatedTokens += generated;
  row.computeMs += computeMs;
}

Result<void> Team::State::flush() {
  const std::lock_guard one(flushMutex);
  store::TeamStore::Charges charges;
  std::map<LedgerKey, store::UsageRow> taken;
  {
    const std::lock_guard lock(chargeMutex);
    taken.swap(ledger);
    charges.counters = meter.takeUnsaved();
    const auto collect = [](std::map<std::int64_t, Use>& uses, auto& out) {
      for (auto& [id, use] : uses) {
        if (use.now - use.saved < team::kUseStepMs) continue;
        use.saved = use.now;
        out.emplace_back(id, use.now);
      }
    };
    collect(keysUsed, charges.keysUsed);
    collect(sessionsUsed, charges.sessionsUsed);
  }
  if (taken.empty() && charges.counters.empty() && charges.keysUsed.empty() && charges.sessionsUsed.empty()) return {};
  for (const auto& [key, row] : taken) {
    charges.usage.push_back(row);
    charges.usage.back().period = static_cast<int>(Period::Minute);
    charges.usage.push_back(row);
    charges.usage.back().period = static_cast<int>(Period::Month);
    charges.usage.back().startMs = team::monthStart(row.startMs);
  }
  const auto written = rows.charge(charges);
  if (!written) {  // a full disk, say: it is kept for the next time
    const std::lock_guard lock(chargeMutex);
    meter.putBack(charges.counters);
    for (const auto& [key, row] : taken) {
      store::UsageRow& sum = ledger[key];
      const store::UsageRow since = sum;
      sum = row;
      sum.requests += since.requests;
      sum.promptTokens += since.promptTokens;
      sum.generatedTokens += since.generatedTokens;
      sum.computeMs += since.computeMs;
    }
  }
  return written;
}

Result<void> Team::flush() { return m_state->flush(); }

Result<void> Team::applyRetention() { return m_state->applyRetention(); }

Result<void> Team::State::applyRetention() {
  HEARTH_TRY(const std::int64_t usageDays, daysSetting(store, kUsageDays, kDefaultUsageDays));
  HEARTH_TRY(const std::int64_t conversationDays, daysSetting(store, kConversationDays, 0));
  const std::int64_t time = now();
  if (usageDays > 0) HEARTH_CHECK(rows.removeUsage(time - usageDays * team::kDayMs, 0));
  if (conversationDays > 0) {
    HEARTH_TRY(const std::int64_t removed, rows.removeConversations(time - conversationDays * team::kDayMs));
    if (removed > 0)
      log::info("team", std::to_string(removed) + " conversations were older than the rule allows and are removed");
  }
  // What is only in memory about sessions must be on disk first, else a session in use would look idle.
  HEARTH_CHECK(flush());
  HEARTH_CHECK(change([&](store::TeamTransaction& transaction) -> Result<void> {
    transaction.removeExpired(time, time - team::kSessionIdleMs, time - team::kSessionLifeMs);
    return {};
  }));
  HEARTH_TRY(const SnapshotPtr left, current());
  const std::lock_guard lock(chargeMutex);
  std::erase_if(keysUsed, [&](const auto& use) { return !left->keys.contains(use.first); });
  std::erase_if(sessionsUsed, [&](const auto& use) {
    return std::none_of(left->data.sessions.begin(), left->data.sessions.end(),
                        [&](const auto& session) { return session.id == use.first; });
  });
  return {};
}

void Team::State::runInBackground() {
  platform::nameThisThread("hearth-team");
  auto nextCleaning = std::chrono::steady_clock::now();
  std::unique_lock lock(threadMutex);
  while (!stop) {
    lock.unlock();
    if (const auto written = flush(); !written) log::error("team", "usage is not stored yet: " + written.error().describe());
    if (const auto time = std::chrono::steady_clock::now(); time >= nextCleaning) {
      nextCleaning = time + std::chrono::hours(24);
      if (const auto applied = applyRetention(); !applied)
        log::error("team", "the rules of retention wait: " + applied.error().describe());
    }
    lock.lock();
    wake.wait_for(lock, kFlushInterval, [&] { return stop; });
  }
}

Result<void> Team::setQuota(const Actor& actor, team::Subject subject, team::Metric metric, team::Period period,
                            std::int64_t limit) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  if (limit > kLargestQuota) return team::wrong("limit", "the limit is too large");
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->reload());
  if (!exists(*snapshot, subject)) {
    return fail(ErrorCode::NotFound, "there is no such user, group or key",
                {{std::string(team::subjectName(subject.kind)), std::to_string(subject.id)}});
  }
  const store::QuotaRow row{static_cast<int>(subject.kind), subject.id, static_cast<int>(metric), static_cast<int>(period),
                            limit};
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    if (limit < 0) {
      transaction.removeQuota(row);
    } else {
      transaction.setQuota(row);
    }
    m_state->record(transaction, actor, limit < 0 ? "quota.remove" : "quota.set",
                    std::string(team::subjectName(subject.kind)) + " " + nameOf(*snapshot, subject),
                    json::serialize(json::object{
                        {"metric", team::metricName(metric)}, {"period", team::periodName(period)}, {"limit", limit}}));
    return {};
  });
}

Result<std::vector<TeamQuota>> Team::quotas(const Actor& actor, std::optional<UserId> user) {
  if (user) {
    HEARTH_CHECK(team::requireSelfOrAdmin(actor, *user));
  } else {
    HEARTH_CHECK(team::require(actor, Scope::Admin));
  }
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  const std::int64_t now = m_state->now();
  // A command beside the host knows only what the host has written.
  std::vector<store::QuotaCounterRow> stored;
  if (!m_state->options.background) {
    HEARTH_TRY(stored, m_state->rows.counters(team::monthStart(now)));
  }
  const auto concerns = [&](const team::Subject& subject) {
    if (!user) return true;
    switch (subject.kind) {
      case SubjectKind::User: return subject.id == *user;
      case SubjectKind::Key: {
        const auto key = snapshot->keys.find(subject.id);
        return key != snapshot->keys.end() && key->second->userId == *user;
      }
      case SubjectKind::Group: {
        const auto groups = snapshot->groupsOf.find(*user);
        return groups != snapshot->groupsOf.end() &&
               std::any_of(groups->second.begin(), groups->second.end(),
                           [&](const store::GroupRow* group) { return group->id == subject.id; });
      }
    }
    return false;
  };
  std::vector<TeamQuota> found;
  for (const store::QuotaRow& row : snapshot->data.quotas) {
    TeamQuota quota;
    quota.subject = {static_cast<SubjectKind>(row.subject), row.subjectId};
    if (!concerns(quota.subject)) continue;
    quota.name = nameOf(*snapshot, quota.subject);
    quota.metric = static_cast<team::Metric>(row.metric);
    quota.period = static_cast<Period>(row.period);
    quota.limit = row.amount;
    {
      const std::lock_guard lock(m_state->chargeMutex);
      quota.used = m_state->meter.used(quota.subject, quota.period, now)[quota.metric];
    }
    for (const auto& counter : stored) {
      if (quota.period != Period::Month || counter.subject != row.subject || counter.subjectId != row.subjectId) continue;
      quota.used = Amounts{{counter.requests, counter.tokens, counter.computeMs}}[quota.metric];
    }
    found.push_back(std::move(quota));
  }
  return found;
}

Result<std::vector<TeamUsage>> Team::usage(const Actor& actor, const UsageQuestion& question) {
  if (question.user) {
    HEARTH_CHECK(team::requireSelfOrAdmin(actor, *question.user));
  } else {
    HEARTH_CHECK(team::require(actor, Scope::Admin));
  }
  if (question.toMs != 0 && question.toMs < question.fromMs) return team::wrong("to", "the end is before the beginning");
  HEARTH_CHECK(flush());
  using Step = UsageQuestion::Step;
  store::UsageQuery query;
  query.fromMs = question.fromMs;
  query.toMs = question.toMs == 0 ? m_state->now() + 1 : question.toMs;
  query.userId = question.user;
  query.byUser = question.byUser;
  query.byKey = question.byKey;
  query.byModel = question.byModel;
  query.byTime = question.step != Step::None;
  // Months are kept for ever; minutes answer for anything that is not whole months.
  const bool wholeMonths =
      question.step == Step::Month || (question.step == Step::None && team::monthStart(query.fromMs) == query.fromMs &&
                                       (question.toMs == 0 || team::monthStart(query.toMs) == query.toMs));
  query.period = static_cast<int>(wholeMonths ? Period::Month : Period::Minute);
  if (wholeMonths) query.fromMs = team::monthStart(query.fromMs);
  if (question.step == Step::Hour) query.bucketMs = team::kHourMs;
  if (question.step == Step::Day) query.bucketMs = team::kDayMs;
  HEARTH_TRY(const auto rows, m_state->rows.usage(query));
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  std::vector<TeamUsage> found;
  for (const store::UsageRow& row : rows) {
    found.push_back({row.startMs, row.userId, question.byUser ? snapshot->userName(row.userId) : std::string(), row.keyId,
                     row.model, row.requests, row.promptTokens, row.generatedTokens,
                     static_cast<double>(row.computeMs) / 1000});
  }
  return found;
}

}  // namespace hearth
