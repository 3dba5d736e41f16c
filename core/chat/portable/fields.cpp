#include "core/chat/portable/fields.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cmath>
#include <queue>
#include <unordered_map>

namespace hearth::chat {

namespace json = boost::json;

namespace {
constexpr std::array<std::string_view, 5> kStates{"complete", "streaming", "interrupted", "stopped", "failed"};  // by their numbers
constexpr double kLatestMs = 253402300800000.0;  // the year 10000
}  // namespace

std::unexpected<Error> Place::bad(std::string message, std::string_view field) const {
  Error error{ErrorCode::Corrupt, std::move(message), {{"format", format}}};
  if (conversation > 0) error.evidence.push_back({"conversation", std::to_string(conversation)});
  if (!title.empty()) error.evidence.push_back({"title", title});
  if (!field.empty()) error.evidence.push_back({"field", std::string(field)});
  return fail(std::move(error));
}

std::string_view stateName(MessageState state) noexcept { return kStates[static_cast<std::size_t>(state)]; }
std::optional<MessageState> stateNamed(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == name) return static_cast<MessageState>(i);
  }
  return std::nullopt;
}

const json::value* Fields::find(std::string_view key) const {
  const json::value* value = m_object.if_contains({key.data(), key.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

void Fields::refuse(std::string_view key, const char* expected) {
  if (m_problem) return;
  m_problem = m_place.bad("a value is of the wrong kind", key).error();
  m_problem->evidence.push_back({"expected", expected});
}

Result<void> Fields::done() const {
  if (m_problem) return fail(*m_problem);
  return {};
}

std::string Fields::text(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr) return {};
  if (const json::string* string = value->if_string()) return std::string(string->data(), string->size());
  refuse(key, "text");
  return {};
}

std::int64_t Fields::whole(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr) return 0;
  boost::system::error_code code;
  const auto number = value->to_number<std::int64_t>(code);
  if (!code) return number;
  refuse(key, "a whole number");
  return 0;
}

double Fields::number(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr) return 0;
  boost::system::error_code code;
  const auto number = value->to_number<double>(code);
  if (!code) return number;
  refuse(key, "a number");
  return 0;
}

std::int64_t Fields::seconds(std::string_view key) {
  const double ms = number(key) * 1000;
  if (!(ms >= 0 && ms < kLatestMs)) {
    refuse(key, "a time in seconds");
    return 0;
  }
  return std::llround(ms);
}

bool Fields::flag(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr) return false;
  if (const bool* flag = value->if_bool()) return *flag;
  refuse(key, "true or false");
  return false;
}

std::vector<std::string> Fields::texts(std::string_view key) {
  std::vector<std::string> list;
  const json::array* array = this->array(key);
  if (array == nullptr) return list;
  for (const json::value& value : *array) {
    if (!value.is_string()) {
      refuse(key, "a list of texts");
      return {};
    }
    list.emplace_back(value.get_string().data(), value.get_string().size());
  }
  return list;
}

const json::object* Fields::object(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) refuse(key, "an object");
  return value->if_object();
}

const json::array* Fields::array(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) refuse(key, "a list");
  return value->if_array();
}

Result<void> growTree(store::ConversationTree& tree, std::vector<ForeignNode> nodes, const std::string& active, bool byTime,
                      const Place& place) {
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!index.emplace(nodes[i].id, i).second) return place.bad("two messages have the same id", "id");
  }
  std::vector<std::vector<std::size_t>> below(nodes.size());
  // Those whose parent is placed, the one that comes next first.
  using Ready = std::pair<std::int64_t, std::size_t>;
  std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready;
  const auto offer = [&](std::size_t i) { ready.emplace(byTime ? nodes[i].message.createdMs : 0, i); };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].parent.empty()) {
      offer(i);
      continue;
    }
    const auto parent = index.find(nodes[i].parent);
    if (parent == index.end()) return place.bad("a message names a parent that is not there", "parent");
    below[parent->second].push_back(i);
  }
  // Of each node: the number of the message that its children hang below, and reasoning that waits for a reply.
  std::vector<MessageId> placedAs(nodes.size(), 0);
  std::size_t placed = 0;
  for (; !ready.empty(); ++placed) {
    const std::size_t i = ready.top().second;
    ready.pop();
    ForeignNode& node = nodes[i];
    std::size_t above = nodes.size();
    if (!node.parent.empty()) above = index.at(node.parent);
    const MessageId parent = above < nodes.size() ? placedAs[above] : 0;
    if (above < nodes.size() && !nodes[above].keep && !nodes[above].thoughts.empty()) {
      node.thoughts.insert(0, node.thoughts.empty() ? nodes[above].thoughts : nodes[above].thoughts + "\n\n");
    }
    if (node.keep) {
      node.message.parent = parent;
      node.message.id = static_cast<MessageId>(tree.messages.size()) + 1;
      placedAs[i] = node.message.id;
      if (node.message.role == Role::Assistant && node.message.reasoning.empty()) node.message.reasoning = std::move(node.thoughts);
      node.thoughts.clear();
      tree.messages.push_back(std::move(node.message));
    } else {
      placedAs[i] = parent;
    }
    for (const std::size_t child : below[i]) offer(child);
  }
  if (placed < nodes.size()) return place.bad("the messages form a circle", "parent");
  const auto leaf = index.find(active);
  tree.conversation.activeLeaf = leaf != index.end() ? placedAs[leaf->second] : 0;
  if (tree.conversation.activeLeaf == 0 && !tree.messages.empty()) tree.conversation.activeLeaf = tree.messages.back().id;
  return {};
}

}  // namespace hearth::chat
