#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace hearth::platform {

/// One physical core that this process may use.
struct Core {
  int cpu = 0;    ///< the system's number of its first usable hardware thread
  int node = 0;   ///< NUMA node
  int cache = 0;  ///< cores with the same number share their last-level cache
  friend bool operator==(const Core&, const Core&) = default;
};

struct Topology {
  std::vector<Core> cores;  ///< never empty; cores of one node, and in it of one cache, stand together
  double quota = 0;         ///< CPUs' worth of time that a container may use; 0 = as much as there is
  /// Compute threads that the machine carries: physical cores, or fewer where a quota allows fewer. At least 1.
  [[nodiscard]] int threads() const noexcept;
};

/// Where the system describes itself; tests put other folders in.
struct TopologySources {
  std::filesystem::path system = "/sys/devices/system";
  std::filesystem::path controlGroups = "/sys/fs/cgroup";
  std::filesystem::path ownGroups = "/proc/self/cgroup";
  std::vector<int> allowedCpus;  ///< empty = those that the scheduler lets this process use
};
/// Hyper-threads are counted once: they share their execution units, and the kernels fill them. What the system does not
/// tell is taken as one node, one cache, and each CPU a core.
[[nodiscard]] Topology readTopology(const TopologySources& sources = {});
/// readTopology() of this machine, read once.
[[nodiscard]] const Topology& topology();

}  // namespace hearth::platform
