#include "core/server/api/chat_wire.h"

#include <fmt/format.h>

#include <cmath>

#include "core/server/json_text.h"

namespace hearth::api {
namespace {

/// token, logprob and bytes: the members that an entry and its alternatives share.
void appendToken(std::string& out, TokenId token, float logprob, const Tokenizer* tokenizer) {
  const std::string_view bytes = tokenizer == nullptr ? std::string_view{} : tokenizer->bytes(token, true);
  out += R"({"token":)";
  appendJsonString(out, bytes);
  out += R"(,"logprob":)";
  // OpenAI's stand-in for what JSON cannot say: a token that is all but impossible.
  appendJsonNumber(out, std::isfinite(logprob) ? static_cast<double>(logprob) : -9999.0);
  out += R"(,"bytes":[)";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out += ',';
    out += std::to_string(static_cast<unsigned char>(bytes[i]));
  }
  out += ']';
}

}  // namespace

std::string_view finishReasonName(FinishReason reason) noexcept { return reason == FinishReason::Length ? "length" : "stop"; }

std::string usageJson(const Usage& usage) {
  std::string details;
  // Only where there was speculation, as OpenAI does it: absent means none.
  if (usage.acceptedGuesses + usage.rejectedGuesses > 0) {
    details = fmt::format(R"(,"completion_tokens_details":{{"accepted_prediction_tokens":{},"rejected_prediction_tokens":{}}})",
                          usage.acceptedGuesses, usage.rejectedGuesses);
  }
  return fmt::format(
      R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":{}}}{}}})",
      usage.promptTokens, usage.completionTokens, usage.promptTokens + usage.completionTokens, usage.cachedTokens, details);
}

std::string timingsJson(const Timings& timings) {
  std::string out = R"({"queue_seconds":)";
  appendJsonNumber(out, timings.queueSeconds);
  out += R"(,"prefill_seconds":)";
  appendJsonNumber(out, timings.prefillSeconds);
  out += R"(,"first_token_seconds":)";
  appendJsonNumber(out, timings.firstTokenSeconds);
  out += R"(,"tokens_per_second":)";
  appendJsonNumber(out, timings.tokensPerSecond);
  return out + "}";
}

std::string logprobJson(const TokenLogprob& logprob, const Tokenizer* tokenizer) {
  std::string out;
  appendToken(out, logprob.token, logprob.logprob, tokenizer);
  out += R"(,"top_logprobs":[)";
  for (std::size_t i = 0; i < logprob.top.size(); ++i) {
    if (i > 0) out += ',';
    appendToken(out, logprob.top[i].first, logprob.top[i].second, tokenizer);
    out += '}';
  }
  return out + "]}";
}

ChunkWriter::ChunkWriter(std::string_view id, std::int64_t created, std::string_view model, bool includeUsage)
    : m_prefix(fmt::format(R"(data: {{"id":{},"object":"chat.completion.chunk","created":{},"model":{},"choices":[)", jsonString(id), created,
                           jsonString(model))),
      // With include_usage every chunk carries the field, null until the last.
      m_tail(includeUsage ? R"(,"usage":null)" : "") {}

std::string ChunkWriter::chunk(std::string_view choices, std::string_view tail) const {
  std::string out;
  out.reserve(m_prefix.size() + choices.size() + tail.size() + 4);
  out += m_prefix;
  out += choices;
  out += ']';
  out += tail;
  out += "}\n\n";
  return out;
}

std::string ChunkWriter::role(int choice) const {
  return chunk(fmt::format(R"({{"index":{},"delta":{{"role":"assistant","content":""}},"logprobs":null,"finish_reason":null}})", choice), m_tail);
}

std::string ChunkWriter::text(int choice, std::string_view text, std::string_view logprobEntry) const {
  std::string body = fmt::format(R"({{"index":{},"delta":{{"content":)", choice);
  appendJsonString(body, text);
  body += R"(},"logprobs":)";
  if (logprobEntry.empty()) {
    body += "null";
  } else {
    body += R"({"content":[)";
    body += logprobEntry;
    body += R"(],"refusal":null})";
  }
  body += R"(,"finish_reason":null})";
  return chunk(body, m_tail);
}

std::string ChunkWriter::finish(int choice, FinishReason reason) const {
  return chunk(fmt::format(R"({{"index":{},"delta":{{}},"logprobs":null,"finish_reason":"{}"}})", choice, finishReasonName(reason)), m_tail);
}

std::string ChunkWriter::usage(const Usage& usage, const Timings& timings) const {
  return chunk("", R"(,"usage":)" + usageJson(usage) + R"(,"hearth":)" + timingsJson(timings));
}

}  // namespace hearth::api
