#pragma once

#include <string>

#include "core/chat/chat_service.h"
#include "core/monitor/monitor.h"

namespace hearth::chat {

/// Records one ended request. Series, each with the label model_name:
///   hearth_requests_total{finished_reason}, hearth_prompt_tokens_total, hearth_cached_prompt_tokens_total,
///   hearth_generation_tokens_total, hearth_speculation_drafted_tokens_total, hearth_speculation_accepted_tokens_total;
///   histograms of seconds hearth_time_to_first_token_seconds, hearth_inter_token_latency_seconds (every gap between two
///   tokens), hearth_e2e_request_latency_seconds, hearth_request_{queue,prefill,decode,inference}_time_seconds;
///   histograms of tokens hearth_request_{prompt,generation}_tokens;
/// the same under vLLM's names ("vllm:…" with the label engine="0"), which existing dashboards read; and with the label user:
///   hearth_user_{requests,prompt_tokens,generation_tokens,compute_seconds,queue_seconds}_total.
struct RequestFigures {
  std::string model;
  std::string user;            ///< the request's principal; empty = the machine's own user
  std::string finishedReason;  ///< "stop", "length", "abort", "error" (vLLM's words)
  int promptTokens = 0, cachedTokens = 0, generatedTokens = 0;
  int draftedTokens = 0, acceptedTokens = 0;  ///< speculation's guesses, and of these right
  double firstTokenSeconds = 0, queueSeconds = 0, prefillSeconds = 0, decodeSeconds = 0, totalSeconds = 0;
  Tally tokenGaps{Tally::Unit::Seconds};  ///< seconds between one token and the next
};
void recordRequest(MetricsRegistry& metrics, const RequestFigures& figures);

}  // namespace hearth::chat
