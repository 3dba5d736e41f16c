// Compiled with this instruction set's flags (kernels/CMakeLists.txt): nothing here may run before dispatch.cpp asked the CPU.
#define HEARTH_KERNELS_VNNI 1
#include "kernels/cpu/simd_avx2.h"
// The vocabulary comes before the bodies that use it.
#include "kernels/cpu/table_body.h"
#include "kernels/cpu/tables.h"

namespace hearth::kernels {

constinit const KernelTable kAvxVnniKernels = makeTable("avxvnni");

}  // namespace hearth::kernels
