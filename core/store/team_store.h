#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"

/// The team's tables as plain rows. What is allowed is decided in core/team; here it is only kept. Times are milliseconds
/// since the epoch, 0 = never.
namespace hearth::store {

using Digest = std::array<std::uint8_t, 32>;  ///< SHA-256

struct UserRow {
  std::int64_t id = 0;
  std::string name, folded;  ///< as shown, and as compared
  int role = 0;
  std::string password;  ///< argon2id, empty = nobody can sign in with one
  std::int64_t createdMs = 0, disabledMs = 0, lastLoginMs = 0;
};
struct GroupRow {
  std::int64_t id = 0;
  std::string name, folded;
  std::int64_t createdMs = 0;
  std::vector<std::string> models;    ///< empty = adds no limit
  std::vector<std::int64_t> members;  ///< user ids, ascending
};
struct KeyRow {
  std::int64_t id = 0, userId = 0;
  std::string label;
  std::uint32_t scopes = 0;
  std::vector<std::string> models;  ///< empty = no limit of its own
  std::int64_t createdMs = 0, expiresMs = 0, revokedMs = 0, usedMs = 0;
};
/// One of the secrets that open a key: one, or during a rotation two and more.
struct KeySecretRow {
  Digest secret{};
  std::int64_t keyId = 0;
  std::string prefix;
  std::int64_t createdMs = 0, expiresMs = 0;
};
struct SessionRow {
  std::int64_t id = 0, userId = 0;
  Digest token{};
  std::int64_t createdMs = 0, usedMs = 0;
  std::string client;
};
struct InvitationRow {
  std::int64_t id = 0;
  Digest token{};
  std::int64_t userId = 0;  ///< sets this user's password; 0 = makes a new user
  int role = 0;
  std::vector<std::int64_t> groups;
  std::int64_t createdBy = 0, createdMs = 0, expiresMs = 0;
};
struct QuotaRow {
  int subject = 0;  ///< 0 user, 1 group, 2 key
  std::int64_t subjectId = 0;
  int metric = 0;  ///< 0 requests, 1 tokens, 2 milliseconds of computing
  int period = 0;  ///< 0 minute, 1 calendar month (UTC)
  std::int64_t amount = 0;
};
/// What a subject used in one month.
struct QuotaCounterRow {
  int subject = 0;
  std::int64_t subjectId = 0, monthMs = 0;
  std::int64_t requests = 0, tokens = 0, computeMs = 0;
};
/// What was used in one minute or month (`period`), by user, key (0 = without one) and model.
struct UsageRow {
  int period = 0;
  std::int64_t startMs = 0, userId = 0, keyId = 0;
  std::string model;
  std::int64_t requests = 0, promptTokens = 0, generatedTokens = 0, computeMs = 0;
};
struct AuditRow {
  std::int64_t seq = 0, timeMs = 0;
  std::string actor, client, action, subject, details;  ///< details: a JSON object, or empty
  Digest hash{};                                        ///< of the row before and of this one
};

/// SHA-256(hash before ‖ the row's fields, each with its length): what a row's hash must be. Pure.
[[nodiscard]] Digest auditHash(const Digest& before, const AuditRow& row);

/// Everything that decides who may do what, read at one moment.
struct TeamData {
  std::int64_t version = 0;
  std::vector<UserRow> users;
  std::vector<GroupRow> groups;
  std::vector<KeyRow> keys;
  std::vector<KeySecretRow> secrets;
  std::vector<SessionRow> sessions;
  std::vector<InvitationRow> invitations;
  std::vector<QuotaRow> quotas;
};

/// One transaction on the team's tables; lives only during TeamStore::change(). Reads see what it wrote. Functions throw
/// what SQLiteCpp throws; change() catches it.
class TeamTransaction {
 public:
  explicit TeamTransaction(void* database) noexcept : m_database(database) {}

  [[nodiscard]] TeamData load();
  [[nodiscard]] std::optional<UserRow> user(std::int64_t id);
  [[nodiscard]] std::optional<UserRow> userNamed(const std::string& folded);
  [[nodiscard]] int activeUsersOfRole(int role);  ///< not disabled
  [[nodiscard]] std::optional<GroupRow> groupNamed(const std::string& folded);
  [[nodiscard]] std::optional<KeyRow> key(std::int64_t id);
  [[nodiscard]] std::optional<InvitationRow> invitation(const Digest& token);

  /// Each sets the row's id. AlreadyExists is the caller's to check before, with the reads above.
  void insert(UserRow& row);
  void insert(GroupRow& row);  ///< without models and members
  void insert(KeyRow& row);
  void insert(const KeySecretRow& row);
  void insert(SessionRow& row);
  void insert(InvitationRow& row);
  void update(const UserRow& row);
  void update(const GroupRow& row);  ///< name and models
  void update(const KeyRow& row);
  void removeUser(std::int64_t id);  ///< with keys, sessions, memberships, invitations, conversations and quotas
  void removeGroup(std::int64_t id);
  void removeInvitation(std::int64_t id);
  void removeSession(std::int64_t id);
  void removeSessionsOf(std::int64_t userId, std::int64_t except = 0);
  /// Expired sessions, invitations and secrets, and keys that are gone for longer than a month.
  void removeExpired(std::int64_t nowMs, std::int64_t idleSinceMs, std::int64_t createdSinceMs);
  void setMember(std::int64_t userId, std::int64_t groupId, bool member);
  void expireSecrets(std::int64_t keyId, std::int64_t atMs);  ///< those that would live longer
  void setQuota(const QuotaRow& row);
  void removeQuota(const QuotaRow& row);
  /// Gives what the user used to nobody (user −1), so that totals stay.
  void forgetUsageOf(std::int64_t userId);
  /// Continues the chain; sets seq and hash.
  void append(AuditRow& row);
  /// Says that what load() gives has changed: everybody's copy is stale after the commit.
  void touch();

 private:
  void* m_database;  // SQLite::Database
};

/// Which usage to add up, and by what.
struct UsageQuery {
  std::int64_t fromMs = 0, toMs = 0;  ///< [from, to)
  std::optional<std::int64_t> userId, keyId;
  int period = 1;  ///< 0 = of minutes, 1 = of months
  bool byUser = false, byKey = false, byModel = false, byTime = false;
  std::int64_t bucketMs = 0;  ///< byTime: widens minutes to this (an hour, a day); 0 = as they are
};

/// The team's part of the database. Any thread; writing calls return after COMMIT.
class TeamStore {
 public:
  virtual ~TeamStore() = default;
  /// Changes at each TeamTransaction::touch(), whichever process made it. Cheap: reads nothing while the database is
  /// unchanged.
  [[nodiscard]] virtual Result<std::int64_t> version() = 0;
  [[nodiscard]] virtual Result<TeamData> load() = 0;
  /// Runs `body` in one immediate transaction, all or nothing. It may run twice: its results must not add up.
  [[nodiscard]] virtual Result<void> change(const std::function<Result<void>(TeamTransaction&)>& body) = 0;

  /// Adds to the rows that are there, and notes when keys and sessions were last used.
  struct Charges {
    std::vector<UsageRow> usage;
    std::vector<QuotaCounterRow> counters;
    std::vector<std::pair<std::int64_t, std::int64_t>> keysUsed, sessionsUsed;  ///< id, time
  };
  [[nodiscard]] virtual Result<void> charge(const Charges& charges) = 0;
  [[nodiscard]] virtual Result<std::vector<QuotaCounterRow>> counters(std::int64_t monthMs) = 0;
  [[nodiscard]] virtual Result<std::vector<UsageRow>> usage(const UsageQuery& query) = 0;
  /// Rows with seq > `after`, ascending, at most `limit`; 0 = all.
  [[nodiscard]] virtual Result<std::vector<AuditRow>> audit(std::int64_t after, int limit) = 0;
  /// Number and hash of the last row as the database remembers them apart from the rows.
  struct AuditHead {
    std::int64_t seq = 0;
    Digest hash{};
  };
  [[nodiscard]] virtual Result<AuditHead> auditHead() = 0;
  /// Removes usage of minutes before `minutesBeforeMs`, of months before `monthsBeforeMs`. 0 = keep.
  [[nodiscard]] virtual Result<void> removeUsage(std::int64_t minutesBeforeMs, std::int64_t monthsBeforeMs) = 0;
  /// Removes conversations of team members (never the machine's own) untouched since then. Returns how many.
  [[nodiscard]] virtual Result<std::int64_t> removeConversations(std::int64_t untouchedSinceMs) = 0;
};

}  // namespace hearth::store
