#include "core/server/api/openai/chat_writer.h"

#include <fmt/format.h>

#include <ctime>
#include <utility>
#include <vector>

#include "core/server/api/openai/openai_json.h"
#include "core/server/json_text.h"

namespace hearth::api {
namespace {

class ChatWriter final : public AnswerWriter {
 public:
  ChatWriter(const Call& call, const std::string& model)
      : m_id(newId("chatcmpl-")),
        m_created(static_cast<std::int64_t>(std::time(nullptr))),
        m_model(model),
        m_logprobs(call.logprobs),
        m_includeUsage(call.includeUsage),
        m_prefix(fmt::format(R"(data: {{"id":{},"object":"chat.completion.chunk","created":{},"model":{},"choices":[)",
                             jsonString(m_id), m_created, jsonString(m_model))),
        // With include_usage every chunk carries the field, null until the last.
        m_tail(call.includeUsage ? R"(,"usage":null)" : ""),
        m_roleSent(static_cast<std::size_t>(call.choices)) {}

  void text(std::string& out, int choice, const ChatEvent& event, const Answer& answer) override {
    role(out, choice);
    std::string delta = R"({"content":)";
    appendJsonString(delta, event.text);
    delta += '}';
    chunk(out, choice, delta, event.logprob && m_logprobs ? logprobJson(*event.logprob, answer.tokenizer) : std::string{});
  }

  void reasoning(std::string& out, int choice, const ChatEvent& event, const Answer& answer) override {
    role(out, choice);
    std::string delta = R"({"reasoning":)";
    appendJsonString(delta, event.text);
    delta += R"(,"reasoning_content":)";
    appendJsonString(delta, event.text);
    delta += '}';
    chunk(out, choice, delta, event.logprob && m_logprobs ? logprobJson(*event.logprob, answer.tokenizer) : std::string{});
  }

  void toolCall(std::string& out, int choice, const ToolCallDelta& delta, const Answer&) override {
    role(out, choice);
    std::string call = fmt::format(R"({{"tool_calls":[{{"index":{},)", delta.index);
    if (!delta.id.empty() || !delta.name.empty()) {
      call += R"("id":)" + jsonString(delta.id) + R"(,"type":"function","function":{"name":)" + jsonString(delta.name) + ",";
    } else {
      call += R"("function":{)";
    }
    call += R"("arguments":)";
    appendJsonString(call, delta.arguments);
    call += "}}]}";
    chunk(out, choice, call, {});
  }

  void finish(std::string& out, int choice, const Answer& answer) override {
    role(out, choice);
    envelope(out,
             fmt::format(R"({{"index":{},"delta":{{}},"logprobs":null,"finish_reason":"{}"}})", choice,
                         finishReasonName(answer.choices[static_cast<std::size_t>(choice)])),
             m_tail);
  }

  void end(std::string& out, const Answer& answer) override {
    if (m_includeUsage)
      envelope(out, "", R"(,"usage":)" + usageJson(answer.usage) + R"(,"hearth":)" + timingsJson(answer.timings));
    out += "data: [DONE]\n\n";
  }

  void error(std::string& out, const ApiError& error) override { out += "data: " + errorBody(error) + "\n\n"; }

  std::string whole(const Answer& answer) override {
    std::string body = fmt::format(R"({{"id":{},"object":"chat.completion","created":{},"model":{},"choices":[)",
                                   jsonString(m_id), m_created, jsonString(m_model));
    for (std::size_t i = 0; i < answer.choices.size(); ++i) {
      if (i > 0) body += ',';
      body += fmt::format(R"({{"index":{},"message":)", i);
      appendMessage(body, answer.choices[i]);
      body += R"(,"logprobs":)";
      appendLogprobs(body, answer.choices[i], answer.tokenizer);
      body += fmt::format(R"(,"finish_reason":"{}"}})", finishReasonName(answer.choices[i]));
    }
    return body + R"(],"usage":)" + usageJson(answer.usage) + R"(,"hearth":)" + timingsJson(answer.timings) + "}";
  }

 private:
  static void appendMessage(std::string& body, const AnswerChoice& choice) {
    body += R"({"role":"assistant","content":)";
    if (choice.text.empty() && !choice.calls.empty()) {
      body += "null";
    } else {
      appendJsonString(body, choice.text);
    }
    body += R"(,"refusal":null)";
    if (!choice.reasoning.empty()) {
      const std::string reasoning = jsonString(choice.reasoning);
      body += R"(,"reasoning":)" + reasoning + R"(,"reasoning_content":)" + reasoning;
    }
    if (!choice.calls.empty()) {
      body += R"(,"tool_calls":[)";
      for (std::size_t i = 0; i < choice.calls.size(); ++i) {
        const AnswerCall& call = choice.calls[i];
        if (i > 0) body += ',';
        body += R"({"id":)" + jsonString(call.id) + R"(,"type":"function","function":{"name":)" + jsonString(call.name) +
                R"(,"arguments":)";
        appendJsonString(body, call.arguments);
        body += "}}";
      }
      body += ']';
    }
    body += '}';
  }

  void appendLogprobs(std::string& body, const AnswerChoice& choice, const Tokenizer* tokenizer) const {
    if (!m_logprobs) {
      body += "null";
      return;
    }
    body += R"({"content":[)";
    for (std::size_t i = 0; i < choice.logprobs.size(); ++i) {
      if (i > 0) body += ',';
      body += logprobJson(choice.logprobs[i].logprob, tokenizer);
    }
    body += R"(],"refusal":null})";
  }

  void role(std::string& out, int choice) {
    if (m_roleSent[static_cast<std::size_t>(choice)]) return;
    m_roleSent[static_cast<std::size_t>(choice)] = true;
    chunk(out, choice, R"({"role":"assistant","content":""})", {});
  }

  void chunk(std::string& out, int choice, std::string_view delta, const std::string& logprob) const {
    std::string body = fmt::format(R"({{"index":{},"delta":)", choice);
    body += delta;
    body += R"(,"logprobs":)";
    body += logprob.empty() ? std::string("null") : R"({"content":[)" + logprob + R"(],"refusal":null})";
    body += R"(,"finish_reason":null})";
    envelope(out, body, m_tail);
  }

  void envelope(std::string& out, std::string_view choices, std::string_view tail) const {
    out.reserve(out.size() + m_prefix.size() + choices.size() + tail.size() + 4);
    out += m_prefix;
    out += choices;
    out += ']';
    out += tail;
    out += "}\n\n";
  }

  const std::string m_id;
  const std::int64_t m_created;
  const std::string m_model;
  const bool m_logprobs, m_includeUsage;
  const std::string m_prefix, m_tail;
  std::vector<bool> m_roleSent;
};

}  // namespace

std::unique_ptr<AnswerWriter> makeChatWriter(const Call& call, const std::string& model) {
  return std::make_unique<ChatWriter>(call, model);
}

}  // namespace hearth::api
