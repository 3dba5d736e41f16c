#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/models/model.h"
#include "core/text/grammar/grammar.h"
#include "core/text/tokenizer.h"

namespace hearth {

/// How the next token is chosen. Defaults are those of a plain chat. Ranges are checked by validate().
struct SamplingParams {
  double temperature = 0.7;  ///< 0 = greedy
  int topK = 40;             ///< 0 = off
  double topP = 0.95;        ///< 1 = off
  double minP = 0.05;        ///< 0 = off
  double typicalP = 1.0;     ///< 1 = off (Meister et al. 2022)
  double repetitionPenalty = 1.0;  ///< 1 = off (Keskar et al. 2019)
  double presencePenalty = 0.0;    ///< −2…2
  double frequencyPenalty = 0.0;   ///< −2…2
  int penaltyWindow = 64;          ///< tokens looked back on; −1 = all
  double dryMultiplier = 0.0;      ///< 0 = off (DRY, p-e-w 2024)
  double dryBase = 1.75;
  int dryAllowedLength = 2;
  int dryWindow = -1;
  std::vector<std::vector<TokenId>> dryBreakers;
  double xtcProbability = 0.0;  ///< 0 = off (XTC, p-e-w 2024)
  double xtcThreshold = 0.1;
  int mirostat = 0;             ///< 0 = off, 1, 2 (Basu et al. 2021)
  double mirostatTau = 5.0;
  double mirostatEta = 0.1;
  std::unordered_map<TokenId, float> logitBias;
  std::optional<std::uint64_t> seed;  ///< same seed, same output, alone or in a batch; none = random
  int logprobs = -1;  ///< −1 = none; n ≥ 0: the chosen token's, and the n most likely, of the unmodified distribution (≤ 20)

  /// Error: InvalidArgument with `field`, `value` and the allowed range.
  [[nodiscard]] Result<void> validate(std::int32_t vocabularySize) const;
};

enum class Priority : std::uint8_t { Interactive, Normal, Batch };
enum class FinishReason : std::uint8_t { Stop, Length, Cancelled, Error };

struct TokenLogprob {
  TokenId token = 0;
  float logprob = 0;
  std::vector<std::pair<TokenId, float>> top;
};

/// What a request reports, in order: any number of Queued, at most one Started, Token…, then exactly one Finished. While it is
/// preempted (already Started) it may report Queued again. One for an embedding has no Token.
struct EngineEvent {
  enum class Kind : std::uint8_t { Queued, Started, Token, Finished } kind = Kind::Token;
  // Queued
  int queuePosition = 0;           ///< 1 = next
  double queueEstimateSeconds = 0; ///< < 0 unknown
  // Started
  int promptTokens = 0;
  int cachedTokens = 0;  ///< of the prompt, found in the prefix cache
  // Token: one for each generated token, the end-of-generation token too. The last one carries what was held back.
  TokenId token = -1;
  std::string text;  ///< what becomes visible: valid UTF-8, may be empty (held back for a stop string or half a character)
  std::optional<TokenLogprob> logprob;
  // Finished
  FinishReason reason = FinishReason::Stop;
  std::string stopString;  ///< which stop string matched, if one did
  std::optional<Error> error;
  int generatedTokens = 0;
  int draftedTokens = 0, acceptedTokens = 0;  ///< speculation: guessed, and of these right
  std::vector<float> embedding;  ///< of a request for one that ended with Stop: the pooled hidden states, not normalised
  double queueSeconds = 0, prefillSeconds = 0, decodeSeconds = 0, firstTokenSeconds = 0;  ///< firstToken: from submit
};

/// Called on the engine thread: must return at once (post elsewhere), must not throw. False = the consumer is gone or too
/// slow: the request is cancelled.
using EngineSink = std::function<bool(const EngineEvent&)>;

struct EngineRequest {
  std::vector<TokenId> prompt;
  /// Instead of an answer: the text's embedding, which comes with Finished. The prompt may fill the context. An encoder takes
  /// no other requests.
  bool embed = false;
  Pooling pooling = Pooling::None;  ///< of an embedding; None = the model's own, else the mean
  SamplingParams sampling;
  int maxTokens = -1;  ///< ≥ 1, or −1 = until the context is full
  std::vector<std::string> stop;  ///< ≤ 16, each 1…1,024 bytes
  std::vector<TokenId> shownTokens;  ///< control tokens whose text is part of the answer (marks of reasoning and tool calls)
  GrammarPtr grammar;  ///< what the output must match, from its first token on; null = anything. It ends by an end-of-generation token
  bool speculate = true;          ///< may be answered with speculation where the engine has it on; never changes the output
  bool ignoreEnd = false;         ///< go on past end-of-generation tokens (benchmarks)
  Priority priority = Priority::Interactive;
  std::string principal;  ///< who asks, for fairness; empty = the machine's own user
  EngineSink sink;
};

/// Cancels a request; cheap, any thread, any time. The Finished event (Cancelled) follows soon unless it had finished.
class RequestHandle {
 public:
  RequestHandle() = default;
  explicit RequestHandle(std::shared_ptr<std::atomic<bool>> flag, std::uint64_t id) : m_cancel(std::move(flag)), m_id(id) {}
  void cancel() const noexcept {
    if (m_cancel) m_cancel->store(true, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t id() const noexcept { return m_id; }

 private:
  std::shared_ptr<std::atomic<bool>> m_cancel;
  std::uint64_t m_id = 0;
};

}  // namespace hearth
