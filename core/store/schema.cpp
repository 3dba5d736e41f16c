#include "core/store/schema.h"

#include <fmt/format.h>

#include <array>

#include "core/base/log.h"
#include "core/store/organiser_schema.h"
#include "core/store/sqlite_file.h"
#include "core/store/team_schema.h"

namespace hearth::store {
namespace {

// Role and state are the numbers of the enums in store.h. A root message has parent NULL, so that the foreign key holds;
// active_leaf carries no foreign key because it would form a cycle with messages.conversation.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta (
  key   TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
  key   TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE conversations (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  title         TEXT NOT NULL,
  model         TEXT NOT NULL,
  system_prompt TEXT NOT NULL DEFAULT '',
  parameters    TEXT NOT NULL DEFAULT '{}',
  created_ms    INTEGER NOT NULL,
  updated_ms    INTEGER NOT NULL,
  active_leaf   INTEGER NOT NULL DEFAULT 0,
  trashed_ms    INTEGER
) STRICT;
CREATE INDEX conversations_by_time ON conversations (updated_ms DESC) WHERE trashed_ms IS NULL;

CREATE TABLE messages (
  id                  INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation        INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  parent              INTEGER REFERENCES messages (id) ON DELETE CASCADE,
  role                INTEGER NOT NULL CHECK (role BETWEEN 0 AND 3),
  state               INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
  text                TEXT NOT NULL,
  model               TEXT NOT NULL DEFAULT '',
  error               TEXT NOT NULL DEFAULT '',
  created_ms          INTEGER NOT NULL,
  prompt_tokens       INTEGER NOT NULL DEFAULT 0,
  generated_tokens    INTEGER NOT NULL DEFAULT 0,
  tokens_per_second   REAL NOT NULL DEFAULT 0,
  first_token_seconds REAL NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX messages_by_parent ON messages (conversation, parent);
CREATE INDEX messages_below ON messages (parent);
CREATE INDEX messages_streaming ON messages (state) WHERE state = 1;

INSERT INTO meta (key, value) VALUES ('clean', '0');
)sql";

// A failure is kept as code and evidence, so that it can be told in any language; `error` keeps the English message.
// Rows from before have no code. error_evidence is a JSON array of [key, value] pairs.
constexpr const char* kVersion2 = R"sql(
ALTER TABLE messages ADD COLUMN error_code TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN error_evidence TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN length_limited INTEGER NOT NULL DEFAULT 0 CHECK (length_limited BETWEEN 0 AND 1);
)sql";

// What a reply is besides its text. calls is a JSON array of {id, name, arguments}, '' when there are none.
constexpr const char* kVersion4 = R"sql(
ALTER TABLE messages ADD COLUMN reasoning TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN calls TEXT NOT NULL DEFAULT '';
)sql";

constexpr std::array kMigrations{Migration{1, kVersion1}, Migration{2, kVersion2}, Migration{3, kTeamTables}, Migration{4, kVersion4},
                                Migration{5, kOrganiserTables}};

// The first free name, so that an older backup is never overwritten.
std::filesystem::path backupName(const std::filesystem::path& path, int version) {
  for (int n = 1;; ++n) {
    std::filesystem::path name = path;
    name += n == 1 ? fmt::format(".v{}.backup", version) : fmt::format(".v{}-{}.backup", version, n);
    std::error_code ignored;
    if (!std::filesystem::exists(name, ignored)) return name;
  }
}

}  // namespace

std::span<const Migration> migrations() noexcept { return kMigrations; }

Result<void> checkIdentity(SQLite::Database& database, const std::filesystem::path& path, int newest) {
  return guarded(path, [&]() -> Result<void> {
    const int version = database.execAndGet("PRAGMA user_version").getInt();
    const int application = database.execAndGet("PRAGMA application_id").getInt();
    const bool hasTables = database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() > 0;
    if (application != kApplicationId && (application != 0 || version != 0 || hasTables)) {
      return fail(ErrorCode::Corrupt, "this database was not made by Hearth",
                  {{"path", path.string()}, {"application_id", std::to_string(application)}});
    }
    if (version > newest) {
      return fail(ErrorCode::UnsupportedVersion, "the database was written by a newer version of Hearth",
                  {{"path", path.string()}, {"database_version", std::to_string(version)}, {"supported_version", std::to_string(newest)}});
    }
    return {};
  });
}

Result<void> migrate(SQLite::Database& database, const std::filesystem::path& path, std::span<const Migration> steps) {
  const int wanted = steps.empty() ? 0 : steps.back().version;
  HEARTH_CHECK(checkIdentity(database, path, wanted));
  return guarded(path, [&]() -> Result<void> {
    const int found = database.execAndGet("PRAGMA user_version").getInt();
    if (found == wanted) return {};
    if (found > 0) {
      const std::filesystem::path copy = backupName(path, found);
      if (auto copied = backup(database, path, copy); !copied) return copied;
      log::info("store", fmt::format("database version {} backed up to {}", found, copy.string()));
    }
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    for (const Migration& step : steps) {
      if (step.version > found) database.exec(step.sql);
    }
    database.exec(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kApplicationId, wanted));
    transaction.commit();
    return {};
  });
}

}  // namespace hearth::store
