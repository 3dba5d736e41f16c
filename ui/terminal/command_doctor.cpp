#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>

#include "core/base/paths.h"
#include "core/base/platform/platform.h"
#include "core/monitor/monitor.h"
#include "kernels/cpu/kernel_table.h"
#include "ui/terminal/commands.h"
#include "ui/terminal/roof.h"

namespace json = boost::json;

namespace hearth::terminal {
namespace {

std::string driverText(const GpuDriver& driver) {
  const Error facts{ErrorCode::NotFound, {}, driver.evidence};
  const std::string library(facts.find("library")), reason(facts.find("reason"));
  switch (driver.state) {
    case GpuDriverState::Ready: return driver.version.empty() ? "NVIDIA driver" : "NVIDIA driver " + driver.version;
    case GpuDriverState::NoDriver: return "no NVIDIA driver: " + (reason.empty() ? library : reason);
    case GpuDriverState::NotLoaded: return fmt::format("the NVIDIA driver is installed but not running: {} (code {})", reason, facts.find("code"));
    case GpuDriverState::TooOld: return fmt::format("{} lacks {}: the driver is too old or not NVIDIA's", library, facts.find("function"));
    case GpuDriverState::Failed: return fmt::format("the NVIDIA driver did not start: {} (code {})", reason, facts.find("code"));
  }
  return {};
}

}  // namespace

int commandDoctor(const GlobalOptions& global, bool asJson) {
  const auto& kernels = kernels::chooseKernels();
  std::vector<std::string> isas;
  for (const auto* table : kernels::availableKernels()) isas.emplace_back(table->isa);
  ThreadPool pool({.threads = global.threads});
  const Roof roof = measureRoof(pool, 0.6);
  const auto memory = platform::memoryInfo();
  auto monitor = HardwareMonitor::create();
  const HardwareSample sample = monitor->sample();
  const DataPaths paths = chooseDataPaths(global.dataDir);
  const auto prepared = prepareDataPaths(paths);
  std::error_code code;
  const auto space = std::filesystem::space(paths.root, code);

  if (asJson) {
    json::array gpus;
    for (const GpuSample& gpu : sample.gpus) {
      gpus.push_back({{"name", gpu.name}, {"memory_bytes", gpu.memoryTotal}, {"used_bytes", gpu.memoryOurs + gpu.memoryOthers}});
    }
    json::object disk{{"data_folder", paths.root.string()}, {"writable", prepared.has_value()}};
    if (!code) disk["free_bytes"] = space.available;
    if (!prepared) disk["problem"] = prepared.error().describe();
    json::object out{{"cpu", platform::cpuName()},
                     {"physical_cores", platform::physicalCores()},
                     {"threads", pool.threadCount()},
                     {"isa", kernels.isa},
                     {"isas", json::value_from(isas)},
                     {"memory_bytes", memory.totalBytes},
                     {"memory_available_bytes", memory.availableBytes},
                     {"read_gb_s", roof.readGigabytesPerSecond},
                     {"int8_gmac_s", roof.int8GigaMacsPerSecond},
                     {"gpu_driver", driverText(monitor->gpuDriver())},
                     {"gpus", std::move(gpus)},
                     {"disk", std::move(disk)}};
    if (const char* problem = kernels::forcedIsaProblem()) out["isa_problem"] = problem;
    writeJson(out);
  } else {
    std::string list;
    for (const auto& isa : isas) list += (list.empty() ? "" : ", ") + isa;
    std::string text = fmt::format("CPU      {}, {} cores\n", platform::cpuName(), platform::physicalCores());
    text += fmt::format("kernels  {} (this CPU can run: {})\n", kernels.isa, list);
    if (const char* problem = kernels::forcedIsaProblem()) text += fmt::format("         warning: {}\n", problem);
    text += fmt::format("speed    {} threads read {:.1f} GB/s and do {:.0f} G int8 multiply-adds/s\n", pool.threadCount(), roof.readGigabytesPerSecond,
                        roof.int8GigaMacsPerSecond);
    text += fmt::format("memory   {} of {} available\n", humanBytes(memory.availableBytes), humanBytes(memory.totalBytes));
    if (sample.gpus.empty()) text += fmt::format("GPU      none in use: {}\n", driverText(monitor->gpuDriver()));
    for (const GpuSample& gpu : sample.gpus) {
      text += fmt::format("GPU      {}, {} of {} in use\n", gpu.name, humanBytes(gpu.memoryOurs + gpu.memoryOthers), humanBytes(gpu.memoryTotal));
    }
    text += fmt::format("data     {}", paths.root.string());
    if (!code) text += fmt::format(", {} free", humanBytes(space.available));
    text += "\n";
    writeResult(text);
  }
  return prepared ? kExitDone : report(prepared.error());
}

}  // namespace hearth::terminal
