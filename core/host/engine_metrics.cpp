#include "core/host/engine_metrics.h"

#include "core/base/platform/platform.h"

namespace hearth {

void EngineMetrics::collect(MetricsRegistry& metrics) {
  const std::lock_guard lock(m_mutex);
  for (const ModelStatus& status : m_pool.statuses()) m_preemptions.try_emplace(status.id, 0);
  int loaded = 0;
  for (auto& [id, preemptions] : m_preemptions) {
    const LoadedModelPtr model = m_pool.find(id);
    const EngineStats stats = model ? model->engine->stats() : EngineStats{};
    const MetricsRegistry::Labels labels{{"model_name", id}};
    const MetricsRegistry::Labels vllm{{"model_name", id}, {"engine", "0"}};
    const double used = stats.kvPagesTotal > 0 ? static_cast<double>(stats.kvPagesUsed) / stats.kvPagesTotal : 0.0;
    metrics.set("hearth_requests_running", stats.running, labels);
    metrics.set("hearth_requests_waiting", stats.waiting, labels);
    metrics.set("hearth_kv_cache_usage_ratio", used, labels);
    metrics.set("hearth_decode_tokens_per_second", stats.decodeTokensPerSecond, labels);
    metrics.set("hearth_prefill_tokens_per_second", stats.prefillTokensPerSecond, labels);
    metrics.set("hearth_model_memory_bytes", model ? static_cast<double>(model->engine->weightBytes() + model->engine->kvBytes()) : 0.0, labels);
    metrics.set("vllm:num_requests_running", stats.running, vllm);
    metrics.set("vllm:num_requests_waiting", stats.waiting, vllm);
    metrics.set("vllm:kv_cache_usage_perc", used, vllm);
    if (!model) {
      preemptions = 0;  // an engine loaded again counts from zero
      continue;
    }
    ++loaded;
    if (stats.preemptions > preemptions) {
      const auto more = static_cast<double>(stats.preemptions - preemptions);
      metrics.add("hearth_preemptions_total", more, labels);
      metrics.add("vllm:num_preemptions_total", more, vllm);
    }
    preemptions = stats.preemptions;
  }
  metrics.set("hearth_models_loaded", loaded);
  metrics.set("hearth_process_resident_bytes", static_cast<double>(platform::residentBytes()));
}

}  // namespace hearth
