#include "core/store/organiser.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "core/store/message_rows.h"
#include "core/store/organiser_sqlite.h"
#include "core/store/search_index.h"
#include "core/store/sqlite_file.h"

namespace hearth::store {
namespace {

constexpr int kMostLevels = 16;
constexpr int kIndexAtOnce = 256;  // rows; other writers get their turn in between
constexpr const char* kPersonaColumns = "id, name, model, system_prompt, parameters, created_ms, updated_ms";

std::unexpected<Error> noFolder(FolderId id) {
  return fail(ErrorCode::NotFound, "there is no such folder", {{"folder", std::to_string(id)}});
}
std::unexpected<Error> noTag(TagId id) { return fail(ErrorCode::NotFound, "there is no such tag", {{"tag", std::to_string(id)}}); }
std::unexpected<Error> noPersona(PersonaId id) {
  return fail(ErrorCode::NotFound, "there is no such persona", {{"persona", std::to_string(id)}});
}
std::unexpected<Error> nameTaken(const std::string& name) {
  return fail(ErrorCode::AlreadyExists, "the name is taken", {{"name", name}});
}

Result<FolderId> parentOf(SQLite::Database& database, UserId owner, FolderId id) {
  SQLite::Statement query(database, "SELECT parent FROM folders WHERE id = ? AND owner IS ?");
  query.bind(1, id);
  bindId(query, 2, owner);
  if (!query.executeStep()) return noFolder(id);
  return query.getColumn(0).getInt64();
}

bool hasFolder(SQLite::Database& database, UserId owner, FolderId parent, const std::string& name, FolderId except = 0) {
  SQLite::Statement query(database, "SELECT 1 FROM folders WHERE owner IS ? AND parent IS ? AND name = ? AND id <> ?");
  bindId(query, 1, owner);
  bindId(query, 2, parent);
  query.bind(3, name);
  query.bind(4, except);
  return query.executeStep();
}

// Levels from `id` to the top; 0 for the top itself.
Result<int> depthOf(SQLite::Database& database, UserId owner, FolderId id) {
  int depth = 0;
  for (FolderId at = id; at != 0; ++depth) {
    HEARTH_TRY(at, parentOf(database, owner, at));
  }
  return depth;
}

int heightOf(SQLite::Database& database, FolderId id) {
  SQLite::Statement query(database,
                          "WITH RECURSIVE below(id, level) AS (SELECT ?, 1 UNION ALL"
                          " SELECT f.id, below.level + 1 FROM below JOIN folders f ON f.parent = below.id) SELECT max(level) FROM below");
  query.bind(1, id);
  return query.executeStep() ? query.getColumn(0).getInt() : 1;
}

Result<void> checkDepth(int levels) {
  if (levels <= kMostLevels) return {};
  return fail(ErrorCode::InvalidArgument, "folders are too deep", {{"levels", std::to_string(levels)}, {"limit", std::to_string(kMostLevels)}});
}

// Children after their parents, by name.
std::vector<Folder> readFolders(SQLite::Database& database, UserId owner) {
  SQLite::Statement query(database, "SELECT id, parent, name FROM folders WHERE owner IS ? ORDER BY name COLLATE NOCASE, id");
  bindId(query, 1, owner);
  std::multimap<FolderId, Folder> below;
  while (query.executeStep()) {
    Folder folder{query.getColumn(0).getInt64(), query.getColumn(1).getInt64(), query.getColumn(2).getString()};
    below.emplace(folder.parent, std::move(folder));
  }
  std::vector<Folder> folders;
  const auto add = [&](auto&& self, FolderId parent) -> void {
    const auto [first, last] = below.equal_range(parent);
    for (auto it = first; it != last; ++it) {
      folders.push_back(it->second);
      self(self, it->second.id);
    }
  };
  add(add, 0);
  return folders;
}

Persona readPersona(SQLite::Statement& row) {
  return {row.getColumn(0).getInt64(),  row.getColumn(1).getString(), row.getColumn(2).getString(), row.getColumn(3).getString(),
          row.getColumn(4).getString(), row.getColumn(5).getInt64(),  row.getColumn(6).getInt64()};
}

std::vector<Persona> readPersonas(SQLite::Database& database, UserId owner) {
  SQLite::Statement query(database, fmt::format("SELECT {} FROM personas WHERE owner IS ? ORDER BY name COLLATE NOCASE", kPersonaColumns));
  bindId(query, 1, owner);
  std::vector<Persona> personas;
  while (query.executeStep()) personas.push_back(readPersona(query));
  return personas;
}

/// Constant after construction: m_path, m_writer. m_reader is guarded by m_mutex.
class SqliteOrganiser final : public Organiser {
 public:
  SqliteOrganiser(Writer& writer, SQLite::Database reader, std::filesystem::path path)
      : m_path(std::move(path)), m_writer(writer), m_reader(std::move(reader)) {}

  Result<Shelf> shelf(UserId owner) override {
    return read([&](SQLite::Database& database) -> Result<Shelf> {
      const SQLite::Transaction snapshot(database);
      Shelf shelf;
      SQLite::Statement query(database, fmt::format("SELECT {} FROM conversations WHERE owner IS ? AND trashed_ms IS NULL"
                                                    " ORDER BY pinned_ms = 0, updated_ms DESC, id DESC", kConversationColumns));
      bindId(query, 1, owner);
      while (query.executeStep()) shelf.conversations.push_back(readConversation(query));
      shelf.folders = readFolders(database, owner);
      SQLite::Statement tags(database, "SELECT id, name FROM tags WHERE owner IS ? ORDER BY name COLLATE NOCASE");
      bindId(tags, 1, owner);
      while (tags.executeStep()) shelf.tags.push_back({tags.getColumn(0).getInt64(), tags.getColumn(1).getString()});
      SQLite::Statement tagged(database, "SELECT h.conversation, h.tag FROM tags t JOIN conversation_tags h ON h.tag = t.id"
                                         " JOIN conversations c ON c.id = h.conversation WHERE t.owner IS ? AND c.trashed_ms IS NULL"
                                         " ORDER BY h.conversation, t.name COLLATE NOCASE");
      bindId(tagged, 1, owner);
      while (tagged.executeStep()) shelf.tagged.emplace_back(tagged.getColumn(0).getInt64(), tagged.getColumn(1).getInt64());
      shelf.personas = readPersonas(database, owner);
      SQLite::Statement trash(database, "SELECT count(*) FROM conversations WHERE owner IS ? AND trashed_ms IS NOT NULL");
      bindId(trash, 1, owner);
      if (trash.executeStep()) shelf.trashed = trash.getColumn(0).getInt();
      return shelf;
    });
  }

  Result<Folder> createFolder(UserId owner, const std::string& wanted, FolderId parent) override {
    Folder folder{0, parent, {}};
    HEARTH_TRY(folder.name, checkedName(wanted));
    const auto made = m_writer.run([&](SQLite::Database& database) -> Result<void> {
      HEARTH_TRY(const int depth, depthOf(database, owner, parent));
      HEARTH_CHECK(checkDepth(depth + 1));
      if (hasFolder(database, owner, parent, folder.name)) return nameTaken(folder.name);
      SQLite::Statement insert(database, "INSERT INTO folders (owner, parent, name) VALUES (?,?,?)");
      bindId(insert, 1, owner);
      bindId(insert, 2, parent);
      insert.bind(3, folder.name);
      insert.exec();
      folder.id = database.getLastInsertRowid();
      return {};
    });
    if (!made) return fail(made.error());
    return folder;
  }

  Result<void> renameFolder(UserId owner, FolderId id, const std::string& wanted) override {
    HEARTH_TRY(const std::string name, checkedName(wanted));
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      HEARTH_TRY(const FolderId parent, parentOf(database, owner, id));
      if (hasFolder(database, owner, parent, name, id)) return nameTaken(name);
      SQLite::Statement update(database, "UPDATE folders SET name = ? WHERE id = ?");
      update.bind(1, name);
      update.bind(2, id);
      update.exec();
      return {};
    });
  }

  Result<void> moveFolder(UserId owner, FolderId id, FolderId parent) override {
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      HEARTH_TRY([[maybe_unused]] const FolderId before, parentOf(database, owner, id));
      int depth = 0;
      for (FolderId at = parent; at != 0; ++depth) {
        if (at == id) {
          return fail(ErrorCode::InvalidArgument, "a folder cannot lie in itself",
                      {{"folder", std::to_string(id)}, {"into", std::to_string(parent)}});
        }
        HEARTH_TRY(at, parentOf(database, owner, at));
      }
      HEARTH_CHECK(checkDepth(depth + heightOf(database, id)));
      SQLite::Statement name(database, "SELECT name FROM folders WHERE id = ?");
      name.bind(1, id);
      name.executeStep();
      if (hasFolder(database, owner, parent, name.getColumn(0).getString(), id)) return nameTaken(name.getColumn(0).getString());
      SQLite::Statement update(database, "UPDATE folders SET parent = ? WHERE id = ?");
      bindId(update, 1, parent);
      update.bind(2, id);
      update.exec();
      return {};
    });
  }

  Result<void> removeFolder(UserId owner, FolderId id) override {
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      HEARTH_TRY(const FolderId parent, parentOf(database, owner, id));
      // Its own name is free from here on: what lay in it may have it.
      SQLite::Statement hide(database, "UPDATE folders SET name = char(1) || id WHERE id = ?");
      hide.bind(1, id);
      hide.exec();
      SQLite::Statement below(database, "SELECT id, name FROM folders WHERE parent = ?");
      below.bind(1, id);
      std::vector<std::pair<FolderId, std::string>> children;
      while (below.executeStep()) children.emplace_back(below.getColumn(0).getInt64(), below.getColumn(1).getString());
      for (const auto& [child, plain] : children) {
        std::string name = plain;
        for (int n = 2; hasFolder(database, owner, parent, name); ++n) name = fmt::format("{} ({})", plain, n);
        SQLite::Statement lift(database, "UPDATE folders SET parent = ?, name = ? WHERE id = ?");
        bindId(lift, 1, parent);
        lift.bind(2, name);
        lift.bind(3, child);
        lift.exec();
      }
      SQLite::Statement refile(database, "UPDATE conversations SET folder = ? WHERE folder = ?");
      bindId(refile, 1, parent);
      refile.bind(2, id);
      refile.exec();
      SQLite::Statement remove(database, "DELETE FROM folders WHERE id = ?");
      remove.bind(1, id);
      remove.exec();
      return {};
    });
  }

  Result<void> fileInto(UserId owner, const std::vector<ConversationId>& ids, FolderId folder) override {
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      if (folder != 0) {
        HEARTH_TRY([[maybe_unused]] const FolderId parent, parentOf(database, owner, folder));
      }
      SQLite::Statement update(database, "UPDATE conversations SET folder = ?3 WHERE id = ?1 AND owner IS ?2");
      bindId(update, 3, folder);
      return forEach(update, owner, ids);
    });
  }

  Result<void> pin(UserId owner, const std::vector<ConversationId>& ids, bool pinned) override {
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      SQLite::Statement update(database, "UPDATE conversations SET pinned_ms = ?3 WHERE id = ?1 AND owner IS ?2");
      update.bind(3, pinned ? nowMs() : std::int64_t{0});
      return forEach(update, owner, ids);
    });
  }

  Result<void> tag(UserId owner, const std::vector<ConversationId>& ids, const std::string& name) override {
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      for (const ConversationId id : ids) {
        HEARTH_CHECK(checkOwner(database, owner, id));
        HEARTH_CHECK(addTag(database, owner, id, name));
      }
      return {};
    });
  }

  Result<void> untag(UserId owner, const std::vector<ConversationId>& ids, TagId tag) override {
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      HEARTH_CHECK(checkTag(database, owner, tag));
      SQLite::Statement remove(database, "DELETE FROM conversation_tags WHERE conversation = ? AND tag = ?");
      remove.bind(2, tag);
      for (const ConversationId id : ids) {
        HEARTH_CHECK(checkOwner(database, owner, id));
        remove.reset();
        remove.bind(1, id);
        remove.exec();
      }
      return {};
    });
  }

  Result<void> renameTag(UserId owner, TagId tag, const std::string& wanted) override {
    HEARTH_TRY(const std::string name, checkedName(wanted));
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      HEARTH_CHECK(checkTag(database, owner, tag));
      SQLite::Statement taken(database, "SELECT 1 FROM tags WHERE owner IS ? AND name = ? COLLATE NOCASE AND id <> ?");
      bindId(taken, 1, owner);
      taken.bind(2, name);
      taken.bind(3, tag);
      if (taken.executeStep()) return nameTaken(name);
      SQLite::Statement update(database, "UPDATE tags SET name = ? WHERE id = ?");
      update.bind(1, name);
      update.bind(2, tag);
      update.exec();
      return {};
    });
  }

  Result<void> removeTag(UserId owner, TagId tag) override {
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      HEARTH_CHECK(checkTag(database, owner, tag));
      SQLite::Statement remove(database, "DELETE FROM tags WHERE id = ?");
      remove.bind(1, tag);
      remove.exec();
      return {};
    });
  }

  Result<void> trash(UserId owner, const std::vector<ConversationId>& ids) override {
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      SQLite::Statement update(database, "UPDATE conversations SET trashed_ms = ?3 WHERE id = ?1 AND owner IS ?2");
      update.bind(3, nowMs());
      return forEach(update, owner, ids);
    });
  }

  Result<void> restore(UserId owner, const std::vector<ConversationId>& ids) override {
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      SQLite::Statement update(database, "UPDATE conversations SET trashed_ms = NULL WHERE id = ?1 AND owner IS ?2");
      return forEach(update, owner, ids);
    });
  }

  Result<std::vector<Conversation>> trashed(UserId owner) override {
    return read([&](SQLite::Database& database) -> Result<std::vector<Conversation>> {
      SQLite::Statement query(database, fmt::format("SELECT {} FROM conversations WHERE owner IS ? AND trashed_ms IS NOT NULL"
                                                    " ORDER BY trashed_ms DESC, id DESC", kConversationColumns));
      bindId(query, 1, owner);
      std::vector<Conversation> all;
      while (query.executeStep()) all.push_back(readConversation(query));
      return all;
    });
  }

  Result<void> erase(UserId owner, const std::vector<ConversationId>& ids) override {
    const auto erased = m_writer.run([&](SQLite::Database& database) -> Result<void> {
      SQLite::Statement remove(database, "DELETE FROM conversations WHERE id = ?1 AND owner IS ?2 AND trashed_ms IS NOT NULL");
      for (const ConversationId id : ids) {
        HEARTH_CHECK(checkOwner(database, owner, id));
        remove.reset();
        remove.bind(1, id);
        bindId(remove, 2, owner);
        if (remove.exec() == 0) {
          return fail(ErrorCode::InvalidArgument, "only what lies in the trash can be deleted for good", {{"conversation", std::to_string(id)}});
        }
      }
      return {};
    });
    if (!erased) return erased;
    return index();  // the words go with the text
  }

  Result<int> eraseTrashedBefore(std::int64_t timeMs) override {
    int erased = 0;
    HEARTH_CHECK(m_writer.run([&](SQLite::Database& database) -> Result<void> {
      SQLite::Statement remove(database, "DELETE FROM conversations WHERE trashed_ms < ?");
      remove.bind(1, timeMs);
      erased = remove.exec();
      return {};
    }));
    if (erased > 0) HEARTH_CHECK(index());
    return erased;
  }

  Result<std::vector<SearchHit>> search(UserId owner, const std::string& words, int most) override {
    const std::string expression = searchExpression(words);
    if (expression.empty() || most <= 0) return std::vector<SearchHit>{};
    HEARTH_CHECK(index());
    return read([&](SQLite::Database& database) -> Result<std::vector<SearchHit>> {
      return findWords(database, owner, expression, most);
    });
  }

  Result<void> index() override {
    for (;;) {
      HEARTH_TRY(const bool behind, read([](SQLite::Database& database) -> Result<bool> { return indexIsBehind(database); }));
      if (!behind) return {};
      HEARTH_CHECK(m_writer.run([](SQLite::Database& database) -> Result<void> {
        indexSome(database, kIndexAtOnce);
        return {};
      }));
    }
  }

  Result<std::vector<Persona>> personas(UserId owner) override {
    return read([&](SQLite::Database& database) -> Result<std::vector<Persona>> { return readPersonas(database, owner); });
  }

  Result<Persona> persona(UserId owner, PersonaId id) override {
    return read([&](SQLite::Database& database) -> Result<Persona> {
      SQLite::Statement query(database, fmt::format("SELECT {} FROM personas WHERE id = ? AND owner IS ?", kPersonaColumns));
      query.bind(1, id);
      bindId(query, 2, owner);
      if (!query.executeStep()) return noPersona(id);
      return readPersona(query);
    });
  }

  Result<Persona> savePersona(UserId owner, Persona persona) override {
    HEARTH_TRY(persona.name, checkedName(persona.name));
    if (persona.parametersJson.empty()) persona.parametersJson = "{}";
    const PersonaId given = persona.id;
    HEARTH_CHECK(m_writer.run([&](SQLite::Database& database) -> Result<void> {
      SQLite::Statement taken(database, "SELECT 1 FROM personas WHERE owner IS ? AND name = ? COLLATE NOCASE AND id <> ?");
      bindId(taken, 1, owner);
      taken.bind(2, persona.name);
      taken.bind(3, given);
      if (taken.executeStep()) return nameTaken(persona.name);
      persona.updatedMs = nowMs();
      SQLite::Statement put(database, given == 0 ? "INSERT INTO personas (name, model, system_prompt, parameters, updated_ms, owner, created_ms)"
                                                   " VALUES (?1,?2,?3,?4,?5,?6,?5)"
                                                 : "UPDATE personas SET name = ?1, model = ?2, system_prompt = ?3, parameters = ?4,"
                                                   " updated_ms = ?5 WHERE owner IS ?6 AND id = ?7");
      put.bind(1, persona.name);
      put.bind(2, persona.model);
      put.bind(3, persona.systemPrompt);
      put.bind(4, persona.parametersJson);
      put.bind(5, persona.updatedMs);
      bindId(put, 6, owner);
      if (given != 0) put.bind(7, given);
      if (put.exec() == 0) return noPersona(given);
      if (given == 0) {
        persona.id = database.getLastInsertRowid();
        persona.createdMs = persona.updatedMs;
      }
      return {};
    }));
    return persona;
  }

  Result<void> removePersona(UserId owner, PersonaId id) override {
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      SQLite::Statement remove(database, "DELETE FROM personas WHERE id = ? AND owner IS ?");
      remove.bind(1, id);
      bindId(remove, 2, owner);
      if (remove.exec() == 0) return noPersona(id);
      return {};
    });
  }

  Result<ConversationTree> exportTree(UserId owner, ConversationId id) override {
    return read([&](SQLite::Database& database) -> Result<ConversationTree> {
      const SQLite::Transaction snapshot(database);
      return readTree(database, owner, id);
    });
  }

  Result<std::vector<ConversationId>> importTrees(UserId owner, std::span<const ConversationTree> trees) override {
    std::vector<ConversationId> ids;
    HEARTH_CHECK(m_writer.run([&](SQLite::Database& database) -> Result<void> {
      ids.clear();
      if (owner != 0) {
        SQLite::Statement known(database, "SELECT 1 FROM users WHERE id = ?");
        known.bind(1, owner);
        if (!known.executeStep()) return fail(ErrorCode::NotFound, "there is no such user", {{"user", std::to_string(owner)}});
      }
      for (const ConversationTree& tree : trees) {
        HEARTH_TRY(const ConversationId id, insertTree(database, owner, tree));
        ids.push_back(id);
      }
      return {};
    }));
    return ids;
  }

 private:
  template <class Body>
  auto read(Body&& body) -> decltype(body(std::declval<SQLite::Database&>())) {
    const std::lock_guard lock(m_mutex);
    return guarded(m_path, [&] { return body(m_reader); });
  }

  static Result<void> checkOwner(SQLite::Database& database, UserId owner, ConversationId id) {
    SQLite::Statement query(database, "SELECT 1 FROM conversations WHERE id = ? AND owner IS ?");
    query.bind(1, id);
    bindId(query, 2, owner);
    if (!query.executeStep()) return noConversation(id);
    return {};
  }

  static Result<void> checkTag(SQLite::Database& database, UserId owner, TagId tag) {
    SQLite::Statement query(database, "SELECT 1 FROM tags WHERE id = ? AND owner IS ?");
    query.bind(1, tag);
    bindId(query, 2, owner);
    if (!query.executeStep()) return noTag(tag);
    return {};
  }

  // Runs it with ?1 = each id and ?2 = the owner; each must be there.
  static Result<void> forEach(SQLite::Statement& statement, UserId owner, const std::vector<ConversationId>& ids) {
    bindId(statement, 2, owner);
    for (const ConversationId id : ids) {
      statement.reset();
      statement.bind(1, id);
      if (statement.exec() == 0) return noConversation(id);
    }
    return {};
  }

  std::filesystem::path m_path;
  Writer& m_writer;
  std::mutex m_mutex;
  SQLite::Database m_reader;
};

}  // namespace

std::unique_ptr<Organiser> makeOrganiser(Writer& writer, const std::filesystem::path& path) {
  SQLite::Database reader = openConnection(path, SQLite::OPEN_READONLY);
  reader.exec("PRAGMA query_only=ON");
  return std::make_unique<SqliteOrganiser>(writer, std::move(reader), path);
}

}  // namespace hearth::store
