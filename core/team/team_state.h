#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "core/team/login_gate.h"
#include "core/team/meter.h"
#include "core/team/names.h"
#include "core/team/secrets.h"
#include "core/team/team.h"

// For the files of Team only.
namespace hearth {
namespace team {

inline constexpr std::int64_t kHourMs = 3'600'000;
inline constexpr std::int64_t kDayMs = 24 * kHourMs;
inline constexpr std::int64_t kSessionIdleMs = 12 * kHourMs;
inline constexpr std::int64_t kSessionLifeMs = 30 * kDayMs;
inline constexpr std::int64_t kUseStepMs = 60'000;  // how exactly the last use of keys and sessions is kept on disk
inline constexpr std::size_t kMostSessions = 20;    // of one user
inline constexpr std::size_t kMostKeys = 200;       // of one user
inline constexpr std::size_t kShownPrefix = 9;      // "hk_" and six characters

struct DigestHash {
  // The bytes are a digest: any eight of them are as good as a hash.
  std::size_t operator()(const store::Digest& digest) const noexcept {
    std::size_t hash = 0;
    for (std::size_t i = 0; i < sizeof hash; ++i) hash = hash << 8 | digest[i];
    return hash;
  }
};

/// The team at one version, with indexes. Constant after it is made.
struct Snapshot {
  store::TeamData data;
  std::unordered_map<std::int64_t, const store::UserRow*> users;
  std::unordered_map<std::int64_t, const store::KeyRow*> keys;
  std::unordered_map<store::Digest, const store::KeySecretRow*, DigestHash> secrets;
  std::unordered_map<store::Digest, const store::SessionRow*, DigestHash> sessions;
  std::unordered_map<std::int64_t, std::vector<const store::GroupRow*>> groupsOf;  // by user

  explicit Snapshot(store::TeamData read);
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  [[nodiscard]] const store::UserRow* user(std::int64_t id) const {
    const auto found = users.find(id);
    return found == users.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::string userName(std::int64_t id) const {
    const store::UserRow* found = user(id);
    return found != nullptr ? found->name : std::string();
  }
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

[[nodiscard]] std::unexpected<Error> unauthenticated();
[[nodiscard]] std::unexpected<Error> noUser(std::int64_t id);
[[nodiscard]] std::unexpected<Error> forbidden(std::string message);
[[nodiscard]] std::unexpected<Error> wrong(std::string field, std::string message);
/// Error: Forbidden when the actor lacks `scope`.
[[nodiscard]] Result<void> require(const Actor& actor, Scope scope);
/// That the actor is this user (with the account scope), or an administrator.
[[nodiscard]] Result<void> requireSelfOrAdmin(const Actor& actor, std::int64_t user);
[[nodiscard]] Result<std::vector<std::string>> checkModels(const std::vector<std::string>& models);

[[nodiscard]] bool keyIsLive(const store::KeyRow& key, std::int64_t nowMs) noexcept;
[[nodiscard]] TeamUser describe(const Snapshot& now, const store::UserRow& user, std::int64_t nowMs);
[[nodiscard]] TeamKey describe(const Snapshot& now, const store::KeyRow& key, std::int64_t nowMs);
[[nodiscard]] TeamInvitation describe(const Snapshot& now, const store::InvitationRow& invitation);
[[nodiscard]] Principal principalOf(const Snapshot& now, const store::UserRow& user);
[[nodiscard]] std::vector<Subject> subjectsOf(const Principal& who);

}  // namespace team

/// m_store, m_team, m_options: constant. m_snapshot and m_checkedAt are guarded by m_mutex; the meter, the ledger and the
/// times of use by m_chargeMutex. The gates guard themselves.
struct Team::State {
  State(Store& wholeStore, store::TeamStore& teamStore, Options wanted)
      : store(wholeStore), rows(teamStore), options(std::move(wanted)) {}

  [[nodiscard]] std::int64_t now() const { return options.nowMs(); }
  /// The newest snapshot, at most options.refresh old.
  [[nodiscard]] Result<team::SnapshotPtr> current();
  /// As it is in the database now.
  [[nodiscard]] Result<team::SnapshotPtr> reload();
  /// Runs `body` in a transaction that also writes `audit` rows and makes the copies stale; then reads the team again.
  [[nodiscard]] Result<void> change(const std::function<Result<void>(store::TeamTransaction&)>& body);
  /// Continues the log in the running transaction.
  void record(store::TeamTransaction& transaction, const Actor& actor, const std::string& action, const std::string& subject,
              const std::string& detailsJson = {}) const;
  /// Checks that an active administrator is left; in a transaction, after the change.
  [[nodiscard]] static Result<void> keepAnAdmin(store::TeamTransaction& transaction);
  [[nodiscard]] Result<SignedIn> openSession(store::TeamTransaction& transaction, const store::UserRow& user,
                                             const std::string& client);
  /// The Principal of a session that was just opened.
  [[nodiscard]] Result<SignedIn> signedIn(const SignedIn& made);
  [[nodiscard]] Result<void> checkPasswordOf(const store::UserRow* user, const std::string& folded,
                                             const std::string& password, const std::string& client);
  [[nodiscard]] Result<void> flush();
  [[nodiscard]] Result<void> applyRetention();
  void runInBackground();

  Store& store;
  store::TeamStore& rows;
  Options options;

  std::mutex mutex;
  team::SnapshotPtr snapshot;
  std::chrono::steady_clock::time_point checkedAt{};

  team::LoginGate gate;
  team::HashSlots hashSlots;

  std::mutex chargeMutex;
  team::Meter meter;
  struct LedgerKey {
    std::int64_t startMs, userId, keyId;
    std::string model;
    auto operator<=>(const LedgerKey&) const = default;
  };
  std::map<LedgerKey, store::UsageRow> ledger;  // of minutes
  struct Use {
    std::int64_t now = 0, saved = 0;
  };
  std::map<std::int64_t, Use> keysUsed, sessionsUsed;
  std::mutex flushMutex;  // one flush at a time

  std::mutex threadMutex;
  std::condition_variable wake;
  bool stop = false;
  std::thread thread;
};

}  // namespace hearth
