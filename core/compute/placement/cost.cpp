#include "core/compute/placement/cost.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace hearth::placement {
namespace {

/// The share of `units` that the fullest of `ranks` devices has.
double shard(int units, int ranks) {
  if (units == 0) return 1.0;
  return static_cast<double>((units + ranks - 1) / ranks) / units;
}
std::uint64_t scaled(std::uint64_t bytes, double share) {
  return share >= 1.0 ? bytes : static_cast<std::uint64_t>(std::ceil(static_cast<double>(bytes) * share));
}
int orderInLayer(TensorKind kind) {
  switch (kind) {
    case TensorKind::DenseFfn: return 1;
    case TensorKind::Expert: return 2;
    default: return 0;
  }
}

}  // namespace

CostModel::CostModel(const ModelDemand& model, const Machine& machine, const Workload& workload) : m_model(model), m_machine(machine) {
  m_decode = {workload.decodeSequences, workload.decodeSequences, workload.contextTokens,
              static_cast<double>(workload.generatedTokens)};
  m_prefill = {workload.prefillChunk, 1, workload.contextTokens,
               static_cast<double>(workload.promptTokens) / workload.prefillChunk};
  std::map<std::pair<int, int>, Part> ordered;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const TensorDemand& t = model.tensors[i];
    const int stage = t.layer >= 0 ? t.layer + 1 : t.kind == TensorKind::Embedding ? 0 : model.layers + 1;
    Part& part = ordered[{stage, orderInLayer(t.kind)}];
    part.stage = stage;
    part.kind = stage == 0 ? TensorKind::Embedding
                : stage > model.layers ? TensorKind::Head
                : t.kind == TensorKind::Norm ? TensorKind::Attention
                                             : t.kind;
    part.tensors.push_back(static_cast<int>(i));
    part.bytes += t.bytes;
    part.flops += t.flopsPerToken;
  }
  for (int layer = 0; layer < model.layers; ++layer) {
    const LayerKv& kv = model.kv[static_cast<std::size_t>(layer)];
    if (kv.bytesPerToken == 0) continue;
    Part& part = ordered[{layer + 1, 0}];  // made where a layer has a cache but no tensor of its own
    part.stage = layer + 1;
    part.kv = kv;
    part.kvBytes = kv.bytesPerToken * static_cast<std::uint64_t>(model.kvTokens);
  }
  for (auto& [key, part] : ordered) m_parts.push_back(std::move(part));
}

double CostModel::touched(const Part& part, int tokens, int ranks) const {
  double bytes = 0;
  for (const int i : part.tensors) {
    const TensorDemand& t = m_model.tensors[static_cast<std::size_t>(i)];
    const double share = t.activeShare >= 1.0 ? 1.0 : -std::expm1(tokens * std::log1p(-t.activeShare));
    bytes += static_cast<double>(t.bytes) * share * shard(t.shardUnits, ranks);
  }
  return bytes;
}

double CostModel::flops(const Part& part, int ranks) const {
  if (ranks == 1) return part.flops;
  double sum = 0;
  for (const int i : part.tensors) {
    const TensorDemand& t = m_model.tensors[static_cast<std::size_t>(i)];
    sum += t.flopsPerToken * shard(t.shardUnits, ranks);
  }
  return sum;
}

double CostModel::kvRead(const Part& part, const Step& step) const {
  const std::int64_t positions = part.kv.window > 0 ? std::min<std::int64_t>(part.kv.window, step.context) : step.context;
  return static_cast<double>(part.kv.bytesPerToken) * static_cast<double>(positions) * step.sequences;
}

double CostModel::cpuSeconds(const Part& part, const Step& step) const {
  const CpuRates& cpu = m_machine.cpu;
  return std::max(touched(part, step.tokens, 1) / cpu.memoryBandwidth, part.flops * step.tokens / cpu.rate) +
         kvRead(part, step) / cpu.memoryBandwidth + cpu.partOverhead;
}

double CostModel::gpuSeconds(const Part& part, const Step& step, int gpu, int ranks) const {
  const GpuRates& g = m_machine.gpus[static_cast<std::size_t>(gpu)];
  const double rate = step.tokens >= g.bf16FromTokens ? g.bf16Rate : g.int8Rate;
  return std::max(touched(part, step.tokens, ranks) / g.memoryBandwidth, flops(part, ranks) * step.tokens / rate) +
         kvRead(part, step) * shard(m_model.kvHeads, ranks) / g.memoryBandwidth + g.partOverhead;
}

double CostModel::streamSeconds(const Part& part, const Step& step, int gpu, int ranks) const {
  const GpuRates& g = m_machine.gpus[static_cast<std::size_t>(gpu)];
  const double copy = std::max(touched(part, step.tokens, ranks) / g.uploadBandwidth,
                               touched(part, step.tokens, 1) / m_machine.cpu.memoryBandwidth);  // all ranks read one host memory
  return std::max(copy, gpuSeconds(part, step, gpu, ranks)) + g.linkLatency;
}

int CostModel::streamFrom(const Part& part, std::span<const int> gpus) const {
  if (!part.streamable() || gpus.empty()) return 0;
  const auto wins = [&](int tokens) {
    const Step step{tokens, 1, 0, 0};
    double slowest = 0;
    for (const int g : gpus) slowest = std::max(slowest, streamSeconds(part, step, g, static_cast<int>(gpus.size())));
    if (gpus.size() > 1) slowest += reduceSeconds(step, static_cast<int>(gpus.size()));
    return slowest < cpuSeconds(part, step);
  };
  int high = m_prefill.tokens;
  if (high < 2 || !wins(high)) return 0;
  int low = 1;  // never: a single token is not worth the copy of what it reads once
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    (wins(middle) ? high : low) = middle;
  }
  return high;
}

double CostModel::uploadSeconds(const Part& into, const Step& step, int gpu) const {
  const GpuRates& g = m_machine.gpus[static_cast<std::size_t>(gpu)];
  // An embedding reads token numbers.
  const double bytes = into.kind == TensorKind::Embedding ? 4.0 : static_cast<double>(m_model.hiddenBytesPerToken);
  return g.linkLatency + bytes * step.tokens / g.uploadBandwidth;
}
double CostModel::downloadSeconds(const Step& step, int gpu) const {
  const GpuRates& g = m_machine.gpus[static_cast<std::size_t>(gpu)];
  return g.linkLatency + static_cast<double>(m_model.hiddenBytesPerToken) * step.tokens / g.downloadBandwidth;
}
double CostModel::logitSeconds(const Step& step, int gpu) const {
  const GpuRates& g = m_machine.gpus[static_cast<std::size_t>(gpu)];
  return g.linkLatency + static_cast<double>(m_model.logitBytesPerToken) * step.sequences / g.downloadBandwidth;
}

double CostModel::peerBandwidth() const {
  if (m_machine.peerBandwidth > 0) return m_machine.peerBandwidth;
  double slowest = INFINITY;  // down to the host and up again
  for (const GpuRates& g : m_machine.gpus) slowest = std::min(slowest, 1.0 / (1.0 / g.uploadBandwidth + 1.0 / g.downloadBandwidth));
  return slowest;
}
double CostModel::peerSeconds(const Step& step) const {
  return m_machine.peerLatency + static_cast<double>(m_model.hiddenBytesPerToken) * step.tokens / peerBandwidth();
}
double CostModel::reduceSeconds(const Step& step, int ranks) const {
  const double bytes = static_cast<double>(m_model.hiddenBytesPerToken) * step.tokens;
  return 2.0 * (ranks - 1) * (m_machine.peerLatency + bytes / ranks / peerBandwidth());  // a ring
}

std::uint64_t CostModel::shardBytes(const Part& part, int ranks) const {
  std::uint64_t bytes = 0;
  for (const int i : part.tensors) {
    const TensorDemand& t = m_model.tensors[static_cast<std::size_t>(i)];
    bytes += scaled(t.bytes, shard(t.shardUnits, ranks));
  }
  return bytes;
}
std::uint64_t CostModel::shardKvBytes(const Part& part, int ranks) const {
  return scaled(part.kvBytes, shard(m_model.kvHeads, ranks));
}

}  // namespace hearth::placement
