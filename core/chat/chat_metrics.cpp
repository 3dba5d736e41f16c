#include "core/chat/chat_metrics.h"

#include "core/monitor/monitor.h"

namespace hearth::chat {

void recordRequest(MetricsRegistry& metrics, const RequestFigures& figures) {
  const MetricsRegistry::Labels labels{{"model_name", figures.model}};
  MetricsRegistry::Labels reasonLabels = labels;
  reasonLabels.emplace_back("finished_reason", figures.finishedReason);
  const bool answered = figures.finishedReason == "stop" || figures.finishedReason == "length";
  metrics.add("hearth_requests_total", 1, reasonLabels);
  if (answered) metrics.add("vllm:request_success_total", 1, reasonLabels);
  for (const std::string& prefix : {std::string("hearth_"), std::string("vllm:")}) {
    metrics.add(prefix + "prompt_tokens_total", figures.promptTokens, labels);
    metrics.add(prefix + "generation_tokens_total", figures.generatedTokens, labels);
    metrics.observe(prefix + "e2e_request_latency_seconds", figures.totalSeconds, labels);
    if (figures.generatedTokens == 0) continue;
    metrics.observe(prefix + "time_to_first_token_seconds", figures.firstTokenSeconds, labels);
    metrics.observe(prefix + "request_queue_time_seconds", figures.queueSeconds, labels);
    metrics.observe(prefix + "request_prefill_time_seconds", figures.prefillSeconds, labels);
    metrics.observe(prefix + "request_decode_time_seconds", figures.decodeSeconds, labels);
    if (figures.generatedTokens > 1) {
      metrics.observe(prefix + "inter_token_latency_seconds", figures.decodeSeconds / (figures.generatedTokens - 1), labels);
    }
  }
  metrics.add("hearth_cached_prompt_tokens_total", figures.cachedTokens, labels);
  metrics.add("hearth_speculation_drafted_tokens_total", figures.draftedTokens, labels);
  metrics.add("hearth_speculation_accepted_tokens_total", figures.acceptedTokens, labels);
  metrics.add("vllm:spec_decode_num_draft_tokens_total", figures.draftedTokens, labels);
  metrics.add("vllm:spec_decode_num_accepted_tokens_total", figures.acceptedTokens, labels);
  metrics.add("vllm:prefix_cache_queries", figures.promptTokens, labels);
  metrics.add("vllm:prefix_cache_hits", figures.cachedTokens, labels);
}

}  // namespace hearth::chat
