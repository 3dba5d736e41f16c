#include "core/server/api/openai/chat_schema.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "core/server/api/common_fields.h"
#include "core/server/api/openai/chat_messages.h"

namespace hearth::api {
namespace json = boost::json;

namespace {


constexpr std::array kNumbers{
    NumberField{"max_tokens", 1, kIntMax, true, [](Draft& d, double v) { d.maxTokens = static_cast<int>(v); }},
    NumberField{"max_completion_tokens", 1, kIntMax, true,
                [](Draft& d, double v) { d.maxCompletionTokens = static_cast<int>(v); }},
    NumberField{"n", 1, 8, true, [](Draft& d, double v) { d.call.choices = static_cast<int>(v); }},
    NumberField{"top_logprobs", 0, 20, true, [](Draft& d, double v) { d.topLogprobs = static_cast<int>(v); }},
};

Failure readMessages(Draft& draft, const json::value& value, const std::string&) {
  auto messages = parseChatMessages(value);
  if (!messages) return messages.error();
  draft.call.request.messages = std::move(*messages);
  draft.hasMessages = true;
  return std::nullopt;
}

Failure readLogprobs(Draft& draft, const json::value& value, const std::string& at) {
  return readBool(draft.call.logprobs, value, at);
}

Failure readToolChoice(Draft& draft, const json::value& value, const std::string& at) {
  if (value.is_string()) return readToolChoiceWord(draft, view(value.get_string()), at);
  if (!value.is_object()) return wrongType(at, "a string or an object");
  const json::value* type = value.get_object().if_contains("type");
  if (type == nullptr || !type->is_string()) return badField(at + ".type", at + ".type must be a string.");
  if (view(type->get_string()) != "function")
    return unsupported(at + ".type", fmt::format("{}.type must be \"function\".", at));
  const json::value* function = value.get_object().if_contains("function");
  if (function == nullptr || !function->is_object()) return badField(at + ".function", at + ".function must be an object.");
  const json::value* name = function->get_object().if_contains("name");
  if (name == nullptr || !name->is_string()) return badField(at + ".function.name", at + ".function.name must be a string.");
  ToolChoice& choice = draft.call.request.toolChoice;
  choice.kind = ToolChoice::Kind::Named;
  choice.name = view(name->get_string());
  return std::nullopt;
}

Failure readParallelToolCalls(Draft& draft, const json::value& value, const std::string& at) {
  return readBool(draft.call.request.parallelToolCalls, value, at);
}

Failure readResponseFormat(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_object()) return wrongType(at, "an object");
  const json::object& format = value.get_object();
  const json::value* type = format.if_contains("type");
  if (type == nullptr || !type->is_string()) return badField(at + ".type", at + ".type must be a string.");
  const std::string_view kind = view(type->get_string());
  if (kind == "text") return std::nullopt;
  if (kind == "json_object") {
    // llama-server's way to give a schema.
    if (const json::value* schema = format.if_contains("schema"); schema != nullptr && !schema->is_null())
      return setSchema(draft, *schema, at + ".schema");
    return setShape(draft, OutputShape::Kind::JsonObject, {}, at);
  }
  if (kind == "json_schema") {
    const json::value* named = format.if_contains("json_schema");
    if (named == nullptr || !named->is_object())
      return badField(at + ".json_schema", at + ".json_schema must be an object with name and schema.");
    return readJsonSchemaFormat(draft, named->get_object(), at + ".json_schema");
  }
  return unsupported(at + ".type",
                     fmt::format("{}.type must be text, json_object or json_schema, not \"{}\".", at, kind.substr(0, 64)));
}

Failure readModalities(Draft&, const json::value& value, const std::string& at) {
  if (!value.is_array()) return wrongType(at, "an array");
  for (const json::value& item : value.get_array()) {
    if (!item.is_string() || view(item.get_string()) != "text")
      return unsupported(at, at + " other than \"text\" are not supported.");
  }
  return std::nullopt;
}

Failure readTemplateArguments(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_object()) return wrongType(at, "an object");
  constexpr std::array kReserved{"messages", "tools", "bos_token", "eos_token", "add_generation_prompt"};
  for (const auto& [keyText, item] : value.get_object()) {
    const std::string_view key{keyText.data(), keyText.size()};
    if (std::ranges::find(kReserved, key) != kReserved.end())
      return badField(at, fmt::format("{} may not set \"{}\".", at, key));
    draft.templateVariables[keyText] = item;
  }
  return std::nullopt;
}

Failure readUser(Draft&, const json::value& value, const std::string& at) {
  std::string user;
  return readText(user, value, at);
}

constexpr std::array kFields{
    Field{"messages", R"({"type":"array","items":{"$ref":"#/components/schemas/ChatMessage"},"minItems":1})", readMessages},
    Field{"stream_options", R"({"type":"object","properties":{"include_usage":{"type":"boolean"}}})", readStreamOptions},
    Field{"logprobs", kBoolSchema, readLogprobs},
    Field{"tools", R"({"type":"array","items":{"$ref":"#/components/schemas/Tool"},"maxItems":256})", readFunctionTools},
    Field{"tool_choice", R"({"oneOf":[{"type":"string","enum":["auto","none","required"]},{"type":"object"}]})",
          readToolChoice},
    Field{"parallel_tool_calls", kBoolSchema, readParallelToolCalls},
    Field{
        "response_format",
        R"({"type":"object","properties":{"type":{"type":"string","enum":["text","json_object","json_schema"]},"json_schema":{"type":"object"}},"required":["type"]})",
        readResponseFormat},
    Field{"modalities", R"({"type":"array","items":{"type":"string","enum":["text"]}})", readModalities},
    Field{"chat_template_kwargs", kObjectSchema, readTemplateArguments},
    Field{"reasoning_effort", R"({"type":"string","enum":["none","minimal","low","medium","high","xhigh","max"]})",
          readReasoningEffort},
    Field{"think", kBoolSchema, readThink},
    Field{"enable_thinking", kBoolSchema, readThink},
    Field{"user", kStringSchema, readUser},
};

/// What depends on several fields.
Failure complete(Draft& draft) {
  Call& call = draft.call;
  if (!draft.hasMessages) return badField("messages", "messages is missing.", "missing_required_parameter");
  if (draft.maxTokens && draft.maxCompletionTokens && *draft.maxTokens != *draft.maxCompletionTokens)
    return badField("max_tokens", "max_tokens and max_completion_tokens contradict each other; give one.");
  if (draft.maxCompletionTokens) draft.maxTokens = draft.maxCompletionTokens;
  if (draft.topLogprobs && !call.logprobs) return badField("top_logprobs", "top_logprobs needs logprobs to be true.");
  if (call.logprobs) call.request.sampling.logprobs = draft.topLogprobs.value_or(0);
  if (draft.hasStreamOptions && !call.stream) return badField("stream_options", "stream_options needs stream to be true.");
  settle(draft);
  return settleTools(draft);
}

}  // namespace

Failure readToolChoiceWord(Draft& draft, std::string_view word, const std::string& at) {
  ToolChoice& choice = draft.call.request.toolChoice;
  if (word == "auto")
    choice.kind = ToolChoice::Kind::Auto;
  else if (word == "none")
    choice.kind = ToolChoice::Kind::None;
  else if (word == "required")
    choice.kind = ToolChoice::Kind::Required;
  else
    return badField(at, at + " must be auto, none, required or a function.");
  return std::nullopt;
}

Failure readFunctionTools(Draft& draft, const json::value& value, const std::string& at) {
  auto tools = parseTools(value, at);
  if (!tools) return tools.error();
  draft.call.request.toolsJson = std::move(tools->json);
  draft.toolNames = std::move(tools->names);
  return std::nullopt;
}

const BodySchema& chatSchema() {
  static const BodySchema schema{
      .name = "ChatCompletionRequest",
      .numbers = {kNumbers, samplingNumbers()},
      .fields = {kFields, commonFields()},
      .ignored = {{"metadata", "kept nowhere: this server stores no completions"},
                  {"store", "this server stores no completions"},
                  {"service_tier", "there is one tier"},
                  {"prompt_cache_key", "prefixes are found by their content"},
                  {"prompt_cache_retention", "prefixes stay as long as there is room"},
                  {"safety_identifier", "there is nobody to report to"},
                  {"cache_prompt", "prefixes are always kept"}},
      .unsupported = {"audio", "functions", "function_call", "prediction", "web_search_options", "verbosity"},
      .required = {"messages"},
  };
  return schema;
}

ApiResult<Call> parseChatCall(std::string_view body) {
  Draft draft;
  if (auto failure = readBody(chatSchema(), draft, body)) return std::unexpected(std::move(*failure));
  if (auto failure = complete(draft)) return std::unexpected(std::move(*failure));
  return std::move(draft.call);
}

Failure readJsonSchemaFormat(Draft& draft, const json::object& format, const std::string& at) {
  const json::value* name = format.if_contains("name");
  if (name != nullptr && !name->is_null() && (!name->is_string() || !isToolName(view(name->get_string()))))
    return badField(at + ".name", at + ".name must be a name of 1…64 letters, digits, _ - . :");
  // Whether strict or not, the answer follows the schema: there is no reason to do less than was asked for.
  const json::value* strict = format.if_contains("strict");
  if (strict != nullptr && !strict->is_null() && !strict->is_bool()) return wrongType(at + ".strict", "true or false");
  const json::value* description = format.if_contains("description");
  if (description != nullptr && !description->is_null() && !description->is_string())
    return wrongType(at + ".description", "a string");
  const json::value* schema = format.if_contains("schema");
  if (schema == nullptr || !schema->is_object())
    return badField(at + ".schema", at + ".schema must be an object (a JSON schema).");
  return setSchema(draft, *schema, at + ".schema");
}

Failure settleTools(Draft& draft, const std::string& at) {
  ChatRequest& request = draft.call.request;
  using Kind = ToolChoice::Kind;
  if (request.toolsJson.empty()) {
    if (request.toolChoice.kind == Kind::Required || request.toolChoice.kind == Kind::Named)
      return badField(at, at + " asks for a tool, and there are no tools.");
    request.toolChoice = {};
    request.parallelToolCalls = true;  // there is nothing that it could limit
    return std::nullopt;
  }
  if (request.toolChoice.kind == Kind::Named &&
      std::ranges::find(draft.toolNames, request.toolChoice.name) == draft.toolNames.end())
    return badField(at,
                    fmt::format("{} names \"{}\", which is none of the tools.", at, request.toolChoice.name.substr(0, 64)));
  if (request.toolChoice.kind == Kind::None) {  // the model is not told of them
    request.toolsJson.clear();
    request.toolChoice = {};
    request.parallelToolCalls = true;
  }
  return std::nullopt;
}

}  // namespace hearth::api
