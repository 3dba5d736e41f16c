#include <cstdlib>
#include <cstring>

#include "kernels/cpu/tables.h"
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace hearth::kernels {
namespace {

/// What this CPU (and its operating system, which must save the registers) can run. Filled once, at first use.
struct Available {
  const KernelTable* tables[5] = {};
  std::size_t count = 0;

  Available() noexcept {
    tables[count++] = &kScalarKernels;
#if defined(__x86_64__)
    // These checks include that the operating system saves the wide registers.
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") == 0 || __builtin_cpu_supports("fma") == 0 || !hasF16c()) return;
    tables[count++] = &kAvx2Kernels;
    if (hasAvxVnni()) tables[count++] = &kAvxVnniKernels;
    if (__builtin_cpu_supports("avx512f") == 0 || __builtin_cpu_supports("avx512bw") == 0 ||
        __builtin_cpu_supports("avx512vl") == 0 || __builtin_cpu_supports("avx512dq") == 0) {
      return;
    }
    tables[count++] = &kAvx512Kernels;
    if (__builtin_cpu_supports("avx512vnni") != 0) tables[count++] = &kAvx512VnniKernels;
#endif
  }

#if defined(__x86_64__)
  // Not every compiler knows these by name, so the CPU is asked directly.
  static bool hasAvxVnni() noexcept {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & (1U << 4)) != 0;
  }
  static bool hasF16c() noexcept {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
  }
#endif
};

const Available& available() noexcept {
  static const Available instance;
  return instance;
}

/// The table that HEARTH_ISA names, the fastest when it is not set; `problem` says why the name was not followed.
struct Choice {
  const KernelTable* table = nullptr;
  const char* problem = nullptr;

  Choice() noexcept {
    const std::span<const KernelTable* const> tables = availableKernels();
    table = tables.back();
    const char* forced = std::getenv("HEARTH_ISA");
    if (forced == nullptr || *forced == '\0') return;
    // The last match wins, so that "avx512" means the best AVX-512 table that the CPU has (with VNNI where it can).
    const KernelTable* match = nullptr;
    for (const KernelTable* candidate : tables) {
      const bool family = std::strcmp(forced, "avx512") == 0 && std::strncmp(candidate->isa, "avx512", 6) == 0;
      if (family || std::strcmp(candidate->isa, forced) == 0) match = candidate;
    }
    if (match != nullptr) {
      table = match;
      return;
    }
    bool known = false;
    for (const char* name : {"scalar", "avx2", "avxvnni", "avx512", "avx512vnni"}) known = known || std::strcmp(name, forced) == 0;
    problem = known ? "HEARTH_ISA names instructions that this CPU does not have; the fastest available are used"
                    : "HEARTH_ISA is none of scalar, avx2, avxvnni, avx512, avx512vnni; the fastest available are used";
  }
};

const Choice& choice() noexcept {
  static const Choice instance;
  return instance;
}

}  // namespace

std::span<const KernelTable* const> availableKernels() noexcept { return {available().tables, available().count}; }

const KernelTable& chooseKernels() noexcept { return *choice().table; }

const char* forcedIsaProblem() noexcept { return choice().problem; }

}  // namespace hearth::kernels
