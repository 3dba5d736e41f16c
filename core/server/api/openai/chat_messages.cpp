#include "core/server/api/openai/chat_messages.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/server/api/field_table.h"

namespace hearth::api {
namespace json = boost::json;

namespace {

constexpr std::size_t kMostNameBytes = 64;

std::unexpected<ApiError> bad(std::string param, std::string message) {
  return std::unexpected(badField(std::move(param), std::move(message)));
}

std::optional<Role> roleOf(std::string_view name) noexcept {
  if (name == "system" || name == "developer") return Role::System;
  if (name == "user") return Role::User;
  if (name == "assistant") return Role::Assistant;
  if (name == "tool") return Role::Tool;
  return std::nullopt;
}

ApiResult<std::string> parseContent(const json::value& content, const std::string& at) {
  if (content.is_string()) return std::string(view(content.get_string()));
  if (!content.is_array()) return bad(at, at + " must be a string or an array of parts.");
  std::string text;
  std::size_t index = 0;
  for (const json::value& part : content.get_array()) {
    const std::string here = fmt::format("{}[{}]", at, index);
    if (!part.is_object()) return bad(here, here + " must be an object with a type.");
    const json::value* type = part.get_object().if_contains("type");
    if (type == nullptr || !type->is_string()) return bad(here + ".type", here + ".type must be a string.");
    // What a model refused to say is part of the dialogue that the next answer builds on.
    const std::string_view kind = view(type->get_string());
    if (kind != "text" && kind != "refusal")
      return std::unexpected(unsupported(
          here, fmt::format("{} is of type \"{}\": this server takes only text parts.", here, kind.substr(0, 64))));
    const json::value* value = part.get_object().if_contains(kind);
    if (value == nullptr || !value->is_string())
      return bad(fmt::format("{}.{}", here, kind), fmt::format("{}.{} must be a string.", here, kind));
    if (index > 0) text += '\n';
    text += view(value->get_string());
    ++index;
  }
  if (index == 0) return bad(at, at + " must have at least one part.");
  return text;
}

ApiResult<ChatMessage> parseMessage(const json::value& value, const std::string& at) {
  if (!value.is_object()) return bad(at, at + " must be an object.");
  const json::object& object = value.get_object();
  const json::value* role = object.if_contains("role");
  if (role == nullptr || !role->is_string()) return bad(at + ".role", at + ".role must be a string.");
  const auto known = roleOf(view(role->get_string()));
  if (!known)
    return bad(at + ".role", fmt::format("{}.role \"{}\" is not one of system, developer, user, assistant, tool.", at,
                                         view(role->get_string())));
  ChatMessage message;
  message.role = *known;
  json::object extra;
  bool hasContent = false;
  for (const auto& [keyText, field] : object) {
    const std::string_view key{keyText.data(), keyText.size()};
    const std::string here = at + "." + std::string(key);
    if (key == "role" || field.is_null()) continue;
    if (key == "content") {
      auto text = parseContent(field, here);
      if (!text) return std::unexpected(text.error());
      message.text = std::move(*text);
      hasContent = true;
    } else if (key == "name") {
      if (!field.is_string() || field.get_string().size() > 256)
        return bad(here, here + " must be a string of at most 256 bytes.");
      message.name = view(field.get_string());
    } else if (key == "tool_calls" && *known == Role::Assistant) {
      auto calls = parseToolCalls(field, here);
      if (!calls) return std::unexpected(calls.error());
      if (!calls->empty()) extra["tool_calls"] = std::move(*calls);
    } else if (key == "tool_call_id" && *known == Role::Tool) {
      if (!field.is_string()) return bad(here, here + " must be a string.");
      extra["tool_call_id"] = field;
    } else if ((key == "reasoning_content" || key == "reasoning") && *known == Role::Assistant) {
      if (!field.is_string()) return bad(here, here + " must be a string.");
      extra["reasoning_content"] = field;
    } else if (key == "refusal" && *known == Role::Assistant) {
      // What a model refused is part of the dialogue that the next answer builds on.
      if (!field.is_string()) return bad(here, here + " must be a string.");
      message.text += view(field.get_string());
      hasContent = true;
    } else if (key == "annotations" && field.is_array() && *known == Role::Assistant) {
      continue;  // clients send back a reply as they got it; there is nothing in it for the model
    } else {
      return std::unexpected(unsupported(here, fmt::format("{} is not supported.", here)));
    }
  }
  if (!hasContent && !(*known == Role::Assistant && extra.contains("tool_calls")))
    return bad(at + ".content", at + ".content is missing.");
  if (!extra.empty()) message.extraJson = json::serialize(extra);
  return message;
}

}  // namespace

bool isToolName(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kMostNameBytes && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
           c == ':';
  });
}

json::object toolCall(std::string_view id, std::string_view name, const json::value& arguments) {
  json::object function;
  function["name"] = name;
  function["arguments"] = arguments;
  if (arguments.is_string()) {
    boost::system::error_code error;
    json::value parsed = json::parse(arguments.get_string(), error);
    if (!error && parsed.is_object()) function["arguments"] = std::move(parsed);
  }
  json::object call;
  if (!id.empty()) call["id"] = id;
  call["type"] = "function";
  call["function"] = std::move(function);
  return call;
}

ApiResult<json::array> parseToolCalls(const json::value& calls, const std::string& at) {
  if (!calls.is_array()) return bad(at, at + " must be an array.");
  json::array out;
  for (std::size_t i = 0; i < calls.get_array().size(); ++i) {
    const std::string here = fmt::format("{}[{}]", at, i);
    const json::value& call = calls.get_array()[i];
    if (!call.is_object()) return bad(here, here + " must be an object.");
    const json::value* type = call.get_object().if_contains("type");
    if (type != nullptr && (!type->is_string() || view(type->get_string()) != "function"))
      return bad(here + ".type", here + ".type must be \"function\".");
    const json::value* id = call.get_object().if_contains("id");
    if (id != nullptr && !id->is_string()) return bad(here + ".id", here + ".id must be a string.");
    const json::value* function = call.get_object().if_contains("function");
    if (function == nullptr || !function->is_object()) return bad(here + ".function", here + ".function must be an object.");
    const json::value* name = function->get_object().if_contains("name");
    if (name == nullptr || !name->is_string() || !isToolName(view(name->get_string())))
      return bad(here + ".function.name", here + ".function.name must be a name of 1…64 letters, digits, _ - . :");
    const json::value* arguments = function->get_object().if_contains("arguments");
    const json::value none = json::object{};
    if (arguments == nullptr) arguments = &none;
    if (!arguments->is_object() && !arguments->is_string())
      return bad(here + ".function.arguments", here + ".function.arguments must be a string of JSON.");
    out.push_back(
        toolCall(id == nullptr ? std::string_view{} : view(id->get_string()), view(name->get_string()), *arguments));
  }
  return out;
}

ApiResult<std::vector<ChatMessage>> parseChatMessages(const json::value& messages) {
  if (!messages.is_array() || messages.get_array().empty())
    return bad("messages", "messages must be an array of at least one message.");
  std::vector<ChatMessage> out;
  out.reserve(messages.get_array().size());
  for (std::size_t i = 0; i < messages.get_array().size(); ++i) {
    auto message = parseMessage(messages.get_array()[i], fmt::format("messages[{}]", i));
    if (!message) return std::unexpected(message.error());
    out.push_back(std::move(*message));
  }
  return out;
}

ApiResult<Tools> parseTools(const json::value& tools, const std::string& at) {
  if (!tools.is_array()) return bad(at, at + " must be an array.");
  if (tools.get_array().size() > kMostTools) return bad(at, fmt::format("{} may hold at most {} tools.", at, kMostTools));
  Tools out;
  for (std::size_t i = 0; i < tools.get_array().size(); ++i) {
    const std::string here = fmt::format("{}[{}]", at, i);
    const json::value& tool = tools.get_array()[i];
    if (!tool.is_object()) return bad(here, here + " must be an object.");
    const json::value* type = tool.get_object().if_contains("type");
    if (type == nullptr || !type->is_string() || view(type->get_string()) != "function")
      return std::unexpected(unsupported(here + ".type", here + ".type must be \"function\"."));
    const json::value* function = tool.get_object().if_contains("function");
    if (function == nullptr || !function->is_object()) return bad(here + ".function", here + ".function must be an object.");
    if (auto failure = checkFunction(function->get_object(), "parameters", here + ".function"))
      return std::unexpected(std::move(*failure));
    out.names.emplace_back(view(function->get_object().at("name").get_string()));
  }
  if (!tools.get_array().empty()) out.json = json::serialize(tools);
  return out;
}

std::optional<ApiError> checkFunction(const json::object& function, std::string_view schemaKey, const std::string& at) {
  const json::value* name = function.if_contains("name");
  if (name == nullptr || !name->is_string() || !isToolName(view(name->get_string())))
    return badField(at + ".name", at + ".name must be a name of 1…64 letters, digits, _ - . :");
  const json::value* description = function.if_contains("description");
  if (description != nullptr && !description->is_string() && !description->is_null())
    return badField(at + ".description", at + ".description must be a string.");
  const json::value* parameters = function.if_contains(schemaKey);
  if (parameters != nullptr && !parameters->is_object() && !parameters->is_null())
    return badField(fmt::format("{}.{}", at, schemaKey),
                    fmt::format("{}.{} must be an object (a JSON schema).", at, schemaKey));
  return std::nullopt;
}

}  // namespace hearth::api
