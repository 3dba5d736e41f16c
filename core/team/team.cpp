#include "core/team/team.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

#include "core/base/log.h"
#include "core/base/platform/platform.h"
#include "core/team/team_state.h"

namespace hearth {
namespace team {

std::string_view subjectName(SubjectKind kind) noexcept {
  switch (kind) {
    case SubjectKind::User: return "user";
    case SubjectKind::Group: return "group";
    case SubjectKind::Key: return "key";
  }
  return "";
}

std::string_view metricName(Metric metric) noexcept {
  switch (metric) {
    case Metric::Requests: return "requests";
    case Metric::Tokens: return "tokens";
    case Metric::ComputeMs: return "compute";
  }
  return "";
}

std::string_view periodName(Period period) noexcept { return period == Period::Minute ? "minute" : "month"; }

Snapshot::Snapshot(store::TeamData read) : data(std::move(read)) {
  for (const auto& row : data.users) users[row.id] = &row;
  for (const auto& row : data.keys) keys[row.id] = &row;
  for (const auto& row : data.secrets) secrets[row.secret] = &row;
  for (const auto& row : data.sessions) sessions[row.token] = &row;
  for (const auto& row : data.groups) {
    for (const std::int64_t member : row.members) groupsOf[member].push_back(&row);
  }
}

std::unexpected<Error> unauthenticated() {
  return fail(ErrorCode::Unauthenticated, "the name, the password, the key or the session is not valid");
}
std::unexpected<Error> noUser(std::int64_t id) {
  return fail(ErrorCode::NotFound, "there is no such user", {{"user", std::to_string(id)}});
}
std::unexpected<Error> forbidden(std::string message) { return fail(ErrorCode::Forbidden, std::move(message)); }
std::unexpected<Error> wrong(std::string field, std::string message) {
  return fail(ErrorCode::InvalidArgument, std::move(message), {{"field", std::move(field)}});
}

Result<void> require(const Actor& actor, Scope scope) {
  if (actor.who.may(scope)) return {};
  return fail(ErrorCode::Forbidden, "this account or key may not do that", {{"scope", std::string(scopeName(scope))}});
}

Result<void> requireSelfOrAdmin(const Actor& actor, std::int64_t user) {
  if (actor.who.may(Scope::Admin)) return {};
  if (actor.who.userId == user && user != 0) return require(actor, Scope::Account);
  return require(actor, Scope::Admin);
}

bool keyIsLive(const store::KeyRow& key, std::int64_t nowMs) noexcept {
  return key.revokedMs == 0 && (key.expiresMs == 0 || nowMs < key.expiresMs);
}

Principal principalOf(const Snapshot& now, const store::UserRow& user) {
  Principal who;
  who.userId = user.id;
  who.name = user.name;
  who.role = static_cast<TeamRole>(user.role);
  who.scopes = scopesOf(who.role);
  const auto groups = now.groupsOf.find(user.id);
  if (groups == now.groupsOf.end()) return who;
  for (const store::GroupRow* group : groups->second) {
    who.groupIds.push_back(group->id);
    who.groups.push_back(group->name);
    // What one group allows is allowed: groups with a list add up.
    if (who.role != TeamRole::Admin)
      who.groupModels.insert(who.groupModels.end(), group->models.begin(), group->models.end());
  }
  return who;
}

std::vector<Subject> subjectsOf(const Principal& who) {
  std::vector<Subject> subjects;
  if (who.userId == 0) return subjects;
  subjects.push_back({SubjectKind::User, who.userId});
  for (const std::int64_t group : who.groupIds) subjects.push_back({SubjectKind::Group, group});
  if (who.keyId != 0) subjects.push_back({SubjectKind::Key, who.keyId});
  return subjects;
}

}  // namespace team

using team::SnapshotPtr;
using team::unauthenticated;

Result<SnapshotPtr> Team::State::current() {
  {
    const std::lock_guard lock(mutex);
    const auto time = std::chrono::steady_clock::now();
    if (snapshot && time - checkedAt < options.refresh) return snapshot;
    HEARTH_TRY(const std::int64_t version, rows.version());
    if (snapshot && snapshot->data.version == version) {
      checkedAt = time;
      return snapshot;
    }
  }
  return reload();
}

Result<SnapshotPtr> Team::State::reload() {
  const std::lock_guard lock(mutex);
  const auto time = std::chrono::steady_clock::now();
  HEARTH_TRY(store::TeamData data, rows.load());
  auto fresh = std::make_shared<const team::Snapshot>(std::move(data));
  {
    const std::lock_guard chargeLock(chargeMutex);
    meter.setQuotas(fresh->data.quotas);
  }
  snapshot = fresh;
  checkedAt = time;
  return fresh;
}

Result<void> Team::State::change(const std::function<Result<void>(store::TeamTransaction&)>& body) {
  HEARTH_CHECK(rows.change([&](store::TeamTransaction& transaction) -> Result<void> {
    if (auto done = body(transaction); !done) return done;
    transaction.touch();
    return {};
  }));
  // Committed, so it holds: a failure to read it back is the next caller's.
  if (const auto fresh = reload(); !fresh) {
    log::error("team", "the team cannot be read: " + fresh.error().describe());
    const std::lock_guard lock(mutex);
    snapshot.reset();
  }
  return {};
}

void Team::State::record(store::TeamTransaction& transaction, const Actor& actor, const std::string& action,
                         const std::string& subject, const std::string& detailsJson) const {
  store::AuditRow row;
  row.timeMs = now();
  row.actor = actor.who.userId == 0 ? (actor.who.name.empty() ? "(machine)" : actor.who.name) : actor.who.name;
  if (actor.who.keyId != 0) row.actor += " (key " + std::to_string(actor.who.keyId) + ")";
  row.client = actor.client;
  row.action = action;
  row.subject = subject;
  row.details = detailsJson;
  transaction.append(row);
}

Result<void> Team::State::keepAnAdmin(store::TeamTransaction& transaction) {
  if (transaction.activeUsersOfRole(static_cast<int>(TeamRole::Admin)) > 0) return {};
  return fail(ErrorCode::Forbidden, "this is the last administrator: make another one first", {{"last_admin", "true"}});
}

Team::Team(std::unique_ptr<State> state) : m_state(std::move(state)) {
  if (m_state->options.background) m_state->thread = std::thread([state = m_state.get()] { state->runInBackground(); });
}

Team::~Team() {
  {
    const std::lock_guard lock(m_state->threadMutex);
    m_state->stop = true;
  }
  m_state->wake.notify_all();
  if (m_state->thread.joinable()) m_state->thread.join();
  if (const auto written = flush(); !written) log::error("team", "usage is not stored: " + written.error().describe());
}

Result<std::unique_ptr<Team>> Team::create(Store& store) { return create(store, Options{}); }

Result<std::unique_ptr<Team>> Team::create(Store& store, Options options) {
  HEARTH_CHECK(team::initialiseSecrets());
  store::TeamStore* rows = store.team();
  if (rows == nullptr) return fail(ErrorCode::Internal, "this store keeps no team");
  if (!options.nowMs) {
    options.nowMs = [] {
      return static_cast<std::int64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count());
    };
  }
  auto state = std::make_unique<State>(store, *rows, std::move(options));
  HEARTH_TRY(const auto counters, rows->counters(team::monthStart(state->now())));
  state->meter.setMonth(counters, state->now());
  HEARTH_TRY([[maybe_unused]] const SnapshotPtr first, state->reload());
  return std::unique_ptr<Team>(new Team(std::move(state)));
}

Result<Principal> Team::authenticateKey(std::string_view secret) {
  HEARTH_TRY(const SnapshotPtr now, m_state->current());
  const store::Digest digest = team::digestOf(secret);
  const std::int64_t time = m_state->now();
  const auto found = now->secrets.find(digest);
  // The map is searched by the digest, which nobody can steer; what it found is compared in constant time all the same.
  if (found == now->secrets.end() || !team::sameDigest(found->first, digest)) return unauthenticated();
  const store::KeySecretRow& row = *found->second;
  if (row.expiresMs != 0 && time >= row.expiresMs) return unauthenticated();
  const auto key = now->keys.find(row.keyId);
  if (key == now->keys.end() || !team::keyIsLive(*key->second, time)) return unauthenticated();
  const store::UserRow* user = now->user(key->second->userId);
  if (user == nullptr || user->disabledMs != 0) return unauthenticated();
  Principal who = team::principalOf(*now, *user);
  who.keyId = row.keyId;
  who.scopes &= key->second->scopes;
  who.keyModels = key->second->models;
  const std::lock_guard lock(m_state->chargeMutex);
  m_state->keysUsed[row.keyId].now = time;
  return who;
}

Result<Principal> Team::authenticateSession(std::string_view token) {
  HEARTH_TRY(const SnapshotPtr now, m_state->current());
  const store::Digest digest = team::digestOf(token);
  const std::int64_t time = m_state->now();
  const auto found = now->sessions.find(digest);
  if (found == now->sessions.end() || !team::sameDigest(found->first, digest)) return unauthenticated();
  const store::SessionRow& session = *found->second;
  const store::UserRow* user = now->user(session.userId);
  if (user == nullptr || user->disabledMs != 0) return unauthenticated();
  const std::lock_guard lock(m_state->chargeMutex);
  auto& use = m_state->sessionsUsed[session.id];
  const std::int64_t used = std::max(session.usedMs, use.now);
  if (time - used >= team::kSessionIdleMs || time - session.createdMs >= team::kSessionLifeMs) return unauthenticated();
  use.now = std::max(use.now, time);
  Principal who = team::principalOf(*now, *user);
  who.sessionId = session.id;
  return who;
}

std::string Team::csrfToken(std::string_view sessionToken) {
  return team::hex(team::digestOf("hearth csrf " + std::string(sessionToken)));
}

bool Team::csrfMatches(std::string_view sessionToken, std::string_view given) {
  return team::sameText(csrfToken(sessionToken), given);
}

bool Team::hasUsers() {
  const auto now = m_state->current();
  return now && !(*now)->data.users.empty();
}

bool Team::hasAdmin() {
  const auto now = m_state->current();
  return now && std::any_of((*now)->data.users.begin(), (*now)->data.users.end(), [](const store::UserRow& user) {
           return user.role == static_cast<int>(TeamRole::Admin) && user.disabledMs == 0;
         });
}

}  // namespace hearth
