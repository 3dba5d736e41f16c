#pragma once

#include <span>
#include <vector>

#include "core/compute/placement/placement.h"

namespace hearth::placement {

/// Tensors of a layer that always lie together; a forward pass is a path through the parts in order.
struct Part {
  TensorKind kind = TensorKind::Attention;  ///< of the whole part; a layer's norms lie with its attention
  int stage = 0;                            ///< 0 embedding, 1 … layers, layers + 1 head
  std::vector<int> tensors;
  std::uint64_t bytes = 0, kvBytes = 0;
  double flops = 0;
  LayerKv kv;
  [[nodiscard]] bool streamable() const noexcept { return kvBytes == 0 && flops > 0; }  // attention goes where its cache is
};

/// One of the two kinds of step that a plan is judged by.
struct Step {
  int tokens = 1;
  int sequences = 1;
  int context = 0;
  double weight = 0;  ///< how many of them the workload's request has
};

/// What the parts of a model cost on each device. Independent of how much memory any device has: that is what makes more
/// memory never predict slower. Refers to the model and machine, which outlive it.
class CostModel {
 public:
  CostModel(const ModelDemand& model, const Machine& machine, const Workload& workload);

  [[nodiscard]] std::span<const Part> parts() const noexcept { return m_parts; }
  [[nodiscard]] const Step& decode() const noexcept { return m_decode; }
  [[nodiscard]] const Step& prefill() const noexcept { return m_prefill; }

  [[nodiscard]] double cpuSeconds(const Part& part, const Step& step) const;
  /// `ranks` > 1: this GPU's share in tensor parallelism, without the reduction.
  [[nodiscard]] double gpuSeconds(const Part& part, const Step& step, int gpu, int ranks = 1) const;
  [[nodiscard]] double streamSeconds(const Part& part, const Step& step, int gpu, int ranks = 1) const;
  /// The least number of tokens ≥ 2 of a step from which streaming a part that lies on the CPU is faster than computing it
  /// there; 0 when no step up to the prefill chunk is that large.
  [[nodiscard]] int streamFrom(const Part& part, std::span<const int> gpus) const;

  [[nodiscard]] double uploadSeconds(const Part& into, const Step& step, int gpu) const;
  [[nodiscard]] double downloadSeconds(const Step& step, int gpu) const;
  [[nodiscard]] double logitSeconds(const Step& step, int gpu) const;
  [[nodiscard]] double peerSeconds(const Step& step) const;
  [[nodiscard]] double reduceSeconds(const Step& step, int ranks) const;

  /// Bytes of a part (weights or its cache) that one of `ranks` devices holds.
  [[nodiscard]] std::uint64_t shardBytes(const Part& part, int ranks) const;
  [[nodiscard]] std::uint64_t shardKvBytes(const Part& part, int ranks) const;

 private:
  [[nodiscard]] double touched(const Part& part, int tokens, int ranks) const;
  [[nodiscard]] double flops(const Part& part, int ranks) const;
  [[nodiscard]] double kvRead(const Part& part, const Step& step) const;
  [[nodiscard]] double peerBandwidth() const;

  const ModelDemand& m_model;
  const Machine& m_machine;
  Step m_decode, m_prefill;
  std::vector<Part> m_parts;
};

}  // namespace hearth::placement
