// Stands in for libnvidia-ml.so.1. FAKE_NVML_GPUS = how many GPUs there are; FAKE_NVML_INIT = what nvmlInit_v2 returns;
// FAKE_NVML_SILENT = 1: temperature and power are not supported. GPU i has (i+1) GiB in use by this process and 1 GiB by
// another, 10·i % load, 40+i °C.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {
constexpr int kNotSupported = 3;
constexpr int kInsufficientSize = 7;
constexpr unsigned long long kGiB = 1ULL << 30U;

int number(const char* name, int fallback) {
  const char* value = std::getenv(name);
  return value == nullptr ? fallback : std::atoi(value);
}
bool silent() { return number("FAKE_NVML_SILENT", 0) != 0; }
unsigned index(void* device) { return static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(device)) - 1; }
}  // namespace

struct FakeUtilisation {
  unsigned gpu, memory;
};
struct FakeMemory {
  unsigned long long total, free, used;
};
struct FakeProcess {
  unsigned pid;
  unsigned long long used;
  unsigned a, b;
};

extern "C" {
int nvmlInit_v2() { return number("FAKE_NVML_INIT", 0); }
int nvmlShutdown() { return 0; }
const char* nvmlErrorString(int) { return "a failure for the test"; }
int nvmlSystemGetDriverVersion(char* text, unsigned size) {
  std::snprintf(text, size, "575.00.fake");
  return 0;
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = static_cast<unsigned>(number("FAKE_NVML_GPUS", 1));
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void** device) {
  *device = reinterpret_cast<void*>(static_cast<std::uintptr_t>(i) + 1);
  return 0;
}
int nvmlDeviceGetName(void* device, char* text, unsigned size) {
  std::snprintf(text, size, "Fake GPU %u", index(device));
  return 0;
}
int nvmlDeviceGetUtilizationRates(void* device, FakeUtilisation* load) {
  *load = {10 * index(device), 0};
  return 0;
}
int nvmlDeviceGetMemoryInfo(void* device, FakeMemory* memory) {
  const unsigned long long used = (index(device) + 2) * kGiB;
  *memory = {24 * kGiB, 24 * kGiB - used, used};
  return 0;
}
int nvmlDeviceGetTemperature(void* device, unsigned, unsigned* celsius) {
  *celsius = 40 + index(device);
  return silent() ? kNotSupported : 0;
}
int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
  *milliwatts = 123'400;
  return silent() ? kNotSupported : 0;
}
int nvmlDeviceGetEnforcedPowerLimit(void*, unsigned* milliwatts) {
  *milliwatts = 450'000;
  return silent() ? kNotSupported : 0;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void* device, unsigned* count, FakeProcess* processes) {
  constexpr unsigned kMany = 70;  // more than a first guess at the size holds
  if (*count < kMany) {
    *count = kMany;
    return kInsufficientSize;
  }
  *count = kMany;
  for (unsigned i = 0; i < kMany; ++i) processes[i] = {1, i == 0 ? kGiB : 0, 0, 0};
  processes[kMany - 1] = {static_cast<unsigned>(getpid()), (index(device) + 1) * kGiB, 0, 0};
  return 0;
}
}
