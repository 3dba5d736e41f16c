#include "core/store/message_rows.h"

#include <chrono>

#include "core/store/stored_calls.h"
#include "core/store/stored_error.h"

namespace hearth::store {

std::int64_t nowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

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
  c.persona = row.getColumn(9).getInt64();
  c.ownPrompt = row.getColumn(10).getInt() != 0;
  c.folder = row.getColumn(11).getInt64();
  c.pinnedMs = row.getColumn(12).getInt64();
  c.trashedMs = row.getColumn(13).getInt64();
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
  m.error = readError(row.getColumn(13).getString(), row.getColumn(7).getString(), row.getColumn(14).getString());
  m.createdMs = row.getColumn(8).getInt64();
  m.promptTokens = row.getColumn(9).getInt();
  m.generatedTokens = row.getColumn(10).getInt();
  m.tokensPerSecond = row.getColumn(11).getDouble();
  m.firstTokenSeconds = row.getColumn(12).getDouble();
  m.lengthLimited = row.getColumn(15).getInt() != 0;
  m.reasoning = row.getColumn(16).getString();
  m.calls = readCalls(row.getColumn(17).getString());
  m.siblingIndex = row.getColumn(18).getInt();
  m.siblingCount = row.getColumn(19).getInt();
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

ConversationId conversationOf(SQLite::Database& database, MessageId id) {
  SQLite::Statement query(database, "SELECT conversation FROM messages WHERE id = ?");
  query.bind(1, id);
  return query.executeStep() ? query.getColumn(0).getInt64() : 0;
}

void insertMessageRow(SQLite::Database& database, Message& message) {
  SQLite::Statement insert(
      database,
      "INSERT INTO messages (conversation, parent, role, state, text, model, error, created_ms, prompt_tokens,"
      " generated_tokens, tokens_per_second, first_token_seconds, error_code, error_evidence, length_limited,"
      " reasoning, calls)"
      " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
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
  insert.bind(14, message.error ? evidenceText(*message.error) : std::string());
  insert.bind(15, message.lengthLimited ? 1 : 0);
  insert.bind(16, message.reasoning);
  insert.bind(17, callsText(message.calls));
  insert.exec();
  message.id = database.getLastInsertRowid();
}

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
  insertMessageRow(database, message);
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

Result<void> updateMessage(SQLite::Database& database, const Message& message) {
  SQLite::Statement update(database,
                           "UPDATE messages SET text = ?, state = ?, error = ?, model = ?, prompt_tokens = ?,"
                           " generated_tokens = ?, tokens_per_second = ?, first_token_seconds = ?, error_code = ?,"
                           " error_evidence = ?, length_limited = ?, reasoning = ?, calls = ? WHERE id = ?");
  update.bind(1, message.text);
  update.bind(2, static_cast<int>(message.state));
  update.bind(3, message.error ? message.error->message : std::string());
  update.bind(4, message.model);
  update.bind(5, message.promptTokens);
  update.bind(6, message.generatedTokens);
  update.bind(7, message.tokensPerSecond);
  update.bind(8, message.firstTokenSeconds);
  update.bind(9, message.error ? std::string(errorCodeName(message.error->code)) : std::string());
  update.bind(10, message.error ? evidenceText(*message.error) : std::string());
  update.bind(11, message.lengthLimited ? 1 : 0);
  update.bind(12, message.reasoning);
  update.bind(13, callsText(message.calls));
  update.bind(14, message.id);
  if (update.exec() == 0) return noMessage(message.id);
  return {};
}

}  // namespace hearth::store
