#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "core/chat/portable/fields.h"

// Open WebUI's export: a list of rows {title, chat, created_at, updated_at in seconds, pinned, meta.tags}, where chat.history
// has messages: id → {id, parentId, role, content, timestamp, model} and currentId. Rows that were exported one by one are
// the chat itself.
namespace hearth::chat {

namespace json = boost::json;

namespace {

// Reasoning stands in the content, as <details type="reasoning" …><summary>…</summary> quoted lines </details>.
void splitReasoning(Message& message) {
  constexpr std::string_view kOpen = "<details type=\"reasoning\"";
  constexpr std::string_view kClose = "</details>";
  for (;;) {
    const std::size_t begin = message.text.find(kOpen);
    if (begin == std::string::npos) return;
    const std::size_t end = message.text.find(kClose, begin);
    const std::size_t inside = message.text.find('>', begin);
    if (end == std::string::npos || inside > end) return;
    std::string block = message.text.substr(inside + 1, end - inside - 1);
    if (const std::size_t summary = block.find("</summary>"); summary != std::string::npos) block.erase(0, summary + 10);
    std::string thought;
    for (std::size_t at = 0; at < block.size();) {
      const std::size_t stop = std::min(block.find('\n', at), block.size());
      std::string_view line = std::string_view(block).substr(at, stop - at);
      at = stop + 1;
      if (line.starts_with("&gt; ")) line.remove_prefix(5);
      if (line.starts_with("> ")) line.remove_prefix(2);
      if (line == ">") line = {};
      if (thought.empty() && line.empty()) continue;
      thought.append(line).append("\n");
    }
    while (thought.ends_with('\n')) thought.pop_back();
    if (!message.reasoning.empty()) message.reasoning += "\n\n";
    message.reasoning += thought;
    std::size_t rest = end + kClose.size();
    while (rest < message.text.size() && message.text[rest] == '\n') ++rest;
    message.text.erase(begin, rest - begin);
  }
}

Result<ForeignNode> readNode(const std::string& id, const json::value& value, const Place& place) {
  if (!value.is_object()) return place.bad("a message is not an object", "messages");
  ForeignNode node;
  node.id = id;
  Fields fields(value.get_object(), place);
  node.parent = fields.text("parentId");
  const auto role = messageRoleNamed(fields.text("role"));
  node.message.text = fields.text("content");
  node.message.createdMs = fields.seconds("timestamp");
  if (role == Role::Assistant) node.message.model = fields.text("model");
  HEARTH_CHECK(fields.done());
  if (!role) return place.bad("a message has a role that is not known", "role");
  node.message.role = *role;
  if (*role == Role::Assistant) splitReasoning(node.message);
  node.keep = !node.message.text.empty() || !node.message.reasoning.empty();
  return node;
}

}  // namespace

Result<std::vector<store::ConversationTree>> readOpenWebUi(const json::array& list) {
  Place place{"openwebui", 0, {}};
  std::vector<store::ConversationTree> trees;
  for (const json::value& value : list) {
    ++place.conversation;
    place.title.clear();
    if (!value.is_object()) return place.bad("a conversation is not an object", {});
    store::ConversationTree tree;
    Fields row(value.get_object(), place);
    const json::object* chat = row.object("chat");
    tree.conversation.title = row.text("title");
    tree.conversation.createdMs = row.seconds("created_at");
    tree.conversation.updatedMs = row.seconds("updated_at");
    tree.conversation.parametersJson = "{}";
    if (row.flag("pinned")) tree.conversation.pinnedMs = tree.conversation.updatedMs;
    if (const json::object* meta = row.object("meta")) {
      Fields inner(*meta, place);
      tree.tags = inner.texts("tags");
      HEARTH_CHECK(inner.done());
    }
    HEARTH_CHECK(row.done());
    if (chat == nullptr) return place.bad("the chat is missing", "chat");
    Fields inner(*chat, place);
    if (tree.conversation.title.empty()) tree.conversation.title = inner.text("title");
    place.title = tree.conversation.title;
    if (const auto models = inner.texts("models"); !models.empty()) tree.conversation.model = models.front();
    if (inner.array("tags") != nullptr && tree.tags.empty()) tree.tags = inner.texts("tags");
    tree.conversation.systemPrompt = inner.text("system");
    const json::object* history = inner.object("history");
    HEARTH_CHECK(inner.done());
    if (history == nullptr) return place.bad("the messages are missing", "history");
    Fields past(*history, place);
    const std::string current = past.text("currentId");
    const json::object* messages = past.object("messages");
    HEARTH_CHECK(past.done());
    std::vector<ForeignNode> nodes;
    if (messages != nullptr) {
      for (const auto& [key, message] : *messages) {
        HEARTH_TRY(ForeignNode node, readNode(std::string(key), message, place));
        nodes.push_back(std::move(node));
      }
    }
    HEARTH_CHECK(growTree(tree, std::move(nodes), current, true, place));
    if (tree.messages.empty()) continue;
    if (tree.conversation.updatedMs == 0) tree.conversation.updatedMs = tree.messages.back().createdMs;
    if (tree.conversation.createdMs == 0) tree.conversation.createdMs = tree.messages.front().createdMs;
    trees.push_back(std::move(tree));
  }
  return trees;
}

}  // namespace hearth::chat
