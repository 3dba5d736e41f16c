#pragma once

namespace hearth::store {

/// Schema version 3: the team. Times are milliseconds since the epoch. Secrets are kept as SHA-256 of a 256-bit random
/// value, passwords as argon2id; nothing here gives one back. Numbers of enums are those of team_store.h.
/// `folded` is the name as it is compared. usage and quota_counters keep no foreign key: totals outlive what they count.
inline constexpr const char* kTeamTables = R"sql(
CREATE TABLE users (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  name          TEXT NOT NULL,
  folded        TEXT NOT NULL UNIQUE,
  role          INTEGER NOT NULL CHECK (role BETWEEN 0 AND 2),
  password      TEXT NOT NULL DEFAULT '',
  created_ms    INTEGER NOT NULL,
  disabled_ms   INTEGER NOT NULL DEFAULT 0,
  last_login_ms INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE groups (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL,
  folded     TEXT NOT NULL UNIQUE,
  created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE memberships (
  user_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  PRIMARY KEY (user_id, group_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_group ON memberships (group_id);

CREATE TABLE model_access (
  group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  model    TEXT NOT NULL,
  PRIMARY KEY (group_id, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  token      BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
  user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_ms INTEGER NOT NULL,
  used_ms    INTEGER NOT NULL,
  client     TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE api_keys (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  label      TEXT NOT NULL DEFAULT '',
  scopes     INTEGER NOT NULL,
  models     TEXT NOT NULL DEFAULT '',
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL DEFAULT 0,
  revoked_ms INTEGER NOT NULL DEFAULT 0,
  used_ms    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX api_keys_by_user ON api_keys (user_id);

CREATE TABLE key_secrets (
  secret     BLOB PRIMARY KEY NOT NULL CHECK (length(secret) = 32),
  key_id     INTEGER NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
  prefix     TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX key_secrets_by_key ON key_secrets (key_id);

CREATE TABLE invitations (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  token      BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
  user_id    INTEGER REFERENCES users (id) ON DELETE CASCADE,
  role       INTEGER NOT NULL CHECK (role BETWEEN 0 AND 2),
  groups     TEXT NOT NULL DEFAULT '',
  created_by INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE quotas (
  subject    INTEGER NOT NULL CHECK (subject BETWEEN 0 AND 2),
  subject_id INTEGER NOT NULL,
  metric     INTEGER NOT NULL CHECK (metric BETWEEN 0 AND 2),
  period     INTEGER NOT NULL CHECK (period BETWEEN 0 AND 1),
  amount     INTEGER NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (subject, subject_id, metric, period)
) STRICT, WITHOUT ROWID;

CREATE TABLE quota_counters (
  subject    INTEGER NOT NULL CHECK (subject BETWEEN 0 AND 2),
  subject_id INTEGER NOT NULL,
  month_ms   INTEGER NOT NULL,
  requests   INTEGER NOT NULL DEFAULT 0,
  tokens     INTEGER NOT NULL DEFAULT 0,
  compute_ms INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (subject, subject_id, month_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage (
  period           INTEGER NOT NULL CHECK (period BETWEEN 0 AND 1),
  start_ms         INTEGER NOT NULL,
  user_id          INTEGER NOT NULL,
  key_id           INTEGER NOT NULL,
  model            TEXT NOT NULL,
  requests         INTEGER NOT NULL DEFAULT 0,
  prompt_tokens    INTEGER NOT NULL DEFAULT 0,
  generated_tokens INTEGER NOT NULL DEFAULT 0,
  compute_ms       INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (period, start_ms, user_id, key_id, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  seq     INTEGER PRIMARY KEY NOT NULL,
  time_ms INTEGER NOT NULL,
  actor   TEXT NOT NULL,
  client  TEXT NOT NULL,
  action  TEXT NOT NULL,
  subject TEXT NOT NULL,
  details TEXT NOT NULL,
  hash    BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;

INSERT INTO meta (key, value) VALUES ('team_version', '0');

ALTER TABLE conversations ADD COLUMN owner INTEGER REFERENCES users (id) ON DELETE CASCADE;
CREATE INDEX conversations_by_owner ON conversations (owner, updated_ms DESC) WHERE trashed_ms IS NULL;
)sql";

}  // namespace hearth::store
