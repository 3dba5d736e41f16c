#include "core/server/api/openai/responses_input.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/server/api/openai/chat_messages.h"

namespace hearth::api {
namespace json = boost::json;

namespace {

const json::string* textOf(const json::object& object, std::string_view key) noexcept {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? &value->get_string() : nullptr;
}

/// Text, or parts whose text stands under `text` (or `refusal`).
ApiResult<std::string> contentText(const json::value& content, const std::string& at) {
  if (content.is_string()) return std::string(view(content.get_string()));
  if (!content.is_array()) return std::unexpected(wrongType(at, "a string or an array of parts"));
  constexpr std::array<std::string_view, 5> kTexts{"input_text", "output_text", "text", "summary_text", "reasoning_text"};
  std::string text;
  for (std::size_t i = 0; i < content.get_array().size(); ++i) {
    const std::string here = fmt::format("{}[{}]", at, i);
    const json::value& part = content.get_array()[i];
    if (!part.is_object()) return std::unexpected(wrongType(here, "an object with a type"));
    const json::string* type = textOf(part.get_object(), "type");
    if (type == nullptr) return std::unexpected(badField(here + ".type", here + ".type must be a string."));
    const bool refusal = view(*type) == "refusal";
    if (!refusal && std::ranges::find(kTexts, view(*type)) == kTexts.end())
      return std::unexpected(unsupported(
          here + ".type",
          fmt::format("{}.type \"{}\" is not supported: this server takes only text.", here, view(*type).substr(0, 64))));
    const char* key = refusal ? "refusal" : "text";
    const json::string* piece = textOf(part.get_object(), key);
    if (piece == nullptr)
      return std::unexpected(badField(fmt::format("{}.{}", here, key), fmt::format("{}.{} must be a string.", here, key)));
    if (i > 0) text += '\n';
    text += view(*piece);
  }
  return text;
}

/// The turn that is being put together from several items: reasoning, then text, then calls.
class Turns {
 public:
  void reason(std::string text) {
    flush();
    m_reasoning = std::move(text);
  }
  void say(Role role, std::string text) {
    if (role != Role::Assistant || !m_calls.empty() || m_open) flush();
    if (role == Role::Assistant) {
      m_text = std::move(text);
      m_open = true;
      return;
    }
    flush();
    ChatMessage message;
    message.role = role;
    message.text = std::move(text);
    m_out.push_back(std::move(message));
  }
  void call(json::object call) {
    m_calls.push_back(std::move(call));
    m_open = true;
  }
  void result(std::string_view id, std::string text) {
    flush();
    ChatMessage message;
    message.role = Role::Tool;
    message.text = std::move(text);
    json::object extra;
    extra["tool_call_id"] = id;
    message.extraJson = json::serialize(extra);
    m_out.push_back(std::move(message));
  }
  std::vector<ChatMessage> take() {
    flush();
    return std::move(m_out);
  }

 private:
  void flush() {
    if (m_open) {
      ChatMessage message;
      message.role = Role::Assistant;
      message.text = std::move(m_text);
      json::object extra;
      if (!m_calls.empty()) extra["tool_calls"] = std::move(m_calls);
      if (!m_reasoning.empty()) extra["reasoning_content"] = m_reasoning;
      if (!extra.empty()) message.extraJson = json::serialize(extra);
      m_out.push_back(std::move(message));
    }
    m_open = false;
    m_text.clear();
    m_reasoning.clear();
    m_calls = {};
  }

  std::vector<ChatMessage> m_out;
  bool m_open = false;
  std::string m_text, m_reasoning;
  json::array m_calls;
};

Failure readItem(Turns& turns, const json::value& value, const std::string& at) {
  if (!value.is_object()) return wrongType(at, "an object");
  const json::object& item = value.get_object();
  const json::string* type = textOf(item, "type");
  const std::string_view kind = type == nullptr ? std::string_view("message") : view(*type);
  if (kind == "message") {
    const json::string* role = textOf(item, "role");
    std::optional<Role> known;
    if (role != nullptr && (view(*role) == "system" || view(*role) == "developer")) known = Role::System;
    if (role != nullptr && view(*role) == "user") known = Role::User;
    if (role != nullptr && view(*role) == "assistant") known = Role::Assistant;
    if (!known) return badField(at + ".role", at + ".role must be user, assistant, system or developer.");
    const json::value* content = item.if_contains("content");
    if (content == nullptr) return badField(at + ".content", at + ".content is missing.");
    auto text = contentText(*content, at + ".content");
    if (!text) return text.error();
    turns.say(*known, std::move(*text));
    return std::nullopt;
  }
  if (kind == "function_call") {
    const json::string* id = textOf(item, "call_id");
    if (id == nullptr) return badField(at + ".call_id", at + ".call_id must be a string.");
    const json::string* name = textOf(item, "name");
    if (name == nullptr || !isToolName(view(*name)))
      return badField(at + ".name", at + ".name must be a name of 1…64 letters, digits, _ - . :");
    const json::value* arguments = item.if_contains("arguments");
    if (arguments == nullptr || !arguments->is_string())
      return badField(at + ".arguments", at + ".arguments must be a string of JSON.");
    turns.call(toolCall(view(*id), view(*name), *arguments));
    return std::nullopt;
  }
  if (kind == "function_call_output") {
    const json::string* id = textOf(item, "call_id");
    if (id == nullptr) return badField(at + ".call_id", at + ".call_id must be a string.");
    const json::value* output = item.if_contains("output");
    if (output == nullptr) return badField(at + ".output", at + ".output is missing.");
    auto text = contentText(*output, at + ".output");
    if (!text) return text.error();
    turns.result(view(*id), std::move(*text));
    return std::nullopt;
  }
  if (kind == "reasoning") {
    const json::value* content = item.if_contains("content");
    if (content == nullptr || content->is_null()) content = item.if_contains("summary");
    if (content == nullptr || content->is_null()) return std::nullopt;  // encrypted elsewhere: nothing in it for this model
    auto text = contentText(*content, at + ".content");
    if (!text) return text.error();
    turns.reason(std::move(*text));
    return std::nullopt;
  }
  return unsupported(at + ".type", fmt::format("{}.type \"{}\" is not supported.", at, kind.substr(0, 64)));
}

}  // namespace

ApiResult<std::vector<ChatMessage>> parseInputItems(const json::value& items, const std::string& at) {
  if (items.is_string()) {
    ChatMessage user;
    user.text = view(items.get_string());
    if (user.text.empty()) return std::unexpected(badField(at, at + " is empty."));
    return std::vector<ChatMessage>{std::move(user)};
  }
  if (!items.is_array()) return std::unexpected(wrongType(at, "a string or an array of items"));
  if (items.get_array().empty()) return std::unexpected(badField(at, at + " is empty."));
  Turns turns;
  for (std::size_t i = 0; i < items.get_array().size(); ++i) {
    if (auto failure = readItem(turns, items.get_array()[i], fmt::format("{}[{}]", at, i)))
      return std::unexpected(std::move(*failure));
  }
  auto messages = turns.take();
  if (messages.empty()) return std::unexpected(badField(at, at + " holds nothing to answer."));
  return messages;
}

}  // namespace hearth::api
