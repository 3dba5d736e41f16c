#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/chat/chat_service.h"

/// The exact bytes of chat completions, apart from when they are sent. Pure.
namespace hearth::api {

/// Token counts of one call, all choices together.
struct Usage {
  int promptTokens = 0, cachedTokens = 0, completionTokens = 0;
  int acceptedGuesses = 0, rejectedGuesses = 0;  ///< speculation; rejected ones are no part of the completion
};

/// What the engine measured; of the slowest choice.
struct Timings {
  double queueSeconds = 0, prefillSeconds = 0, firstTokenSeconds = 0, tokensPerSecond = 0;
};

[[nodiscard]] std::string_view finishReasonName(FinishReason reason) noexcept;
[[nodiscard]] std::string usageJson(const Usage& usage);
[[nodiscard]] std::string timingsJson(const Timings& timings);
/// One entry of logprobs.content. `tokenizer` null (the model is gone) leaves the token's text empty.
[[nodiscard]] std::string logprobJson(const TokenLogprob& logprob, const Tokenizer* tokenizer);

/// The envelope that all chunks of a stream share.
class ChunkWriter {
 public:
  ChunkWriter() = default;
  ChunkWriter(std::string_view id, std::int64_t created, std::string_view model, bool includeUsage);
  [[nodiscard]] std::string role(int choice) const;
  [[nodiscard]] std::string text(int choice, std::string_view text, std::string_view logprobEntry) const;
  [[nodiscard]] std::string finish(int choice, FinishReason reason) const;
  [[nodiscard]] std::string usage(const Usage& usage, const Timings& timings) const;

 private:
  [[nodiscard]] std::string chunk(std::string_view choices, std::string_view tail) const;
  std::string m_prefix;
  std::string m_tail;
};

struct ChoiceText {
  std::string text;
  std::string logprobs;  ///< entries joined by commas
  FinishReason reason = FinishReason::Stop;
};

}  // namespace hearth::api
