#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>
#include <vector>

#include "core/store/organiser.h"

/// The full-text index of organiser_schema.h. Throws SQLite::Exception. On whichever thread holds the connection.
namespace hearth::store {

[[nodiscard]] bool indexIsBehind(SQLite::Database& database);
/// Takes at most `most` rows off the queue, in the running transaction. False when the queue was empty.
bool indexSome(SQLite::Database& database, int most);

/// What a person typed, as an FTS5 expression; empty when there is no word in it.
[[nodiscard]] std::string searchExpression(const std::string& words);
[[nodiscard]] std::vector<SearchHit> findWords(SQLite::Database& database, UserId owner, const std::string& expression, int most);

}  // namespace hearth::store
