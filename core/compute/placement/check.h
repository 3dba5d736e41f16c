#pragma once

#include "core/compute/placement/placement.h"

namespace hearth::placement {

/// Refuses figures that no model or machine has. Errors: InvalidArgument (field, value).
[[nodiscard]] Result<void> check(const ModelDemand& model, const Machine& machine, const Workload& workload);

}  // namespace hearth::placement
