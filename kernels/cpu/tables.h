#pragma once

#include "kernels/cpu/kernel_table.h"

/// The tables of this build; dispatch.cpp asks the CPU which of them it may touch.
namespace hearth::kernels {

extern const KernelTable kScalarKernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;        ///< AVX2, FMA, F16C
extern const KernelTable kAvxVnniKernels;     ///< the same and AVX-VNNI (desktop processors without AVX-512)
extern const KernelTable kAvx512Kernels;      ///< AVX-512 F, BW, VL, DQ
extern const KernelTable kAvx512VnniKernels;  ///< the same and VNNI
#endif

}  // namespace hearth::kernels
