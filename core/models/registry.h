#pragma once

#include <span>
#include <string_view>

#include "core/models/family.h"

namespace hearth::models {

struct Architecture {
  std::string_view name;  ///< general.architecture of the GGUF file
  MakeFamily make;
  Experts experts = Experts::Never;
  Direction direction = Direction::Causal;
};

[[nodiscard]] std::span<const Architecture> architectures() noexcept;
/// Error: UnsupportedArchitecture (evidence: architecture, supported).
[[nodiscard]] Result<const Architecture*> findArchitecture(const GgufFile& file);

}  // namespace hearth::models
