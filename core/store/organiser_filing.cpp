#include "core/store/message_rows.h"
#include "core/store/organiser_sqlite.h"

namespace hearth::store {

namespace {
constexpr std::size_t kLongestName = 200;
}

Result<std::string> checkedName(const std::string& text) {
  constexpr const char* kBlank = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string::npos) return fail(ErrorCode::InvalidArgument, "the name is empty", {{"field", "name"}});
  std::string name = text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
  if (name.size() > kLongestName) {
    return fail(ErrorCode::InvalidArgument, "the name is too long",
                {{"field", "name"}, {"bytes", std::to_string(name.size())}, {"limit", std::to_string(kLongestName)}});
  }
  if (name.find_first_of(std::string("\n\r\0", 3)) != std::string::npos)
    return fail(ErrorCode::InvalidArgument, "the name is more than a line", {{"field", "name"}});
  return name;
}

bool ownsPersona(SQLite::Database& database, const Conversation& conversation) {
  SQLite::Statement query(database,
                          "SELECT 1 FROM personas p JOIN conversations c ON c.owner IS p.owner WHERE p.id = ? AND c.id = ?");
  query.bind(1, conversation.persona);
  query.bind(2, conversation.id);
  return query.executeStep();
}

}  // namespace hearth::store
