#pragma once

#include <string>
#include <string_view>

#include "core/server/api/answer.h"

/// Pieces of JSON that OpenAI's APIs share. Pure.
namespace hearth::api {

[[nodiscard]] std::string_view finishReasonName(const AnswerChoice& choice) noexcept;
[[nodiscard]] std::string usageJson(const Usage& usage);
[[nodiscard]] std::string timingsJson(const Timings& timings);
/// One entry of logprobs.content. `tokenizer` null (the model is gone) leaves the token's text empty.
[[nodiscard]] std::string logprobJson(const TokenLogprob& logprob, const Tokenizer* tokenizer);
/// A logprob as JSON has it: what is impossible is −9999.
void appendLogprob(std::string& out, float logprob);
/// "chatcmpl-" and 24 random hexadecimal digits.
[[nodiscard]] std::string newId(std::string_view prefix);

}  // namespace hearth::api
