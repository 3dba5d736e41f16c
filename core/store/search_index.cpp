#include "core/store/search_index.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/store/organiser_sqlite.h"
#include "core/store/search_tokenizer.h"

namespace hearth::store {
namespace {

struct Kind {
  const char* remove;
  const char* add;
};
constexpr Kind kTitles{"INSERT INTO search_titles (search_titles, rowid, title) VALUES ('delete', ?, ?)",
                       "INSERT INTO search_titles (rowid, title) SELECT id, title FROM conversations WHERE id = ?"};
constexpr Kind kMessages{"INSERT INTO search_messages (search_messages, rowid, text) VALUES ('delete', ?, ?)",
                         "INSERT INTO search_messages (rowid, text) SELECT id, text FROM messages WHERE id = ? AND state <> 1"};

constexpr std::size_t kMostPieces = 32;  // of a query
constexpr char kOpen = '\x02', kClose = '\x03';
constexpr std::size_t kBeforeMark = 40;  // characters of an excerpt before the first word that was found

bool startsCharacter(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

// One line with its marks as byte ranges, cut so that the first mark stands near its beginning.
void takeExcerpt(SearchHit& hit, const std::string& marked) {
  std::size_t from = 0;
  if (const std::size_t mark = marked.find(kOpen); mark != std::string::npos) {
    std::size_t characters = 0;
    from = mark;
    while (from > 0 && characters < kBeforeMark) {
      if (startsCharacter(marked[--from])) ++characters;
    }
    // At the beginning of a word, where one is near.
    if (from > 0) {
      const std::size_t space = marked.find_first_of(" \n\t", from);
      if (space != std::string::npos && space < mark && space - from < 24) from = space + 1;
      hit.excerpt = "…";
    }
  }
  int open = -1;
  for (std::size_t i = from; i < marked.size(); ++i) {
    const char c = marked[i];
    if (c == kOpen) {
      open = static_cast<int>(hit.excerpt.size());
    } else if (c == kClose) {
      if (open >= 0 && static_cast<int>(hit.excerpt.size()) > open) hit.marks.emplace_back(open, static_cast<int>(hit.excerpt.size()));
      open = -1;
    } else if (static_cast<unsigned char>(c) <= ' ') {
      if (!hit.excerpt.empty() && hit.excerpt.back() != ' ') hit.excerpt += ' ';
    } else {
      hit.excerpt += c;
    }
  }
}

std::string excerptOf(SQLite::Database& database, const char* table, const std::string& expression, std::int64_t row) {
  SQLite::Statement query(database, fmt::format("SELECT snippet({0}, 0, char(2), char(3), '…', 40) FROM {0} WHERE {0} MATCH ? AND rowid = ?", table));
  query.bind(1, expression);
  query.bind(2, row);
  return query.executeStep() ? query.getColumn(0).getString() : std::string();
}

}  // namespace

bool indexIsBehind(SQLite::Database& database) {
  SQLite::Statement query(database, "SELECT 1 FROM search_queue LIMIT 1");
  return query.executeStep();
}

bool indexSome(SQLite::Database& database, int most) {
  struct Row {
    int kind;
    std::int64_t id;
    bool indexed;
    std::string old;
  };
  std::vector<Row> rows;
  SQLite::Statement queue(database, "SELECT kind, id, old FROM search_queue LIMIT ?");
  queue.bind(1, most);
  while (queue.executeStep()) {
    rows.push_back({queue.getColumn(0).getInt(), queue.getColumn(1).getInt64(), !queue.getColumn(2).isNull(), queue.getColumn(2).getString()});
  }
  SQLite::Statement done(database, "DELETE FROM search_queue WHERE kind = ? AND id = ?");
  for (const Row& row : rows) {
    const Kind& kind = row.kind == 0 ? kTitles : kMessages;
    if (row.indexed) {
      SQLite::Statement remove(database, kind.remove);
      remove.bind(1, row.id);
      remove.bind(2, row.old);
      remove.exec();
    }
    SQLite::Statement add(database, kind.add);
    add.bind(1, row.id);
    add.exec();
    done.reset();
    done.bind(1, row.kind);
    done.bind(2, row.id);
    done.exec();
  }
  return !rows.empty();
}

std::string searchExpression(const std::string& words) {
  struct Piece {
    std::string text;
    bool quoted;
  };
  std::vector<Piece> pieces;
  bool quoted = false;
  std::string piece;
  const auto close = [&] {
    bool any = false;
    splitWords(piece, [&](std::string_view, std::size_t, std::size_t) {
      any = true;
      return false;
    });
    if (any && pieces.size() < kMostPieces) pieces.push_back({piece, quoted});
    piece.clear();
  };
  for (const char c : words) {
    if (c == '"') {
      close();
      quoted = !quoted;
    } else if (!quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      close();
    } else if (c != '\0') {
      piece += c;
    }
  }
  close();
  std::string expression;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    // Quotes are never part of a piece, so that nothing in it can be an operator.
    expression += fmt::format("{}\"{}\"", i > 0 ? " " : "", pieces[i].text);
    if (i + 1 == pieces.size() && !pieces[i].quoted) expression += " *";
  }
  return expression;
}

std::vector<SearchHit> findWords(SQLite::Database& database, UserId owner, const std::string& expression, int most) {
  std::vector<SearchHit> hits;
  SQLite::Statement titles(database,
                           "SELECT c.id, c.title, c.updated_ms FROM search_titles JOIN conversations c ON c.id = search_titles.rowid"
                           " WHERE search_titles MATCH ?1 AND c.owner IS ?2 AND c.trashed_ms IS NULL"
                           " ORDER BY bm25(search_titles), c.updated_ms DESC LIMIT ?3");
  titles.bind(1, expression);
  bindId(titles, 2, owner);
  titles.bind(3, most);
  while (titles.executeStep()) {
    SearchHit hit;
    hit.conversation = titles.getColumn(0).getInt64();
    hit.title = titles.getColumn(1).getString();
    hit.timeMs = titles.getColumn(2).getInt64();
    takeExcerpt(hit, excerptOf(database, "search_titles", expression, hit.conversation));
    hits.push_back(std::move(hit));
  }
  SQLite::Statement messages(
      database,
      "SELECT m.id, m.conversation, c.title, m.role, m.created_ms FROM search_messages JOIN messages m ON m.id = search_messages.rowid"
      " JOIN conversations c ON c.id = m.conversation WHERE search_messages MATCH ?1 AND c.owner IS ?2 AND c.trashed_ms IS NULL"
      " ORDER BY bm25(search_messages), m.id DESC LIMIT ?3");
  messages.bind(1, expression);
  bindId(messages, 2, owner);
  messages.bind(3, std::max(0, most - static_cast<int>(hits.size())));
  while (messages.executeStep()) {
    SearchHit hit;
    hit.message = messages.getColumn(0).getInt64();
    hit.conversation = messages.getColumn(1).getInt64();
    hit.title = messages.getColumn(2).getString();
    hit.role = static_cast<Role>(messages.getColumn(3).getInt());
    hit.timeMs = messages.getColumn(4).getInt64();
    takeExcerpt(hit, excerptOf(database, "search_messages", expression, hit.message));
    hits.push_back(std::move(hit));
  }
  return hits;
}

}  // namespace hearth::store
