#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/team_store.h"

// How the team's values stand in SQLite; for the store's own files.
namespace hearth::store {

inline void bindValue(SQLite::Statement& statement, int index, std::int64_t value) { statement.bind(index, value); }
inline void bindValue(SQLite::Statement& statement, int index, const std::string& value) { statement.bind(index, value); }
inline void bindValue(SQLite::Statement& statement, int index, const Digest& value) {
  statement.bind(index, value.data(), static_cast<int>(value.size()));
}

/// All zero when the column holds something else.
[[nodiscard]] inline Digest readDigest(const SQLite::Column& column) {
  Digest digest{};
  if (column.getBytes() == static_cast<int>(digest.size())) std::memcpy(digest.data(), column.getBlob(), digest.size());
  return digest;
}

/// Lists of names in one column, a name a line: names hold no line ends.
[[nodiscard]] std::vector<std::string> splitLines(std::string_view text);
[[nodiscard]] std::string joinLines(const std::vector<std::string>& lines);

[[nodiscard]] std::int64_t readTeamVersion(SQLite::Database& database);
[[nodiscard]] TeamStore::AuditHead readAuditHead(SQLite::Database& database);
void writeAuditHead(SQLite::Database& database, const TeamStore::AuditHead& head);

}  // namespace hearth::store
