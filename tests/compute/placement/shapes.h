#pragma once

#include <fmt/format.h>

#include "core/compute/placement/placement.h"

namespace hearth::placement::testing {

struct Shape {
  int layers, hidden, heads, kvHeads, headDim, ffn, vocabulary;
  int experts = 0, used = 0;      // ffn is then that of one expert
  double bytesPerWeight = 0.5625;  // Q4_K
};

inline const Shape k1B{16, 2048, 32, 8, 64, 8192, 128256};
inline const Shape k8B{32, 4096, 32, 8, 128, 14336, 128256};
inline const Shape k30BA3B{48, 2048, 32, 4, 128, 768, 151936, 128, 8};
inline const Shape k70B{80, 8192, 64, 8, 128, 28672, 128256};

inline ModelDemand model(const Shape& s, std::int64_t kvTokens = 8192) {
  ModelDemand m;
  m.layers = s.layers;
  m.heads = s.heads;
  m.kvHeads = s.kvHeads;
  m.kvTokens = kvTokens;
  m.hiddenBytesPerToken = static_cast<std::uint64_t>(s.hidden) * 4;
  m.logitBytesPerToken = static_cast<std::uint64_t>(s.vocabulary) * 4;
  m.computeBytes = 200ULL << 20;
  const auto add = [&](const std::string& name, TensorKind kind, int layer, double weights, double share, int units) {
    m.tensors.push_back({name, kind, layer, static_cast<std::uint64_t>(weights * s.bytesPerWeight),
                         kind == TensorKind::Embedding ? 0.0 : 2.0 * weights * share, share, units});
  };
  const double h = s.hidden;
  add("token_embd", TensorKind::Embedding, -1, h * s.vocabulary, 1.0 / s.vocabulary, 0);
  for (int l = 0; l < s.layers; ++l) {
    const auto name = [l](const char* what) { return fmt::format("blk.{}.{}", l, what); };
    m.tensors.push_back({name("attn_norm"), TensorKind::Norm, l, static_cast<std::uint64_t>(h) * 4, h, 1.0, 0});
    add(name("attn_q"), TensorKind::Attention, l, h * s.heads * s.headDim, 1, s.heads);
    add(name("attn_k"), TensorKind::Attention, l, h * s.kvHeads * s.headDim, 1, s.kvHeads);
    add(name("attn_v"), TensorKind::Attention, l, h * s.kvHeads * s.headDim, 1, s.kvHeads);
    add(name("attn_output"), TensorKind::Attention, l, h * s.heads * s.headDim, 1, s.heads);
    if (s.experts > 0) {
      add(name("ffn_gate_inp"), TensorKind::Attention, l, h * s.experts, 1, 0);
      add(name("ffn_exps"), TensorKind::Expert, l, 3.0 * h * s.ffn * s.experts, static_cast<double>(s.used) / s.experts, s.experts);
    } else {
      add(name("ffn"), TensorKind::DenseFfn, l, 3.0 * h * s.ffn, 1, s.ffn / 256);
    }
    m.kv.push_back({static_cast<std::uint64_t>(2 * s.kvHeads * s.headDim * 2), 0});
  }
  m.tensors.push_back({"output_norm", TensorKind::Norm, -1, static_cast<std::uint64_t>(h) * 4, h, 1.0, 0});
  add("output", TensorKind::Head, -1, h * s.vocabulary, 1, s.vocabulary);
  return m;
}

inline constexpr std::uint64_t kGiB = 1ULL << 30;

/// Simulated cards; the figures are of the order of real ones.
inline GpuRates card(int gib) {
  GpuRates g;
  g.name = fmt::format("{} GiB", gib);
  g.freeBytes = static_cast<std::uint64_t>(gib) * kGiB;
  g.reserveBytes = kGiB / 2;
  g.memoryBandwidth = gib >= 80 ? 3.0e12 : gib >= 24 ? 0.95e12 : 0.4e12;
  g.int8Rate = gib >= 80 ? 1.0e15 : 2e14;
  g.bf16Rate = gib >= 80 ? 8e14 : 1e14;
  g.uploadBandwidth = g.downloadBandwidth = 2.5e10;
  g.linkLatency = 1e-5;
  g.partOverhead = 1e-5;
  return g;
}

inline Machine machine(std::vector<GpuRates> gpus = {}) {
  Machine m;
  m.cpu = {128 * kGiB, 6e10, 2e12, 5e-6};
  m.gpus = std::move(gpus);
  m.peerBandwidth = 2e10;
  m.peerLatency = 1e-5;
  return m;
}

}  // namespace hearth::placement::testing
