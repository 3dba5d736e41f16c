#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <tuple>

#include "core/base/platform/linux_files.h"
#include "core/base/platform/platform.h"
#include "core/base/platform/topology.h"

namespace hearth::platform {
namespace {

std::optional<std::int64_t> numberIn(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{}) return std::nullopt;
  return value;
}

// "0-3,8,10-11": the kernel's list of CPUs.
std::vector<int> cpuList(const std::string& text) {
  std::vector<int> cpus;
  std::istringstream ranges(text);
  std::string range;
  while (std::getline(ranges, range, ',')) {
    const auto dash = range.find('-');
    const auto first = numberIn(range);
    const auto last = dash == std::string::npos ? first : numberIn(std::string_view(range).substr(dash + 1));
    if (!first || !last || *first < 0 || *last >= CPU_SETSIZE) continue;
    for (auto cpu = *first; cpu <= *last; ++cpu) cpus.push_back(static_cast<int>(cpu));
  }
  return cpus;
}

std::vector<int> schedulableCpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) cpus.push_back(cpu);
  }
  return cpus;
}

std::map<int, int> nodesOfCpus(const std::filesystem::path& system) {
  std::map<int, int> nodes;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(system / "node", ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("node")) continue;
    const auto node = numberIn(std::string_view(name).substr(4));
    if (!node) continue;
    for (const int cpu : cpuList(firstLine(entry.path() / "cpulist"))) nodes[cpu] = static_cast<int>(*node);
  }
  return nodes;
}

// The lowest CPU that shares the last-level cache with this one names the cache.
int cacheOfCpu(const std::filesystem::path& cpu, int otherwise) {
  std::int64_t lastLevel = 0;
  int first = otherwise;
  for (int index = 0; index < 8; ++index) {
    const auto cache = cpu / "cache" / ("index" + std::to_string(index));
    const auto level = numberIn(firstLine(cache / "level"));
    if (!level || *level < 3 || *level < lastLevel) continue;  // second-level caches belong to one core: no domain
    const auto shared = cpuList(firstLine(cache / "shared_cpu_list"));
    if (shared.empty()) continue;
    lastLevel = *level;
    first = *std::min_element(shared.begin(), shared.end());
  }
  return first;
}

double smallerQuota(double a, double b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

// The smallest quota from `group` up to the root: every ancestor's limit binds.
template <class QuotaOf>
double quotaUpwards(const std::filesystem::path& root, std::string group, QuotaOf quotaOf) {
  double quota = 0;
  for (;;) {
    const auto slash = group.find_last_not_of('/');
    group.resize(slash == std::string::npos ? 0 : slash + 1);
    quota = smallerQuota(quota, quotaOf(root / group.substr(group.starts_with('/') ? 1 : 0)));
    if (group.empty()) return quota;
    const auto parent = group.rfind('/');
    group.resize(parent == std::string::npos ? 0 : parent);
  }
}

// Control groups of both versions: docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max), scheduler/sched-bwc.html.
double cpuQuota(const TopologySources& sources) {
  const auto second = [](const std::filesystem::path& folder) {
    std::istringstream line(firstLine(folder / "cpu.max"));
    std::string allowed;
    double period = 0;
    line >> allowed >> period;
    const auto time = numberIn(allowed);  // "max" is no number
    return time && *time > 0 && period > 0 ? static_cast<double>(*time) / period : 0.0;
  };
  const auto first = [](const std::filesystem::path& folder) {
    const auto time = numberIn(firstLine(folder / "cpu.cfs_quota_us"));
    const auto period = numberIn(firstLine(folder / "cpu.cfs_period_us"));
    return time && period && *time > 0 && *period > 0 ? static_cast<double>(*time) / static_cast<double>(*period) : 0.0;
  };
  double quota = 0;
  std::ifstream groups(sources.ownGroups);
  std::string line;
  while (std::getline(groups, line)) {
    // hierarchy:controllers:path; the second version has no controllers, the first names them all.
    const auto colon = line.find(':');
    const auto next = line.find(':', colon + 1);
    if (colon == std::string::npos || next == std::string::npos) continue;
    std::string controllers = line.substr(colon, next - colon);  // ":cpu,cpuacct"
    controllers.front() = ',';
    controllers += ',';
    const std::string path = line.substr(next + 1);
    if (controllers == ",,") {
      for (const char* mount : {"", "unified"})
        quota = smallerQuota(quota, quotaUpwards(sources.controlGroups / mount, path, second));
    } else if (controllers.find(",cpu,") != std::string::npos) {
      for (const char* mount : {"cpu", "cpu,cpuacct"})
        quota = smallerQuota(quota, quotaUpwards(sources.controlGroups / mount, path, first));
    }
  }
  return quota;
}

}  // namespace

int Topology::threads() const noexcept {
  const auto count = static_cast<int>(std::min<std::size_t>(cores.size(), CPU_SETSIZE));
  // Rounded down: a thread more than the quota carries would have all of them stopped for a part of every period.
  if (quota > 0) return std::max(1, static_cast<int>(std::min<double>(count, std::floor(quota + 0.01))));
  return std::max(1, count);
}

Topology readTopology(const TopologySources& sources) {
  const std::vector<int> allowed = sources.allowedCpus.empty() ? schedulableCpus() : sources.allowedCpus;
  const auto nodes = nodesOfCpus(sources.system);
  Topology found;
  std::map<std::pair<std::string, std::string>, int> seen;  // (package, core)
  for (const int cpu : allowed) {
    const auto folder = sources.system / "cpu" / ("cpu" + std::to_string(cpu));
    auto core =
        std::pair(firstLine(folder / "topology" / "physical_package_id"), firstLine(folder / "topology" / "core_id"));
    if (core.second.empty()) core.second = "cpu" + std::to_string(cpu);  // no topology (some containers): count each
    if (!seen.emplace(std::move(core), cpu).second) continue;
    const auto node = nodes.find(cpu);
    found.cores.push_back({cpu, node == nodes.end() ? 0 : node->second, cacheOfCpu(folder, 0)});
  }
  if (found.cores.empty()) found.cores.push_back({});
  std::sort(found.cores.begin(), found.cores.end(), [](const Core& a, const Core& b) {
    return std::tie(a.node, a.cache, a.cpu) < std::tie(b.node, b.cache, b.cpu);
  });
  found.quota = cpuQuota(sources);
  return found;
}

const Topology& topology() {
  static const Topology machine = readTopology();
  return machine;
}

int physicalCores() { return topology().threads(); }

void pinThisThread(std::span<const int> cpus) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  }
  (void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

}  // namespace hearth::platform
