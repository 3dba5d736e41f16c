#include "core/server/api/native/native_schema.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <array>
#include <limits>

#include "core/server/api/common_fields.h"
#include "core/server/api/openai/chat_messages.h"
#include "core/server/json_text.h"

namespace hearth::api {
namespace json = boost::json;

namespace {


Failure readContent(Draft& draft, const json::value& value, const std::string& at) {
  if (!draft.call.prompts.empty()) return badField(at, "content and prompt are the same; give one.");
  Prompt prompt;
  if (auto failure = readText(prompt.text, value, at)) return failure;
  draft.call.prompts.push_back(std::move(prompt));
  return std::nullopt;
}

Failure readMessages(Draft& draft, const json::value& value, const std::string&) {
  auto messages = parseChatMessages(value);
  if (!messages) return messages.error();
  draft.call.request.messages = std::move(*messages);
  return std::nullopt;
}

Failure readTokenList(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_array()) return wrongType(at, "an array of tokens");
  Prompt prompt;
  prompt.isTokens = true;
  for (const json::value& item : value.get_array()) {
    const auto number = numberOf(item, true);
    if (!number) return wrongType(at, "an array of tokens");
    if (*number < 0 || *number > kIntMax) return badField(at, fmt::format("{}: {} is no token.", at, *number));
    prompt.tokens.push_back(static_cast<TokenId>(*number));
  }
  draft.call.prompts = {std::move(prompt)};
  return std::nullopt;
}

Failure readAddSpecial(Draft& draft, const json::value& value, const std::string& at) {
  return readBool(draft.call.addSpecial, value, at);
}
Failure readParseSpecial(Draft& draft, const json::value& value, const std::string& at) {
  return readBool(draft.call.parseSpecial, value, at);
}
Failure readPieces(Draft& draft, const json::value& value, const std::string& at) {
  return readBool(draft.call.withPieces, value, at);
}

constexpr std::string_view kModel = R"({"type":"string","maxLength":256})";
constexpr std::string_view kMessages =
    R"({"type":"array","items":{"$ref":"#/components/schemas/ChatMessage"},"minItems":1})";

constexpr std::array kTokenizeFields{
    Field{"model", kModel, readModel},
    Field{"content", kStringSchema, readContent},
    Field{"prompt", kStringSchema, readContent},
    Field{"messages", kMessages, readMessages},
    Field{"add_special", kBoolSchema, readAddSpecial},
    Field{"add_special_tokens", kBoolSchema, readAddSpecial},
    Field{"parse_special", kBoolSchema, readParseSpecial},
    Field{"with_pieces", kBoolSchema, readPieces},
};
constexpr std::array kDetokenizeFields{
    Field{"model", kModel, readModel},
    Field{"tokens", R"({"type":"array","items":{"type":"integer","minimum":0}})", readTokenList},
};

// ---- /infill ----

constexpr std::array kInfillNumbers{
    NumberField{"n_predict", -1, kIntMax, true, [](Draft& d, double v) { d.maxTokens = v <= 0 ? -1 : static_cast<int>(v); }},
};

Failure readInto(std::string& out, const json::value& value, const std::string& at) { return readText(out, value, at); }
Failure readPrefix(Draft& draft, const json::value& value, const std::string& at) {
  return readInto(draft.prefix, value, at);
}
Failure readSuffix(Draft& draft, const json::value& value, const std::string& at) {
  draft.call.suffix.emplace();
  return readInto(*draft.call.suffix, value, at);
}
Failure readMiddle(Draft& draft, const json::value& value, const std::string& at) {
  return readInto(draft.middle, value, at);
}

Failure readExtra(Draft&, const json::value& value, const std::string& at) {
  if (!value.is_array()) return wrongType(at, "an array");
  return value.get_array().empty()
             ? std::nullopt
             : Failure(unsupported(at, at + " is not supported: put what matters before input_prefix."));
}

constexpr std::array kInfillFields{
    Field{"input_prefix", kStringSchema, readPrefix},
    Field{"input_suffix", kStringSchema, readSuffix},
    Field{"prompt", kStringSchema, readMiddle},
    Field{"input_extra", R"({"type":"array","maxItems":0})", readExtra},
};

class InfillWriter final : public AnswerWriter {
 public:
  explicit InfillWriter(const std::string& model) : m_model(model) {}
  void text(std::string& out, int, const ChatEvent& event, const Answer&) override {
    std::string data = R"({"index":0,"content":)";
    appendJsonString(data, event.text);
    out += "data: " + data + R"(,"stop":false})" + "\n\n";
  }
  void reasoning(std::string& out, int choice, const ChatEvent& event, const Answer& answer) override {
    text(out, choice, event, answer);
  }
  void toolCall(std::string&, int, const ToolCallDelta&, const Answer&) override {}
  void finish(std::string&, int, const Answer&) override {}
  void end(std::string& out, const Answer& answer) override { out += "data: " + last("", answer) + "\n\n"; }
  void error(std::string& out, const ApiError& error) override { out += "data: " + errorBody(error) + "\n\n"; }
  std::string whole(const Answer& answer) override {
    return last(answer.choices.front().reasoning + answer.choices.front().text, answer);
  }

 private:
  std::string last(std::string_view text, const Answer& answer) const {
    const AnswerChoice& choice = answer.choices.front();
    std::string out = R"({"index":0,"content":)";
    appendJsonString(out, text);
    out += R"(,"model":)" + jsonString(m_model) + R"(,"stop":true,"stop_type":)";
    out += choice.reason == FinishReason::Length ? R"("limit")" : choice.stopString.empty() ? R"("eos")" : R"("word")";
    out += R"(,"stopping_word":)" + jsonString(choice.stopString);
    return out + fmt::format(R"(,"tokens_predicted":{},"tokens_evaluated":{},"tokens_cached":{}}})", choice.generated,
                             answer.usage.promptTokens, answer.usage.cachedTokens);
  }
  const std::string m_model;
};

}  // namespace

const BodySchema& tokenizeSchema() {
  static const BodySchema schema{.name = "TokenizeRequest",
                                 .numbers = {},
                                 .fields = {kTokenizeFields},
                                 .ignored = {},
                                 .unsupported = {"return_token_strs"},
                                 .required = {}};
  return schema;
}
const BodySchema& detokenizeSchema() {
  static const BodySchema schema{.name = "DetokenizeRequest",
                                 .numbers = {},
                                 .fields = {kDetokenizeFields},
                                 .ignored = {},
                                 .unsupported = {},
                                 .required = {"tokens"}};
  return schema;
}
const BodySchema& infillSchema() {
  static const BodySchema schema{
      .name = "InfillRequest",
      .numbers = {kInfillNumbers, samplingNumbers()},
      .fields = {kInfillFields, commonFields()},
      .ignored = {{"cache_prompt", "prefixes are always kept"}, {"samplers", "the order of samplers is fixed"}},
      .unsupported = {"t_max_predict_ms", "t_max_prompt_ms", "n_indent", "id_slot"},
      .required = {}};
  return schema;
}

ApiResult<Call> parseTokenizeCall(std::string_view body) {
  Draft draft;
  if (auto failure = readBody(tokenizeSchema(), draft, body)) return std::unexpected(std::move(*failure));
  const bool text = !draft.call.prompts.empty();
  if (text != draft.call.request.messages.empty())
    return std::unexpected(badField("content", "give one of content, prompt and messages.",
                                    text ? "invalid_value" : "missing_required_parameter"));
  return std::move(draft.call);
}

ApiResult<Call> parseDetokenizeCall(std::string_view body) {
  Draft draft;
  if (auto failure = readBody(detokenizeSchema(), draft, body)) return std::unexpected(std::move(*failure));
  if (draft.call.prompts.empty())
    return std::unexpected(badField("tokens", "tokens is missing.", "missing_required_parameter"));
  return std::move(draft.call);
}

ApiResult<Call> parseInfillCall(std::string_view body) {
  Draft draft;
  if (auto failure = readBody(infillSchema(), draft, body)) return std::unexpected(std::move(*failure));
  if (draft.prefix.empty() && draft.middle.empty() && draft.call.suffix.value_or("").empty())
    return std::unexpected(
        badField("input_prefix", "input_prefix or input_suffix is missing.", "missing_required_parameter"));
  // The beginning of the middle is as good as the end of what stands before it.
  draft.call.prompts = {Prompt{draft.prefix + draft.middle, {}, false}};
  if (!draft.call.suffix) draft.call.suffix.emplace();
  settle(draft);
  return std::move(draft.call);
}

std::unique_ptr<AnswerWriter> makeInfillWriter(const Call&, const std::string& model) {
  return std::make_unique<InfillWriter>(model);
}

}  // namespace hearth::api
