// Compiled with this instruction set's flags (kernels/CMakeLists.txt): nothing here may run before dispatch.cpp asked the CPU.
#include "kernels/cpu/simd_avx512.h"
// The vocabulary comes before the bodies that use it.
#include "kernels/cpu/table_body.h"
#include "kernels/cpu/tables.h"

namespace hearth::kernels {

constinit const KernelTable kAvx512Kernels = makeTable("avx512");

}  // namespace hearth::kernels
