#include "core/chat/chat_metrics.h"

#include "core/monitor/monitor.h"

namespace hearth::chat {
namespace {

void recordUser(MetricsRegistry& metrics, const RequestFigures& figures) {
  const MetricsRegistry::Labels labels{{"user", figures.user.empty() ? "local" : figures.user}};
  metrics.add("hearth_user_requests_total", 1, labels);
  metrics.add("hearth_user_prompt_tokens_total", figures.promptTokens, labels);
  metrics.add("hearth_user_generation_tokens_total", figures.generatedTokens, labels);
  metrics.add("hearth_user_compute_seconds_total", figures.prefillSeconds + figures.decodeSeconds, labels);
  metrics.add("hearth_user_queue_seconds_total", figures.queueSeconds, labels);
}

// What Hearth and vLLM both have, under `prefix`.
void recordShared(MetricsRegistry& metrics, const RequestFigures& figures, const std::string& prefix, const MetricsRegistry::Labels& labels) {
  metrics.add(prefix + "prompt_tokens_total", figures.promptTokens, labels);
  metrics.add(prefix + "generation_tokens_total", figures.generatedTokens, labels);
  metrics.observe(prefix + "e2e_request_latency_seconds", figures.totalSeconds, labels);
  if (figures.generatedTokens == 0) return;
  metrics.observe(prefix + "time_to_first_token_seconds", figures.firstTokenSeconds, labels);
  metrics.observe(prefix + "request_queue_time_seconds", figures.queueSeconds, labels);
  metrics.observe(prefix + "request_prefill_time_seconds", figures.prefillSeconds, labels);
  metrics.observe(prefix + "request_decode_time_seconds", figures.decodeSeconds, labels);
  metrics.observe(prefix + "request_inference_time_seconds", figures.prefillSeconds + figures.decodeSeconds, labels);
  metrics.observe(prefix + "inter_token_latency_seconds", figures.tokenGaps, labels);
  Tally prompt(Tally::Unit::Tokens), generation(Tally::Unit::Tokens);
  prompt.add(figures.promptTokens);
  generation.add(figures.generatedTokens);
  metrics.observe(prefix + "request_prompt_tokens", prompt, labels);
  metrics.observe(prefix + "request_generation_tokens", generation, labels);
}

}  // namespace

void recordRequest(MetricsRegistry& metrics, const RequestFigures& figures) {
  const MetricsRegistry::Labels ours{{"model_name", figures.model}};
  const MetricsRegistry::Labels vllm{{"model_name", figures.model}, {"engine", "0"}};
  const auto with = [&](MetricsRegistry::Labels labels) {
    labels.emplace_back("finished_reason", figures.finishedReason);
    return labels;
  };
  const bool answered = figures.finishedReason == "stop" || figures.finishedReason == "length";
  metrics.add("hearth_requests_total", 1, with(ours));
  if (answered) metrics.add("vllm:request_success_total", 1, with(vllm));
  recordShared(metrics, figures, "hearth_", ours);
  recordShared(metrics, figures, "vllm:", vllm);
  recordUser(metrics, figures);
  metrics.add("hearth_cached_prompt_tokens_total", figures.cachedTokens, ours);
  metrics.add("hearth_speculation_drafted_tokens_total", figures.draftedTokens, ours);
  metrics.add("hearth_speculation_accepted_tokens_total", figures.acceptedTokens, ours);
  // vLLM names these counters without "_total" in its source; its Python client writes them with it.
  metrics.add("vllm:spec_decode_num_draft_tokens_total", figures.draftedTokens, vllm);
  metrics.add("vllm:spec_decode_num_accepted_tokens_total", figures.acceptedTokens, vllm);
  metrics.add("vllm:prefix_cache_queries_total", figures.promptTokens, vllm);
  metrics.add("vllm:prefix_cache_hits_total", figures.cachedTokens, vllm);
}

}  // namespace hearth::chat
