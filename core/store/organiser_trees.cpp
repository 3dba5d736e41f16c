#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "core/store/message_rows.h"
#include "core/store/organiser_sqlite.h"

namespace hearth::store {

Result<FolderId> folderAt(SQLite::Database& database, UserId owner, const std::vector<std::string>& path) {
  FolderId at = 0;
  for (const std::string& wanted : path) {
    HEARTH_TRY(const std::string name, checkedName(wanted));
    SQLite::Statement find(database, "SELECT id FROM folders WHERE owner IS ? AND parent IS ? AND name = ?");
    bindId(find, 1, owner);
    bindId(find, 2, at);
    find.bind(3, name);
    if (find.executeStep()) {
      at = find.getColumn(0).getInt64();
      continue;
    }
    SQLite::Statement insert(database, "INSERT INTO folders (owner, parent, name) VALUES (?,?,?)");
    bindId(insert, 1, owner);
    bindId(insert, 2, at);
    insert.bind(3, name);
    insert.exec();
    at = database.getLastInsertRowid();
  }
  return at;
}

Result<void> addTag(SQLite::Database& database, UserId owner, ConversationId conversation, const std::string& wanted) {
  HEARTH_TRY(const std::string name, checkedName(wanted));
  SQLite::Statement find(database, "SELECT id FROM tags WHERE owner IS ? AND name = ? COLLATE NOCASE");
  bindId(find, 1, owner);
  find.bind(2, name);
  std::int64_t tag = 0;
  if (find.executeStep()) {
    tag = find.getColumn(0).getInt64();
  } else {
    SQLite::Statement insert(database, "INSERT INTO tags (owner, name) VALUES (?,?)");
    bindId(insert, 1, owner);
    insert.bind(2, name);
    insert.exec();
    tag = database.getLastInsertRowid();
  }
  SQLite::Statement hang(database, "INSERT OR IGNORE INTO conversation_tags (conversation, tag) VALUES (?,?)");
  hang.bind(1, conversation);
  hang.bind(2, tag);
  hang.exec();
  return {};
}

Result<ConversationId> insertTree(SQLite::Database& database, UserId owner, const ConversationTree& tree) {
  const Conversation& c = tree.conversation;
  HEARTH_TRY(const FolderId folder, folderAt(database, owner, tree.folder));
  SQLite::Statement insert(database,
                           "INSERT INTO conversations (title, model, system_prompt, parameters, created_ms, updated_ms, owner, own_prompt,"
                           " folder, pinned_ms) VALUES (?,?,?,?,?,?,?,?,?,?)");
  insert.bind(1, c.title);
  insert.bind(2, c.model);
  insert.bind(3, c.systemPrompt);
  insert.bind(4, c.parametersJson.empty() ? std::string("{}") : c.parametersJson);
  insert.bind(5, c.createdMs);
  insert.bind(6, c.updatedMs);
  bindId(insert, 7, owner);
  insert.bind(8, c.ownPrompt ? 1 : 0);
  bindId(insert, 9, folder);
  insert.bind(10, c.pinnedMs);
  insert.exec();
  const ConversationId id = database.getLastInsertRowid();

  std::unordered_map<MessageId, MessageId> ids{{0, 0}};
  for (const Message& given : tree.messages) {
    const auto parent = ids.find(given.parent);
    if (given.id == 0 || parent == ids.end() || ids.contains(given.id)) {
      return fail(ErrorCode::InvalidArgument, "the messages are no tree: each needs a number of its own and its parent before it",
                  {{"title", c.title}, {"message", std::to_string(given.id)}, {"parent", std::to_string(given.parent)}});
    }
    if (given.state == MessageState::Streaming) {
      return fail(ErrorCode::InvalidArgument, "a message that is being written cannot be imported",
                  {{"title", c.title}, {"message", std::to_string(given.id)}});
    }
    Message row = given;
    row.conversation = id;
    row.parent = parent->second;
    insertMessageRow(database, row);
    ids.emplace(given.id, row.id);
  }
  const auto leaf = ids.find(c.activeLeaf);
  const MessageId shown = leaf != ids.end() && leaf->second != 0 ? leaf->second : tree.messages.empty() ? 0 : ids.at(tree.messages.back().id);
  SQLite::Statement update(database, "UPDATE conversations SET active_leaf = ? WHERE id = ?");
  update.bind(1, shown);
  update.bind(2, id);
  update.exec();
  for (const std::string& tag : tree.tags) HEARTH_CHECK(addTag(database, owner, id, tag));
  return id;
}

Result<ConversationTree> readTree(SQLite::Database& database, UserId owner, ConversationId id) {
  ConversationTree tree;
  {
    SQLite::Statement query(database, fmt::format("SELECT {} FROM conversations WHERE id = ? AND owner IS ?", kConversationColumns));
    query.bind(1, id);
    bindId(query, 2, owner);
    if (!query.executeStep()) return noConversation(id);
    tree.conversation = readConversation(query);
  }
  for (FolderId at = tree.conversation.folder; at != 0;) {
    SQLite::Statement query(database, "SELECT name, parent FROM folders WHERE id = ?");
    query.bind(1, at);
    if (!query.executeStep()) break;
    tree.folder.insert(tree.folder.begin(), query.getColumn(0).getString());
    at = query.getColumn(1).getInt64();
  }
  SQLite::Statement tags(database, "SELECT t.name FROM conversation_tags h JOIN tags t ON t.id = h.tag WHERE h.conversation = ? ORDER BY t.name");
  tags.bind(1, id);
  while (tags.executeStep()) tree.tags.push_back(tags.getColumn(0).getString());
  if (tree.conversation.persona != 0) {
    SQLite::Statement persona(database, "SELECT name FROM personas WHERE id = ?");
    persona.bind(1, tree.conversation.persona);
    if (persona.executeStep()) tree.persona = persona.getColumn(0).getString();
  }
  // A child is always younger than its parent.
  SQLite::Statement messages(database, fmt::format("SELECT {} FROM messages m WHERE m.conversation = ? ORDER BY m.id", kMessageColumns));
  messages.bind(1, id);
  tree.messages = readMessages(messages);
  return tree;
}

}  // namespace hearth::store
