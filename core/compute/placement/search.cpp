#include "core/compute/placement/search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hearth::placement {
namespace {

/// The orders in which parts move to GPUs, as indices into the parts.
std::vector<std::vector<int>> fillOrders(std::span<const Part> parts) {
  const auto rank = [](TensorKind kind) {
    switch (kind) {
      case TensorKind::Head: return 0;
      case TensorKind::DenseFfn: return 2;
      case TensorKind::Expert: return 3;
      case TensorKind::Embedding: return 4;
      default: return 1;
    }
  };
  std::vector<int> byKind(parts.size());
  std::iota(byKind.begin(), byKind.end(), 0);
  std::vector<int> byLayer = byKind;
  const auto kind = [&](int p) { return rank(parts[static_cast<std::size_t>(p)].kind); };
  std::stable_sort(byKind.begin(), byKind.end(), [&](int a, int b) { return kind(a) < kind(b); });
  // Layer by layer: the head first and the embedding last here, too.
  const auto band = [&](int p) { return kind(p) == 0 ? 0 : kind(p) == 4 ? 2 : 1; };
  std::stable_sort(byLayer.begin(), byLayer.end(), [&](int a, int b) { return band(a) < band(b); });
  if (byLayer == byKind) return {byKind};
  return {byKind, byLayer};
}

class Search {
 public:
  Search(const CostModel& cost, const ModelDemand& model, const Machine& machine, std::span<const std::uint64_t> budgets)
      : m_cost(cost), m_model(model), m_machine(machine), m_budgets(budgets), m_parts(cost.parts()) {
    const std::size_t gpus = budgets.size();
    m_decodeCpu.resize(m_parts.size());
    m_prefillCpu.resize(m_parts.size());
    m_streams.resize(m_parts.size());
    m_stage.resize(m_parts.size());
    m_decodeGpu.resize(gpus * m_parts.size());
    m_prefillGpu.resize(gpus * m_parts.size());
    m_stream.resize(gpus * m_parts.size());
    for (std::size_t p = 0; p < m_parts.size(); ++p) {
      m_decodeCpu[p] = cost.cpuSeconds(m_parts[p], cost.decode());
      m_prefillCpu[p] = cost.cpuSeconds(m_parts[p], cost.prefill());
      m_streams[p] = gpus > 0 ? 1 : 0;
      if (p > 0) m_stage[p] = m_stage[p - 1] + (m_parts[p].stage != m_parts[p - 1].stage ? 1 : 0);
      for (std::size_t g = 0; g < gpus; ++g) {
        const int gpu = static_cast<int>(g);
        m_decodeGpu[g * m_parts.size() + p] = cost.gpuSeconds(m_parts[p], cost.decode(), gpu);
        m_prefillGpu[g * m_parts.size() + p] = cost.gpuSeconds(m_parts[p], cost.prefill(), gpu);
        m_stream[g * m_parts.size() + p] = cost.streamSeconds(m_parts[p], cost.prefill(), gpu);
        if (cost.streamFrom(m_parts[p], {&gpu, 1}) == 0) m_streams[p] = 0;
      }
    }
    for (std::size_t ranks = 2; ranks <= gpus; ++ranks) {
      std::vector<int> group(ranks);
      std::iota(group.begin(), group.end(), 0);
      for (const Part& part : m_parts) m_shardStreams.push_back(cost.streamFrom(part, group) > 0 ? 1 : 0);
    }
  }

  std::optional<Candidate> best() {
    std::vector<char> onGpu(m_parts.size(), 0);
    consider(onGpu);
    if (m_budgets.empty()) return std::move(m_best);
    for (const std::vector<int>& order : fillOrders(m_parts)) {
      std::fill(onGpu.begin(), onGpu.end(), 0);
      for (const int p : order) {
        onGpu[static_cast<std::size_t>(p)] = 1;
        if (!consider(onGpu)) break;  // more will not fit either
      }
    }
    return std::move(m_best);
  }

 private:
  /// False when no split of these parts fits.
  bool consider(const std::vector<char>& onGpu) {
    bool fits = false;
    std::uint64_t host = m_model.computeBytes;
    for (std::size_t p = 0; p < m_parts.size(); ++p) {
      if (onGpu[p] == 0) host += m_parts[p].bytes + m_parts[p].kvBytes;
    }
    const bool hostFits = host <= m_machine.cpu.freeBytes;
    for (const bool streaming : {false, true}) {
      if (m_budgets.empty() && streaming) continue;
      fits |= splitLayers(onGpu, streaming, hostFits);
      for (std::size_t ranks = 2; ranks <= m_budgets.size(); ++ranks) fits |= shardTensors(onGpu, streaming, ranks, hostFits);
    }
    return fits;
  }

  void keep(Candidate candidate) {
    candidate.seconds = m_cost.decode().weight * stepSeconds(m_cost, candidate, m_cost.decode(), false) +
                        m_cost.prefill().weight * stepSeconds(m_cost, candidate, m_cost.prefill(), true);
    if (!m_best || candidate.seconds < m_best->seconds) m_best = std::move(candidate);
  }

  /// Contiguous runs of layers for each GPU, in the machine's order; a GPU may get none. Exact, by dynamic programming.
  bool splitLayers(const std::vector<char>& onGpu, bool streaming, bool hostFits) {
    const std::size_t gpus = m_budgets.size(), stages = m_stage.back() + 1;
    const std::size_t width = stages + 1;
    const double inDecode = m_cost.decode().weight, inPrefill = m_cost.prefill().weight;
    std::vector<std::uint64_t> bytes(width, 0);
    std::vector<int> used(width, 0), streamed(width, 0);
    std::vector<double> joint(width, 0);  // of going from one GPU to another before a stage
    std::vector<double> seconds((gpus + 1) * width, 0);
    const auto located = [&](std::size_t p, bool prefill) { return onGpu[p] != 0 || (prefill && streaming && m_streams[p] != 0); };
    std::vector<double> stageSeconds(std::max<std::size_t>(gpus, 1) * stages, 0);
    for (std::size_t p = 0; p < m_parts.size(); ++p) {
      const std::size_t s = m_stage[p];
      const bool streams = onGpu[p] == 0 && streaming && m_streams[p] != 0;
      if (onGpu[p] != 0) bytes[s + 1] += m_parts[p].bytes + m_parts[p].kvBytes;
      used[s + 1] += (onGpu[p] != 0 || streams) ? 1 : 0;
      streamed[s + 1] += streams ? 1 : 0;
      for (const bool prefill : {false, true}) {
        const Step& step = prefill ? m_cost.prefill() : m_cost.decode();
        const double weight = prefill ? inPrefill : inDecode;
        const bool here = located(p, prefill);
        const bool before = p > 0 && located(p - 1, prefill), after = p + 1 < m_parts.size() && located(p + 1, prefill);
        if (here && before && m_parts[p - 1].stage != m_parts[p].stage) joint[s] += weight * m_cost.peerSeconds(step);
        for (std::size_t g = 0; g < std::max<std::size_t>(gpus, 1); ++g) {
          double t = prefill ? m_prefillCpu[p] : m_decodeCpu[p];
          if (here) {
            const std::size_t at = g * m_parts.size() + p;
            const int gpu = static_cast<int>(g);
            t = onGpu[p] == 0 ? m_stream[at] : prefill ? m_prefillGpu[at] : m_decodeGpu[at];
            if (!before) t += m_cost.uploadSeconds(m_parts[p], step, gpu);
            if (p + 1 == m_parts.size()) t += m_cost.logitSeconds(step, gpu);
            else if (!after) t += m_cost.downloadSeconds(step, gpu);
          }
          stageSeconds[g * stages + s] += weight * t;
        }
      }
    }
    for (std::size_t s = 0; s < stages; ++s) {
      bytes[s + 1] += bytes[s];
      used[s + 1] += used[s];
      streamed[s + 1] += streamed[s];
    }
    // best[g][i]: least seconds of the first i stages on the first g GPUs.
    std::vector<double> best((gpus + 1) * width, INFINITY);
    std::vector<std::size_t> from((gpus + 1) * width, 0);
    best[0] = 0;
    for (std::size_t g = 0; g < gpus; ++g) {
      for (std::size_t i = 0; i <= stages; ++i) {
        double sum = 0;  // of stages j … i − 1, summed from the end
        for (std::size_t j = i + 1; j-- > 0;) {
          if (j < i) sum += stageSeconds[g * stages + j];
          std::uint64_t need = bytes[i] - bytes[j];
          if (used[i] > used[j]) need += m_model.computeBytes;
          if (streamed[i] > streamed[j]) need += static_cast<std::uint64_t>(m_machine.stagingSlots) * m_machine.stagingSlotBytes;
          if (need > m_budgets[g]) break;  // an earlier beginning needs no less
          const double total = best[g * width + j] + sum + (j > 0 && j < i ? joint[j] : 0);
          if (total < best[(g + 1) * width + i]) {
            best[(g + 1) * width + i] = total;
            from[(g + 1) * width + i] = j;
          }
        }
      }
    }
    if (gpus > 0 && !(best[gpus * width + stages] < INFINITY)) return false;
    if (!hostFits) return true;
    Candidate candidate;
    candidate.strategy = used[stages] > 0 ? Strategy::LayerSplit : Strategy::CpuOnly;
    std::vector<int> gpuOf(stages, kCpu);
    for (std::size_t g = gpus, i = stages; g > 0; --g) {
      const std::size_t j = from[g * width + i];
      for (std::size_t s = j; s < i; ++s) gpuOf[s] = static_cast<int>(g) - 1;
      i = j;
    }
    for (std::size_t p = 0; p < m_parts.size(); ++p) {
      const int gpu = gpuOf[m_stage[p]];
      candidate.device.push_back(onGpu[p] != 0 ? gpu : kCpu);
      candidate.streamTo.push_back(onGpu[p] == 0 && streaming && m_streams[p] != 0 ? gpu : kCpu);
    }
    keep(std::move(candidate));
    return true;
  }

  /// Every tensor cut over the first `ranks` GPUs.
  bool shardTensors(const std::vector<char>& onGpu, bool streaming, std::size_t ranks, bool hostFits) {
    if (m_model.heads % static_cast<int>(ranks) != 0) return false;
    Candidate candidate;
    candidate.strategy = Strategy::TensorParallel;
    for (std::size_t g = 0; g < ranks; ++g) candidate.ranks.push_back(static_cast<int>(g));
    bool any = false;
    for (std::size_t p = 0; p < m_parts.size(); ++p) {
      const bool streams = onGpu[p] == 0 && streaming && m_shardStreams[(ranks - 2) * m_parts.size() + p] != 0;
      any |= onGpu[p] != 0 || streams;
      candidate.device.push_back(onGpu[p] != 0 ? kSharded : kCpu);
      candidate.streamTo.push_back(streams ? kSharded : kCpu);
    }
    if (!any) return false;
    for (std::size_t g = 0; g < ranks; ++g) {
      if (useOf(m_cost, m_model, m_machine, candidate, static_cast<int>(g)).total() > m_budgets[g]) return false;
    }
    if (hostFits) keep(std::move(candidate));
    return true;
  }

  const CostModel& m_cost;
  const ModelDemand& m_model;
  const Machine& m_machine;
  std::span<const std::uint64_t> m_budgets;
  std::span<const Part> m_parts;
  std::vector<double> m_decodeCpu, m_prefillCpu, m_decodeGpu, m_prefillGpu, m_stream;  // [gpu ×] part
  std::vector<std::size_t> m_stage;  ///< of each part, counting only stages that have one
  std::vector<char> m_streams;       ///< by prefill steps streaming the part to any GPU beats the CPU
  std::vector<char> m_shardStreams;  ///< [ranks − 2][part]: the same for the group of the first GPUs
  std::optional<Candidate> m_best;
};

}  // namespace

std::optional<Candidate> findBest(const CostModel& cost, const ModelDemand& model, const Machine& machine,
                                  std::span<const std::uint64_t> budgets) {
  return Search(cost, model, machine, budgets).best();
}

}  // namespace hearth::placement
