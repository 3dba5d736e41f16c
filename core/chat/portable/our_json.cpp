#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "core/chat/portable/fields.h"
#include "core/chat/portable/portable.h"

namespace hearth::chat {

namespace json = boost::json;

namespace {

constexpr int kVersion = 1;

std::string str(std::string_view text) { return std::string(text); }

}  // namespace

json::object messageFacts(const Message& message) {
  // What is being written will not go on in the file.
  const MessageState state = message.state == MessageState::Streaming ? MessageState::Interrupted : message.state;
  json::object out{{"id", message.id},
                   {"parent", message.parent},
                   {"role", roleName(message.role)},
                   {"state", stateName(state)},
                   {"created_ms", message.createdMs}};
  if (!message.model.empty()) out["model"] = message.model;
  if (message.lengthLimited) out["length_limited"] = true;
  if (message.promptTokens != 0) out["prompt_tokens"] = message.promptTokens;
  if (message.generatedTokens != 0) out["generated_tokens"] = message.generatedTokens;
  if (message.tokensPerSecond != 0) out["tokens_per_second"] = message.tokensPerSecond;
  if (message.firstTokenSeconds != 0) out["first_token_seconds"] = message.firstTokenSeconds;
  if (!message.calls.empty()) {
    json::array calls;
    for (const MessageCall& call : message.calls) {
      calls.push_back(json::object{{"id", call.id}, {"name", call.name}, {"arguments", call.arguments}});
    }
    out["tool_calls"] = std::move(calls);
  }
  if (message.error) {
    json::array evidence;
    for (const Evidence& fact : message.error->evidence) evidence.push_back(json::array{fact.key, fact.value});
    out["error"] = json::object{{"code", errorCodeName(message.error->code)}, {"message", message.error->message}, {"evidence", std::move(evidence)}};
  }
  return out;
}

Message readFacts(Fields& fields) {
  Message message;
  message.id = fields.whole("id");
  message.parent = fields.whole("parent");
  if (const auto role = messageRoleNamed(fields.text("role"))) {
    message.role = *role;
  } else {
    fields.refuse("role", "system, user, assistant or tool");
  }
  const std::string state = fields.text("state");
  if (const auto known = stateNamed(state.empty() ? "complete" : state); known && *known != MessageState::Streaming) {
    message.state = *known;
  } else {
    fields.refuse("state", "complete, interrupted, stopped or failed");
  }
  message.createdMs = fields.whole("created_ms");
  message.model = fields.text("model");
  message.lengthLimited = fields.flag("length_limited");
  message.promptTokens = static_cast<int>(fields.whole("prompt_tokens"));
  message.generatedTokens = static_cast<int>(fields.whole("generated_tokens"));
  message.tokensPerSecond = fields.number("tokens_per_second");
  message.firstTokenSeconds = fields.number("first_token_seconds");
  const Place nowhere;
  if (const json::array* calls = fields.array("tool_calls")) {
    for (const json::value& value : *calls) {
      if (!value.is_object()) {
        fields.refuse("tool_calls", "a list of calls");
        break;
      }
      Fields call(value.get_object(), nowhere);
      message.calls.push_back({call.text("id"), call.text("name"), call.text("arguments")});
      if (!call.done()) fields.refuse("tool_calls", "texts");
    }
  }
  if (const json::object* error = fields.object("error")) {
    Fields inner(*error, nowhere);
    message.error = Error{errorCodeFromName(inner.text("code")), inner.text("message"), {}};
    if (const json::array* evidence = inner.array("evidence")) {
      for (const json::value& fact : *evidence) {
        const json::array* pair = fact.if_array();
        if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string()) {
          fields.refuse("error", "pairs of texts as evidence");
          break;
        }
        message.error->evidence.push_back({str((*pair)[0].get_string()), str((*pair)[1].get_string())});
      }
    }
    if (!inner.done()) fields.refuse("error", "a code and a message");
  }
  return message;
}

json::object conversationFacts(const ConversationTree& tree) {
  const Conversation& c = tree.conversation;
  json::object out{{"title", c.title},
                   {"model", c.model},
                   {"system_prompt", c.systemPrompt},
                   {"parameters", c.parametersJson},
                   {"created_ms", c.createdMs},
                   {"updated_ms", c.updatedMs}};
  if (c.ownPrompt) out["own_prompt"] = true;
  if (c.pinnedMs != 0) out["pinned_ms"] = c.pinnedMs;
  if (!tree.folder.empty()) out["folder"] = json::array(tree.folder.begin(), tree.folder.end());
  if (!tree.tags.empty()) out["tags"] = json::array(tree.tags.begin(), tree.tags.end());
  if (!tree.persona.empty()) out["persona"] = tree.persona;
  return out;
}

void readFacts(Fields& fields, ConversationTree& tree) {
  Conversation& c = tree.conversation;
  c.title = fields.text("title");
  c.model = fields.text("model");
  c.systemPrompt = fields.text("system_prompt");
  c.parametersJson = fields.text("parameters");
  c.createdMs = fields.whole("created_ms");
  c.updatedMs = fields.whole("updated_ms");
  c.ownPrompt = fields.flag("own_prompt");
  c.pinnedMs = fields.whole("pinned_ms");
  tree.folder = fields.texts("folder");
  tree.tags = fields.texts("tags");
  tree.persona = fields.text("persona");
}

std::string exportJson(std::span<const ConversationTree> trees) {
  json::array conversations;
  for (const ConversationTree& tree : trees) {
    json::object out = conversationFacts(tree);
    out["active_leaf"] = tree.conversation.activeLeaf;
    json::array messages;
    for (const Message& message : tree.messages) {
      json::object entry = messageFacts(message);
      entry["text"] = message.text;
      if (!message.reasoning.empty()) entry["reasoning"] = message.reasoning;
      messages.push_back(std::move(entry));
    }
    out["messages"] = std::move(messages);
    conversations.push_back(std::move(out));
  }
  return json::serialize(json::object{{"format", "hearth-chats"}, {"version", kVersion}, {"conversations", std::move(conversations)}}) + "\n";
}

Result<std::vector<ConversationTree>> readOurJson(const json::object& document) {
  Place place{"hearth", 0, {}};
  Fields top(document, place);
  const std::int64_t version = top.whole("version");
  const json::array* list = top.array("conversations");
  HEARTH_CHECK(top.done());
  if (version != kVersion) {
    return fail(ErrorCode::UnsupportedVersion, "these chats were exported by another version of Hearth",
                {{"version", std::to_string(version)}, {"supported_version", std::to_string(kVersion)}});
  }
  if (list == nullptr) return place.bad("the list of conversations is missing", "conversations");
  std::vector<ConversationTree> trees;
  for (const json::value& value : *list) {
    ++place.conversation;
    place.title.clear();
    if (!value.is_object()) return place.bad("a conversation is not an object", "conversations");
    ConversationTree tree;
    Fields fields(value.get_object(), place);
    readFacts(fields, tree);
    const std::int64_t active = fields.whole("active_leaf");
    const json::array* messages = fields.array("messages");
    HEARTH_CHECK(fields.done());
    place.title = tree.conversation.title;
    std::vector<ForeignNode> nodes;
    if (messages != nullptr) {
      for (const json::value& entry : *messages) {
        if (!entry.is_object()) return place.bad("a message is not an object", "messages");
        Fields message(entry.get_object(), place);
        ForeignNode node;
        node.message = readFacts(message);
        node.message.text = message.text("text");
        node.message.reasoning = message.text("reasoning");
        HEARTH_CHECK(message.done());
        node.id = std::to_string(node.message.id);
        if (node.message.parent != 0) node.parent = std::to_string(node.message.parent);
        nodes.push_back(std::move(node));
      }
    }
    HEARTH_CHECK(growTree(tree, std::move(nodes), std::to_string(active), false, place));
    trees.push_back(std::move(tree));
  }
  return trees;
}

}  // namespace hearth::chat
