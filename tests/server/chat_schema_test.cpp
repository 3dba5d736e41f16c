#include "core/server/api/openai/chat_schema.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>

namespace hearth::api {
namespace {

std::string bodyWith(std::string_view members) {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}])" + std::string(members.empty() ? "" : ",") +
         std::string(members) + "}";
}

void expectRefused(const std::string& body, const std::string& param, const std::string& code = {}) {
  const auto call = parseChatCall(body);
  ASSERT_FALSE(call.has_value()) << "accepted: " << body;
  EXPECT_EQ(call.error().status, 400) << body;
  EXPECT_EQ(call.error().param, param) << body << ": " << call.error().message;
  EXPECT_FALSE(call.error().message.empty());
  if (!code.empty()) {
    EXPECT_EQ(call.error().code, code) << body;
  }
}

Call accepted(const std::string& members) {
  auto call = parseChatCall(bodyWith(members));
  EXPECT_TRUE(call.has_value()) << members << ": " << (call ? "" : call.error().message);
  return call.value_or(Call{});
}

TEST(ChatSchema, PlainCall) {
  const Call call = accepted("");
  EXPECT_EQ(call.request.model, "m");
  ASSERT_EQ(call.request.messages.size(), 1U);
  EXPECT_EQ(call.request.messages[0].role, Role::User);
  EXPECT_EQ(call.request.messages[0].text, "hi");
  EXPECT_FALSE(call.stream);
  EXPECT_EQ(call.choices, 1);
  EXPECT_EQ(call.request.maxTokens, -1);
  EXPECT_EQ(call.request.sampling.logprobs, -1);
}

TEST(ChatSchema, NumbersArriveWhereTheyBelong) {
  const Call call = accepted(
      R"("temperature":0.1,"top_p":0.2,"top_k":3,"min_p":0.4,"typical_p":0.5,"max_completion_tokens":6,"n":7,"logprobs":true,"top_logprobs":8,
         "presence_penalty":0.9,"frequency_penalty":-1.0,"repetition_penalty":1.1,"repeat_last_n":12,"dry_multiplier":1.3,"dry_base":1.4,
         "dry_allowed_length":15,"dry_penalty_last_n":16,"xtc_probability":0.17,"xtc_threshold":0.18,"mirostat":2,"mirostat_tau":2.0,
         "mirostat_eta":0.21,"seed":-22,"logit_bias":{"23":-24,"5":1.5})");
  const SamplingParams& s = call.request.sampling;
  EXPECT_EQ(s.temperature, 0.1);
  EXPECT_EQ(s.topP, 0.2);
  EXPECT_EQ(s.topK, 3);
  EXPECT_EQ(s.minP, 0.4);
  EXPECT_EQ(s.typicalP, 0.5);
  EXPECT_EQ(call.request.maxTokens, 6);
  EXPECT_EQ(call.choices, 7);
  EXPECT_EQ(s.logprobs, 8);
  EXPECT_EQ(s.presencePenalty, 0.9);
  EXPECT_EQ(s.frequencyPenalty, -1.0);
  EXPECT_EQ(s.repetitionPenalty, 1.1);
  EXPECT_EQ(s.penaltyWindow, 12);
  EXPECT_EQ(s.dryMultiplier, 1.3);
  EXPECT_EQ(s.dryBase, 1.4);
  EXPECT_EQ(s.dryAllowedLength, 15);
  EXPECT_EQ(s.dryWindow, 16);
  EXPECT_EQ(s.xtcProbability, 0.17);
  EXPECT_EQ(s.xtcThreshold, 0.18);
  EXPECT_EQ(s.mirostat, 2);
  EXPECT_EQ(s.mirostatTau, 2.0);
  EXPECT_EQ(s.mirostatEta, 0.21);
  EXPECT_EQ(s.seed, static_cast<std::uint64_t>(-22));
  EXPECT_EQ(s.logitBias.at(23), -24.0F);
  EXPECT_EQ(s.logitBias.at(5), 1.5F);
}

TEST(ChatSchema, OtherFieldsThatAreTaken) {
  const Call call = accepted(
      R"("stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false},"stop":["a","b"],"user":"u","metadata":{"x":"y"},"store":false,
         "service_tier":"auto","prompt_cache_key":"k","safety_identifier":"s","response_format":{"type":"text"},"modalities":["text"],
         "parallel_tool_calls":true,"tool_choice":"auto","reasoning_effort":"low","chat_template_kwargs":{"enable_thinking":false},
         "audio":null,"functions":null,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}])");
  EXPECT_TRUE(call.stream);
  EXPECT_TRUE(call.includeUsage);
  EXPECT_EQ(call.request.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(call.request.toolsJson, R"([{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}])");
  EXPECT_NE(call.request.templateVariablesJson.find(R"("enable_thinking":false)"), std::string::npos);
  EXPECT_NE(call.request.templateVariablesJson.find(R"("reasoning_effort":"low")"), std::string::npos);
  EXPECT_EQ(accepted(R"("stop":"x")").request.stop, std::vector<std::string>{"x"});
  EXPECT_EQ(accepted(R"("logprobs":true)").request.sampling.logprobs, 0);
  EXPECT_TRUE(
      accepted(R"("tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"none")").request.toolsJson.empty());
  EXPECT_EQ(accepted(R"("max_tokens":5,"max_completion_tokens":5)").request.maxTokens, 5);
}

TEST(ChatSchema, ShapesOfTheAnswer) {
  const auto shape = [](const std::string& members) { return accepted(members).request.shape; };
  using Kind = OutputShape::Kind;
  EXPECT_EQ(shape("").kind, Kind::Any);
  EXPECT_EQ(shape(R"("response_format":{"type":"text"})").kind, Kind::Any);
  EXPECT_EQ(shape(R"("response_format":{"type":"json_object"})"), (OutputShape{Kind::JsonObject, "", {}}));
  const OutputShape schema{Kind::JsonSchema, R"({"type":"object","properties":{"a":{"type":"integer"}}})", {}};
  EXPECT_EQ(shape(R"("response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":)" +
                  schema.text + "}}"),
            schema);
  EXPECT_EQ(shape(R"("response_format":{"type":"json_object","schema":)" + schema.text + "}"), schema);
  EXPECT_EQ(shape(R"("guided_json":)" + schema.text), schema);
  EXPECT_EQ(shape(R"("guided_json":"{}")"), (OutputShape{Kind::JsonSchema, "{}", {}}));
  EXPECT_EQ(shape(R"("json_schema":)" + schema.text), schema);
  EXPECT_EQ(shape(R"("structured_outputs":{"json":)" + schema.text + "}"), schema);
  EXPECT_EQ(shape(R"("guided_regex":"a+")"), (OutputShape{Kind::Regex, "a+", {}}));
  EXPECT_EQ(shape(R"("structured_outputs":{"regex":"a+","json":null})"), (OutputShape{Kind::Regex, "a+", {}}));
  EXPECT_EQ(shape(R"("guided_choice":["x","y"])"), (OutputShape{Kind::Choice, "", {"x", "y"}}));
  EXPECT_EQ(shape(R"("guided_grammar":"root ::= [a]")"), (OutputShape{Kind::Gbnf, "root ::= [a]", {}}));
  EXPECT_EQ(shape(R"("grammar":"root ::= [a]")"), (OutputShape{Kind::Gbnf, "root ::= [a]", {}}));
}

TEST(ChatSchema, ToolChoices) {
  const std::string tools =
      R"("tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}])";
  using Kind = ToolChoice::Kind;
  EXPECT_EQ(accepted(tools).request.toolChoice.kind, Kind::Auto);
  EXPECT_EQ(accepted(tools + R"(,"tool_choice":"required")").request.toolChoice.kind, Kind::Required);
  const auto named =
      accepted(tools + R"(,"parallel_tool_calls":false,"tool_choice":{"type":"function","function":{"name":"g"}})").request;
  EXPECT_EQ(named.toolChoice.kind, Kind::Named);
  EXPECT_EQ(named.toolChoice.name, "g");
  EXPECT_FALSE(named.parallelToolCalls);
  EXPECT_TRUE(accepted(R"("parallel_tool_calls":false)").request.parallelToolCalls)
      << "without tools there is nothing to limit";
}

TEST(ChatSchema, ThinkingAndKeepingTheModel) {
  EXPECT_FALSE(accepted("").request.think.has_value());
  EXPECT_EQ(accepted(R"("think":true)").request.think, true);
  EXPECT_EQ(accepted(R"("enable_thinking":false)").request.think, false);
  EXPECT_EQ(accepted(R"("reasoning_effort":"none")").request.think, false);
  EXPECT_EQ(accepted(R"("reasoning_effort":"high")").request.think, true);
  const auto keep = [](const std::string& value) { return accepted("\"keep_alive\":" + value).keepAlive->count(); };
  EXPECT_EQ(keep("0"), 0);
  EXPECT_EQ(keep("-1"), -1);
  EXPECT_EQ(keep("1.5"), 1500);
  EXPECT_EQ(keep("\"90\""), 90'000);
  EXPECT_EQ(keep("\"5m\""), 300'000);
  EXPECT_EQ(keep("\"1h30m10s\""), 5'410'000);
  EXPECT_EQ(keep("\"250ms\""), 250);
  EXPECT_EQ(keep("\"-1s\""), -1);
  EXPECT_EQ(keep("1e300"), -1);
  EXPECT_FALSE(accepted("").keepAlive.has_value());
  for (const char* wrong : {"\"\"", "\"m\"", "\"5x\"", "\"5m5\"", "\"--5m\"", "\"nan\"", "true", "{}"})
    expectRefused(bodyWith("\"keep_alive\":" + std::string(wrong)), "keep_alive");
  EXPECT_EQ(accepted(R"("dry_sequence_breakers":["\n","*"])").dryBreakers, (std::vector<std::string>{"\n", "*"}));
}

TEST(ChatSchema, FieldsThatAreRefusedByName) {
  struct Case {
    const char* members;
    const char* param;
    const char* code;
  };
  for (
      const Case& c : std::initializer_list<Case>{
          {R"("frobnicate":1)", "frobnicate", "unknown_parameter"},
          {R"("Temperature":1)", "Temperature", "unknown_parameter"},
          {R"("audio":{})", "audio", "unsupported_parameter"},
          {R"("functions":[])", "functions", "unsupported_parameter"},
          {R"("function_call":"auto")", "function_call", "unsupported_parameter"},
          {R"("prediction":{})", "prediction", "unsupported_parameter"},
          {R"("web_search_options":{})", "web_search_options", "unsupported_parameter"},
          {R"("dry_sequence_breakers":"x")", "dry_sequence_breakers", "invalid_type"},
          {R"("dry_sequence_breakers":[""])", "dry_sequence_breakers[0]", ""},
          {R"("response_format":{"type":"json_schema"})", "response_format.json_schema", ""},
          {R"("response_format":{"type":"json_schema","json_schema":{}})", "response_format.json_schema.schema", ""},
          {R"("response_format":{"type":"json_schema","json_schema":{"name":"a b","schema":{}}})",
           "response_format.json_schema.name", ""},
          {R"("response_format":{"type":"json_schema","json_schema":{"strict":1,"schema":{}}})",
           "response_format.json_schema.strict", "invalid_type"},
          {R"("response_format":{"type":"xml"})", "response_format.type", "unsupported_parameter"},
          {R"("response_format":{"type":"json_object"},"grammar":"root ::= [a]")", "grammar", ""},
          {R"("guided_json":5)", "guided_json", "invalid_type"},
          {R"("guided_regex":"")", "guided_regex", ""},
          {R"("guided_choice":[])", "guided_choice", ""},
          {R"("guided_choice":["a",2])", "guided_choice[1]", "invalid_type"},
          {R"("structured_outputs":{"structural_tag":"x"})", "structured_outputs.structural_tag", "unsupported_parameter"},
          {R"("structured_outputs":{"jason":{}})", "structured_outputs.jason", "unknown_parameter"},
          {R"("think":"yes")", "think", "invalid_type"},
          {R"("keep_alive":"soon")", "keep_alive", ""},
          {R"("keep_alive":[])", "keep_alive", ""},
          {R"("response_format":"text")", "response_format", "invalid_type"},
          {R"("response_format":{})", "response_format.type", ""},
          {R"("modalities":["text","audio"])", "modalities", "unsupported_parameter"},
          {R"("tool_choice":"required")", "tool_choice", ""},
          {R"("tool_choice":{"type":"function","function":{"name":"f"}})", "tool_choice", ""},
          {R"("tools":[{"type":"function","function":{"name":"g"}}],"tool_choice":{"type":"function","function":{"name":"f"}})",
           "tool_choice", ""},
          {R"("tool_choice":{"type":"allowed_tools"})", "tool_choice.type", "unsupported_parameter"},
          {R"("tool_choice":{"type":"function"})", "tool_choice.function", ""},
          {R"("tool_choice":5)", "tool_choice", "invalid_type"},
          {R"("tool_choice":"sometimes")", "tool_choice", "invalid_value"},
          {R"("parallel_tool_calls":0)", "parallel_tool_calls", "invalid_type"},
          {R"("stream":1)", "stream", "invalid_type"},
          {R"("stream":"true")", "stream", "invalid_type"},
          {R"("stream_options":{"include_usage":true})", "stream_options", ""},
          {R"("stream":true,"stream_options":{"include_usage":1})", "stream_options.include_usage", "invalid_type"},
          {R"("stream":true,"stream_options":{"x":1})", "stream_options.x", "unknown_parameter"},
          {R"("stream":true,"stream_options":[])", "stream_options", "invalid_type"},
          {R"("logprobs":1)", "logprobs", "invalid_type"},
          {R"("top_logprobs":3)", "top_logprobs", ""},
          {R"("logprobs":false,"top_logprobs":3)", "top_logprobs", ""},
          {R"("max_tokens":5,"max_completion_tokens":6)", "max_tokens", ""},
          {R"("seed":1.5)", "seed", "invalid_type"},
          {R"("seed":9223372036854775808)", "seed", "invalid_value"},
          {R"("seed":"1")", "seed", "invalid_type"},
          {R"("stop":1)", "stop", "invalid_type"},
          {R"("stop":"")", "stop", ""},
          {R"("stop":["a",1])", "stop[1]", "invalid_type"},
          {R"("stop":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"])", "stop", ""},
          {R"("logit_bias":[])", "logit_bias", "invalid_type"},
          {R"("logit_bias":{"x":1})", "logit_bias", ""},
          {R"("logit_bias":{"-1":1})", "logit_bias", ""},
          {R"("logit_bias":{"1.0":1})", "logit_bias", ""},
          {R"("logit_bias":{"2147483648":1})", "logit_bias", ""},
          {R"("logit_bias":{"1":101})", "logit_bias", ""},
          {R"("logit_bias":{"1":"5"})", "logit_bias", "invalid_type"},
          {R"("user":5)", "user", "invalid_type"},
          {R"("tools":{})", "tools", ""},
          {R"("tools":[1])", "tools[0]", ""},
          {R"("tools":[{"type":"retrieval"}])", "tools[0].type", "unsupported_parameter"},
          {R"("tools":[{"type":"function"}])", "tools[0].function", ""},
          {R"("tools":[{"type":"function","function":{"name":"a b"}}])", "tools[0].function.name", ""},
          {R"("tools":[{"type":"function","function":{"name":"f","parameters":[]}}])", "tools[0].function.parameters", ""},
          {R"("chat_template_kwargs":[])", "chat_template_kwargs", "invalid_type"},
          {R"("chat_template_kwargs":{"messages":[]})", "chat_template_kwargs", ""},
          {R"("reasoning_effort":"extreme")", "reasoning_effort", ""},
      }) {
    SCOPED_TRACE(c.members);
    expectRefused(bodyWith(c.members), c.param, c.code);
  }
}

TEST(ChatSchema, BodiesThatAreNoCall) {
  expectRefused("[]", "", "invalid_json");
  expectRefused("\"x\"", "", "invalid_json");
  expectRefused("", "", "invalid_json");
  expectRefused(R"({"model":"m","model":"n","messages":[]})", "", "invalid_json");
  expectRefused(R"({"model":"m"})", "messages", "missing_required_parameter");
  expectRefused(R"({"model":"m","messages":null})", "messages", "missing_required_parameter");
  expectRefused(R"({"model":5,"messages":[{"role":"user","content":"x"}]})", "model", "invalid_type");
  expectRefused(R"({"model":")" + std::string(300, 'm') + R"(","messages":[{"role":"user","content":"x"}]})", "model");
  EXPECT_EQ(parseChatCall(R"({"messages":[{"role":"user","content":"x"}]})")->request.model, "")
      << "the server's default model";
}

TEST(ChatSchema, Messages) {
  const auto call = parseChatCall(R"({"messages":[
    {"role":"developer","content":"be kind"},
    {"role":"user","name":"ann","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
    {"role":"assistant","content":null,"refusal":null,"annotations":[],"audio":null,"function_call":null,"reasoning":"hm",
     "tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
                   {"id":"c2","type":"function","function":{"name":"g","arguments":"{broken"}}]},
    {"role":"tool","tool_call_id":"c1","content":"42"}]})");
  ASSERT_TRUE(call.has_value()) << call.error().message;
  const auto& m = call->request.messages;
  ASSERT_EQ(m.size(), 4U);
  EXPECT_EQ(m[0].role, Role::System);
  EXPECT_EQ(m[1].name, "ann");
  EXPECT_EQ(m[1].text, "a\nb");
  EXPECT_EQ(m[2].role, Role::Assistant);
  EXPECT_NE(m[2].extraJson.find(R"("arguments":{"x":1})"), std::string::npos) << m[2].extraJson;
  EXPECT_NE(m[2].extraJson.find(R"("arguments":"{broken")"), std::string::npos)
      << "one malformed call must not end the conversation";
  EXPECT_NE(m[2].extraJson.find(R"("reasoning_content":"hm")"), std::string::npos);
  EXPECT_EQ(m[3].role, Role::Tool);
  EXPECT_EQ(m[3].extraJson, R"({"tool_call_id":"c1"})");
}

TEST(ChatSchema, MessagesThatAreRefused) {
  struct Case {
    const char* messages;
    const char* param;
  };
  for (
      const Case& c : std::initializer_list<Case>{
          {"{}", "messages"},
          {"[]", "messages"},
          {"[1]", "messages[0]"},
          {R"([{"content":"x"}])", "messages[0].role"},
          {R"([{"role":"wizard","content":"x"}])", "messages[0].role"},
          {R"([{"role":"user"}])", "messages[0].content"},
          {R"([{"role":"user","content":null}])", "messages[0].content"},
          {R"([{"role":"assistant"}])", "messages[0].content"},
          {R"([{"role":"assistant","tool_calls":[]}])", "messages[0].content"},
          {R"([{"role":"user","content":5}])", "messages[0].content"},
          {R"([{"role":"user","content":[]}])", "messages[0].content"},
          {R"([{"role":"user","content":["x"]}])", "messages[0].content[0]"},
          {R"([{"role":"user","content":[{"type":"text"}]}])", "messages[0].content[0].text"},
          {R"([{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"data:"}}]}])",
           "messages[1].content[1]"},
          {R"([{"role":"user","content":[{"type":"input_audio","input_audio":{}}]}])", "messages[0].content[0]"},
          {R"([{"role":"user","content":"x","tool_calls":[]}])", "messages[0].tool_calls"},
          {R"([{"role":"user","content":"x","weight":1}])", "messages[0].weight"},
          {R"([{"role":"user","content":"x","name":7}])", "messages[0].name"},
          {R"([{"role":"assistant","tool_calls":[{"type":"function"}]}])", "messages[0].tool_calls[0].function"},
          {R"([{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":5}}]}])",
           "messages[0].tool_calls[0].function.arguments"},
      }) {
    SCOPED_TRACE(c.messages);
    expectRefused(R"({"messages":)" + std::string(c.messages) + "}", c.param);
  }
}

}  // namespace
}  // namespace hearth::api
