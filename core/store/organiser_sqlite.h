#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <memory>
#include <string>

#include "core/store/organiser.h"
#include "core/store/store.h"
#include "core/store/writer.h"

namespace hearth::store {

/// The organiser over a reading connection of its own; `writer` outlives it. Throws SQLite::Exception.
[[nodiscard]] std::unique_ptr<Organiser> makeOrganiser(Writer& writer, const std::filesystem::path& path);

/// The conversation's persona is there and of its owner. Throws SQLite::Exception.
[[nodiscard]] bool ownsPersona(SQLite::Database& database, const Conversation& conversation);

/// 0 is NULL: the machine's own user, no folder, no persona.
inline void bindId(SQLite::Statement& statement, int index, std::int64_t id) {
  if (id != 0) {
    statement.bind(index, id);
  } else {
    statement.bind(index);
  }
}

/// What a person typed as a name: blanks at its ends are dropped. Error: InvalidArgument (empty, longer than 200 bytes, a
/// line break in it).
[[nodiscard]] Result<std::string> checkedName(const std::string& text);

/// In the running transaction. Folders of `path` that are missing are made. 0 for an empty path.
[[nodiscard]] Result<FolderId> folderAt(SQLite::Database& database, UserId owner, const std::vector<std::string>& path);
/// Hangs the tag of that name on a conversation; made when it is new.
[[nodiscard]] Result<void> addTag(SQLite::Database& database, UserId owner, ConversationId conversation, const std::string& name);
/// Writes a whole tree as a new conversation of `owner`.
[[nodiscard]] Result<ConversationId> insertTree(SQLite::Database& database, UserId owner, const ConversationTree& tree);
[[nodiscard]] Result<ConversationTree> readTree(SQLite::Database& database, UserId owner, ConversationId id);

}  // namespace hearth::store
