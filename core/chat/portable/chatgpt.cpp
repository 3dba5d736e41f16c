#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "core/chat/portable/fields.h"

// ChatGPT's conversations.json: a list of conversations, each with `mapping`: node id → {message, parent, children}, where a
// message has author.role, content.content_type with parts, create_time in seconds and metadata.model_slug.
namespace hearth::chat {

namespace json = boost::json;

namespace {

void addLine(std::string& text, std::string_view line) {
  if (line.empty()) return;
  if (!text.empty()) text += "\n\n";
  text += line;
}

// The text of a content; a picture or a recording is named in its place.
std::string textOf(Fields& content, const std::string& type) {
  std::string text;
  if (const json::array* parts = content.array("parts")) {
    for (const json::value& part : *parts) {
      if (const json::string* plain = part.if_string()) {
        addLine(text, {plain->data(), plain->size()});
      } else if (const json::object* other = part.if_object()) {
        const json::value* kind = other->if_contains("content_type");
        const json::value* words = other->if_contains("text");
        if (words != nullptr && words->is_string()) {
          addLine(text, {words->get_string().data(), words->get_string().size()});
        } else {
          addLine(text, fmt::format("[{}]", kind != nullptr && kind->is_string() ? std::string_view(kind->get_string()) : std::string_view("attachment")));
        }
      } else if (!part.is_null()) {
        content.refuse("parts", "texts and objects");
      }
    }
  }
  std::string words = content.text("text");
  if (!words.empty() && type == "code") {
    const std::string language = content.text("language");
    words = fmt::format("```{}\n{}\n```", language == "unknown" ? std::string_view() : std::string_view(language), words);
  } else if (!words.empty() && type == "execution_output") {
    words = fmt::format("```\n{}\n```", words);
  }
  addLine(text, words);
  addLine(text, content.text("result"));  // a page that was looked at
  return text;
}

std::string thoughtsOf(Fields& content) {
  std::string all;
  if (const json::array* thoughts = content.array("thoughts")) {
    for (const json::value& value : *thoughts) {
      const json::object* thought = value.if_object();
      const json::value* words = thought == nullptr ? nullptr : thought->if_contains("content");
      if (words != nullptr && words->is_string()) addLine(all, {words->get_string().data(), words->get_string().size()});
    }
  }
  return all;
}

Result<ForeignNode> readNode(const std::string& id, const json::value& value, const Place& place) {
  if (!value.is_object()) return place.bad("a node is not an object", "mapping");
  ForeignNode node;
  node.id = id;
  node.keep = false;
  Fields fields(value.get_object(), place);
  node.parent = fields.text("parent");
  const json::object* message = fields.object("message");
  HEARTH_CHECK(fields.done());
  if (message == nullptr) return node;
  Fields facts(*message, place);
  node.message.createdMs = facts.seconds("create_time");
  const json::object* author = facts.object("author");
  const json::object* content = facts.object("content");
  const json::object* metadata = facts.object("metadata");
  HEARTH_CHECK(facts.done());
  if (author == nullptr || content == nullptr) return node;
  Fields who(*author, place);
  const std::string name = who.text("role");
  HEARTH_CHECK(who.done());
  const auto role = messageRoleNamed(name);
  if (!role) return place.bad("a message has a role that is not known", "role");
  node.message.role = *role;
  Fields inner(*content, place);
  const std::string type = inner.text("content_type");
  bool hidden = type == "user_editable_context" || type == "model_editable_context";
  if (metadata != nullptr) {
    Fields facts2(*metadata, place);
    if (*role == Role::Assistant) node.message.model = facts2.text("model_slug");
    hidden = hidden || facts2.flag("is_visually_hidden_from_conversation");
    HEARTH_CHECK(facts2.done());
  }
  if (type == "thoughts") {
    node.thoughts = thoughtsOf(inner);
  } else if (type != "reasoning_recap" && !hidden) {
    node.message.text = textOf(inner, type);
  }
  HEARTH_CHECK(inner.done());
  node.keep = !node.message.text.empty();
  return node;
}

}  // namespace

Result<std::vector<store::ConversationTree>> readChatGpt(const json::array& list) {
  Place place{"chatgpt", 0, {}};
  std::vector<store::ConversationTree> trees;
  for (const json::value& value : list) {
    ++place.conversation;
    place.title.clear();
    if (!value.is_object()) return place.bad("a conversation is not an object", {});
    store::ConversationTree tree;
    Fields fields(value.get_object(), place);
    tree.conversation.title = fields.text("title");
    tree.conversation.createdMs = fields.seconds("create_time");
    tree.conversation.updatedMs = fields.seconds("update_time");
    tree.conversation.parametersJson = "{}";
    const std::string current = fields.text("current_node");
    const json::object* mapping = fields.object("mapping");
    HEARTH_CHECK(fields.done());
    place.title = tree.conversation.title;
    if (mapping == nullptr) return place.bad("the messages are missing", "mapping");
    std::vector<ForeignNode> nodes;
    for (const auto& [key, node] : *mapping) {
      HEARTH_TRY(ForeignNode read, readNode(std::string(key), node, place));
      nodes.push_back(std::move(read));
    }
    HEARTH_CHECK(growTree(tree, std::move(nodes), current, true, place));
    if (tree.messages.empty()) continue;  // made and never used
    trees.push_back(std::move(tree));
  }
  return trees;
}

}  // namespace hearth::chat
