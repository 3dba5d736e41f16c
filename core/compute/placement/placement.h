#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace hearth::placement {

/// What a tensor is for: decides what stays on a GPU first.
enum class TensorKind : std::uint8_t { Embedding, Norm, Attention, DenseFfn, Expert, Head };

struct TensorDemand {
  std::string name;
  TensorKind kind = TensorKind::Attention;
  int layer = -1;            ///< 0 … layers − 1; −1 for Embedding, Head and what goes with the head (the last norm)
  std::uint64_t bytes = 0;   ///< as stored on a device
  double flopsPerToken = 0;  ///< of the part that a token uses
  double activeShare = 1.0;  ///< part of the bytes that one token reads, (0, 1]: used / experts; one row of an embedding
  int shardUnits = 0;        ///< indivisible parts in tensor parallelism (heads, quant blocks, experts); 0: every rank has all of it
};

struct LayerKv {
  std::uint64_t bytesPerToken = 0;  ///< keys and values of one position
  std::int64_t window = 0;          ///< positions behind it that a token reads; 0: all
};

struct ModelDemand {
  int layers = 0;
  int heads = 1, kvHeads = 1;
  std::vector<TensorDemand> tensors;
  std::vector<LayerKv> kv;               ///< one for each layer
  std::int64_t kvTokens = 0;             ///< positions that the cache is to hold, of all sequences
  std::uint64_t hiddenBytesPerToken = 0;  ///< what crosses from one device to the next
  std::uint64_t logitBytesPerToken = 0;   ///< what goes from the head to the sampler
  std::uint64_t computeBytes = 0;         ///< activations and scratch, on each device that computes
};

/// Measured on this machine; nothing is assumed. Rates in operations or bytes a second, times in seconds.
struct GpuRates {
  std::string name;
  std::uint64_t freeBytes = 0, reserveBytes = 0;  ///< the plan takes at most free − reserve: the rest is for others
  double memoryBandwidth = 0;
  double int8Rate = 0, bf16Rate = 0;
  int bf16FromTokens = 256;  ///< steps as large as this dequantise and multiply in bf16
  double uploadBandwidth = 0, downloadBandwidth = 0;  ///< from and to pinned host memory
  double linkLatency = 0;   ///< of one copy with its synchronisation
  double partOverhead = 0;  ///< of launching one layer part
};
struct CpuRates {
  std::uint64_t freeBytes = 0;
  double memoryBandwidth = 0;
  double rate = 0;
  double partOverhead = 0;
};
struct Machine {
  CpuRates cpu;
  std::vector<GpuRates> gpus;
  double peerBandwidth = 0;  ///< between GPUs; 0: through the host
  double peerLatency = 0;
  int stagingSlots = 4;  ///< on each GPU that weights are streamed to
  std::uint64_t stagingSlotBytes = 64ULL << 20;
};

/// The request that plans are compared by.
struct Workload {
  int promptTokens = 1024;
  int generatedTokens = 256;
  int prefillChunk = 512;    ///< tokens of a prefill step
  int decodeSequences = 1;   ///< sequences of a decode step
  int contextTokens = 1024;  ///< positions that each of them has behind it
};

enum class Strategy : std::uint8_t { CpuOnly, LayerSplit, TensorParallel };

constexpr int kCpu = -1;
constexpr int kSharded = -2;  ///< over all ranks of the plan

struct TensorPlacement {
  int device = kCpu;  ///< GPU, kCpu or kSharded
  int streamTo = kCpu;  ///< GPU that large steps stream it to, kSharded, or kCpu: never
  int streamFrom = 0;   ///< tokens of a step from which streaming is faster; 0: never
};

struct DeviceUse {
  std::uint64_t weights = 0, kv = 0, compute = 0, staging = 0, budget = 0;
  [[nodiscard]] std::uint64_t total() const noexcept { return weights + kv + compute + staging; }
};

struct Plan {
  Strategy strategy = Strategy::CpuOnly;
  std::vector<int> ranks;                ///< GPUs of the tensor-parallel group
  std::vector<TensorPlacement> tensors;  ///< as ModelDemand::tensors
  std::vector<int> kvDevice;             ///< of each layer
  std::vector<DeviceUse> gpus;           ///< predicted; total() ≤ budget
  DeviceUse cpu;
  double decodeSeconds = 0;   ///< of one decode step
  double prefillSeconds = 0;  ///< of one prefill step
  double requestSeconds = 0;  ///< of the workload's request: what was minimised
  [[nodiscard]] std::uint64_t vramBytes() const noexcept;
};

/// The fastest plan by predicted time, then smaller ones (strictly less VRAM each) to fall back on in order when an
/// allocation fails. With more memory on any device the first never gets slower; equal input gives equal plans.
/// Errors: InvalidArgument (evidence: field, value), OutOfMemory (needed_bytes, available_bytes: of all devices) when not even
/// all devices together hold the model. Pure; any thread.
[[nodiscard]] Result<std::vector<Plan>> planPlacement(const ModelDemand& model, const Machine& machine, const Workload& workload);

}  // namespace hearth::placement
