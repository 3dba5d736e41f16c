#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

#include "core/team/team_state.h"

namespace hearth {

namespace json = boost::json;
using team::SnapshotPtr;

namespace team {

TeamKey describe(const Snapshot& now, const store::KeyRow& key, std::int64_t nowMs) {
  TeamKey out;
  out.id = key.id;
  out.userId = key.userId;
  out.user = now.userName(key.userId);
  out.label = key.label;
  out.scopes = key.scopes;
  out.models = key.models;
  out.createdMs = key.createdMs;
  out.expiresMs = key.expiresMs;
  out.revokedMs = key.revokedMs;
  out.usedMs = key.usedMs;
  for (const store::KeySecretRow& secret : now.data.secrets) {  // oldest first
    if (secret.keyId != key.id) continue;
    if (out.prefix.empty() || secret.expiresMs == 0) out.prefix = secret.prefix;  // only the newest has no end of its own
    if (secret.expiresMs > nowMs) out.oldSecretUntilMs = std::max(out.oldSecretUntilMs, secret.expiresMs);
  }
  return out;
}

Result<std::vector<std::string>> checkModels(const std::vector<std::string>& models) {
  constexpr std::size_t kMost = 500;
  if (models.size() > kMost) return wrong("models", "more than 500 models");
  std::vector<std::string> out;
  for (const std::string& model : models) {
    if (model.empty()) return wrong("models", "an empty model name");
    HEARTH_CHECK(checkText(model, 300, "models"));
    out.push_back(model);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace team

namespace {

constexpr std::chrono::seconds kLongestLifetime = std::chrono::hours(24 * 3660);
constexpr std::chrono::seconds kLongestOverlap = std::chrono::hours(24 * 90);

std::unexpected<Error> noKey(std::int64_t id) {
  return fail(ErrorCode::NotFound, "there is no such key", {{"key", std::to_string(id)}});
}

// Who may make, change and take keys of `user`. A key cannot make another one that outlives or exceeds it, unless it is an
// administrator's.
Result<void> mayManageKeys(const Actor& actor, std::int64_t user) {
  if (actor.who.may(Scope::Admin)) return {};
  HEARTH_CHECK(team::requireSelfOrAdmin(actor, user));
  if (actor.who.role < TeamRole::Member) return team::forbidden("guests have no keys");
  if (actor.who.keyId != 0) return team::forbidden("a key cannot manage keys: sign in");
  return {};
}

store::KeySecretRow newSecret(const std::string& secret, std::int64_t keyId, std::int64_t nowMs) {
  return {team::digestOf(secret), keyId, secret.substr(0, team::kShownPrefix), nowMs, 0};
}

}  // namespace

Result<MadeKey> Team::createKey(const Actor& actor, const NewKey& wanted) {
  HEARTH_CHECK(mayManageKeys(actor, wanted.userId));
  HEARTH_CHECK(team::checkText(wanted.label, 100, "label"));
  HEARTH_TRY(const std::vector<std::string> models, team::checkModels(wanted.models));
  if (wanted.lifetime < std::chrono::seconds(0) || wanted.lifetime > kLongestLifetime)
    return team::wrong("expires", "a key lives for ten years at most");
  const std::string secret = "hk_" + team::randomSecret();
  const std::int64_t now = m_state->now();
  store::KeyRow row;
  HEARTH_CHECK(m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    const auto user = transaction.user(wanted.userId);
    if (!user) return team::noUser(wanted.userId);
    const auto role = static_cast<TeamRole>(user->role);
    if (role < TeamRole::Member) return team::forbidden("guests have no keys");
    if (wanted.scopes == 0 || (wanted.scopes & ~scopesOf(role)) != 0)
      return team::wrong("scopes", "the key's scopes go beyond its user's role");
    const store::TeamData data = transaction.load();
    const auto live = std::count_if(data.keys.begin(), data.keys.end(), [&](const store::KeyRow& key) {
      return key.userId == wanted.userId && team::keyIsLive(key, now);
    });
    if (static_cast<std::size_t>(live) >= team::kMostKeys) return team::forbidden("this user has 200 keys already");
    row = {0,
           wanted.userId,
           wanted.label,
           wanted.scopes,
           models,
           now,
           wanted.lifetime.count() == 0 ? 0 : now + wanted.lifetime.count() * 1000,
           0,
           0};
    transaction.insert(row);
    transaction.insert(newSecret(secret, row.id, now));
    json::array scopes;
    for (const std::string_view name : scopeNames(row.scopes)) scopes.emplace_back(name);
    m_state->record(transaction, actor, "key.create", user->name,
                    json::serialize(json::object{{"key", row.id},
                                                 {"prefix", secret.substr(0, team::kShownPrefix)},
                                                 {"scopes", std::move(scopes)},
                                                 {"expires_ms", row.expiresMs}}));
    return {};
  }));
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  return MadeKey{team::describe(*snapshot, row, now), secret};
}

Result<std::vector<TeamKey>> Team::keys(const Actor& actor, std::optional<UserId> user) {
  if (user) {
    HEARTH_CHECK(team::requireSelfOrAdmin(actor, *user));
  } else {
    HEARTH_CHECK(team::require(actor, Scope::Admin));
  }
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  std::vector<TeamKey> found;
  for (const store::KeyRow& row : snapshot->data.keys) {
    if (user && row.userId != *user) continue;
    TeamKey key = team::describe(*snapshot, row, m_state->now());
    const std::lock_guard lock(m_state->chargeMutex);
    if (const auto used = m_state->keysUsed.find(row.id); used != m_state->keysUsed.end())
      key.usedMs = std::max(key.usedMs, used->second.now);
    found.push_back(std::move(key));
  }
  return found;
}

Result<TeamKey> Team::keyNamed(const Actor& actor, std::string_view wanted) {
  HEARTH_TRY(const auto all, keys(actor, actor.who.may(Scope::Admin) ? std::nullopt : std::optional(actor.who.userId)));
  std::int64_t id = 0;
  const auto [end, problem] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), id);
  const bool isNumber = problem == std::errc() && end == wanted.data() + wanted.size();
  const TeamKey* found = nullptr;
  for (const TeamKey& key : all) {
    if (isNumber ? key.id != id : !(wanted.size() >= 4 && key.prefix.starts_with(wanted.substr(0, team::kShownPrefix))))
      continue;
    if (found != nullptr) return team::wrong("key", "several keys begin so: give the number");
    found = &key;
  }
  if (found == nullptr)
    return fail(ErrorCode::NotFound, "there is no such key", {{"key", std::string(wanted.substr(0, team::kShownPrefix))}});
  return *found;
}

Result<MadeKey> Team::rotateKey(const Actor& actor, std::int64_t id, std::chrono::seconds overlap) {
  if (overlap < std::chrono::seconds(0) || overlap > kLongestOverlap)
    return team::wrong("overlap", "the old secret lives for 90 days at most");
  const std::string secret = "hk_" + team::randomSecret();
  const std::int64_t now = m_state->now();
  store::KeyRow row;
  HEARTH_CHECK(m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    const auto key = transaction.key(id);
    // Somebody else's key is as good as not there.
    if (!key || !mayManageKeys(actor, key->userId)) return noKey(id);
    if (!team::keyIsLive(*key, now)) return team::forbidden("this key is revoked or expired: make a new one");
    row = *key;
    transaction.expireSecrets(id, now + overlap.count() * 1000);
    transaction.insert(newSecret(secret, id, now));
    m_state->record(transaction, actor, "key.rotate", std::to_string(id),
                    json::serialize(json::object{{"prefix", secret.substr(0, team::kShownPrefix)},
                                                 {"overlap_seconds", overlap.count()}}));
    return {};
  }));
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  return MadeKey{team::describe(*snapshot, row, now), secret};
}

Result<void> Team::revokeKey(const Actor& actor, std::int64_t id) {
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    auto key = transaction.key(id);
    if (!key) return noKey(id);
    // A key may end itself: that is what one does with a stolen one.
    if (actor.who.keyId != id && !mayManageKeys(actor, key->userId)) return noKey(id);
    if (key->revokedMs != 0) return {};
    key->revokedMs = m_state->now();
    transaction.update(*key);
    m_state->record(transaction, actor, "key.revoke", std::to_string(id));
    return {};
  });
}

}  // namespace hearth
