#include "core/server/api/anthropic/messages_writer.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/server/api/openai/openai_json.h"
#include "core/server/json_text.h"

namespace hearth::api {
namespace {

class MessagesWriter final : public AnswerWriter {
 public:
  MessagesWriter(const Call& call, const std::string& model)
      : m_id(newId("msg_")), m_model(model), m_stop(call.request.stop) {}

  void begin(std::string& out, const Answer& answer) override {
    event(out, "message_start", R"("message":)" + message("[]", "null", "null", usage(answer, 0)));
  }
  void text(std::string& out, int, const ChatEvent& event, const Answer&) override {
    if (event.text.empty()) return;
    open(out, Block::Text, R"({"type":"text","text":""})");
    delta(out, R"({"type":"text_delta","text":)" + jsonString(event.text) + '}');
  }
  void reasoning(std::string& out, int, const ChatEvent& event, const Answer&) override {
    if (event.text.empty()) return;
    open(out, Block::Thinking, R"({"type":"thinking","thinking":"","signature":""})");
    delta(out, R"({"type":"thinking_delta","thinking":)" + jsonString(event.text) + '}');
  }
  void toolCall(std::string& out, int, const ToolCallDelta& call, const Answer&) override {
    if (!call.id.empty() || !call.name.empty()) {
      close(out);
      open(out, Block::Tool,
           R"({"type":"tool_use","id":)" + jsonString(call.id) + R"(,"name":)" + jsonString(call.name) + R"(,"input":{}})");
    }
    if (!call.arguments.empty())
      delta(out, R"({"type":"input_json_delta","partial_json":)" + jsonString(call.arguments) + '}');
  }
  void finish(std::string& out, int, const Answer&) override { close(out); }
  void end(std::string& out, const Answer& answer) override {
    const auto [reason, sequence] = stop(answer.choices.front());
    event(out, "message_delta",
          fmt::format(R"("delta":{{"stop_reason":{},"stop_sequence":{}}},"usage":{})", reason, sequence,
                      usage(answer, answer.usage.completionTokens)));
    event(out, "message_stop", {});
  }
  // Before message_start clients know no event but comments are no events.
  void heartbeat(std::string& out, bool begun, const Answer& answer) override {
    if (begun)
      event(out, "ping", {});
    else
      appendHeartbeatComment(out, answer);
  }
  void error(std::string& out, const ApiError& error) override {
    out += "event: error\ndata: " + errorBody(error, Dialect::Anthropic) + "\n\n";
  }

  std::string whole(const Answer& answer) override {
    const AnswerChoice& choice = answer.choices.front();
    std::vector<std::string> blocks;
    if (!choice.reasoning.empty())
      blocks.push_back(R"({"type":"thinking","thinking":)" + jsonString(choice.reasoning) + R"(,"signature":""})");
    if (!choice.text.empty()) blocks.push_back(R"({"type":"text","text":)" + jsonString(choice.text) + '}');
    for (const AnswerCall& call : choice.calls) {
      boost::system::error_code problem;
      const auto input = boost::json::parse(call.arguments, problem);
      // A call that was cut off has half its arguments: nothing that anybody could carry out.
      if (problem || !input.is_object()) continue;
      blocks.push_back(R"({"type":"tool_use","id":)" + jsonString(call.id) + R"(,"name":)" + jsonString(call.name) +
                       R"(,"input":)" + call.arguments + '}');
    }
    const auto [reason, sequence] = stop(choice);
    return message(fmt::format("[{}]", fmt::join(blocks, ",")), reason, sequence,
                   usage(answer, answer.usage.completionTokens));
  }

  std::string fieldName(std::string_view field) const override {
    if (field == "think") return "thinking";
    if (field == "stop") return "stop_sequences";
    if (field == "response_format") return "output_config.format";
    if (field == "parallel_tool_calls") return "tool_choice.disable_parallel_tool_use";
    return std::string(field);
  }

 private:
  enum class Block : std::uint8_t { None, Text, Thinking, Tool };

  struct Stop {
    std::string reason, sequence;
  };
  Stop stop(const AnswerChoice& choice) const {
    if (choice.reason == FinishReason::Length) return {"\"max_tokens\"", "null"};
    if (choice.callsTools()) return {"\"tool_use\"", "null"};
    if (!choice.stopString.empty() && std::ranges::find(m_stop, choice.stopString) != m_stop.end())
      return {"\"stop_sequence\"", jsonString(choice.stopString)};
    return {"\"end_turn\"", "null"};
  }

  // What was found in the cache is counted apart.
  static std::string usage(const Answer& answer, int output) {
    return fmt::format(
        R"({{"input_tokens":{},"cache_creation_input_tokens":0,"cache_read_input_tokens":{},"output_tokens":{}}})",
        answer.usage.promptTokens - answer.usage.cachedTokens, answer.usage.cachedTokens, output);
  }

  std::string message(const std::string& content, std::string_view reason, std::string_view sequence,
                      const std::string& usage) const {
    return fmt::format(
        R"({{"id":{},"type":"message","role":"assistant","model":{},"content":{},"stop_reason":{},"stop_sequence":{},"usage":{}}})",
        jsonString(m_id), jsonString(m_model), content, reason, sequence, usage);
  }

  static void event(std::string& out, std::string_view type, const std::string& members) {
    out += fmt::format("event: {}\ndata: {{\"type\":\"{}\"", type, type);
    if (!members.empty()) out += ',' + members;
    out += "}\n\n";
  }
  void open(std::string& out, Block block, const std::string& start) {
    if (m_block == block) return;
    close(out);
    m_block = block;
    event(out, "content_block_start", fmt::format(R"("index":{},"content_block":{})", m_index, start));
  }
  void delta(std::string& out, const std::string& delta) const {
    event(out, "content_block_delta", fmt::format(R"("index":{},"delta":{})", m_index, delta));
  }
  void close(std::string& out) {
    if (m_block == Block::None) return;
    event(out, "content_block_stop", fmt::format(R"("index":{})", m_index));
    ++m_index;
    m_block = Block::None;
  }

  const std::string m_id, m_model;
  const std::vector<std::string> m_stop;
  Block m_block = Block::None;
  int m_index = 0;
};

}  // namespace

std::unique_ptr<AnswerWriter> makeMessagesWriter(const Call& call, const std::string& model) {
  return std::make_unique<MessagesWriter>(call, model);
}

}  // namespace hearth::api
