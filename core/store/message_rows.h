#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <vector>

#include "core/store/store.h"

/// Rows of conversations and messages, to and from SQL. Throws SQLite::Exception, but where a Result is returned for what
/// is not there. On whichever thread holds the connection.
namespace hearth::store {

inline constexpr const char* kConversationColumns =
    "id, title, model, system_prompt, parameters, created_ms, updated_ms, active_leaf, owner, persona, own_prompt, folder,"
    " pinned_ms, trashed_ms";
// Sibling numbers count children of the same parent by age; roots of a conversation are siblings of each other.
inline constexpr const char* kMessageColumns =
    "m.id, m.conversation, m.parent, m.role, m.state, m.text, m.model, m.error, m.created_ms, m.prompt_tokens,"
    " m.generated_tokens, m.tokens_per_second, m.first_token_seconds, m.error_code, m.error_evidence, m.length_limited,"
    " m.reasoning, m.calls,"
    " (SELECT count(*) FROM messages s WHERE s.conversation = m.conversation AND s.parent IS m.parent AND s.id < m.id),"
    " (SELECT count(*) FROM messages s WHERE s.conversation = m.conversation AND s.parent IS m.parent)";

/// A row of kConversationColumns.
[[nodiscard]] Conversation readConversation(SQLite::Statement& row);
/// A row of kMessageColumns (of messages m).
[[nodiscard]] Message readMessage(SQLite::Statement& row);
[[nodiscard]] std::vector<Message> readMessages(SQLite::Statement& query);

[[nodiscard]] std::unexpected<Error> noConversation(ConversationId id);
[[nodiscard]] std::unexpected<Error> noMessage(MessageId id);

/// 0 when the message does not exist.
[[nodiscard]] ConversationId conversationOf(SQLite::Database& database, MessageId id);

/// Inserts the row as it is, createdMs included, and fills the id. The conversation and the parent must be there.
void insertMessageRow(SQLite::Database& database, Message& message);
/// Inserts one message into the running transaction and makes it the active leaf; fills id, createdMs and sibling numbers.
[[nodiscard]] Result<void> insertMessage(SQLite::Database& database, Message& message);
/// What can change of a message that is there. Error: NotFound.
[[nodiscard]] Result<void> updateMessage(SQLite::Database& database, const Message& message);

[[nodiscard]] std::int64_t nowMs();

}  // namespace hearth::store
