#include "core/store/sqlite_store.h"

#include <fmt/format.h>

#include <mutex>

#include "core/base/log.h"
#include "core/store/message_rows.h"
#include "core/store/organiser_sqlite.h"
#include "core/store/sqlite_file.h"
#include "core/store/team_store_sqlite.h"
#include "core/store/writer.h"

namespace hearth::store {
namespace {

/// The real store. Constant after construction: m_path, m_guest, m_writer, m_team, m_organiser. m_reader is guarded by m_readMutex.
class SqliteStore final : public Store {
 public:
  SqliteStore(SQLite::Database writer, SQLite::Database reader, const std::filesystem::path& path, bool guest)
      : m_path(path),
        m_guest(guest),
        m_writer(std::make_unique<store::Writer>(std::move(writer), path, guest)),
        m_team(store::makeTeamStore(*m_writer, path)),
        m_organiser(store::makeOrganiser(*m_writer, path)),
        m_reader(std::move(reader)) {}

  ~SqliteStore() override {
    if (m_guest) return;
    const auto marked = m_writer->run([](SQLite::Database& database) -> Result<void> {
      database.exec("UPDATE meta SET value = '1' WHERE key = 'clean'");
      return {};
    });
    if (!marked) log::warning("store", "closing without the clean mark: " + marked.error().describe());
    // The reader goes first: the writer can then empty the log into the database.
    { const SQLite::Database last = std::move(m_reader); }
    m_team.reset();
    m_organiser.reset();
    m_writer.reset();
  }

  Result<Conversation> createConversation(const std::string& title, const std::string& model) override {
    return createConversationOf(0, title, model);
  }

  Result<Conversation> createConversationOf(UserId owner, const std::string& title, const std::string& model) override {
    Conversation made;
    made.owner = owner;
    made.title = title;
    made.model = model;
    made.parametersJson = "{}";
    made.createdMs = made.updatedMs = nowMs();
    HEARTH_CHECK(m_writer->run([&](SQLite::Database& database) -> Result<void> {
      if (owner != 0) {
        SQLite::Statement known(database, "SELECT 1 FROM users WHERE id = ?");
        known.bind(1, owner);
        if (!known.executeStep()) return fail(ErrorCode::NotFound, "there is no such user", {{"user", std::to_string(owner)}});
      }
      SQLite::Statement insert(database, "INSERT INTO conversations (title, model, created_ms, updated_ms, owner) VALUES (?,?,?,?,?)");
      insert.bind(1, made.title);
      insert.bind(2, made.model);
      insert.bind(3, made.createdMs);
      insert.bind(4, made.updatedMs);
      if (owner != 0) insert.bind(5, owner);
      insert.exec();
      made.id = database.getLastInsertRowid();
      return {};
    }));
    return made;
  }

  Result<std::vector<Conversation>> conversations() override { return conversationsOf(0); }

  Result<std::vector<Conversation>> conversationsOf(UserId owner) override {
    return read([&](SQLite::Database& database) -> Result<std::vector<Conversation>> {
      SQLite::Statement query(database, fmt::format("SELECT {} FROM conversations WHERE owner IS ? AND trashed_ms IS NULL"
                                                    " ORDER BY updated_ms DESC, id DESC", kConversationColumns));
      if (owner != 0) query.bind(1, owner);
      std::vector<Conversation> all;
      while (query.executeStep()) all.push_back(readConversation(query));
      return all;
    });
  }

  Result<Conversation> conversation(ConversationId id) override {
    return read([&](SQLite::Database& database) -> Result<Conversation> {
      SQLite::Statement query(database, fmt::format("SELECT {} FROM conversations WHERE id = ?", kConversationColumns));
      query.bind(1, id);
      if (!query.executeStep()) return noConversation(id);
      return readConversation(query);
    });
  }

  Result<void> updateConversation(const Conversation& conversation) override {
    return m_writer->run([&](SQLite::Database& database) -> Result<void> {
      if (conversation.activeLeaf != 0 && conversationOf(database, conversation.activeLeaf) != conversation.id) {
        return fail(ErrorCode::InvalidArgument, "the active message belongs to another conversation",
                    {{"message", std::to_string(conversation.activeLeaf)}, {"conversation", std::to_string(conversation.id)}});
      }
      if (conversation.persona != 0 && !store::ownsPersona(database, conversation)) {
        return fail(ErrorCode::NotFound, "there is no such persona", {{"persona", std::to_string(conversation.persona)}});
      }
      SQLite::Statement update(database, "UPDATE conversations SET title = ?, model = ?, system_prompt = ?, parameters = ?,"
                                         " active_leaf = ?, own_prompt = ?, persona = ? WHERE id = ?");
      update.bind(1, conversation.title);
      update.bind(2, conversation.model);
      update.bind(3, conversation.systemPrompt);
      update.bind(4, conversation.parametersJson);
      update.bind(5, conversation.activeLeaf);
      update.bind(6, conversation.ownPrompt ? 1 : 0);
      if (conversation.persona != 0) update.bind(7, conversation.persona);
      update.bind(8, conversation.id);
      if (update.exec() == 0) return noConversation(conversation.id);
      return {};
    });
  }

  Result<void> trashConversation(ConversationId id) override {
    return setTrashed(id, true);
  }
  Result<void> restoreConversation(ConversationId id) override {
    return setTrashed(id, false);
  }

  Result<Message> addMessage(Message message) override {
    HEARTH_TRY(auto chain, addMessages({std::move(message)}));
    return std::move(chain.front());
  }

  Result<std::vector<Message>> addMessages(std::vector<Message> chain) override {
    const auto added = m_writer->run([&](SQLite::Database& database) -> Result<void> {
      for (std::size_t i = 0; i < chain.size(); ++i) {
        if (i > 0) {
          chain[i].parent = chain[i - 1].id;
          chain[i].conversation = chain[i - 1].conversation;
        }
        HEARTH_CHECK(insertMessage(database, chain[i]));
      }
      return {};
    });
    if (!added) return std::unexpected(added.error());
    return chain;
  }

  Result<void> updateMessage(const Message& message) override {
    return m_writer->run([&](SQLite::Database& database) { return store::updateMessage(database, message); });
  }

  Result<Message> message(MessageId id) override {
    return read([&](SQLite::Database& database) -> Result<Message> {
      SQLite::Statement query(database, fmt::format("SELECT {} FROM messages m WHERE m.id = ?", kMessageColumns));
      query.bind(1, id);
      if (!query.executeStep()) return noMessage(id);
      return readMessage(query);
    });
  }

  Result<std::vector<Message>> path(MessageId leaf) override {
    if (leaf == 0) return std::vector<Message>{};
    return read([&](SQLite::Database& database) -> Result<std::vector<Message>> {
      SQLite::Statement query(database, fmt::format(
          "WITH RECURSIVE up(id, parent, height) AS ("
          " SELECT id, parent, 0 FROM messages WHERE id = ?"
          " UNION ALL SELECT p.id, p.parent, up.height + 1 FROM up JOIN messages p ON p.id = up.parent)"
          " SELECT {} FROM up JOIN messages m ON m.id = up.id ORDER BY up.height DESC", kMessageColumns));
      query.bind(1, leaf);
      std::vector<Message> found = readMessages(query);
      if (found.empty()) return noMessage(leaf);
      return found;
    });
  }

  Result<std::vector<Message>> children(ConversationId conversation, MessageId parent) override {
    return read([&](SQLite::Database& database) -> Result<std::vector<Message>> {
      SQLite::Statement query(database, fmt::format("SELECT {} FROM messages m WHERE m.conversation = ? AND m.parent IS ? ORDER BY m.id",
                                                    kMessageColumns));
      query.bind(1, conversation);
      if (parent != 0) query.bind(2, parent);
      return readMessages(query);
    });
  }

  Result<MessageId> latestLeaf(MessageId message) override {
    return read([&](SQLite::Database& database) -> Result<MessageId> {
      SQLite::Statement query(database,
                              "WITH RECURSIVE down(id) AS ("
                              " SELECT id FROM messages WHERE id = ?"
                              " UNION ALL SELECT c.id FROM down JOIN messages c ON c.parent = down.id)"
                              " SELECT max(id) FROM down WHERE NOT EXISTS (SELECT 1 FROM messages c WHERE c.parent = down.id)");
      query.bind(1, message);
      if (!query.executeStep() || query.getColumn(0).isNull()) return noMessage(message);
      return query.getColumn(0).getInt64();
    });
  }

  Result<std::optional<std::string>> setting(const std::string& key) override {
    return read([&](SQLite::Database& database) -> Result<std::optional<std::string>> {
      SQLite::Statement query(database, "SELECT value FROM settings WHERE key = ?");
      query.bind(1, key);
      if (!query.executeStep()) return std::nullopt;
      return query.getColumn(0).getString();
    });
  }

  Result<void> setSetting(const std::string& key, const std::string& value) override {
    return m_writer->run([&](SQLite::Database& database) -> Result<void> {
      SQLite::Statement put(database, "INSERT INTO settings (key, value) VALUES (?,?) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
      put.bind(1, key);
      put.bind(2, value);
      put.exec();
      return {};
    });
  }

  Result<std::vector<Conversation>> searchConversations(UserId owner, const std::string& text) override {
    std::string pattern = "%";
    for (const char c : text) {
      if (c == '%' || c == '_' || c == '\\') pattern += '\\';
      pattern += c;
    }
    pattern += '%';
    return read([&](SQLite::Database& database) -> Result<std::vector<Conversation>> {
      SQLite::Statement query(
          database, fmt::format("SELECT {} FROM conversations WHERE owner IS ?1 AND trashed_ms IS NULL AND (title LIKE ?2 ESCAPE '\\' OR EXISTS"
                                " (SELECT 1 FROM messages m WHERE m.conversation = conversations.id AND m.text LIKE ?2 ESCAPE '\\'))"
                                " ORDER BY updated_ms DESC, id DESC",
                                kConversationColumns));
      if (owner != 0) query.bind(1, owner);
      query.bind(2, pattern);
      std::vector<Conversation> found;
      while (query.executeStep()) found.push_back(readConversation(query));
      return found;
    });
  }

  Result<std::vector<Message>> tree(ConversationId conversation) override {
    return read([&](SQLite::Database& database) -> Result<std::vector<Message>> {
      // A child is always younger than its parent.
      SQLite::Statement query(database, fmt::format("SELECT {} FROM messages m WHERE m.conversation = ? ORDER BY m.id", kMessageColumns));
      query.bind(1, conversation);
      return readMessages(query);
    });
  }

  Result<void> eraseConversation(ConversationId id) override {
    return m_writer->run([&](SQLite::Database& database) -> Result<void> {
      SQLite::Statement erase(database, "DELETE FROM conversations WHERE id = ?");
      erase.bind(1, id);
      if (erase.exec() == 0) return noConversation(id);
      return {};
    });
  }

  store::TeamStore* team() noexcept override { return m_team.get(); }
  store::Organiser* organiser() noexcept override { return m_organiser.get(); }

  Result<void> backup(const std::filesystem::path& target) override {
    return guarded(m_path, [&]() -> Result<void> {
      std::error_code code;
      if (std::filesystem::equivalent(target, m_path, code)) {
        return fail(ErrorCode::InvalidArgument, "this is the database itself: choose another file", {{"path", target.string()}});
      }
      // A connection of its own: neither readers nor the writer wait for it.
      SQLite::Database source = store::openConnection(m_path, SQLite::OPEN_READWRITE);
      return store::backup(source, m_path, target);
    });
  }

 private:
  template <class Body>
  auto read(Body&& body) -> decltype(body(std::declval<SQLite::Database&>())) {
    const std::lock_guard lock(m_readMutex);
    return guarded(m_path, [&] { return body(m_reader); });
  }

  Result<void> setTrashed(ConversationId id, bool trashed) {
    return m_writer->run([&](SQLite::Database& database) -> Result<void> {
      SQLite::Statement update(database, "UPDATE conversations SET trashed_ms = ? WHERE id = ?");
      if (trashed) update.bind(1, nowMs());
      update.bind(2, id);
      if (update.exec() == 0) return noConversation(id);
      return {};
    });
  }

  std::filesystem::path m_path;
  const bool m_guest;
  std::unique_ptr<store::Writer> m_writer;
  std::unique_ptr<store::TeamStore> m_team;
  std::unique_ptr<store::Organiser> m_organiser;
  std::mutex m_readMutex;
  SQLite::Database m_reader;
};

}  // namespace

std::unique_ptr<Store> makeSqliteStore(SQLite::Database writer, SQLite::Database reader, const std::filesystem::path& path, bool guest) {
  return std::make_unique<SqliteStore>(std::move(writer), std::move(reader), path, guest);
}

}  // namespace hearth::store
