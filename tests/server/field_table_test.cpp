#include "core/server/api/field_table.h"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <functional>

#include "core/server/api/anthropic/messages_schema.h"
#include "core/server/api/native/native_schema.h"
#include "core/server/api/ollama/ollama_schema.h"
#include "core/server/api/openai/chat_schema.h"
#include "core/server/api/openai/completions_schema.h"
#include "core/server/api/openai/responses_schema.h"

namespace hearth::api {
namespace {

namespace json = boost::json;

/// One kind of body, and the smallest call of it.
struct Kind {
  const BodySchema& schema;
  std::string members;  ///< what every call must have
  std::function<std::optional<ApiError>(std::string_view)> parse;
  std::string prefix = {};  ///< of the names, when the fields lie in an inner object
};

template <class T>
std::optional<ApiError> errorOf(const ApiResult<T>& result) {
  return result ? std::nullopt : std::optional(result.error());
}

std::vector<Kind> kinds() {
  const std::string messages = R"("messages":[{"role":"user","content":"hi"}])";
  return {
      {chatSchema(), R"("stream":true,"logprobs":true,)" + messages,
       [](std::string_view body) { return errorOf(parseChatCall(body)); }},
      {completionsSchema(), R"("stream":true,"prompt":"hi")",
       [](std::string_view body) { return errorOf(parseCompletionsCall(body)); }},
      {responsesSchema(), R"("stream":true,"input":"hi")",
       [](std::string_view body) { return errorOf(parseResponsesCall(body)); }},
      {messagesSchema(), R"("max_tokens":5,)" + messages,
       [](std::string_view body) { return errorOf(parseMessagesCall(body)); }},
      {ollamaChatSchema(), R"("logprobs":true,)" + messages,
       [](std::string_view body) { return errorOf(parseOllamaChat(body)); }},
      {ollamaGenerateSchema(), R"("logprobs":true,"prompt":"hi")",
       [](std::string_view body) { return errorOf(parseOllamaGenerate(body)); }},
      {ollamaOptionsSchema(), messages, [](std::string_view body) { return errorOf(parseOllamaChat(body)); }, "options."},
      {tokenizeSchema(), R"("content":"hi")", [](std::string_view body) { return errorOf(parseTokenizeCall(body)); }},
      {detokenizeSchema(), R"("tokens":[1])", [](std::string_view body) { return errorOf(parseDetokenizeCall(body)); }},
      {infillSchema(), R"("input_prefix":"hi")", [](std::string_view body) { return errorOf(parseInfillCall(body)); }},
  };
}

/// `value` in the place of the field `name`, which may lie in an inner object ("options.top_k").
std::string with(const Kind& kind, const std::string& name, const std::string& value) {
  const std::size_t dot = name.find('.');
  const std::string outer = name.substr(0, dot);
  // A field that every call has is replaced: a doubled key would be refused for that.
  json::object others = json::parse("{" + kind.members + "}").as_object();
  others.erase(outer);
  std::string body = json::serialize(others);
  body.pop_back();
  if (!others.empty()) body += ',';
  return body + (dot == std::string::npos ? fmt::format(R"("{}":{}}})", name, value)
                                          : fmt::format(R"("{}":{{"{}":{}}}}})", outer, name.substr(dot + 1), value));
}

TEST(FieldTable, EveryNumberOfEveryDialectHasItsRange) {
  for (const Kind& kind : kinds()) {
    for (const auto& table : kind.schema.numbers) {
      for (const NumberField& field : table) {
        const std::string name = kind.prefix + std::string(field.name);
        SCOPED_TRACE(std::string(kind.schema.name) + " " + name);
        if (name == "best_of") continue;  // must be what n is
        const auto refused = [&](const std::string& value) {
          const auto error = kind.parse(with(kind, name, value));
          ASSERT_TRUE(error.has_value()) << "accepted: " << value;
          EXPECT_EQ(error->status, 400) << value;
          EXPECT_EQ(error->param, name) << value << ": " << error->message;
          EXPECT_NE(error->message.find(name), std::string::npos) << error->message;
        };
        const auto taken = [&](const std::string& value) {
          const auto error = kind.parse(with(kind, name, value));
          EXPECT_FALSE(error.has_value()) << value << ": " << (error ? error->message : "");
        };
        const auto number = [&](double value) {
          return field.integer ? fmt::format("{}", static_cast<std::int64_t>(value)) : fmt::format("{}", value);
        };
        taken(number(field.low));
        taken(number(field.high));
        if (std::ranges::find(kind.schema.required, field.name) == kind.schema.required.end()) taken("null");
        refused(number(field.high + 1));
        refused(number(field.low - 1));
        refused("9223372036854775808");
        refused("-9223372036854775808");
        refused("1e308");
        refused("-1e308");
        for (const char* wrong : {"\"1\"", "true", "[]", "[1]", "{}"}) refused(wrong);
        for (const double edge : {-1.0, 0.0, 2147483648.0}) {
          if (edge < field.low || edge > field.high) {
            refused(fmt::format("{}", static_cast<std::int64_t>(edge)));
          } else {
            taken(fmt::format("{}", static_cast<std::int64_t>(edge)));
          }
        }
        if (field.integer) {
          refused("1.5");
          refused("1e0");
        }
        for (const char* noJson : {"NaN", "-Infinity"}) {
          const auto error = kind.parse(with(kind, name, noJson));
          ASSERT_TRUE(error.has_value());
          EXPECT_EQ(error->code, "invalid_json");
        }
      }
    }
  }
}

TEST(FieldTable, EveryOtherFieldRefusesWhatItCannotBe) {
  // No field of any dialect takes all of these; each is either taken, or refused with the field's name.
  for (const Kind& kind : kinds()) {
    for (const auto& table : kind.schema.fields) {
      for (const Field& field : table) {
        const std::string name = kind.prefix + std::string(field.name);
        SCOPED_TRACE(std::string(kind.schema.name) + " " + name);
        int refusals = 0;
        for (const char* value : {"true", "-1", "9223372036854775808", "1e308", "\"\"", "\"\\u0000\"", "[]", "[[]]",
                                  "[null]", "{}", R"({"type":5})", R"([{"type":"x"}])"}) {
          const auto error = kind.parse(with(kind, name, value));
          if (!error) continue;
          ++refusals;
          EXPECT_EQ(error->status, 400) << value;
          EXPECT_TRUE(error->param.starts_with(name)) << value << ": " << error->param << ": " << error->message;
        }
        EXPECT_GT(refusals, 0) << "a field that takes anything is a field that checks nothing";
      }
    }
  }
}

TEST(FieldTable, UnknownAndUnsupportedFieldsAreNamed) {
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.schema.name);
    const auto unknown = kind.parse(with(kind, kind.prefix + "frobnicate", "1"));
    ASSERT_TRUE(unknown.has_value());
    EXPECT_EQ(unknown->param, kind.prefix + "frobnicate");
    EXPECT_EQ(unknown->code, "unknown_parameter");
    EXPECT_TRUE(kind.parse(with(kind, kind.prefix + "frobnicate", "null")).has_value()) << "null does not make it known";
    for (const std::string_view name : kind.schema.unsupported) {
      const auto error = kind.parse(with(kind, kind.prefix + std::string(name), "{}"));
      ASSERT_TRUE(error.has_value()) << name;
      EXPECT_EQ(error->param, kind.prefix + std::string(name));
      EXPECT_EQ(error->code, "unsupported_parameter");
      EXPECT_FALSE(kind.parse(with(kind, kind.prefix + std::string(name), "null")).has_value()) << name;
    }
    for (const IgnoredField& field : kind.schema.ignored) {
      EXPECT_FALSE(kind.parse(with(kind, kind.prefix + std::string(field.name), "{}")).has_value()) << field.name;
      EXPECT_FALSE(field.reason.empty());
    }
  }
}

TEST(FieldTable, NoFieldStandsTwice) {
  for (const Kind& kind : kinds()) {
    std::vector<std::string_view> names;
    for (const auto& table : kind.schema.numbers) {
      for (const auto& field : table) names.push_back(field.name);
    }
    for (const auto& table : kind.schema.fields) {
      for (const auto& field : table) names.push_back(field.name);
    }
    for (const auto& field : kind.schema.ignored) names.push_back(field.name);
    names.insert(names.end(), kind.schema.unsupported.begin(), kind.schema.unsupported.end());
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    EXPECT_EQ(twice, names.end()) << kind.schema.name << ": " << *twice;
  }
}

}  // namespace
}  // namespace hearth::api
