#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

#include "core/team/team_state.h"

namespace hearth {

namespace json = boost::json;
using team::SnapshotPtr;

namespace team {

TeamUser describe(const Snapshot& now, const store::UserRow& user, std::int64_t nowMs) {
  TeamUser out;
  out.id = user.id;
  out.name = user.name;
  out.role = static_cast<TeamRole>(user.role);
  out.disabled = user.disabledMs != 0;
  out.hasPassword = !user.password.empty();
  out.createdMs = user.createdMs;
  out.lastLoginMs = user.lastLoginMs;
  if (const auto groups = now.groupsOf.find(user.id); groups != now.groupsOf.end()) {
    for (const store::GroupRow* group : groups->second) out.groups.push_back(group->name);
  }
  out.keys = static_cast<int>(std::count_if(now.data.keys.begin(), now.data.keys.end(), [&](const store::KeyRow& key) {
    return key.userId == user.id && keyIsLive(key, nowMs);
  }));
  return out;
}

}  // namespace team

namespace {

std::unexpected<Error> noGroup(std::string_view name) {
  return fail(ErrorCode::NotFound, "there is no such group", {{"group", std::string(name.substr(0, 200))}});
}

Result<store::UserRow> userOf(store::TeamTransaction& transaction, std::int64_t id) {
  auto user = transaction.user(id);
  if (!user) return team::noUser(id);
  return *std::move(user);
}

bool isActiveAdmin(const store::UserRow& user) {
  return user.role == static_cast<int>(TeamRole::Admin) && user.disabledMs == 0;
}

Result<store::GroupRow> groupOf(store::TeamTransaction& transaction, const std::string& name) {
  const auto checked = team::checkName(name, "group");
  if (!checked) return noGroup(name);
  auto group = transaction.groupNamed(checked->folded);
  if (!group) return noGroup(name);
  return *std::move(group);
}

}  // namespace

Result<std::vector<TeamUser>> Team::users(const Actor& actor) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  std::vector<TeamUser> found;
  for (const store::UserRow& row : snapshot->data.users) found.push_back(team::describe(*snapshot, row, m_state->now()));
  return found;
}

Result<TeamUser> Team::user(const Actor& actor, UserId id) {
  HEARTH_CHECK(team::requireSelfOrAdmin(actor, id));
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  const store::UserRow* row = snapshot->user(id);
  if (row == nullptr) return team::noUser(id);
  return team::describe(*snapshot, *row, m_state->now());
}

Result<TeamUser> Team::userNamed(const Actor& actor, std::string_view name) {
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  if (const auto checked = team::checkName(name)) {
    for (const store::UserRow& row : snapshot->data.users) {
      if (row.folded == checked->folded) return user(actor, row.id);
    }
  }
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  return fail(ErrorCode::NotFound, "there is no such user", {{"user", std::string(name.substr(0, 200))}});
}

Result<TeamUser> Team::createUser(const Actor& actor, const NewUser& wanted) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  HEARTH_TRY(const team::Name name, team::checkName(wanted.name));
  std::string hash;
  if (wanted.password) {
    HEARTH_CHECK(team::checkPassword(*wanted.password, name.shown));
    HEARTH_TRY([[maybe_unused]] const auto slot, m_state->hashSlots.enter());
    HEARTH_TRY(hash, team::hashPassword(*wanted.password));
  }
  store::UserRow row;
  HEARTH_CHECK(m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    if (transaction.userNamed(name.folded))
      return fail(ErrorCode::AlreadyExists, "there is a user of this name already", {{"user", name.shown}});
    row = {0, name.shown, name.folded, static_cast<int>(wanted.role), hash, m_state->now(), 0, 0};
    transaction.insert(row);
    for (const std::string& groupName : wanted.groups) {
      HEARTH_TRY(const store::GroupRow group, groupOf(transaction, groupName));
      transaction.setMember(row.id, group.id, true);
    }
    m_state->record(transaction, actor, "user.create", name.shown,
                    json::serialize(json::object{{"user", row.id}, {"role", roleName(wanted.role)}}));
    return {};
  }));
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  const store::UserRow* made = snapshot->user(row.id);
  if (made == nullptr) return team::noUser(row.id);
  return team::describe(*snapshot, *made, m_state->now());
}

Result<void> Team::setDisabled(const Actor& actor, UserId id, bool disabled) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    HEARTH_TRY(store::UserRow user, userOf(transaction, id));
    if ((user.disabledMs != 0) == disabled) return {};
    const bool wasAdmin = isActiveAdmin(user);
    user.disabledMs = disabled ? m_state->now() : 0;
    transaction.update(user);
    if (wasAdmin) HEARTH_CHECK(State::keepAnAdmin(transaction));
    if (disabled) transaction.removeSessionsOf(id);
    m_state->record(transaction, actor, disabled ? "user.disable" : "user.enable", user.name);
    return {};
  });
}

Result<void> Team::setRole(const Actor& actor, UserId id, TeamRole role) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    HEARTH_TRY(store::UserRow user, userOf(transaction, id));
    const auto before = static_cast<TeamRole>(user.role);
    if (before == role) return {};
    const bool wasAdmin = isActiveAdmin(user);
    user.role = static_cast<int>(role);
    transaction.update(user);
    if (wasAdmin) HEARTH_CHECK(State::keepAnAdmin(transaction));
    m_state->record(transaction, actor, "user.role", user.name,
                    json::serialize(json::object{{"from", roleName(before)}, {"to", roleName(role)}}));
    return {};
  });
}

Result<void> Team::setGroups(const Actor& actor, UserId id, const std::vector<std::string>& names) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    HEARTH_TRY(const store::UserRow user, userOf(transaction, id));
    std::vector<std::int64_t> wanted;
    std::string list;
    for (const std::string& name : names) {
      HEARTH_TRY(const store::GroupRow group, groupOf(transaction, name));
      wanted.push_back(group.id);
      list += (list.empty() ? "" : " ") + group.name;
    }
    for (const store::GroupRow& group : transaction.load().groups) {
      transaction.setMember(id, group.id, std::find(wanted.begin(), wanted.end(), group.id) != wanted.end());
    }
    m_state->record(transaction, actor, "user.groups", user.name, json::serialize(json::object{{"groups", list}}));
    return {};
  });
}

Result<void> Team::resetPassword(const Actor& actor, UserId id, const std::string& password) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  HEARTH_TRY(const TeamUser known, user(actor, id));
  HEARTH_CHECK(team::checkPassword(password, known.name));
  std::string hash;
  {
    HEARTH_TRY([[maybe_unused]] const auto slot, m_state->hashSlots.enter());
    HEARTH_TRY(hash, team::hashPassword(password));
  }
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    HEARTH_TRY(store::UserRow row, userOf(transaction, id));
    row.password = hash;
    transaction.update(row);
    transaction.removeSessionsOf(id);
    m_state->record(transaction, actor, "user.password_reset", row.name);
    return {};
  });
}

Result<void> Team::removeUser(const Actor& actor, UserId id) {
  HEARTH_CHECK(team::requireSelfOrAdmin(actor, id));
  if (actor.who.keyId != 0 && !actor.who.may(Scope::Admin)) return team::forbidden("a key cannot remove its user: sign in");
  // What was charged until now belongs to the account that goes.
  HEARTH_CHECK(flush());
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    HEARTH_TRY(const store::UserRow row, userOf(transaction, id));
    transaction.forgetUsageOf(id);
    transaction.removeUser(id);
    if (isActiveAdmin(row)) HEARTH_CHECK(State::keepAnAdmin(transaction));
    m_state->record(transaction, actor, "user.remove", row.name, json::serialize(json::object{{"user", id}}));
    return {};
  });
}

Result<std::vector<TeamGroup>> Team::groups(const Actor& actor) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  HEARTH_TRY(const SnapshotPtr snapshot, m_state->current());
  std::vector<TeamGroup> found;
  for (const store::GroupRow& row : snapshot->data.groups) {
    TeamGroup group{row.id, row.name, row.models, {}};
    for (const std::int64_t member : row.members) group.members.push_back(snapshot->userName(member));
    found.push_back(std::move(group));
  }
  return found;
}

Result<TeamGroup> Team::createGroup(const Actor& actor, const std::string& wanted,
                                    const std::vector<std::string>& wantedModels) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  HEARTH_TRY(const team::Name name, team::checkName(wanted));
  HEARTH_TRY(const std::vector<std::string> models, team::checkModels(wantedModels));
  store::GroupRow row;
  HEARTH_CHECK(m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    if (transaction.groupNamed(name.folded))
      return fail(ErrorCode::AlreadyExists, "there is a group of this name already", {{"group", name.shown}});
    row = {0, name.shown, name.folded, m_state->now(), models, {}};
    transaction.insert(row);
    transaction.update(row);
    m_state->record(transaction, actor, "group.create", name.shown);
    return {};
  }));
  return TeamGroup{row.id, row.name, row.models, {}};
}

Result<void> Team::setGroupModels(const Actor& actor, const std::string& name, const std::vector<std::string>& wanted) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  HEARTH_TRY(const std::vector<std::string> models, team::checkModels(wanted));
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    HEARTH_TRY(store::GroupRow group, groupOf(transaction, name));
    group.models = models;
    transaction.update(group);
    m_state->record(transaction, actor, "group.models", group.name,
                    json::serialize(json::object{{"models", models.size()}}));
    return {};
  });
}

Result<void> Team::setMember(const Actor& actor, const std::string& name, UserId id, bool member) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    HEARTH_TRY(const store::UserRow user, userOf(transaction, id));
    HEARTH_TRY(const store::GroupRow group, groupOf(transaction, name));
    transaction.setMember(id, group.id, member);
    m_state->record(transaction, actor, member ? "group.join" : "group.leave", group.name,
                    json::serialize(json::object{{"user", user.name}}));
    return {};
  });
}

Result<void> Team::removeGroup(const Actor& actor, const std::string& name) {
  HEARTH_CHECK(team::require(actor, Scope::Admin));
  return m_state->change([&](store::TeamTransaction& transaction) -> Result<void> {
    HEARTH_TRY(const store::GroupRow group, groupOf(transaction, name));
    transaction.removeGroup(group.id);
    m_state->record(transaction, actor, "group.remove", group.name);
    return {};
  });
}

}  // namespace hearth
