#pragma once

#include <string>

#include "core/chat/chat_service.h"

namespace hearth::chat {

/// Records one ended request. Series, each with the label model_name:
///   hearth_requests_total{finished_reason}, hearth_prompt_tokens_total, hearth_cached_prompt_tokens_total,
///   hearth_generation_tokens_total, hearth_speculation_drafted_tokens_total, hearth_speculation_accepted_tokens_total, and histograms of seconds hearth_time_to_first_token_seconds,
///   hearth_inter_token_latency_seconds (a request's mean), hearth_e2e_request_latency_seconds,
///   hearth_request_queue_time_seconds, hearth_request_prefill_time_seconds, hearth_request_decode_time_seconds;
/// and the same under vLLM's names ("vllm:…"), which existing dashboards read.
struct RequestFigures {
  std::string model;
  std::string finishedReason;  ///< "stop", "length", "abort", "error" (vLLM's words)
  int promptTokens = 0, cachedTokens = 0, generatedTokens = 0;
  int draftedTokens = 0, acceptedTokens = 0;  ///< speculation's guesses, and of these right
  double firstTokenSeconds = 0, queueSeconds = 0, prefillSeconds = 0, decodeSeconds = 0, totalSeconds = 0;
};
void recordRequest(MetricsRegistry& metrics, const RequestFigures& figures);

}  // namespace hearth::chat
