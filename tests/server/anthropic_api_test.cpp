#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <regex>

#include "core/server/api/anthropic/messages_schema.h"
#include "tests/server/api_fixture.h"

namespace hearth::api {
namespace {

namespace json = boost::json;
using test::postJson;

class AnthropicApi : public test::ApiFixture {
 protected:
  static std::string ask4(const std::string& members = {}) {
    return postJson("/v1/messages",
                    R"({"model":"tiny","max_tokens":50,"messages":[{"role":"user","content":"hi"}])" + members + "}");
  }
  void play() {
    m_chat.script = [](const test::FakeChat::Call& call) {
      call.sink(test::startedEvent(7, 2));
      call.sink(test::reasoningEvent("hm"));
      call.sink(test::textEvent("Let "));
      call.sink(test::textEvent("me."));
      call.sink(test::toolEvent(0, R"({"city":)", "call_1", "weather"));
      call.sink(test::toolEvent(0, R"("Rome"})"));
      call.sink(test::toolEvent(1, "{}", "call_2", "clock"));
      auto done = test::finishedEvent(9);
      done.toolCalls = 2;
      call.sink(done);
    };
  }
};

TEST_F(AnthropicApi, Streams) {
  play();
  const auto response = ask(ask4(R"(,"stream":true)"));
  EXPECT_EQ(response.headers.at("content-type"), "text/event-stream");
  const std::string text = std::regex_replace(response.body, std::regex("msg_[0-9a-f]{24}"), "ID");
  EXPECT_EQ(text, R"(event: message_start
data: {"type":"message_start","message":{"id":"ID","type":"message","role":"assistant","model":"tiny","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":2,"output_tokens":0}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Let "}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"me."}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"call_1","name":"weather","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"city\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"Rome\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: content_block_start
data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"call_2","name":"clock","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":3}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":2,"output_tokens":9}}

event: message_stop
data: {"type":"message_stop"}

)");
}

TEST_F(AnthropicApi, AWholeAnswerSaysTheSame) {
  play();
  const auto value = json::parse(ask(ask4()).body);
  EXPECT_EQ(value.at("stop_reason"), "tool_use");
  EXPECT_EQ(
      json::serialize(value.at("content")),
      R"([{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"Let me."},{"type":"tool_use","id":"call_1","name":"weather","input":{"city":"Rome"}},)"
      R"({"type":"tool_use","id":"call_2","name":"clock","input":{}}])");
  EXPECT_EQ(value.at("usage").at("output_tokens"), 9);
}

TEST_F(AnthropicApi, ReasonsToStop) {
  FinishReason reason = FinishReason::Stop;
  std::string stop;
  m_chat.script = [&](const test::FakeChat::Call& call) {
    auto done = test::finishedEvent(1, reason);
    done.stopString = stop;
    call.sink(done);
  };
  const auto asked = [&] {
    const auto value = json::parse(ask(ask4(R"(,"stop_sequences":["END"])")).body);
    m_chat.joinScripts();
    return json::serialize(value.at("stop_reason")) + json::serialize(value.at("stop_sequence"));
  };
  EXPECT_EQ(asked(), "\"end_turn\"null");
  stop = "END";
  EXPECT_EQ(asked(), "\"stop_sequence\"\"END\"");
  stop = "\nUser:";  // the prompt format's own
  EXPECT_EQ(asked(), "\"end_turn\"null");
  reason = FinishReason::Length;
  EXPECT_EQ(asked(), "\"max_tokens\"null");
}

TEST_F(AnthropicApi, ErrorsAreAnthropics) {
  const auto expectError = [](const test::RawResponse& response, int status, std::string_view type, std::string_view part) {
    EXPECT_EQ(response.status, status) << response.body;
    const auto value = json::parse(response.body);
    EXPECT_EQ(value.at("type"), "error");
    EXPECT_EQ(value.at("error").at("type"), json::string(type));
    EXPECT_NE(std::string(value.at("error").at("message").as_string()).find(part), std::string::npos) << response.body;
  };
  expectError(ask(postJson("/v1/messages", R"({"model":"tiny","messages":[{"role":"user","content":"x"}]})")), 400,
              "invalid_request_error", "max_tokens");
  expectError(ask(ask4(R"(,"temperature":1.5)")), 400, "invalid_request_error", "temperature");
  expectError(
      ask(postJson("/v1/messages", R"({"model":"nobody","max_tokens":5,"messages":[{"role":"user","content":"x"}]})")), 404,
      "not_found_error", "nobody");
  m_chat.refuse = [](const ChatRequest&) { return Error{ErrorCode::QueueFull, "full", {}}; };
  expectError(ask(ask4()), 529, "overloaded_error", "full");
  m_chat.refuse = nullptr;
  m_chat.script = [](const test::FakeChat::Call& call) {
    call.sink(test::textEvent("x"));
    call.sink(test::failedEvent(ErrorCode::Internal, "it broke"));
  };
  EXPECT_TRUE(
      ask(ask4(R"(,"stream":true)"))
          .body.ends_with(
              "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"it broke\"}}\n\n"));
}

TEST_F(AnthropicApi, PingsComeAfterTheStart) {
  m_context.heartbeat = std::chrono::milliseconds(50);
  test::RawClient client(port());
  client.send(ask4(R"(,"stream":true)"));
  const auto call = m_chat.call(0);
  ASSERT_TRUE(call);
  EXPECT_EQ(client.readUntil(":\n\n").find("event:"), std::string::npos) << "clients know no event before message_start";
  call->sink(test::startedEvent(1));
  call->sink(test::textEvent("x"));
  EXPECT_FALSE(client.readUntil("event: ping\ndata: {\"type\":\"ping\"}\n\n").empty());
  call->sink(test::finishedEvent(1));
}

TEST_F(AnthropicApi, TokensAreCountedWithoutMaxTokens) {
  m_chat.rendered = "0123456789";
  EXPECT_EQ(
      ask(postJson("/v1/messages/count_tokens", R"({"model":"tiny","messages":[{"role":"user","content":"x"}]})")).body,
      R"({"input_tokens":10})");
}

Call accepted(const std::string& members) {
  auto call = parseMessagesCall(R"({"max_tokens":5,)" + members + "}");
  EXPECT_TRUE(call.has_value()) << (call ? "" : call.error().message);
  return call.value_or(Call{});
}

TEST(AnthropicSchema, MessagesBecomeTurns) {
  const auto m =
      accepted(
          R"("system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2; cch=1a2b;"},{"type":"text","text":"Be kind.","cache_control":{"type":"ephemeral"}}],
    "messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"b"}]},
                {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"c"},{"type":"tool_use","id":"t1","name":"f","input":{"x":1}}]},
                {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"42"}]},{"type":"text","text":"and?"}]}])")
          .request.messages;
  ASSERT_EQ(m.size(), 5U);
  EXPECT_EQ(m[0].role, Role::System);
  EXPECT_EQ(m[0].text, "Be kind.");
  EXPECT_EQ(m[1].text, "a\n\nb");
  EXPECT_EQ(m[2].text, "c");
  EXPECT_EQ(
      m[2].extraJson,
      R"({"tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":{"x":1}}}],"reasoning_content":"hm"})");
  EXPECT_EQ(m[3].role, Role::Tool);
  EXPECT_EQ(m[3].text, "42");
  EXPECT_EQ(m[3].extraJson, R"({"tool_call_id":"t1"})");
  EXPECT_EQ(m[4].text, "and?");
}

TEST(AnthropicSchema, BillingHeaders) {
  EXPECT_EQ(withoutBillingHeader("x-anthropic-billing-header: a\nBe kind.\nAlways."), "Be kind.\nAlways.");
  EXPECT_EQ(withoutBillingHeader("x-anthropic-billing-header: a"), "");
  EXPECT_EQ(withoutBillingHeader("\n Say x-anthropic-billing-header: a"), "\n Say x-anthropic-billing-header: a");
}

TEST(AnthropicSchema, ToolsAndChoices) {
  const std::string rest =
      R"("messages":[{"role":"user","content":"x"}],"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}])";
  EXPECT_EQ(accepted(rest).request.toolsJson,
            R"([{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}])");
  const auto choice = [&](const std::string& value) { return accepted(rest + ",\"tool_choice\":" + value).request; };
  EXPECT_EQ(choice(R"({"type":"any"})").toolChoice.kind, ToolChoice::Kind::Required);
  EXPECT_EQ(choice(R"({"type":"tool","name":"f"})").toolChoice.name, "f");
  EXPECT_TRUE(choice(R"({"type":"none"})").toolsJson.empty());
  EXPECT_FALSE(choice(R"({"type":"auto","disable_parallel_tool_use":true})").parallelToolCalls);
  EXPECT_EQ(accepted(rest + R"(,"thinking":{"type":"enabled","budget_tokens":2048})").request.think, true);
  EXPECT_EQ(accepted(rest + R"(,"thinking":{"type":"disabled"})").request.think, false);
  EXPECT_EQ(accepted(rest + R"(,"output_config":{"format":{"type":"json_schema","schema":{}}})").request.shape.kind,
            OutputShape::Kind::JsonSchema);
}

TEST(AnthropicSchema, WhatIsRefusedIsNamed) {
  struct Case {
    const char* members;
    const char* param;
  };
  for (
      const Case& c : std::initializer_list<Case>{
          {R"("messages":[])", "messages"},
          {R"("messages":[{"role":"user","content":[{"type":"image","source":{}}]}])", "messages[0].content[0].type"},
          {R"("messages":[{"role":"wizard","content":"x"}])", "messages[0].role"},
          {R"("messages":[{"role":"user","content":""}])", "messages[0].content"},
          {R"("messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"image"}]}]}])",
           "messages[0].content[0].content[0].type"},
          {R"("messages":[{"role":"user","content":"x","name":"n"}])", "messages[0].name"},
          {R"("messages":[{"role":"user","content":"x"}],"system":[{"type":"text","text":"a"},{"type":"image"}])",
           "system[1].type"},
          {R"("messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search_20250305","name":"web_search"}])",
           "tools[0].type"},
          {R"("messages":[{"role":"user","content":"x"}],"tools":[{"name":"f"}])", "tools[0].input_schema"},
          {R"("messages":[{"role":"user","content":"x"}],"tool_choice":{"type":"any"})", "tool_choice"},
          {R"("messages":[{"role":"user","content":"x"}],"tool_choice":{"type":"sometimes"})", "tool_choice.type"},
          {R"("messages":[{"role":"user","content":"x"}],"thinking":{"type":"enabled","budget_tokens":-1})",
           "thinking.budget_tokens"},
          {R"("messages":[{"role":"user","content":"x"}],"stop_sequences":"x")", "stop_sequences"},
      }) {
    const auto call = parseMessagesCall(R"({"max_tokens":5,)" + std::string(c.members) + "}");
    ASSERT_FALSE(call.has_value()) << c.members;
    EXPECT_EQ(call.error().param, c.param) << call.error().message;
  }
}

}  // namespace
}  // namespace hearth::api
