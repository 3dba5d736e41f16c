#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string_view>

#include "core/store/team_sql.h"
#include "core/store/team_store.h"

namespace hearth::store {
namespace {

constexpr std::int64_t kMonthMs = 31LL * 24 * 3600 * 1000;

SQLite::Database& of(void* database) { return *static_cast<SQLite::Database*>(database); }

// A statement with its parameters in order.
template <class... Values>
SQLite::Statement statement(void* database, const char* sql, const Values&... values) {
  SQLite::Statement made(of(database), sql);
  int index = 0;
  (bindValue(made, ++index, values), ...);
  return made;
}

template <class... Values>
void run(void* database, const char* sql, const Values&... values) {
  statement(database, sql, values...).exec();
}

constexpr const char* kUserColumns =
    "SELECT id, name, folded, role, password, created_ms, disabled_ms, last_login_ms FROM users";
UserRow readUser(SQLite::Statement& row) {
  return {row.getColumn(0).getInt64(), row.getColumn(1).getString(), row.getColumn(2).getString(),
          row.getColumn(3).getInt(),   row.getColumn(4).getString(), row.getColumn(5).getInt64(),
          row.getColumn(6).getInt64(), row.getColumn(7).getInt64()};
}

constexpr const char* kKeyColumns =
    "SELECT id, user_id, label, scopes, models, created_ms, expires_ms, revoked_ms, used_ms FROM api_keys";
KeyRow readKey(SQLite::Statement& row) {
  return {row.getColumn(0).getInt64(),
          row.getColumn(1).getInt64(),
          row.getColumn(2).getString(),
          row.getColumn(3).getUInt(),
          splitLines(row.getColumn(4).getString()),
          row.getColumn(5).getInt64(),
          row.getColumn(6).getInt64(),
          row.getColumn(7).getInt64(),
          row.getColumn(8).getInt64()};
}

constexpr const char* kInvitationColumns =
    "SELECT id, token, user_id, role, groups, created_by, created_ms, expires_ms FROM invitations";
InvitationRow readInvitation(SQLite::Statement& row) {
  InvitationRow read;
  read.id = row.getColumn(0).getInt64();
  read.token = readDigest(row.getColumn(1));
  read.userId = row.getColumn(2).getInt64();
  read.role = row.getColumn(3).getInt();
  for (const std::string& id : splitLines(row.getColumn(4).getString())) read.groups.push_back(std::stoll(id));
  read.createdBy = row.getColumn(5).getInt64();
  read.createdMs = row.getColumn(6).getInt64();
  read.expiresMs = row.getColumn(7).getInt64();
  return read;
}

template <class Read>
auto one(SQLite::Statement query, Read&& read) -> std::optional<decltype(read(query))> {
  if (!query.executeStep()) return std::nullopt;
  return read(query);
}

template <class Read>
auto all(SQLite::Statement query, Read&& read) -> std::vector<decltype(read(query))> {
  std::vector<decltype(read(query))> rows;
  while (query.executeStep()) rows.push_back(read(query));
  return rows;
}

}  // namespace

TeamData TeamTransaction::load() {
  TeamData data;
  data.version = readTeamVersion(of(m_database));
  data.users = all(statement(m_database, (std::string(kUserColumns) + " ORDER BY folded").c_str()), readUser);
  data.groups = all(statement(m_database, "SELECT id, name, folded, created_ms FROM groups ORDER BY folded"),
                    [](SQLite::Statement& row) {
                      return GroupRow{row.getColumn(0).getInt64(),
                                      row.getColumn(1).getString(),
                                      row.getColumn(2).getString(),
                                      row.getColumn(3).getInt64(),
                                      {},
                                      {}};
                    });
  std::map<std::int64_t, GroupRow*> groups;
  for (GroupRow& group : data.groups) groups[group.id] = &group;
  auto models = statement(m_database, "SELECT group_id, model FROM model_access ORDER BY group_id, model");
  while (models.executeStep()) groups.at(models.getColumn(0).getInt64())->models.push_back(models.getColumn(1).getString());
  auto members = statement(m_database, "SELECT group_id, user_id FROM memberships ORDER BY group_id, user_id");
  while (members.executeStep())
    groups.at(members.getColumn(0).getInt64())->members.push_back(members.getColumn(1).getInt64());
  data.keys = all(statement(m_database, (std::string(kKeyColumns) + " ORDER BY id").c_str()), readKey);
  data.secrets =
      all(statement(m_database,
                    "SELECT secret, key_id, prefix, created_ms, expires_ms FROM key_secrets ORDER BY key_id, created_ms"),
          [](SQLite::Statement& row) {
            return KeySecretRow{readDigest(row.getColumn(0)), row.getColumn(1).getInt64(), row.getColumn(2).getString(),
                                row.getColumn(3).getInt64(), row.getColumn(4).getInt64()};
          });
  data.sessions =
      all(statement(m_database, "SELECT id, user_id, token, created_ms, used_ms, client FROM sessions ORDER BY id"),
          [](SQLite::Statement& row) {
            return SessionRow{row.getColumn(0).getInt64(), row.getColumn(1).getInt64(), readDigest(row.getColumn(2)),
                              row.getColumn(3).getInt64(), row.getColumn(4).getInt64(), row.getColumn(5).getString()};
          });
  data.invitations = all(statement(m_database, (std::string(kInvitationColumns) + " ORDER BY id").c_str()), readInvitation);
  data.quotas =
      all(statement(
              m_database,
              "SELECT subject, subject_id, metric, period, amount FROM quotas ORDER BY subject, subject_id, period, metric"),
          [](SQLite::Statement& row) {
            return QuotaRow{row.getColumn(0).getInt(), row.getColumn(1).getInt64(), row.getColumn(2).getInt(),
                            row.getColumn(3).getInt(), row.getColumn(4).getInt64()};
          });
  return data;
}

std::optional<UserRow> TeamTransaction::user(std::int64_t id) {
  return one(statement(m_database, (std::string(kUserColumns) + " WHERE id = ?").c_str(), id), readUser);
}

std::optional<UserRow> TeamTransaction::userNamed(const std::string& folded) {
  return one(statement(m_database, (std::string(kUserColumns) + " WHERE folded = ?").c_str(), folded), readUser);
}

int TeamTransaction::activeUsersOfRole(int role) {
  auto query = statement(m_database, "SELECT count(*) FROM users WHERE role = ? AND disabled_ms = 0", std::int64_t{role});
  query.executeStep();
  return query.getColumn(0).getInt();
}

std::optional<GroupRow> TeamTransaction::groupNamed(const std::string& folded) {
  auto found = one(statement(m_database, "SELECT id, name, folded, created_ms FROM groups WHERE folded = ?", folded),
                   [](SQLite::Statement& row) {
                     return GroupRow{row.getColumn(0).getInt64(),
                                     row.getColumn(1).getString(),
                                     row.getColumn(2).getString(),
                                     row.getColumn(3).getInt64(),
                                     {},
                                     {}};
                   });
  if (!found) return found;
  found->models = all(statement(m_database, "SELECT model FROM model_access WHERE group_id = ? ORDER BY model", found->id),
                      [](SQLite::Statement& row) { return row.getColumn(0).getString(); });
  found->members =
      all(statement(m_database, "SELECT user_id FROM memberships WHERE group_id = ? ORDER BY user_id", found->id),
          [](SQLite::Statement& row) { return std::int64_t{row.getColumn(0).getInt64()}; });
  return found;
}

std::optional<KeyRow> TeamTransaction::key(std::int64_t id) {
  return one(statement(m_database, (std::string(kKeyColumns) + " WHERE id = ?").c_str(), id), readKey);
}

std::optional<InvitationRow> TeamTransaction::invitation(const Digest& token) {
  return one(statement(m_database, (std::string(kInvitationColumns) + " WHERE token = ?").c_str(), token), readInvitation);
}

void TeamTransaction::insert(UserRow& row) {
  run(m_database, "INSERT INTO users (name, folded, role, password, created_ms) VALUES (?,?,?,?,?)", row.name, row.folded,
      std::int64_t{row.role}, row.password, row.createdMs);
  row.id = of(m_database).getLastInsertRowid();
}

void TeamTransaction::insert(GroupRow& row) {
  run(m_database, "INSERT INTO groups (name, folded, created_ms) VALUES (?,?,?)", row.name, row.folded, row.createdMs);
  row.id = of(m_database).getLastInsertRowid();
}

void TeamTransaction::insert(KeyRow& row) {
  run(m_database, "INSERT INTO api_keys (user_id, label, scopes, models, created_ms, expires_ms) VALUES (?,?,?,?,?,?)",
      row.userId, row.label, std::int64_t{row.scopes}, joinLines(row.models), row.createdMs, row.expiresMs);
  row.id = of(m_database).getLastInsertRowid();
}

void TeamTransaction::insert(const KeySecretRow& row) {
  run(m_database, "INSERT INTO key_secrets (secret, key_id, prefix, created_ms, expires_ms) VALUES (?,?,?,?,?)", row.secret,
      row.keyId, row.prefix, row.createdMs, row.expiresMs);
}

void TeamTransaction::insert(SessionRow& row) {
  run(m_database, "INSERT INTO sessions (token, user_id, created_ms, used_ms, client) VALUES (?,?,?,?,?)", row.token,
      row.userId, row.createdMs, row.usedMs, row.client);
  row.id = of(m_database).getLastInsertRowid();
}

void TeamTransaction::insert(InvitationRow& row) {
  std::vector<std::string> groups;
  for (const std::int64_t id : row.groups) groups.push_back(std::to_string(id));
  auto put = statement(
      m_database,
      "INSERT INTO invitations (token, user_id, role, groups, created_by, created_ms, expires_ms) VALUES (?,?,?,?,?,?,?)",
      row.token, row.userId, std::int64_t{row.role}, joinLines(groups), row.createdBy, row.createdMs, row.expiresMs);
  if (row.userId == 0) put.bind(2);
  put.exec();
  row.id = of(m_database).getLastInsertRowid();
}

void TeamTransaction::update(const UserRow& row) {
  run(m_database,
      "UPDATE users SET name = ?, folded = ?, role = ?, password = ?, disabled_ms = ?, last_login_ms = ? WHERE id = ?",
      row.name, row.folded, std::int64_t{row.role}, row.password, row.disabledMs, row.lastLoginMs, row.id);
}

void TeamTransaction::update(const GroupRow& row) {
  run(m_database, "UPDATE groups SET name = ?, folded = ? WHERE id = ?", row.name, row.folded, row.id);
  run(m_database, "DELETE FROM model_access WHERE group_id = ?", row.id);
  for (const std::string& model : row.models) {
    run(m_database, "INSERT OR IGNORE INTO model_access (group_id, model) VALUES (?,?)", row.id, model);
  }
}

void TeamTransaction::update(const KeyRow& row) {
  run(m_database, "UPDATE api_keys SET label = ?, scopes = ?, models = ?, expires_ms = ?, revoked_ms = ? WHERE id = ?",
      row.label, std::int64_t{row.scopes}, joinLines(row.models), row.expiresMs, row.revokedMs, row.id);
}

void TeamTransaction::removeUser(std::int64_t id) {
  run(m_database, "DELETE FROM quotas WHERE subject = 2 AND subject_id IN (SELECT id FROM api_keys WHERE user_id = ?)", id);
  run(m_database,
      "DELETE FROM quota_counters WHERE subject = 2 AND subject_id IN (SELECT id FROM api_keys WHERE user_id = ?)", id);
  run(m_database, "DELETE FROM quotas WHERE subject = 0 AND subject_id = ?", id);
  run(m_database, "DELETE FROM quota_counters WHERE subject = 0 AND subject_id = ?", id);
  run(m_database, "DELETE FROM users WHERE id = ?", id);
}

void TeamTransaction::removeGroup(std::int64_t id) {
  run(m_database, "DELETE FROM quotas WHERE subject = 1 AND subject_id = ?", id);
  run(m_database, "DELETE FROM quota_counters WHERE subject = 1 AND subject_id = ?", id);
  run(m_database, "DELETE FROM groups WHERE id = ?", id);
}

void TeamTransaction::removeInvitation(std::int64_t id) { run(m_database, "DELETE FROM invitations WHERE id = ?", id); }

void TeamTransaction::removeSession(std::int64_t id) { run(m_database, "DELETE FROM sessions WHERE id = ?", id); }

void TeamTransaction::removeSessionsOf(std::int64_t userId, std::int64_t except) {
  run(m_database, "DELETE FROM sessions WHERE user_id = ? AND id <> ?", userId, except);
}

void TeamTransaction::removeExpired(std::int64_t nowMs, std::int64_t idleSinceMs, std::int64_t createdSinceMs) {
  run(m_database, "DELETE FROM sessions WHERE used_ms < ? OR created_ms < ?", idleSinceMs, createdSinceMs);
  run(m_database, "DELETE FROM invitations WHERE expires_ms <= ?", nowMs);
  run(m_database, "DELETE FROM key_secrets WHERE expires_ms > 0 AND expires_ms <= ?", nowMs);
  run(m_database,
      "DELETE FROM quotas WHERE subject = 2 AND subject_id IN (SELECT id FROM api_keys WHERE revoked_ms > 0 AND revoked_ms "
      "< ?)",
      nowMs - kMonthMs);
  run(m_database, "DELETE FROM api_keys WHERE (revoked_ms > 0 AND revoked_ms < ?) OR (expires_ms > 0 AND expires_ms < ?)",
      nowMs - kMonthMs, nowMs - kMonthMs);
}

void TeamTransaction::setMember(std::int64_t userId, std::int64_t groupId, bool member) {
  if (member) {
    run(m_database, "INSERT OR IGNORE INTO memberships (user_id, group_id) VALUES (?,?)", userId, groupId);
  } else {
    run(m_database, "DELETE FROM memberships WHERE user_id = ? AND group_id = ?", userId, groupId);
  }
}

void TeamTransaction::expireSecrets(std::int64_t keyId, std::int64_t atMs) {
  run(m_database, "UPDATE key_secrets SET expires_ms = ? WHERE key_id = ? AND (expires_ms = 0 OR expires_ms > ?)", atMs,
      keyId, atMs);
}

void TeamTransaction::setQuota(const QuotaRow& row) {
  run(m_database,
      "INSERT INTO quotas (subject, subject_id, metric, period, amount) VALUES (?,?,?,?,?)"
      " ON CONFLICT (subject, subject_id, metric, period) DO UPDATE SET amount = excluded.amount",
      std::int64_t{row.subject}, row.subjectId, std::int64_t{row.metric}, std::int64_t{row.period}, row.amount);
}

void TeamTransaction::removeQuota(const QuotaRow& row) {
  run(m_database, "DELETE FROM quotas WHERE subject = ? AND subject_id = ? AND metric = ? AND period = ?",
      std::int64_t{row.subject}, row.subjectId, std::int64_t{row.metric}, std::int64_t{row.period});
}

void TeamTransaction::forgetUsageOf(std::int64_t userId) {
  run(m_database,
      "INSERT INTO usage (period, start_ms, user_id, key_id, model, requests, prompt_tokens, generated_tokens, compute_ms)"
      " SELECT period, start_ms, -1, 0, model, sum(requests), sum(prompt_tokens), sum(generated_tokens), sum(compute_ms)"
      " FROM usage WHERE user_id = ? GROUP BY period, start_ms, model"
      " ON CONFLICT (period, start_ms, user_id, key_id, model) DO UPDATE SET requests = requests + excluded.requests,"
      " prompt_tokens = prompt_tokens + excluded.prompt_tokens, generated_tokens = generated_tokens + "
      "excluded.generated_tokens,"
      " compute_ms = compute_ms + excluded.compute_ms",
      userId);
  run(m_database, "DELETE FROM usage WHERE user_id = ?", userId);
}

void TeamTransaction::append(AuditRow& row) {
  const auto head = readAuditHead(of(m_database));
  // The chain goes on from the last row itself: what meta remembers is only compared with it (`hearth audit verify`).
  auto last = statement(m_database, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1");
  Digest before{};
  row.seq = 1;
  if (last.executeStep()) {
    row.seq = last.getColumn(0).getInt64() + 1;
    before = readDigest(last.getColumn(1));
  }
  // Rows that were cut off at the end must not be grown over: the gap stays and is found.
  row.seq = std::max(row.seq, head.seq + 1);
  row.hash = auditHash(before, row);
  run(m_database, "INSERT INTO audit (seq, time_ms, actor, client, action, subject, details, hash) VALUES (?,?,?,?,?,?,?,?)",
      row.seq, row.timeMs, row.actor, row.client, row.action, row.subject, row.details, row.hash);
  writeAuditHead(of(m_database), {row.seq, row.hash});
}

void TeamTransaction::touch() {
  of(m_database).exec("UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'team_version'");
}

}  // namespace hearth::store
