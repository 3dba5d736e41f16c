#include <algorithm>

#include "core/compute/placement/search.h"

namespace hearth::placement {

double stepSeconds(const CostModel& cost, const Candidate& candidate, const Step& step, bool streaming) {
  const int ranks = static_cast<int>(candidate.ranks.size());
  const auto parts = cost.parts();
  double seconds = 0;
  int before = kCpu;  // tokens come from the host
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const bool streams = streaming && candidate.device[p] == kCpu && candidate.streamTo[p] != kCpu;
    const int here = streams ? candidate.streamTo[p] : candidate.device[p];
    const auto on = [&](int gpu, int of) {
      return streams ? cost.streamSeconds(parts[p], step, gpu, of) : cost.gpuSeconds(parts[p], step, gpu, of);
    };
    if (here == kCpu) {
      seconds += cost.cpuSeconds(parts[p], step);
    } else if (here == kSharded) {
      double slowest = 0;
      for (const int g : candidate.ranks) slowest = std::max(slowest, on(g, ranks));
      seconds += slowest + cost.reduceSeconds(step, ranks);
    } else {
      seconds += on(here, 1);
    }
    if (here != before) {
      const auto slowestLink = [&](auto&& of) {
        double slowest = 0;
        for (const int g : candidate.ranks) slowest = std::max(slowest, of(g));
        return slowest;
      };
      const auto up = [&](int g) { return cost.uploadSeconds(parts[p], step, g); };
      const auto down = [&](int g) { return cost.downloadSeconds(step, g); };
      if (before == kCpu) seconds += here == kSharded ? slowestLink(up) : up(here);
      else if (here == kCpu) seconds += before == kSharded ? down(candidate.ranks.front()) : down(before);
      else seconds += cost.peerSeconds(step);
    }
    before = here;
  }
  if (before != kCpu) seconds += cost.logitSeconds(step, before == kSharded ? candidate.ranks.front() : before);
  return seconds;
}

DeviceUse useOf(const CostModel& cost, const ModelDemand& model, const Machine& machine, const Candidate& candidate, int gpu) {
  const int ranks = static_cast<int>(candidate.ranks.size());
  const bool isRank = std::find(candidate.ranks.begin(), candidate.ranks.end(), gpu) != candidate.ranks.end();
  const auto here = [&](int device) { return device == gpu || (device == kSharded && isRank); };
  DeviceUse use;
  bool computes = gpu == kCpu, streams = false;
  const auto parts = cost.parts();
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const int of = candidate.device[p] == kSharded ? ranks : 1;
    if (here(candidate.device[p])) {
      use.weights += cost.shardBytes(parts[p], of);
      use.kv += cost.shardKvBytes(parts[p], of);
      computes = true;
    }
    if (gpu != kCpu && candidate.device[p] == kCpu && candidate.streamTo[p] != kCpu && here(candidate.streamTo[p])) streams = true;
  }
  if (computes || streams) use.compute = model.computeBytes;
  if (streams) use.staging = static_cast<std::uint64_t>(machine.stagingSlots) * machine.stagingSlotBytes;
  return use;
}

}  // namespace hearth::placement
