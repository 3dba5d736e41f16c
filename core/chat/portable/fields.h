#pragma once

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/store/organiser.h"

/// What the readers of portable.h share. One thread.
namespace hearth::chat {

/// Where in a file something is, for errors.
struct Place {
  std::string format;
  std::size_t conversation = 0;  ///< from 1; 0 = none yet
  std::string title;
  [[nodiscard]] std::unexpected<Error> bad(std::string message, std::string_view field) const;
};

/// The members of a JSON object, by kind. A member that is missing or null is the value without it; the first of another
/// kind is what done() refuses.
class Fields {
 public:
  Fields(const boost::json::object& object, const Place& place) : m_object(object), m_place(place) {}
  [[nodiscard]] std::string text(std::string_view key);
  [[nodiscard]] std::int64_t whole(std::string_view key);
  [[nodiscard]] double number(std::string_view key);
  [[nodiscard]] bool flag(std::string_view key);
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  [[nodiscard]] const boost::json::object* object(std::string_view key);
  [[nodiscard]] const boost::json::array* array(std::string_view key);
  /// Seconds since the epoch (whole or not) as milliseconds.
  [[nodiscard]] std::int64_t seconds(std::string_view key);
  void refuse(std::string_view key, const char* expected);
  [[nodiscard]] Result<void> done() const;

 private:
  [[nodiscard]] const boost::json::value* find(std::string_view key) const;
  const boost::json::object& m_object;
  const Place& m_place;
  std::optional<Error> m_problem;
};

/// A message of another program's tree. Nodes that are not kept hand their children to their parent.
struct ForeignNode {
  std::string id, parent;  ///< parent empty = a root
  bool keep = true;
  std::string thoughts;    ///< of a node that is not kept: reasoning of the reply below it
  Message message;
};

/// Puts the nodes into `tree`, parents before children, else in their order (`byTime`: older first), numbered from 1;
/// `active` is the id of the shown leaf, or empty. Errors: Corrupt (an id twice, a parent that is not there, a circle).
[[nodiscard]] Result<void> growTree(store::ConversationTree& tree, std::vector<ForeignNode> nodes, const std::string& active, bool byTime,
                                    const Place& place);

[[nodiscard]] Result<std::vector<store::ConversationTree>> readOurJson(const boost::json::object& document);
[[nodiscard]] Result<std::vector<store::ConversationTree>> readOurMarkdown(std::string_view text);
[[nodiscard]] Result<std::vector<store::ConversationTree>> readChatGpt(const boost::json::array& list);
[[nodiscard]] Result<std::vector<store::ConversationTree>> readOpenWebUi(const boost::json::array& list);

[[nodiscard]] std::string_view stateName(MessageState state) noexcept;
[[nodiscard]] std::optional<MessageState> stateNamed(std::string_view name) noexcept;

/// One message of ours without its text, as both of our formats keep it; and back.
[[nodiscard]] boost::json::object messageFacts(const Message& message);
[[nodiscard]] Message readFacts(Fields& fields);
[[nodiscard]] boost::json::object conversationFacts(const store::ConversationTree& tree);
void readFacts(Fields& fields, store::ConversationTree& tree);

}  // namespace hearth::chat
