#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <mutex>

#include "core/base/log.h"
#include "core/base/platform/platform.h"
#include "core/store/schema.h"
#include "core/store/sqlite_file.h"
#include "core/store/stored_error.h"
#include "core/store/store.h"
#include "core/store/team_store_sqlite.h"
#include "core/store/writer.h"

namespace hearth {
namespace {

using store::guarded;

std::int64_t nowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

constexpr const char* kConversationColumns = "id, title, model, system_prompt, parameters, created_ms, updated_ms, active_leaf, owner";
// Sibling numbers count children of the same parent by age; roots of a conversation are siblings of each other.
constexpr const char* kMessageColumns =
    "m.id, m.conversation, m.parent, m.role, m.state, m.text, m.model, m.error, m.created_ms, m.prompt_tokens,"
    " m.generated_tokens, m.tokens_per_second, m.first_token_seconds, m.error_code, m.error_evidence, m.length_limited,"
    " (SELECT count(*) FROM messages s WHERE s.conversation = m.conversation AND s.parent IS m.parent AND s.id < m.id),"
    " (SELECT count(*) FROM messages s WHERE s.conversation = m.conversation AND s.parent IS m.parent)";

Conversation readConversation(SQLite::Statement& row) {
  Conversation c;
  c.id = row.getColumn(0).getInt64();
  c.title = row.getColumn(1).getString();
  c.model = row.getColumn(2).getString();
  c.systemPrompt = row.getColumn(3).getString();
  c.parametersJson = row.getColumn(4).getString();
  c.createdMs = row.getColumn(5).getInt64();
  c.updatedMs = row.getColumn(6).getInt64();
  c.activeLeaf = row.getColumn(7).getInt64();
  c.owner = row.getColumn(8).getInt64();  // NULL reads as 0 = the machine's own
  return c;
}

Message readMessage(SQLite::Statement& row) {
  Message m;
  m.id = row.getColumn(0).getInt64();
  m.conversation = row.getColumn(1).getInt64();
  m.parent = row.getColumn(2).getInt64();  // NULL reads as 0 = root
  m.role = static_cast<Role>(row.getColumn(3).getInt());
  m.state = static_cast<MessageState>(row.getColumn(4).getInt());
  m.text = row.getColumn(5).getString();
  m.model = row.getColumn(6).getString();
  m.error = store::readError(row.getColumn(13).getString(), row.getColumn(7).getString(), row.getColumn(14).getString());
  m.createdMs = row.getColumn(8).getInt64();
  m.promptTokens = row.getColumn(9).getInt();
  m.generatedTokens = row.getColumn(10).getInt();
  m.tokensPerSecond = row.getColumn(11).getDouble();
  m.firstTokenSeconds = row.getColumn(12).getDouble();
  m.lengthLimited = row.getColumn(15).getInt() != 0;
  m.siblingIndex = row.getColumn(16).getInt();
  m.siblingCount = row.getColumn(17).getInt();
  return m;
}

std::vector<Message> readMessages(SQLite::Statement& query) {
  std::vector<Message> messages;
  while (query.executeStep()) messages.push_back(readMessage(query));
  return messages;
}

std::unexpected<Error> noConversation(ConversationId id) {
  return fail(ErrorCode::NotFound, "there is no such conversation", {{"conversation", std::to_string(id)}});
}
std::unexpected<Error> noMessage(MessageId id) {
  return fail(ErrorCode::NotFound, "there is no such message", {{"message", std::to_string(id)}});
}

/// 0 when the message does not exist.
ConversationId conversationOf(SQLite::Database& database, MessageId id) {
  SQLite::Statement query(database, "SELECT conversation FROM messages WHERE id = ?");
  query.bind(1, id);
  return query.executeStep() ? query.getColumn(0).getInt64() : 0;
}

// Inserts one message into the running transaction; fills id, createdMs and sibling numbers.
Result<void> insertMessage(SQLite::Database& database, Message& message) {
  SQLite::Statement known(database, "SELECT 1 FROM conversations WHERE id = ?");
  known.bind(1, message.conversation);
  if (!known.executeStep()) return noConversation(message.conversation);
  if (message.parent != 0) {
    const ConversationId owner = conversationOf(database, message.parent);
    if (owner == 0) return noMessage(message.parent);
    if (owner != message.conversation) {
      return fail(ErrorCode::InvalidArgument, "the parent belongs to another conversation",
                  {{"parent", std::to_string(message.parent)}, {"conversation", std::to_string(message.conversation)}});
    }
  }
  message.createdMs = nowMs();
  SQLite::Statement insert(database,
                           "INSERT INTO messages (conversation, parent, role, state, text, model, error, created_ms, prompt_tokens,"
                           " generated_tokens, tokens_per_second, first_token_seconds, error_code, error_evidence, length_limited)"
                           " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  insert.bind(1, message.conversation);
  if (message.parent != 0) insert.bind(2, message.parent);
  insert.bind(3, static_cast<int>(message.role));
  insert.bind(4, static_cast<int>(message.state));
  insert.bind(5, message.text);
  insert.bind(6, message.model);
  insert.bind(7, message.error ? message.error->message : std::string());
  insert.bind(8, message.createdMs);
  insert.bind(9, message.promptTokens);
  insert.bind(10, message.generatedTokens);
  insert.bind(11, message.tokensPerSecond);
  insert.bind(12, message.firstTokenSeconds);
  insert.bind(13, message.error ? std::string(errorCodeName(message.error->code)) : std::string());
  insert.bind(14, message.error ? store::evidenceText(*message.error) : std::string());
  insert.bind(15, message.lengthLimited ? 1 : 0);
  insert.exec();
  message.id = database.getLastInsertRowid();
  SQLite::Statement siblings(database, "SELECT count(*) FROM messages WHERE conversation = ? AND parent IS ?");
  siblings.bind(1, message.conversation);
  if (message.parent != 0) siblings.bind(2, message.parent);
  siblings.executeStep();
  message.siblingCount = siblings.getColumn(0).getInt();
  message.siblingIndex = message.siblingCount - 1;
  SQLite::Statement touch(database, "UPDATE conversations SET active_leaf = ?, updated_ms = ? WHERE id = ?");
  touch.bind(1, message.id);
  touch.bind(2, message.createdMs);
  touch.bind(3, message.conversation);
  touch.exec();
  return {};
}

/// The real store. Constant after construction: m_path, m_guest, m_writer, m_team. m_reader is guarded by m_readMutex.
class SqliteStore final : public Store {
 public:
  SqliteStore(SQLite::Database writer, SQLite::Database reader, const std::filesystem::path& path, bool guest)
      : m_path(path),
        m_guest(guest),
        m_writer(std::make_unique<store::Writer>(std::move(writer), path, guest)),
        m_team(store::makeTeamStore(*m_writer, path)),
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
      SQLite::Statement update(database, "UPDATE conversations SET title = ?, model = ?, system_prompt = ?, parameters = ?,"
                                         " active_leaf = ? WHERE id = ?");
      update.bind(1, conversation.title);
      update.bind(2, conversation.model);
      update.bind(3, conversation.systemPrompt);
      update.bind(4, conversation.parametersJson);
      update.bind(5, conversation.activeLeaf);
      update.bind(6, conversation.id);
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
    return m_writer->run([&](SQLite::Database& database) -> Result<void> {
      SQLite::Statement update(database, "UPDATE messages SET text = ?, state = ?, error = ?, model = ?, prompt_tokens = ?,"
                                         " generated_tokens = ?, tokens_per_second = ?, first_token_seconds = ?, error_code = ?,"
                                         " error_evidence = ?, length_limited = ? WHERE id = ?");
      update.bind(1, message.text);
      update.bind(2, static_cast<int>(message.state));
      update.bind(3, message.error ? message.error->message : std::string());
      update.bind(4, message.model);
      update.bind(5, message.promptTokens);
      update.bind(6, message.generatedTokens);
      update.bind(7, message.tokensPerSecond);
      update.bind(8, message.firstTokenSeconds);
      update.bind(9, message.error ? std::string(errorCodeName(message.error->code)) : std::string());
      update.bind(10, message.error ? store::evidenceText(*message.error) : std::string());
      update.bind(11, message.lengthLimited ? 1 : 0);
      update.bind(12, message.id);
      if (update.exec() == 0) return noMessage(message.id);
      return {};
    });
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
  std::mutex m_readMutex;
  SQLite::Database m_reader;
};

// Proves that the file can be written before SQLite sees it: SQLite would quietly open it for reading only.
Result<bool> checkFile(const std::filesystem::path& path) {
  std::filesystem::path folder = path.parent_path();
  if (folder.empty()) folder = ".";
  HEARTH_CHECK(platform::proveWritable(folder));
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  std::uintmax_t bytes = 0;
  if (std::filesystem::exists(status)) {
    if (!std::filesystem::is_regular_file(status)) {
      return fail(ErrorCode::Io, "the database's name belongs to something that is not a file", {{"path", path.string()}});
    }
    std::FILE* file = std::fopen(path.c_str(), "r+b");
    if (file == nullptr) return fail(errorFromErrno(errno, "cannot open the database for writing", path.string()));
    std::fclose(file);
    bytes = std::filesystem::file_size(path, code);
  }
  std::filesystem::path log = path;
  log += "-wal";
  const auto logBytes = std::filesystem::file_size(log, code);
  if (bytes == 0 && !code && logBytes > 0) {
    // SQLite would delete the log of an empty database, and with it what was acknowledged.
    return fail(ErrorCode::Corrupt, "the database is empty, but its log is not",
                {{"path", path.string()}, {"log_bytes", std::to_string(logBytes)}});
  }
  return bytes > 0;
}

// Reads everything once when the last user of the database did not close it.
Result<void> checkContent(SQLite::Database& database, const std::filesystem::path& path) {
  const bool hasMeta = database.execAndGet("SELECT count(*) FROM sqlite_schema WHERE name = 'meta'").getInt() > 0;
  bool clean = false;
  if (hasMeta) {
    SQLite::Statement query(database, "SELECT value FROM meta WHERE key = 'clean'");
    clean = query.executeStep() && query.getColumn(0).getString() == "1";
  }
  if (clean) return {};
  if (const std::string findings = store::quickCheck(database); findings != "ok") {
    return fail(ErrorCode::Corrupt, "the database is damaged", {{"path", path.string()}, {"check", findings}});
  }
  return {};
}

Result<void> prepare(SQLite::Database& database, const std::filesystem::path& path, bool existed) {
  return guarded(path, [&]() -> Result<void> {
    if (sqlite3_db_readonly(database.getHandle(), "main") == 1) {
      return fail(ErrorCode::ReadOnly, "the database cannot be written", {{"path", path.string()}});
    }
    if (existed) {
      if (auto content = checkContent(database, path); !content) return content;
    } else {
      std::error_code ignored;
      std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);
    }
    // What is not ours to change is refused before anything is written to it.
    if (auto identity = store::checkIdentity(database, path, store::migrations().back().version); !identity) return identity;
    if (database.execAndGet("PRAGMA journal_mode=WAL").getString() != "wal") {
      return fail(ErrorCode::Io, "the disk does not support SQLite's write-ahead log", {{"path", path.string()}});
    }
    database.exec("PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216");
    if (auto migrated = store::migrate(database, path, store::migrations()); !migrated) return migrated;
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec("UPDATE meta SET value = '0' WHERE key = 'clean'");
    SQLite::Statement interrupt(database, "UPDATE messages SET state = ? WHERE state = ?");
    interrupt.bind(1, static_cast<int>(MessageState::Interrupted));
    interrupt.bind(2, static_cast<int>(MessageState::Streaming));
    const int interrupted = interrupt.exec();
    transaction.commit();
    if (interrupted > 0) log::info("store", fmt::format("{} replies were interrupted when the program last ended", interrupted));
    return {};
  });
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& path) {
  HEARTH_TRY(const bool existed, checkFile(path));
  return guarded(path, [&]() -> Result<std::unique_ptr<Store>> {
    SQLite::Database writer = store::openConnection(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    HEARTH_CHECK(prepare(writer, path, existed));
    SQLite::Database reader = store::openConnection(path, SQLite::OPEN_READONLY);
    reader.exec("PRAGMA query_only=ON");
    return std::make_unique<SqliteStore>(std::move(writer), std::move(reader), path, false);
  });
}

Result<std::unique_ptr<Store>> Store::attach(const std::filesystem::path& path) {
  std::error_code code;
  if (std::filesystem::file_size(path, code) == 0 || code) {
    return fail(ErrorCode::NotFound, "there is no database yet", {{"path", path.string()}});
  }
  HEARTH_CHECK(checkFile(path));
  return guarded(path, [&]() -> Result<std::unique_ptr<Store>> {
    SQLite::Database writer = store::openConnection(path, SQLite::OPEN_READWRITE);
    const int newest = store::migrations().back().version;
    HEARTH_CHECK(store::checkIdentity(writer, path, newest));
    const int version = writer.execAndGet("PRAGMA user_version").getInt();
    if (version == 0 || writer.execAndGet("PRAGMA journal_mode").getString() != "wal") {
      return fail(ErrorCode::NotFound, "the database is just being made", {{"path", path.string()}});
    }
    if (version != newest) {
      return fail(ErrorCode::UnsupportedVersion, "the program that runs is of an older version: end it first",
                  {{"path", path.string()}, {"database_version", std::to_string(version)}, {"supported_version", std::to_string(newest)}});
    }
    SQLite::Database reader = store::openConnection(path, SQLite::OPEN_READONLY);
    reader.exec("PRAGMA query_only=ON");
    return std::make_unique<SqliteStore>(std::move(writer), std::move(reader), path, true);
  });
}

}  // namespace hearth
