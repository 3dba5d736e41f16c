#include "core/server/api/chat_schema.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "core/server/api/chat_messages.h"
#include "core/server/api/json_body.h"

namespace hearth::api {
namespace json = boost::json;

namespace {

using Failure = std::optional<ApiError>;

constexpr double kIntMax = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t kMostStops = 16;
constexpr std::size_t kMostStopBytes = 1024;
constexpr std::size_t kMostBiases = 1024;
constexpr std::size_t kMostModelBytes = 256;

/// While parsing: what only makes sense once all fields are known.
struct Draft {
  ChatCall call;
  std::optional<int> maxTokens, maxCompletionTokens, topLogprobs;
  std::optional<std::int64_t> seed;
  bool hasMessages = false;
  bool toolsOff = false;
  bool streamOptions = false;
  json::object templateVariables;
};

// Sorted by use. Ranges are those of SamplingParams::validate, or OpenAI's where it is the narrower.
constexpr std::array kNumbers{
    NumberField{"temperature", 0, 2, false},
    NumberField{"top_p", 0, 1, false},
    NumberField{"top_k", 0, kIntMax, true},
    NumberField{"min_p", 0, 1, false},
    NumberField{"typical_p", 0, 1, false},
    NumberField{"max_tokens", 1, kIntMax, true},
    NumberField{"max_completion_tokens", 1, kIntMax, true},
    NumberField{"n", 1, 8, true},
    NumberField{"top_logprobs", 0, 20, true},
    NumberField{"presence_penalty", -2, 2, false},
    NumberField{"frequency_penalty", -2, 2, false},
    NumberField{"repetition_penalty", 0.01, 100, false},
    NumberField{"repeat_last_n", -1, kIntMax, true},
    NumberField{"dry_multiplier", 0, 100, false},
    NumberField{"dry_base", 1, 100, false},
    NumberField{"dry_allowed_length", 1, kIntMax, true},
    NumberField{"dry_penalty_last_n", -1, kIntMax, true},
    NumberField{"xtc_probability", 0, 1, false},
    NumberField{"xtc_threshold", 0, 1, false},
    NumberField{"mirostat", 0, 2, true},
    NumberField{"mirostat_tau", 0, 100, false},
    NumberField{"mirostat_eta", 0, 1, false},
};

void storeNumber(Draft& draft, std::string_view name, double value) {
  SamplingParams& s = draft.call.request.sampling;
  const int whole = static_cast<int>(value);  // exact: integers were checked to be within int
  if (name == "temperature") s.temperature = value;
  else if (name == "top_p") s.topP = value;
  else if (name == "top_k") s.topK = whole;
  else if (name == "min_p") s.minP = value;
  else if (name == "typical_p") s.typicalP = value;
  else if (name == "max_tokens") draft.maxTokens = whole;
  else if (name == "max_completion_tokens") draft.maxCompletionTokens = whole;
  else if (name == "n") draft.call.choices = whole;
  else if (name == "top_logprobs") draft.topLogprobs = whole;
  else if (name == "presence_penalty") s.presencePenalty = value;
  else if (name == "frequency_penalty") s.frequencyPenalty = value;
  else if (name == "repetition_penalty") s.repetitionPenalty = value;
  else if (name == "repeat_last_n") s.penaltyWindow = whole;
  else if (name == "dry_multiplier") s.dryMultiplier = value;
  else if (name == "dry_base") s.dryBase = value;
  else if (name == "dry_allowed_length") s.dryAllowedLength = whole;
  else if (name == "dry_penalty_last_n") s.dryWindow = whole;
  else if (name == "xtc_probability") s.xtcProbability = value;
  else if (name == "xtc_threshold") s.xtcThreshold = value;
  else if (name == "mirostat") s.mirostat = whole;
  else if (name == "mirostat_tau") s.mirostatTau = value;
  else if (name == "mirostat_eta") s.mirostatEta = value;
}

std::string_view view(const json::string& text) noexcept { return {text.data(), text.size()}; }

/// The number, if `value` is one at all; an integer field wants it written as an integer.
std::optional<double> numberOf(const json::value& value, bool integer) noexcept {
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  if (value.is_double() && !integer) return value.get_double();
  return std::nullopt;
}

Failure readNumber(Draft& draft, const NumberField& field, const json::value& value) {
  const auto number = numberOf(value, field.integer);
  const std::string name(field.name);
  if (!number) return badField(name, fmt::format("{} must be {}.", name, field.integer ? "an integer" : "a number"), "invalid_type");
  // Written so that NaN fails too.
  if (!(*number >= field.low && *number <= field.high))
    return badField(name, fmt::format("{} must be from {} to {}, not {}.", name, field.low, field.high, *number));
  storeNumber(draft, field.name, *number);
  return std::nullopt;
}

Failure wantBool(std::string_view name, const json::value& value, bool& out) {
  if (!value.is_bool()) return badField(std::string(name), fmt::format("{} must be true or false.", name), "invalid_type");
  out = value.get_bool();
  return std::nullopt;
}

Failure readModel(Draft& draft, const json::value& value) {
  if (!value.is_string()) return badField("model", "model must be a string.", "invalid_type");
  if (value.get_string().size() > kMostModelBytes) return badField("model", fmt::format("model may have at most {} bytes.", kMostModelBytes));
  draft.call.request.model = view(value.get_string());
  return std::nullopt;
}

Failure readMessages(Draft& draft, const json::value& value) {
  auto messages = parseChatMessages(value);
  if (!messages) return messages.error();
  draft.call.request.messages = std::move(*messages);
  draft.hasMessages = true;
  return std::nullopt;
}

Failure readStream(Draft& draft, const json::value& value) { return wantBool("stream", value, draft.call.stream); }

Failure readStreamOptions(Draft& draft, const json::value& value) {
  if (!value.is_object()) return badField("stream_options", "stream_options must be an object.", "invalid_type");
  draft.streamOptions = true;
  for (const auto& [keyText, option] : value.get_object()) {
    const std::string name = "stream_options." + std::string(keyText.data(), keyText.size());
    if (option.is_null()) continue;
    bool flag = false;
    if (name == "stream_options.include_usage") {
      if (auto failure = wantBool(name, option, draft.call.includeUsage)) return failure;
    } else if (name == "stream_options.include_obfuscation") {
      if (auto failure = wantBool(name, option, flag)) return failure;
      if (flag) return unsupported(name, "stream_options.include_obfuscation is not supported.");
    } else {
      return badField(name, fmt::format("Unknown field {}.", name), "unknown_parameter");
    }
  }
  return std::nullopt;
}

Failure readStop(Draft& draft, const json::value& value) {
  auto& stops = draft.call.request.stop;
  const auto add = [&](const json::value& item, const std::string& at) -> Failure {
    if (!item.is_string()) return badField(at, fmt::format("{} must be a string.", at), "invalid_type");
    const std::string_view text = view(item.get_string());
    if (text.empty() || text.size() > kMostStopBytes) return badField(at, fmt::format("{} must have 1…{} bytes.", at, kMostStopBytes));
    stops.emplace_back(text);
    return std::nullopt;
  };
  if (value.is_string()) return add(value, "stop");
  if (!value.is_array()) return badField("stop", "stop must be a string or an array of strings.", "invalid_type");
  const json::array& items = value.get_array();
  if (items.size() > kMostStops) return badField("stop", fmt::format("stop may hold at most {} strings.", kMostStops));
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (auto failure = add(items[i], fmt::format("stop[{}]", i))) return failure;
  }
  return std::nullopt;
}

Failure readSeed(Draft& draft, const json::value& value) {
  if (!value.is_int64()) return badField("seed", "seed must be an integer of 64 bits.", value.is_uint64() ? "invalid_value" : "invalid_type");
  draft.seed = value.get_int64();
  return std::nullopt;
}

Failure readLogitBias(Draft& draft, const json::value& value) {
  if (!value.is_object()) return badField("logit_bias", "logit_bias must be an object of token ids and numbers.", "invalid_type");
  if (value.get_object().size() > kMostBiases) return badField("logit_bias", fmt::format("logit_bias may hold at most {} tokens.", kMostBiases));
  for (const auto& [keyText, bias] : value.get_object()) {
    const std::string_view key{keyText.data(), keyText.size()};
    TokenId token = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token);
    if (error != std::errc{} || end != key.data() + key.size() || token < 0)
      return badField("logit_bias", fmt::format("logit_bias: \"{}\" is not a token id.", key));
    const auto number = numberOf(bias, false);
    if (!number) return badField("logit_bias", fmt::format("logit_bias of token {} must be a number.", token), "invalid_type");
    if (!(*number >= -100 && *number <= 100)) return badField("logit_bias", fmt::format("logit_bias of token {} must be from -100 to 100.", token));
    draft.call.request.sampling.logitBias[token] = static_cast<float>(*number);
  }
  return std::nullopt;
}

Failure readLogprobs(Draft& draft, const json::value& value) { return wantBool("logprobs", value, draft.call.logprobs); }

Failure readTools(Draft& draft, const json::value& value) {
  auto tools = parseTools(value);
  if (!tools) return tools.error();
  draft.call.request.toolsJson = std::move(*tools);
  return std::nullopt;
}

Failure readToolChoice(Draft& draft, const json::value& value) {
  if (value.is_string() && view(value.get_string()) == "auto") return std::nullopt;
  if (value.is_string() && view(value.get_string()) == "none") {
    draft.toolsOff = true;
    return std::nullopt;
  }
  if (value.is_object() || (value.is_string() && view(value.get_string()) == "required"))
    return unsupported("tool_choice", "tool_choice can be \"auto\" or \"none\": forcing a tool call is not supported yet.");
  return badField("tool_choice", "tool_choice must be \"auto\" or \"none\".");
}

Failure readParallelToolCalls(Draft&, const json::value& value) {
  bool parallel = true;
  if (auto failure = wantBool("parallel_tool_calls", value, parallel)) return failure;
  if (!parallel) return unsupported("parallel_tool_calls", "parallel_tool_calls false is not supported yet.");
  return std::nullopt;
}

Failure readResponseFormat(Draft&, const json::value& value) {
  if (!value.is_object()) return badField("response_format", "response_format must be an object.", "invalid_type");
  const json::value* type = value.get_object().if_contains("type");
  if (type == nullptr || !type->is_string()) return badField("response_format.type", "response_format.type must be a string.");
  if (view(type->get_string()) != "text")
    return unsupported("response_format", fmt::format("response_format \"{}\" is not supported yet; only \"text\" is.", view(type->get_string())));
  return std::nullopt;
}

Failure readModalities(Draft&, const json::value& value) {
  if (!value.is_array()) return badField("modalities", "modalities must be an array.", "invalid_type");
  for (const json::value& item : value.get_array()) {
    if (!item.is_string() || view(item.get_string()) != "text") return unsupported("modalities", "modalities other than \"text\" are not supported.");
  }
  return std::nullopt;
}

Failure readTemplateArguments(Draft& draft, const json::value& value) {
  if (!value.is_object()) return badField("chat_template_kwargs", "chat_template_kwargs must be an object.", "invalid_type");
  constexpr std::array kReserved{"messages", "tools", "bos_token", "eos_token", "add_generation_prompt"};
  for (const auto& [keyText, item] : value.get_object()) {
    const std::string_view key{keyText.data(), keyText.size()};
    if (std::ranges::find(kReserved, key) != kReserved.end())
      return badField("chat_template_kwargs", fmt::format("chat_template_kwargs may not set \"{}\".", key));
    draft.templateVariables[keyText] = item;
  }
  return std::nullopt;
}

Failure readReasoningEffort(Draft& draft, const json::value& value) {
  constexpr std::array kEfforts{"none", "minimal", "low", "medium", "high", "xhigh"};
  if (!value.is_string() || std::ranges::find(kEfforts, view(value.get_string())) == kEfforts.end())
    return badField("reasoning_effort", "reasoning_effort must be none, minimal, low, medium, high or xhigh.");
  draft.templateVariables["reasoning_effort"] = value;
  return std::nullopt;
}

Failure readUser(Draft&, const json::value& value) {
  if (!value.is_string()) return badField("user", "user must be a string.", "invalid_type");
  return std::nullopt;
}

/// Sent by OpenAI's clients about OpenAI's own business: taken, without effect here (docs/api.md lists them).
Failure ignore(Draft&, const json::value&) { return std::nullopt; }

struct Field {
  std::string_view name;
  Failure (*read)(Draft&, const json::value&);
};
constexpr std::array kFields{
    Field{"model", readModel},
    Field{"messages", readMessages},
    Field{"stream", readStream},
    Field{"stream_options", readStreamOptions},
    Field{"stop", readStop},
    Field{"seed", readSeed},
    Field{"logit_bias", readLogitBias},
    Field{"logprobs", readLogprobs},
    Field{"tools", readTools},
    Field{"tool_choice", readToolChoice},
    Field{"parallel_tool_calls", readParallelToolCalls},
    Field{"response_format", readResponseFormat},
    Field{"modalities", readModalities},
    Field{"chat_template_kwargs", readTemplateArguments},
    Field{"reasoning_effort", readReasoningEffort},
    Field{"user", readUser},
    Field{"metadata", ignore},
    Field{"store", ignore},
    Field{"service_tier", ignore},
    Field{"prompt_cache_key", ignore},
    Field{"prompt_cache_retention", ignore},
    Field{"safety_identifier", ignore},
};
constexpr std::array<std::string_view, 7> kUnsupported{
    "audio", "functions", "function_call", "prediction", "web_search_options", "verbosity", "dry_sequence_breakers",
};

Failure readField(Draft& draft, std::string_view name, const json::value& value) {
  const auto field = std::ranges::find(kFields, name, &Field::name);
  const auto number = std::ranges::find(kNumbers, name, &NumberField::name);
  const bool known = field != kFields.end() || number != kNumbers.end();
  // OpenAI's clients send null for what they leave open. A message list of null is still missing.
  if (value.is_null() && (known || std::ranges::find(kUnsupported, name) != kUnsupported.end())) return std::nullopt;
  if (field != kFields.end()) return field->read(draft, value);
  if (number != kNumbers.end()) return readNumber(draft, *number, value);
  if (std::ranges::find(kUnsupported, name) != kUnsupported.end())
    return unsupported(std::string(name), fmt::format("{} is not supported.", name));
  return badField(std::string(name.substr(0, 64)), fmt::format("Unknown field \"{}\".", name.substr(0, 64)), "unknown_parameter");
}

/// What depends on several fields.
Failure complete(Draft& draft) {
  ChatCall& call = draft.call;
  if (!draft.hasMessages) return badField("messages", "messages is missing.", "missing_required_parameter");
  if (draft.maxTokens && draft.maxCompletionTokens && *draft.maxTokens != *draft.maxCompletionTokens)
    return badField("max_tokens", "max_tokens and max_completion_tokens contradict each other; give one.");
  if (draft.maxCompletionTokens) draft.maxTokens = draft.maxCompletionTokens;
  call.request.maxTokens = draft.maxTokens.value_or(-1);
  if (draft.topLogprobs && !call.logprobs) return badField("top_logprobs", "top_logprobs needs logprobs to be true.");
  if (call.logprobs) call.request.sampling.logprobs = draft.topLogprobs.value_or(0);
  if (draft.streamOptions && !call.stream) return badField("stream_options", "stream_options needs stream to be true.");
  if (draft.seed) call.request.sampling.seed = static_cast<std::uint64_t>(*draft.seed);
  if (draft.toolsOff) call.request.toolsJson.clear();
  if (!draft.templateVariables.empty()) call.request.templateVariablesJson = json::serialize(draft.templateVariables);
  return std::nullopt;
}

}  // namespace

std::span<const NumberField> chatNumberFields() noexcept { return kNumbers; }

ApiResult<ChatCall> parseChatCall(std::string_view body) {
  try {
    const auto document = parseJsonBody(body);
    if (!document) return std::unexpected(document.error());
    if (!document->is_object()) return std::unexpected(badField({}, "The body must be a JSON object.", "invalid_json"));
    Draft draft;
    for (const auto& [keyText, value] : document->get_object()) {
      if (auto failure = readField(draft, {keyText.data(), keyText.size()}, value)) return std::unexpected(std::move(*failure));
    }
    if (auto failure = complete(draft)) return std::unexpected(std::move(*failure));
    return std::move(draft.call);
  } catch (const std::exception& e) {  // std::bad_alloc, Boost.JSON's length errors
    ApiError error;
    error.status = 500;
    error.type = "server_error";
    error.code = "internal";
    error.message = fmt::format("The request could not be read: {}", e.what());
    return std::unexpected(std::move(error));
  }
}

}  // namespace hearth::api
