#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "core/engine/engine_pool.h"
#include "core/monitor/monitor.h"

namespace hearth {

/// Sets the live figures of one scrape: per loaded model hearth_requests_running, hearth_requests_waiting,
/// hearth_kv_cache_usage_ratio, hearth_decode_tokens_per_second, hearth_prefill_tokens_per_second, hearth_model_memory_bytes,
/// hearth_preemptions, and for the machine hearth_process_resident_bytes, hearth_models_loaded; num_requests_running,
/// num_requests_waiting and kv_cache_usage_perc under vLLM's names too. Models that were unloaded go to zero.
class EngineMetrics {
 public:
  explicit EngineMetrics(EnginePool& pool) : m_pool(pool) {}
  void collect(MetricsRegistry& metrics);  // any thread

 private:
  EnginePool& m_pool;
  std::mutex m_mutex;
  std::map<std::string, std::uint64_t> m_preemptions;  // as last told, of each model ever seen; guarded by m_mutex
};

}  // namespace hearth
