#pragma once

namespace hearth::store {

/// Version 5: how people keep order in their conversations. A folder, a tag and a persona belong to one owner (NULL = the
/// machine's own user).
///
/// Full-text search: two FTS5 tables that hold words and no text of their own (it is read from conversations and messages).
/// SQLite lets no trigger write to them, so that triggers write into search_queue what is to be indexed again, and the
/// text that the index holds for it (`old`, NULL = nothing); store/search_index.cpp empties the queue before it searches.
/// A reply that is being written (state 1) is not indexed.
inline constexpr const char* kOrganiserTables = R"sql(
CREATE TABLE folders (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  owner  INTEGER REFERENCES users (id) ON DELETE CASCADE,
  parent INTEGER REFERENCES folders (id) ON DELETE CASCADE,
  name   TEXT NOT NULL CHECK (length(name) > 0)
) STRICT;
CREATE UNIQUE INDEX folders_by_name ON folders (ifnull(owner, 0), ifnull(parent, 0), name);
CREATE INDEX folders_below ON folders (parent);

CREATE TABLE tags (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  owner INTEGER REFERENCES users (id) ON DELETE CASCADE,
  name  TEXT NOT NULL CHECK (length(name) > 0)
) STRICT;
CREATE UNIQUE INDEX tags_by_name ON tags (ifnull(owner, 0), name COLLATE NOCASE);

CREATE TABLE conversation_tags (
  conversation INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  tag          INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
  PRIMARY KEY (conversation, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_tags_by_tag ON conversation_tags (tag);
CREATE TRIGGER unused_tags_go AFTER DELETE ON conversation_tags
  WHEN NOT EXISTS (SELECT 1 FROM conversation_tags WHERE tag = old.tag)
  BEGIN DELETE FROM tags WHERE id = old.tag; END;

CREATE TABLE personas (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  owner         INTEGER REFERENCES users (id) ON DELETE CASCADE,
  name          TEXT NOT NULL CHECK (length(name) > 0),
  model         TEXT NOT NULL DEFAULT '',
  system_prompt TEXT NOT NULL DEFAULT '',
  parameters    TEXT NOT NULL DEFAULT '{}',
  created_ms    INTEGER NOT NULL,
  updated_ms    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX personas_by_name ON personas (ifnull(owner, 0), name COLLATE NOCASE);

ALTER TABLE conversations ADD COLUMN folder INTEGER REFERENCES folders (id) ON DELETE SET NULL;
ALTER TABLE conversations ADD COLUMN pinned_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN persona INTEGER REFERENCES personas (id) ON DELETE SET NULL;
ALTER TABLE conversations ADD COLUMN own_prompt INTEGER NOT NULL DEFAULT 0 CHECK (own_prompt BETWEEN 0 AND 1);
CREATE INDEX conversations_by_folder ON conversations (folder) WHERE folder IS NOT NULL;
CREATE INDEX conversations_by_persona ON conversations (persona) WHERE persona IS NOT NULL;
CREATE INDEX conversations_in_trash ON conversations (trashed_ms) WHERE trashed_ms IS NOT NULL;

CREATE VIRTUAL TABLE search_titles USING fts5 (title, content='conversations', content_rowid='id', tokenize='hearth');
CREATE VIRTUAL TABLE search_messages USING fts5 (text, content='messages', content_rowid='id', tokenize='hearth');
CREATE TABLE search_queue (
  kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 1),
  id   INTEGER NOT NULL,
  old  TEXT,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
INSERT INTO search_queue (kind, id) SELECT 0, id FROM conversations;
INSERT INTO search_queue (kind, id) SELECT 1, id FROM messages WHERE state <> 1;

CREATE TRIGGER title_came AFTER INSERT ON conversations
  BEGIN INSERT OR IGNORE INTO search_queue (kind, id) VALUES (0, new.id); END;
CREATE TRIGGER title_changed AFTER UPDATE OF title ON conversations WHEN new.title IS NOT old.title
  BEGIN INSERT OR IGNORE INTO search_queue (kind, id, old) VALUES (0, old.id, old.title); END;
CREATE TRIGGER title_went AFTER DELETE ON conversations
  BEGIN INSERT OR IGNORE INTO search_queue (kind, id, old) VALUES (0, old.id, old.title); END;
CREATE TRIGGER message_came AFTER INSERT ON messages WHEN new.state <> 1
  BEGIN INSERT OR IGNORE INTO search_queue (kind, id) VALUES (1, new.id); END;
CREATE TRIGGER message_changed AFTER UPDATE OF text, state ON messages
  WHEN (old.state <> 1 OR new.state <> 1) AND (new.text IS NOT old.text OR (old.state = 1) <> (new.state = 1))
  BEGIN INSERT OR IGNORE INTO search_queue (kind, id, old) VALUES (1, old.id, iif(old.state = 1, NULL, old.text)); END;
CREATE TRIGGER message_went AFTER DELETE ON messages WHEN old.state <> 1
  BEGIN INSERT OR IGNORE INTO search_queue (kind, id, old) VALUES (1, old.id, old.text); END;
)sql";

}  // namespace hearth::store
