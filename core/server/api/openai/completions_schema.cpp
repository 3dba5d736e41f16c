#include "core/server/api/openai/completions_schema.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "core/server/api/common_fields.h"

namespace hearth::api {
namespace json = boost::json;

namespace {

constexpr std::size_t kMostPrompts = 32;
constexpr int kDefaultMaxTokens = 16;  // OpenAI's

constexpr std::array kNumbers{
    NumberField{"max_tokens", 1, kIntMax, true, [](Draft& d, double v) { d.maxTokens = static_cast<int>(v); }},
    NumberField{"n", 1, 8, true, [](Draft& d, double v) { d.call.choices = static_cast<int>(v); }},
    NumberField{"best_of", 1, 8, true, [](Draft& d, double v) { d.bestOf = static_cast<int>(v); }},
    NumberField{"logprobs", 0, 20, true, [](Draft& d, double v) { d.topLogprobs = static_cast<int>(v); }},
};

Failure readTokens(std::vector<TokenId>& out, const json::array& items, const std::string& at) {
  for (const json::value& item : items) {
    const auto number = numberOf(item, true);
    if (!number) return wrongType(at, "a string, an array of strings, an array of tokens or an array of these");
    if (*number < 0 || *number > kIntMax) return badField(at, fmt::format("{}: {} is no token.", at, *number));
    out.push_back(static_cast<TokenId>(*number));
  }
  return out.empty() ? Failure(badField(at, at + " has no tokens.")) : std::nullopt;
}

Failure readEcho(Draft& draft, const json::value& value, const std::string& at) {
  return readBool(draft.call.echo, value, at);
}

Failure readSuffix(Draft& draft, const json::value& value, const std::string& at) {
  std::string suffix;
  if (auto failure = readText(suffix, value, at)) return failure;
  if (!suffix.empty()) draft.call.suffix = std::move(suffix);
  return std::nullopt;
}

Failure readUser(Draft&, const json::value& value, const std::string& at) {
  std::string user;
  return readText(user, value, at);
}

constexpr std::string_view kPromptSchema =
    R"({"oneOf":[{"type":"string"},{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":32},{"type":"array","items":{"type":"integer","minimum":0},"minItems":1},{"type":"array","items":{"type":"array","items":{"type":"integer","minimum":0},"minItems":1},"minItems":1,"maxItems":32}]})";
constexpr std::array kFields{
    Field{"prompt", kPromptSchema, readPrompts},
    Field{"stream_options", R"({"type":"object","properties":{"include_usage":{"type":"boolean"}}})", readStreamOptions},
    Field{"echo", kBoolSchema, readEcho},
    Field{"suffix", kStringSchema, readSuffix},
    Field{"user", kStringSchema, readUser},
};

Failure complete(Draft& draft) {
  Call& call = draft.call;
  if (call.prompts.empty()) return badField("prompt", "prompt is missing.", "missing_required_parameter");
  if (draft.bestOf && *draft.bestOf != call.choices)
    return unsupported("best_of",
                       "best_of must be equal to n: choosing the best of several by their logprobs is not supported.");
  if (draft.topLogprobs) {
    call.logprobs = true;
    call.request.sampling.logprobs = *draft.topLogprobs;
    if (call.echo)
      return unsupported("logprobs",
                         "logprobs together with echo is not supported: the prompt's own tokens have no logprobs here.");
  }
  if (draft.hasStreamOptions && !call.stream) return badField("stream_options", "stream_options needs stream to be true.");
  if (call.suffix && call.echo) return unsupported("echo", "echo together with suffix is not supported.");
  if (!draft.maxTokens) draft.maxTokens = kDefaultMaxTokens;
  settle(draft);
  return std::nullopt;
}

}  // namespace

Failure readPrompts(Draft& draft, const json::value& value, const std::string& at) {
  auto& prompts = draft.call.prompts;
  prompts.clear();
  if (value.is_string()) {
    prompts.push_back({std::string(view(value.get_string())), {}, false});
  } else if (value.is_array()) {
    const json::array& items = value.get_array();
    if (items.empty()) return badField(at, at + " is empty.");
    if (items.front().is_number()) {
      Prompt prompt;
      prompt.isTokens = true;
      if (auto failure = readTokens(prompt.tokens, items, at)) return failure;
      prompts.push_back(std::move(prompt));
    } else {
      if (items.size() > kMostPrompts) return badField(at, fmt::format("{} may hold at most {} prompts.", at, kMostPrompts));
      for (std::size_t i = 0; i < items.size(); ++i) {
        const std::string here = fmt::format("{}[{}]", at, i);
        Prompt prompt;
        if (items[i].is_array()) {
          prompt.isTokens = true;
          if (auto failure = readTokens(prompt.tokens, items[i].get_array(), here)) return failure;
        } else if (auto failure = readText(prompt.text, items[i], here)) {
          return failure;
        }
        prompts.push_back(std::move(prompt));
      }
    }
  } else {
    return wrongType(at, "a string, an array of strings, an array of tokens or an array of these");
  }
  for (const Prompt& prompt : prompts) {
    if (!prompt.isTokens && prompt.text.empty()) return badField(at, at + " is empty.");
  }
  return std::nullopt;
}

const BodySchema& completionsSchema() {
  static const BodySchema schema{
      .name = "CompletionRequest",
      .numbers = {kNumbers, samplingNumbers()},
      .fields = {kFields, commonFields()},
      .ignored = {{"cache_prompt", "prefixes are always kept"}},
      .unsupported = {},
      .required = {"prompt"},
  };
  return schema;
}

ApiResult<Call> parseCompletionsCall(std::string_view body) {
  Draft draft;
  if (auto failure = readBody(completionsSchema(), draft, body)) return std::unexpected(std::move(*failure));
  if (auto failure = complete(draft)) return std::unexpected(std::move(*failure));
  return std::move(draft.call);
}

}  // namespace hearth::api
