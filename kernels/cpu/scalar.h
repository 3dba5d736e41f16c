#pragma once

#include "kernels/cpu/kernel_table.h"

namespace hearth::kernels {

extern const KernelTable kScalarKernels;

}  // namespace hearth::kernels
