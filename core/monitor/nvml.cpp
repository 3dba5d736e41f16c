#include "core/monitor/nvml.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>

namespace hearth {
namespace {

// The few declarations of NVML's public C interface that we call (NVIDIA Management Library API reference). Its binary
// interface is stable: the _v2, _v3 names fix each structure's layout.
using NvmlReturn = int;
using NvmlDevice = struct NvmlDeviceOpaque*;
constexpr NvmlReturn kSuccess = 0;
constexpr NvmlReturn kDriverNotLoaded = 9;
constexpr NvmlReturn kInsufficientSize = 7;
constexpr unsigned kTemperatureGpu = 0;
constexpr unsigned long long kNotAvailable = ~0ULL;

struct Utilisation {
  unsigned gpu;
  unsigned memory;
};
struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
struct Process {
  unsigned pid;
  unsigned long long usedGpuMemory;
  unsigned gpuInstanceId;
  unsigned computeInstanceId;
};

}  // namespace

struct Nvml::Functions {
  NvmlReturn (*init)();
  NvmlReturn (*shutdown)();
  const char* (*errorString)(NvmlReturn);
  NvmlReturn (*driverVersion)(char*, unsigned);
  NvmlReturn (*count)(unsigned*);
  NvmlReturn (*handle)(unsigned, NvmlDevice*);
  NvmlReturn (*name)(NvmlDevice, char*, unsigned);
  NvmlReturn (*utilisation)(NvmlDevice, Utilisation*);
  NvmlReturn (*memory)(NvmlDevice, Memory*);
  NvmlReturn (*temperature)(NvmlDevice, unsigned, unsigned*);
  NvmlReturn (*power)(NvmlDevice, unsigned*);
  NvmlReturn (*powerLimit)(NvmlDevice, unsigned*);
  NvmlReturn (*processes)(NvmlDevice, unsigned*, Process*);  // null on drivers older than this call
};

Nvml::Nvml() = default;

Nvml::~Nvml() {
  if (m_initialised) m_functions->shutdown();
  if (m_handle != nullptr) dlclose(m_handle);
}

std::unique_ptr<Nvml> Nvml::open(const std::string& library) {
  auto nvml = std::make_unique<Nvml>();
  nvml->start(library);
  return nvml;
}

void Nvml::start(const std::string& library) {
  m_handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (m_handle == nullptr) {
    const char* reason = dlerror();
    m_driver.evidence = {{"library", library}, {"reason", reason == nullptr ? "" : reason}};
    return;
  }
  m_functions = std::make_unique<Functions>();
  const char* missing = nullptr;
  const auto bind = [&](auto& function, const char* symbol, bool needed = true) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(m_handle, symbol));
    if (function == nullptr && needed) missing = symbol;
  };
  Functions& f = *m_functions;
  bind(f.init, "nvmlInit_v2");
  bind(f.shutdown, "nvmlShutdown");
  bind(f.errorString, "nvmlErrorString");
  bind(f.driverVersion, "nvmlSystemGetDriverVersion");
  bind(f.count, "nvmlDeviceGetCount_v2");
  bind(f.handle, "nvmlDeviceGetHandleByIndex_v2");
  bind(f.name, "nvmlDeviceGetName");
  bind(f.utilisation, "nvmlDeviceGetUtilizationRates");
  bind(f.memory, "nvmlDeviceGetMemoryInfo");
  bind(f.temperature, "nvmlDeviceGetTemperature");
  bind(f.power, "nvmlDeviceGetPowerUsage");
  bind(f.powerLimit, "nvmlDeviceGetEnforcedPowerLimit");
  bind(f.processes, "nvmlDeviceGetComputeRunningProcesses_v3", false);
  if (missing != nullptr) {
    m_driver = {GpuDriverState::TooOld, {}, {{"library", library}, {"function", missing}}};
    return;
  }
  if (const NvmlReturn result = f.init(); result != kSuccess) {
    const char* reason = f.errorString(result);
    m_driver.state = result == kDriverNotLoaded ? GpuDriverState::NotLoaded : GpuDriverState::Failed;
    m_driver.evidence = {{"library", library}, {"reason", reason == nullptr ? "" : reason}, {"code", std::to_string(result)}};
    return;
  }
  m_initialised = true;
  m_driver.state = GpuDriverState::Ready;
  if (std::array<char, 96> version{}; f.driverVersion(version.data(), version.size() - 1) == kSuccess) m_driver.version = version.data();
}

std::vector<GpuSample> Nvml::sample() const {
  std::vector<GpuSample> gpus;
  if (m_driver.state != GpuDriverState::Ready) return gpus;
  const Functions& f = *m_functions;
  const auto ownPid = static_cast<unsigned>(getpid());
  unsigned count = 0;
  if (f.count(&count) != kSuccess) return gpus;
  for (unsigned i = 0; i < count; ++i) {
    NvmlDevice device = nullptr;
    if (f.handle(i, &device) != kSuccess) continue;  // lost, or not ours to see
    GpuSample& gpu = gpus.emplace_back();
    std::array<char, 128> name{};
    if (f.name(device, name.data(), name.size() - 1) == kSuccess) gpu.name = name.data();
    if (Utilisation load{}; f.utilisation(device, &load) == kSuccess) gpu.utilisation = load.gpu;
    unsigned long long used = 0;
    if (Memory memory{}; f.memory(device, &memory) == kSuccess) {
      gpu.memoryTotal = memory.total;
      used = memory.used;
    }
    if (f.processes != nullptr) {
      std::vector<Process> processes(64);
      NvmlReturn result = kInsufficientSize;
      for (int attempt = 0; attempt < 3 && result == kInsufficientSize; ++attempt) {
        auto size = static_cast<unsigned>(processes.size());
        result = f.processes(device, &size, processes.data());
        processes.resize(result == kInsufficientSize ? std::size_t{size} + 16 : std::size_t{size});
      }
      for (const Process& process : processes) {
        if (result == kSuccess && process.pid == ownPid && process.usedGpuMemory != kNotAvailable)
          gpu.memoryOurs += process.usedGpuMemory;
      }
    }
    gpu.memoryOthers = used > gpu.memoryOurs ? used - gpu.memoryOurs : 0;
    if (unsigned celsius = 0; f.temperature(device, kTemperatureGpu, &celsius) == kSuccess) gpu.temperatureC = celsius;
    if (unsigned milliwatts = 0; f.power(device, &milliwatts) == kSuccess) gpu.powerWatts = milliwatts / 1000.0;
    if (unsigned milliwatts = 0; f.powerLimit(device, &milliwatts) == kSuccess) gpu.powerLimitWatts = milliwatts / 1000.0;
  }
  return gpus;
}

}  // namespace hearth
