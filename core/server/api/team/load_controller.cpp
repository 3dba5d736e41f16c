#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "core/server/api/queue_board.h"
#include "core/server/api/team/team_controllers.h"
#include "core/server/json_text.h"

namespace hearth::api {
namespace {

std::string requestJson(const BoardEntry& entry) {
  return fmt::format(
      R"({{"id":{},"user":{},"model":{},"route":{},"state":"{}","position":{},"eta_seconds":{},"prompt_tokens":{},"generated_tokens":{},"tokens_per_second":{:.1f},"elapsed_seconds":{:.3f}}})",
      jsonString(http::requestIdText(entry.id)), jsonString(entry.user), jsonString(entry.model), jsonString(entry.route),
      stateName(entry.state), entry.position, entry.estimateSeconds >= 0 ? fmt::format("{:.1f}", entry.estimateSeconds) : "null",
      entry.promptTokens, entry.generatedTokens, entry.tokensPerSecond, entry.elapsedSeconds);
}

std::string modelJson(EnginePool& pool, const ModelStatus& status) {
  EngineStats stats;
  const LoadedModelPtr loaded = pool.find(status.id);
  if (loaded && loaded->engine) stats = loaded->engine->stats();
  return fmt::format(
      R"({{"id":{},"state":"{}","progress":{:.3f},"memory_bytes":{},"running":{},"waiting":{},"kv_pages_used":{},"kv_pages_total":{}}})",
      jsonString(status.id), modelStateName(status.state), status.progress, status.weightBytes + status.kvBytes, stats.running,
      stats.waiting, stats.kvPagesUsed, stats.kvPagesTotal);
}

std::string machineJson(const HardwareSample& sample) {
  std::string gpus;
  for (const GpuSample& gpu : sample.gpus) {
    if (!gpus.empty()) gpus += ',';
    gpus += fmt::format(R"({{"name":{},"utilisation_percent":{:.1f},"memory_used_bytes":{},"memory_total_bytes":{}}})",
                        jsonString(gpu.name), gpu.utilisation, gpu.memoryOurs + gpu.memoryOthers, gpu.memoryTotal);
  }
  return fmt::format(R"({{"cpu_percent":{:.1f},"memory_used_bytes":{},"memory_total_bytes":{},"process_bytes":{},"gpus":[{}]}})",
                     sample.cpuPercent, sample.memoryTotal - std::min(sample.memoryTotal, sample.memoryAvailable),
                     sample.memoryTotal, sample.processResident, gpus);
}

}  // namespace

void getTeamLoad(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  std::string requests;
  for (const BoardEntry& entry : context.board->all()) {
    if (!requests.empty()) requests += ',';
    requests += requestJson(entry);
  }
  std::string models;
  for (const ModelStatus& status : context.pool.statuses()) {
    if (status.state == ModelState::Unloaded) continue;
    if (!models.empty()) models += ',';
    models += modelJson(context.pool, status);
  }
  const EngineStats totals = context.pool.totals();
  http::Response response;
  response.headers.push_back({"Cache-Control", "no-store"});
  response.body = fmt::format(
      R"({{"requests":[{}],"models":[{}],"totals":{{"running":{},"waiting":{},"tokens_per_second":{:.1f}}},"machine":{}}})",
      requests, models, totals.running, totals.waiting, totals.decodeTokensPerSecond,
      context.machine ? machineJson(context.machine()) : std::string("null"));
  exchange->respond(std::move(response));
}

}  // namespace hearth::api
