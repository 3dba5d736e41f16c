#include "core/server/api/openai/completions_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "core/server/api/openai/openai_json.h"
#include "core/server/json_text.h"

namespace hearth::api {
namespace {

class CompletionsWriter final : public AnswerWriter {
 public:
  CompletionsWriter(const Call& call, const std::string& model)
      : m_head(fmt::format(R"({{"id":{},"object":"text_completion","created":{},"model":{},"choices":[)",
                           jsonString(newId("cmpl-")), std::time(nullptr), jsonString(model))),
        m_tail(call.includeUsage ? R"(,"usage":null)" : ""),
        m_includeUsage(call.includeUsage),
        m_logprobs(call.logprobs) {
    for (const Prompt& prompt : call.prompts) {
      for (int i = 0; i < call.choices; ++i) m_echo.push_back(call.echo ? prompt.text : std::string{});
    }
  }

  void text(std::string& out, int choice, const ChatEvent& event, const Answer& answer) override {
    echo(out, choice);
    std::vector<ScoredToken> scored;
    const auto& all = answer.choices[static_cast<std::size_t>(choice)].logprobs;
    if (m_logprobs && event.logprob && !all.empty()) scored.push_back(all.back());
    piece(out, choice, event.text, logprobs(scored, answer.tokenizer), "null");
  }
  // A prompt that is continued has no reasoning apart from its text, nor calls.
  void reasoning(std::string& out, int choice, const ChatEvent& event, const Answer& answer) override {
    text(out, choice, event, answer);
  }
  void toolCall(std::string& out, int choice, const ToolCallDelta& delta, const Answer&) override {
    piece(out, choice, delta.arguments, "null", "null");
  }

  void finish(std::string& out, int choice, const Answer& answer) override {
    echo(out, choice);
    piece(out, choice, "", "null", reason(answer.choices[static_cast<std::size_t>(choice)]));
  }
  void end(std::string& out, const Answer& answer) override {
    if (m_includeUsage)
      out += "data: " + m_head + R"(],"usage":)" + usageJson(answer.usage) + R"(,"hearth":)" + timingsJson(answer.timings) +
             "}\n\n";
    out += "data: [DONE]\n\n";
  }
  void error(std::string& out, const ApiError& error) override { out += "data: " + errorBody(error) + "\n\n"; }

  std::string whole(const Answer& answer) override {
    std::string body = m_head;
    for (std::size_t i = 0; i < answer.choices.size(); ++i) {
      const AnswerChoice& choice = answer.choices[i];
      if (i > 0) body += ',';
      body += R"({"text":)";
      appendJsonString(body, m_echo[i] + choice.reasoning + choice.text);
      body += fmt::format(R"(,"index":{},"logprobs":{},"finish_reason":{}}})", i,
                          m_logprobs ? logprobs(choice.logprobs, answer.tokenizer) : "null", reason(choice));
    }
    return body + R"(],"usage":)" + usageJson(answer.usage) + R"(,"hearth":)" + timingsJson(answer.timings) + "}";
  }

  std::string fieldName(std::string_view field) const override {
    return field == "messages" ? "prompt" : std::string(field);
  }

 private:
  static std::string_view reason(const AnswerChoice& choice) noexcept {
    return choice.reason == FinishReason::Length ? "\"length\"" : "\"stop\"";
  }

  void echo(std::string& out, int choice) {
    std::string& text = m_echo[static_cast<std::size_t>(choice)];
    if (!text.empty()) piece(out, choice, text, "null", "null");
    text.clear();
  }

  void piece(std::string& out, int choice, std::string_view text, std::string_view scores, std::string_view finish) const {
    out += "data: ";
    out += m_head;
    out += R"({"text":)";
    appendJsonString(out, text);
    out += fmt::format(R"(,"index":{},"logprobs":{},"finish_reason":{}}}])", choice, scores, finish);
    out += m_tail;
    out += "}\n\n";
  }

  /// OpenAI's older form: parallel arrays.
  static std::string logprobs(const std::vector<ScoredToken>& scored, const Tokenizer* tokenizer) {
    if (scored.empty()) return "null";
    const auto name = [&](TokenId token) {
      return jsonString(tokenizer == nullptr ? std::string_view{} : tokenizer->bytes(token, true));
    };
    std::string tokens, values, tops, offsets;
    for (const ScoredToken& entry : scored) {
      if (!tokens.empty()) {
        for (std::string* list : {&tokens, &values, &tops, &offsets}) list->push_back(',');
      }
      tokens += name(entry.logprob.token);
      appendLogprob(values, entry.logprob.logprob);
      tops += '{';
      std::vector<std::string> seen;
      for (const auto& [token, value] : entry.logprob.top) {
        std::string key = name(token);
        if (std::ranges::find(seen, key) != seen.end()) continue;  // two tokens of the same bytes: the likelier one
        if (!seen.empty()) tops += ',';
        tops += key;
        tops += ':';
        appendLogprob(tops, value);
        seen.push_back(std::move(key));
      }
      tops += '}';
      offsets += std::to_string(entry.offset);
    }
    return R"({"tokens":[)" + tokens + R"(],"token_logprobs":[)" + values + R"(],"top_logprobs":[)" + tops +
           R"(],"text_offset":[)" + offsets + "]}";
  }

  const std::string m_head, m_tail;
  const bool m_includeUsage, m_logprobs;
  std::vector<std::string> m_echo;  // what is still to be said before a choice
};

}  // namespace

std::unique_ptr<AnswerWriter> makeCompletionsWriter(const Call& call, const std::string& model) {
  return std::make_unique<CompletionsWriter>(call, model);
}

}  // namespace hearth::api
