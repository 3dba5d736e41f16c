#include "core/server/api/openai/responses_schema.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <array>
#include <limits>

#include "core/server/api/common_fields.h"
#include "core/server/api/openai/chat_messages.h"
#include "core/server/api/openai/chat_schema.h"
#include "core/server/api/openai/responses_input.h"
#include "core/server/json_text.h"

namespace hearth::api {
namespace json = boost::json;

namespace {

constexpr std::size_t kMostMetadata = 16;

constexpr std::array kNumbers{
    NumberField{"max_output_tokens", 1, kIntMax, true, [](Draft& d, double v) { d.maxTokens = static_cast<int>(v); }},
    NumberField{"temperature", 0, 2, false, [](Draft& d, double v) { d.call.request.sampling.temperature = v; }},
    NumberField{"top_p", 0, 1, false, [](Draft& d, double v) { d.call.request.sampling.topP = v; }},
    NumberField{"top_k", 0, kIntMax, true, [](Draft& d, double v) { d.call.request.sampling.topK = static_cast<int>(v); }},
};

Failure readInput(Draft& draft, const json::value& value, const std::string& at) {
  auto messages = parseInputItems(value, at);
  if (!messages) return messages.error();
  draft.call.request.messages = std::move(*messages);
  draft.hasMessages = true;
  return std::nullopt;
}

Failure readInstructions(Draft& draft, const json::value& value, const std::string& at) {
  return readText(draft.instructions, value, at);
}
Failure readPrevious(Draft& draft, const json::value& value, const std::string& at) {
  return readText(draft.previous, value, at, 128);
}
Failure readStore(Draft& draft, const json::value& value, const std::string& at) { return readBool(draft.store, value, at); }
Failure readParallel(Draft& draft, const json::value& value, const std::string& at) {
  return readBool(draft.call.request.parallelToolCalls, value, at);
}

Failure readTools(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_array()) return wrongType(at, "an array");
  if (value.get_array().size() > kMostTools)
    return badField(at, fmt::format("{} may hold at most {} tools.", at, kMostTools));
  json::array tools;
  for (std::size_t i = 0; i < value.get_array().size(); ++i) {
    const std::string here = fmt::format("{}[{}]", at, i);
    if (!value.get_array()[i].is_object()) return wrongType(here, "an object");
    const json::object& tool = value.get_array()[i].get_object();
    const json::value* type = tool.if_contains("type");
    if (type == nullptr || !type->is_string() || view(type->get_string()) != "function")
      return unsupported(here + ".type", here + ".type must be \"function\".");
    if (auto failure = checkFunction(tool, "parameters", here)) return failure;
    json::object function;
    for (const char* key : {"name", "description", "parameters", "strict"}) {
      if (const json::value* member = tool.if_contains(key); member != nullptr && !member->is_null())
        function[key] = *member;
    }
    draft.toolNames.emplace_back(view(tool.at("name").get_string()));
    tools.push_back(json::object{{"type", "function"}, {"function", std::move(function)}});
  }
  if (!tools.empty()) draft.call.request.toolsJson = json::serialize(tools);
  return std::nullopt;
}

Failure readToolChoice(Draft& draft, const json::value& value, const std::string& at) {
  if (value.is_string()) return readToolChoiceWord(draft, view(value.get_string()), at);
  if (!value.is_object()) return wrongType(at, "a string or an object");
  const json::value* type = value.get_object().if_contains("type");
  if (type == nullptr || !type->is_string() || view(type->get_string()) != "function")
    return unsupported(at + ".type", at + ".type must be \"function\".");
  const json::value* name = value.get_object().if_contains("name");
  if (name == nullptr || !name->is_string()) return badField(at + ".name", at + ".name must be a string.");
  ToolChoice& choice = draft.call.request.toolChoice;
  choice.kind = ToolChoice::Kind::Named;
  choice.name = view(name->get_string());
  return std::nullopt;
}

Failure readTextFormat(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_object()) return wrongType(at, "an object");
  for (const auto& [keyText, item] : value.get_object()) {
    const std::string_view key{keyText.data(), keyText.size()};
    const std::string here = at + "." + std::string(key.substr(0, 64));
    if (item.is_null()) continue;
    if (key == "verbosity") {
      if (!item.is_string() || view(item.get_string()) != "medium")
        return unsupported(here, here + " other than \"medium\" is not supported.");
    } else if (key == "format") {
      const json::value* type = item.is_object() ? item.get_object().if_contains("type") : nullptr;
      if (type == nullptr || !type->is_string()) return badField(here + ".type", here + ".type must be a string.");
      const std::string_view kind = view(type->get_string());
      Failure failure;
      if (kind == "json_object")
        failure = setShape(draft, OutputShape::Kind::JsonObject, {}, here);
      else if (kind == "json_schema")
        failure = readJsonSchemaFormat(draft, item.get_object(), here);
      else if (kind != "text")
        failure = unsupported(here + ".type", here + ".type must be text, json_object or json_schema.");
      if (failure) return failure;
      draft.textFormat = json::serialize(item);
    } else {
      return unknownField(here);
    }
  }
  return std::nullopt;
}

Failure readReasoning(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_object()) return wrongType(at, "an object");
  for (const auto& [keyText, item] : value.get_object()) {
    const std::string_view key{keyText.data(), keyText.size()};
    const std::string here = at + "." + std::string(key.substr(0, 64));
    if (item.is_null()) continue;
    if (key == "effort") {
      if (auto failure = readReasoningEffort(draft, item, here)) return failure;
    } else if (key == "summary" || key == "generate_summary") {
      // The reasoning itself is in the answer: a summary of it would be less.
      if (!item.is_string()) return wrongType(here, "a string");
    } else {
      return unknownField(here);
    }
  }
  return std::nullopt;
}

Failure readTruncation(Draft&, const json::value& value, const std::string& at) {
  if (!value.is_string()) return wrongType(at, "a string");
  if (view(value.get_string()) != "disabled")
    return unsupported(at, at + " must be \"disabled\": a conversation that does not fit is an error, and is never cut.");
  return std::nullopt;
}

Failure readBackground(Draft&, const json::value& value, const std::string& at) {
  bool wanted = false;
  if (auto failure = readBool(wanted, value, at)) return failure;
  return wanted ? Failure(unsupported(at, at + " is not supported.")) : std::nullopt;
}

Failure readInclude(Draft&, const json::value& value, const std::string& at) {
  if (!value.is_array()) return wrongType(at, "an array of strings");
  for (std::size_t i = 0; i < value.get_array().size(); ++i) {
    const json::value& item = value.get_array()[i];
    const std::string here = fmt::format("{}[{}]", at, i);
    if (!item.is_string()) return wrongType(here, "a string");
    // Reasoning is in the answer in plain words, which can be sent back as they are.
    if (view(item.get_string()) != "reasoning.encrypted_content")
      return unsupported(here, fmt::format("{} \"{}\" is not supported.", here, view(item.get_string()).substr(0, 64)));
  }
  return std::nullopt;
}

Failure readMetadata(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_object()) return wrongType(at, "an object");
  if (value.get_object().size() > kMostMetadata)
    return badField(at, fmt::format("{} may hold at most {} pairs.", at, kMostMetadata));
  for (const auto& [key, item] : value.get_object()) {
    if (!item.is_string() || item.get_string().size() > 512 || key.size() > 64)
      return badField(at, at + " must hold strings of at most 512 bytes, under keys of at most 64.");
  }
  draft.metadata = json::serialize(value);
  return std::nullopt;
}

Failure readUser(Draft&, const json::value& value, const std::string& at) {
  std::string user;
  return readText(user, value, at);
}

constexpr std::array kFields{
    Field{"model", R"({"type":"string","maxLength":256})", readModel},
    Field{"input", R"({"oneOf":[{"type":"string","minLength":1},{"type":"array","items":{"type":"object"},"minItems":1}]})",
          readInput},
    Field{"instructions", kStringSchema, readInstructions},
    Field{"previous_response_id", R"({"type":"string","maxLength":128})", readPrevious},
    Field{"store", R"({"type":"boolean","default":true})", readStore},
    Field{"stream", kBoolSchema, readStream},
    Field{"stream_options", kObjectSchema, readStreamOptions},
    Field{
        "tools",
        R"({"type":"array","items":{"type":"object","properties":{"type":{"type":"string","enum":["function"]},"name":{"type":"string"},"parameters":{"type":"object"}},"required":["type","name"]},"maxItems":256})",
        readTools},
    Field{"tool_choice", R"({"oneOf":[{"type":"string","enum":["auto","none","required"]},{"type":"object"}]})",
          readToolChoice},
    Field{"parallel_tool_calls", kBoolSchema, readParallel},
    Field{"text", kObjectSchema, readTextFormat},
    Field{"reasoning", kObjectSchema, readReasoning},
    Field{"truncation", R"({"type":"string","enum":["disabled"]})", readTruncation},
    Field{"background", R"({"type":"boolean","enum":[false]})", readBackground},
    Field{"include", R"({"type":"array","items":{"type":"string","enum":["reasoning.encrypted_content"]}})", readInclude},
    Field{"metadata", R"({"type":"object","additionalProperties":{"type":"string"},"maxProperties":16})", readMetadata},
    Field{"user", kStringSchema, readUser},
    Field{"keep_alive", R"({"oneOf":[{"type":"string"},{"type":"number"}]})", readKeepAlive},
};

std::string_view choiceName(ToolChoice::Kind kind) noexcept {
  switch (kind) {
    case ToolChoice::Kind::Auto: return "\"auto\"";
    case ToolChoice::Kind::None: return "\"none\"";
    case ToolChoice::Kind::Required: return "\"required\"";
    case ToolChoice::Kind::Named: return {};
  }
  return {};
}

/// Tools as this API writes them: flat.
std::string flatTools(const std::string& tools) {
  if (tools.empty()) return "[]";
  const json::value parsed = json::parse(tools);
  json::array out;
  for (const json::value& tool : parsed.get_array()) {
    json::object flat{{"type", "function"}, {"description", nullptr}, {"parameters", nullptr}, {"strict", false}};
    for (const auto& [key, value] : tool.at("function").get_object()) flat[key] = value;
    out.push_back(std::move(flat));
  }
  return json::serialize(out);
}

std::string echoOf(const Draft& draft, const std::string& toolsJson, const ToolChoice& choice, bool parallel) {
  const ChatRequest& request = draft.call.request;
  const auto orNull = [](const std::string& text) { return text.empty() ? std::string("null") : jsonString(text); };
  const std::string format = draft.textFormat.empty() ? R"({"type":"text"})" : draft.textFormat;
  const json::value* effort = draft.templateVariables.if_contains("reasoning_effort");
  std::string out = R"("instructions":)" + orNull(draft.instructions) + R"(,"max_output_tokens":)" +
                    (draft.maxTokens ? std::to_string(*draft.maxTokens) : std::string("null")) +
                    R"(,"parallel_tool_calls":)" + (parallel ? "true" : "false") + R"(,"previous_response_id":)" +
                    orNull(draft.previous) + R"(,"reasoning":{"effort":)" +
                    (effort == nullptr ? std::string("null") : json::serialize(*effort)) + R"(,"summary":null},"store":)" +
                    (draft.store ? "true" : "false") + R"(,"temperature":)";
  appendJsonNumber(out, request.sampling.temperature);
  out += R"(,"text":{"format":)" + format + R"(},"tool_choice":)";
  out += choice.kind == ToolChoice::Kind::Named ? R"({"type":"function","name":)" + jsonString(choice.name) + "}"
                                                : std::string(choiceName(choice.kind));
  out += R"(,"tools":)" + flatTools(toolsJson) + R"(,"top_p":)";
  appendJsonNumber(out, request.sampling.topP);
  return out + R"(,"truncation":"disabled","background":false,"metadata":)" +
         (draft.metadata.empty() ? std::string("{}") : draft.metadata) + ",";
}

}  // namespace

const BodySchema& responsesSchema() {
  static const BodySchema schema{
      .name = "ResponsesRequest",
      .numbers = {kNumbers},
      .fields = {kFields},
      .ignored = {{"service_tier", "there is one tier"},
                  {"prompt_cache_key", "prefixes are found by their content"},
                  {"prompt_cache_retention", "prefixes stay as long as there is room"},
                  {"safety_identifier", "there is nobody to report to"}},
      .unsupported = {"conversation", "max_tool_calls", "prompt", "top_logprobs"},
      .required = {"input"},
  };
  return schema;
}

ApiResult<ResponsesCall> parseResponsesCall(std::string_view body) {
  Draft draft;
  if (auto failure = readBody(responsesSchema(), draft, body)) return std::unexpected(std::move(*failure));
  if (!draft.hasMessages) return std::unexpected(badField("input", "input is missing.", "missing_required_parameter"));
  if (draft.hasStreamOptions && !draft.call.stream)
    return std::unexpected(badField("stream_options", "stream_options needs stream to be true."));
  settle(draft);
  const std::string tools = draft.call.request.toolsJson;
  const ToolChoice choice = draft.call.request.toolChoice;
  const bool parallel = draft.call.request.parallelToolCalls;
  if (auto failure = settleTools(draft)) return std::unexpected(std::move(*failure));
  ResponsesCall out;
  out.echo = echoOf(draft, tools, choice, parallel);
  out.call = std::move(draft.call);
  out.instructions = std::move(draft.instructions);
  out.previous = std::move(draft.previous);
  out.store = draft.store;
  return out;
}

}  // namespace hearth::api
