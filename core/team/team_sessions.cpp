#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

#include "core/base/log.h"
#include "core/team/team_state.h"

namespace hearth {

namespace json = boost::json;
using team::SnapshotPtr;
using team::unauthenticated;

namespace team {

TeamInvitation describe(const Snapshot& now, const store::InvitationRow& row) {
  TeamInvitation out;
  out.id = row.id;
  out.user = now.userName(row.userId);
  out.role = static_cast<TeamRole>(row.role);
  out.createdMs = row.createdMs;
  out.expiresMs = row.expiresMs;
  for (const store::GroupRow& group : now.data.groups) {
    if (std::find(row.groups.begin(), row.groups.end(), group.id) != row.groups.end()) out.groups.push_back(group.name);
  }
  return out;
}

}  // namespace team

namespace {

constexpr std::chrono::seconds kShortestInvitation = std::chrono::minutes(1);
constexpr std::chrono::seconds kLongestInvitation = std::chrono::hours(24 * 30);
constexpr std::size_t kLongestPasswordTried = 256;

Actor actorOf(const store::UserRow& user, const std::string& client) {
  Actor actor;
  actor.who.userId = user.id;
  actor.who.name = user.name;
  actor.client = client;
  return actor;
}

Result<void> checkLifetime(std::chrono::seconds lifetime) {
  if (lifetime >= kShortestInvitation && lifetime <= kLongestInvitation) return {};
  return team::wrong("expires", "an invitation is good for a minute to 30 days");
}

}  // namespace

// Every way to "no" takes the time of one password hash.
Result<void> Team::State::checkPasswordOf(const store::UserRow* user, const std::string& folded, const std::string& password,
                                          const std::string& client) {
  const std::string network = team::networkOf(client);
  if (auto allowed = gate.enter(folded, network, now()); !allowed) return allowed;
  bool good = false;
  {
    HEARTH_TRY([[maybe_unused]] const auto slot, hashSlots.enter());
    good = team::passwordMatches(user != nullptr ? user->password : std::string(),
                                 password.substr(0, kLongestPasswordTried + 1));
  }
  if (user == nullptr || !good || user->disabledMs != 0) {
    Actor nobody;
    nobody.who.name = "(nobody)";
    nobody.client = client;
    // The name that was tried is no name of ours when it is unknown: it may be a password in the wrong field.
    const std::string subject = user != nullptr ? user->name : "(unknown)";
    const char* why = user == nullptr ? "unknown" : user->disabledMs != 0 ? "disabled" : "password";
    const auto noted = rows.change([&](store::TeamTransaction& transaction) -> Result<void> {
      record(transaction, nobody, "session.refused", subject, json::serialize(json::object{{"reason", why}}));
      return {};
    });
    if (!noted) return noted;
    return unauthenticated();
  }
  gate.succeeded(folded, network);
  return {};
}

Result<SignedIn> Team::State::openSession(store::TeamTransaction& transaction, const store::UserRow& user,
                                          const std::string& client) {
  SignedIn made;
  made.token = team::randomSecret();
  made.expiresMs = now() + team::kSessionLifeMs;
  const store::TeamData data = transaction.load();
  std::vector<std::int64_t> own;
  for (const store::SessionRow& session : data.sessions) {
    if (session.userId == user.id) own.push_back(session.id);
  }
  for (std::size_t i = 0; i + team::kMostSessions <= own.size(); ++i) transaction.removeSession(own[i]);
  store::SessionRow row{0, user.id, team::digestOf(made.token), now(), now(), client};
  transaction.insert(row);
  store::UserRow seen = user;
  seen.lastLoginMs = now();
  transaction.update(seen);
  record(transaction, actorOf(user, client), "session.open", user.name, json::serialize(json::object{{"session", row.id}}));
  made.who.sessionId = row.id;
  made.who.userId = user.id;
  return made;
}

Result<SignedIn> Team::State::signedIn(const SignedIn& made) {
  HEARTH_TRY(const SnapshotPtr newest, current());
  const store::UserRow* user = newest->user(made.who.userId);
  if (user == nullptr) return unauthenticated();
  SignedIn out = made;
  out.who = team::principalOf(*newest, *user);
  out.who.sessionId = made.who.sessionId;
  return out;
}

Result<SignedIn> Team::login(const std::string& name, const std::string& password, const std::string& client) {
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  // A name that cannot be one is treated as one that is not there.
  const auto checked = team::checkName(name);
  const std::string folded = checked ? checked->folded : std::string("?");
  const store::UserRow* user = nullptr;
  for (const store::UserRow& row : snapshot->data.users) {
    if (checked && row.folded == folded) user = &row;
  }
  if (auto good = m_state->checkPasswordOf(user, folded, password, client); !good) return fail(good.error());
  SignedIn made;
  HEARTH_CHECK(m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    const auto now = transaction.user(user->id);
    // Meanwhile somebody may have disabled the account or changed its password.
    if (!now || now->disabledMs != 0 || now->password != user->password) return unauthenticated();
    HEARTH_TRY(made, m_state->openSession(transaction, *now, client));
    return {};
  }));
  return m_state->signedIn(made);
}

Result<void> Team::logout(std::string_view token, const std::string& client) {
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  const auto found = snapshot->sessions.find(team::digestOf(token));
  if (found == snapshot->sessions.end()) return {};
  const store::UserRow* user = snapshot->user(found->second->userId);
  if (user == nullptr) return {};
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    transaction.removeSession(found->second->id);
    m_state->record(transaction, actorOf(*user, client), "session.close", user->name);
    return {};
  });
}

Result<std::vector<TeamSession>> Team::sessions(const Actor& actor, UserId user) {
  HEARTH_CHECK(team::requireSelfOrAdmin(actor, user));
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  std::vector<TeamSession> found;
  for (const store::SessionRow& row : snapshot->data.sessions) {
    if (row.userId != user) continue;
    std::int64_t used = row.usedMs;
    {
      const std::lock_guard lock(m_state->chargeMutex);
      if (const auto use = m_state->sessionsUsed.find(row.id); use != m_state->sessionsUsed.end())
        used = std::max(used, use->second.now);
    }
    const std::int64_t expires = std::min(used + team::kSessionIdleMs, row.createdMs + team::kSessionLifeMs);
    if (expires > m_state->now()) found.push_back({row.id, row.userId, row.client, row.createdMs, used, expires});
  }
  return found;
}

Result<void> Team::endSessions(const Actor& actor, UserId id) {
  HEARTH_CHECK(team::requireSelfOrAdmin(actor, id));
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    const auto user = transaction.user(id);
    if (!user) return team::noUser(id);
    transaction.removeSessionsOf(id, actor.who.sessionId);
    m_state->record(transaction, actor, "session.close_all", user->name);
    return {};
  });
}

Result<void> Team::changePassword(const Actor& actor, const std::string& oldPassword, const std::string& newPassword) {
  HEARTH_CHECK(team::require(actor, Scope::Account));
  if (actor.who.keyId != 0) return team::forbidden("a key cannot change the password: sign in");
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  const store::UserRow* user = snapshot->user(actor.who.userId);
  if (user == nullptr) return team::noUser(actor.who.userId);
  HEARTH_CHECK(team::checkPassword(newPassword, user->name));
  if (auto good = m_state->checkPasswordOf(user, user->folded, oldPassword, actor.client); !good) return good;
  std::string hash;
  {
    HEARTH_TRY([[maybe_unused]] const auto slot, m_state->hashSlots.enter());
    HEARTH_TRY(hash, team::hashPassword(newPassword));
  }
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    auto row = transaction.user(user->id);
    if (!row || row->password != user->password) return unauthenticated();
    row->password = hash;
    transaction.update(*row);
    transaction.removeSessionsOf(row->id, actor.who.sessionId);
    m_state->record(transaction, actor, "user.password_change", row->name);
    return {};
  });
}

Result<void> Team::confirmPassword(const Actor& actor, const std::string& password) {
  HEARTH_CHECK(team::require(actor, Scope::Account));
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  const store::UserRow* user = snapshot->user(actor.who.userId);
  if (user == nullptr) return team::noUser(actor.who.userId);
  return m_state->checkPasswordOf(user, user->folded, password, actor.client);
}

Result<MadeInvitation> Team::invite(const Actor& actor, const NewInvitation& wanted) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  HEARTH_CHECK(checkLifetime(wanted.lifetime));
  const std::string token = "hi_" + team::randomSecret();
  store::InvitationRow row;
  HEARTH_CHECK(m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    row = {};
    row.token = team::digestOf(token);
    row.role = static_cast<int>(wanted.role);
    row.createdBy = actor.who.userId;
    row.createdMs = m_state->now();
    row.expiresMs = row.createdMs + wanted.lifetime.count() * 1000;
    for (const std::string& name : wanted.groups) {
      const auto checked = team::checkName(name, "group");
      const auto group = checked ? transaction.groupNamed(checked->folded) : std::nullopt;
      if (!group) return fail(ErrorCode::NotFound, "there is no such group", {{"group", name.substr(0, 200)}});
      row.groups.push_back(group->id);
    }
    transaction.insert(row);
    m_state->record(transaction, actor, "invitation.create", std::to_string(row.id),
                    json::serialize(json::object{{"role", roleName(wanted.role)}}));
    return {};
  }));
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  return MadeInvitation{team::describe(*snapshot, row), token};
}

Result<MadeInvitation> Team::inviteUser(const Actor& actor, UserId id, std::chrono::seconds lifetime) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  HEARTH_CHECK(checkLifetime(lifetime));
  const std::string token = "hi_" + team::randomSecret();
  store::InvitationRow row;
  HEARTH_CHECK(m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    const auto user = transaction.user(id);
    if (!user) return team::noUser(id);
    // Only the newest one opens an account.
    for (const store::InvitationRow& older : transaction.load().invitations) {
      if (older.userId == id) transaction.removeInvitation(older.id);
    }
    row = {};
    row.token = team::digestOf(token);
    row.userId = id;
    row.role = user->role;
    row.createdBy = actor.who.userId;
    row.createdMs = m_state->now();
    row.expiresMs = row.createdMs + lifetime.count() * 1000;
    transaction.insert(row);
    m_state->record(transaction, actor, "invitation.create", user->name);
    return {};
  }));
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  return MadeInvitation{team::describe(*snapshot, row), token};
}

Result<std::vector<TeamInvitation>> Team::invitations(const Actor& actor) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  std::vector<TeamInvitation> found;
  for (const store::InvitationRow& row : snapshot->data.invitations) {
    if (row.expiresMs > m_state->now()) found.push_back(team::describe(*snapshot, row));
  }
  return found;
}

Result<void> Team::withdrawInvitation(const Actor& actor, std::int64_t id) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    const auto all = transaction.load().invitations;
    if (std::none_of(all.begin(), all.end(), [&](const auto& row) { return row.id == id; })) {
      return fail(ErrorCode::NotFound, "there is no such invitation", {{"invitation", std::to_string(id)}});
    }
    transaction.removeInvitation(id);
    m_state->record(transaction, actor, "invitation.withdraw", std::to_string(id));
    return {};
  });
}

Result<TeamInvitation> Team::invitation(std::string_view token) {
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  const store::Digest digest = team::digestOf(token);
  for (const store::InvitationRow& row : snapshot->data.invitations) {
    if (team::sameDigest(row.token, digest) && row.expiresMs > m_state->now()) return team::describe(*snapshot, row);
  }
  return unauthenticated();
}

Result<SignedIn> Team::accept(std::string_view token, const std::string& wantedName, const std::string& password,
                              const std::string& client) {
  // The token has 256 bits: guessing it is not slowed down, only the hashing of passwords is.
  HEARTH_TRY(const TeamInvitation known, invitation(token));
  const std::string shown = wantedName.empty() ? known.user : wantedName;
  HEARTH_TRY(const team::Name name, team::checkName(shown));
  if (!known.user.empty()) {
    HEARTH_TRY(const team::Name bound, team::checkName(known.user));
    if (bound.folded != name.folded) return team::wrong("name", "this invitation is for another name");
  }
  HEARTH_CHECK(team::checkPassword(password, name.shown));
  std::string hash;
  {
    HEARTH_TRY([[maybe_unused]] const auto slot, m_state->hashSlots.enter());
    HEARTH_TRY(hash, team::hashPassword(password));
  }
  SignedIn made;
  HEARTH_CHECK(m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    const auto row = transaction.invitation(team::digestOf(token));
    if (!row || row->expiresMs <= m_state->now()) return unauthenticated();  // somebody was faster
    store::UserRow user;
    if (row->userId != 0) {
      const auto bound = transaction.user(row->userId);
      if (!bound || bound->disabledMs != 0) return unauthenticated();
      user = *bound;
      user.password = hash;
      transaction.update(user);
      transaction.removeSessionsOf(user.id);
    } else {
      if (transaction.userNamed(name.folded))
        return fail(ErrorCode::AlreadyExists, "there is a user of this name already",
                    {{"field", "name"}, {"user", name.shown}});
      user = {0, name.shown, name.folded, row->role, hash, m_state->now(), 0, 0};
      transaction.insert(user);
      const auto groups = transaction.load().groups;
      for (const std::int64_t id : row->groups) {
        // A group that was removed meanwhile is left out.
        if (std::any_of(groups.begin(), groups.end(), [&](const auto& group) { return group.id == id; }))
          transaction.setMember(user.id, id, true);
      }
    }
    transaction.removeInvitation(row->id);
    m_state->record(transaction, actorOf(user, client), "invitation.accept", user.name,
                    json::serialize(json::object{{"invitation", row->id}}));
    HEARTH_TRY(made, m_state->openSession(transaction, user, client));
    return {};
  }));
  return m_state->signedIn(made);
}

}  // namespace hearth
