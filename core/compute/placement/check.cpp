#include "core/compute/placement/check.h"

#include <fmt/format.h>

#include <cmath>

namespace hearth::placement {
namespace {

constexpr std::uint64_t kMostBytes = 1ULL << 50;  // sums of them stay far from overflowing
constexpr int kMostTokens = 1 << 24;

std::unexpected<Error> refuse(const std::string& field, const std::string& value) {
  return fail(ErrorCode::InvalidArgument, fmt::format("{} cannot be {}", field, value), {{"field", field}, {"value", value}});
}
Result<void> positive(const std::string& field, double value) {
  if (!std::isfinite(value) || value <= 0) return refuse(field, fmt::format("{}", value));
  return {};
}
Result<void> notNegative(const std::string& field, double value) {
  if (!std::isfinite(value) || value < 0) return refuse(field, fmt::format("{}", value));
  return {};
}
Result<void> between(const std::string& field, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low || value > high) return refuse(field, fmt::format("{}", value));
  return {};
}
Result<void> size(const std::string& field, std::uint64_t bytes) {
  if (bytes > kMostBytes) return refuse(field, fmt::format("{}", bytes));
  return {};
}

Result<void> checkTensor(const TensorDemand& t, const std::string& at, int layers) {
  const bool inLayer = t.kind != TensorKind::Embedding && t.kind != TensorKind::Head;
  HEARTH_CHECK(between(at + ".layer", t.layer, inLayer && t.kind != TensorKind::Norm ? 0 : -1, inLayer ? layers - 1 : -1));
  HEARTH_CHECK(size(at + ".bytes", t.bytes));
  HEARTH_CHECK(notNegative(at + ".flopsPerToken", t.flopsPerToken));
  HEARTH_CHECK(positive(at + ".activeShare", t.activeShare));
  if (t.activeShare > 1.0) return refuse(at + ".activeShare", fmt::format("{}", t.activeShare));
  return between(at + ".shardUnits", t.shardUnits, 0, 1 << 30);
}

Result<void> checkModel(const ModelDemand& model) {
  HEARTH_CHECK(between("layers", model.layers, 1, 1 << 16));
  HEARTH_CHECK(between("heads", model.heads, 1, 1 << 16));
  HEARTH_CHECK(between("kvHeads", model.kvHeads, 1, model.heads));
  HEARTH_CHECK(between("kvTokens", model.kvTokens, 0, std::int64_t{1} << 32));
  HEARTH_CHECK(size("hiddenBytesPerToken", model.hiddenBytesPerToken));
  HEARTH_CHECK(size("logitBytesPerToken", model.logitBytesPerToken));
  HEARTH_CHECK(size("computeBytes", model.computeBytes));
  HEARTH_CHECK(between("kv.size", static_cast<std::int64_t>(model.kv.size()), model.layers, model.layers));
  HEARTH_CHECK(between("tensors.size", static_cast<std::int64_t>(model.tensors.size()), 1, 1 << 20));
  for (std::size_t i = 0; i < model.kv.size(); ++i) {
    HEARTH_CHECK(between(fmt::format("kv[{}].bytesPerToken", i), static_cast<std::int64_t>(model.kv[i].bytesPerToken), 0, 1 << 24));
    HEARTH_CHECK(between(fmt::format("kv[{}].window", i), model.kv[i].window, 0, kMostTokens));
  }
  for (const TensorDemand& t : model.tensors) HEARTH_CHECK(checkTensor(t, fmt::format("tensors[{}]", t.name), model.layers));
  return {};
}

Result<void> checkGpu(const GpuRates& g, const std::string& at) {
  HEARTH_CHECK(size(at + ".freeBytes", g.freeBytes));
  HEARTH_CHECK(size(at + ".reserveBytes", g.reserveBytes));
  HEARTH_CHECK(positive(at + ".memoryBandwidth", g.memoryBandwidth));
  HEARTH_CHECK(positive(at + ".int8Rate", g.int8Rate));
  HEARTH_CHECK(positive(at + ".bf16Rate", g.bf16Rate));
  HEARTH_CHECK(positive(at + ".uploadBandwidth", g.uploadBandwidth));
  HEARTH_CHECK(positive(at + ".downloadBandwidth", g.downloadBandwidth));
  HEARTH_CHECK(notNegative(at + ".linkLatency", g.linkLatency));
  HEARTH_CHECK(notNegative(at + ".partOverhead", g.partOverhead));
  return between(at + ".bf16FromTokens", g.bf16FromTokens, 1, kMostTokens);
}

}  // namespace

Result<void> check(const ModelDemand& model, const Machine& machine, const Workload& workload) {
  HEARTH_CHECK(checkModel(model));
  HEARTH_CHECK(size("cpu.freeBytes", machine.cpu.freeBytes));
  HEARTH_CHECK(positive("cpu.memoryBandwidth", machine.cpu.memoryBandwidth));
  HEARTH_CHECK(positive("cpu.rate", machine.cpu.rate));
  HEARTH_CHECK(notNegative("cpu.partOverhead", machine.cpu.partOverhead));
  HEARTH_CHECK(notNegative("peerBandwidth", machine.peerBandwidth));
  HEARTH_CHECK(notNegative("peerLatency", machine.peerLatency));
  HEARTH_CHECK(between("stagingSlots", machine.stagingSlots, 1, 64));
  HEARTH_CHECK(between("stagingSlotBytes", static_cast<std::int64_t>(machine.stagingSlotBytes), 1, std::int64_t{1} << 40));
  HEARTH_CHECK(between("gpus.size", static_cast<std::int64_t>(machine.gpus.size()), 0, 64));
  for (std::size_t i = 0; i < machine.gpus.size(); ++i) HEARTH_CHECK(checkGpu(machine.gpus[i], fmt::format("gpus[{}]", i)));
  HEARTH_CHECK(between("promptTokens", workload.promptTokens, 0, kMostTokens));
  HEARTH_CHECK(between("generatedTokens", workload.generatedTokens, 0, kMostTokens));
  HEARTH_CHECK(between("prefillChunk", workload.prefillChunk, 1, kMostTokens));
  HEARTH_CHECK(between("decodeSequences", workload.decodeSequences, 1, kMostTokens));
  return between("contextTokens", workload.contextTokens, 0, kMostTokens);
}

}  // namespace hearth::placement
