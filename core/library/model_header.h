#pragma once

#include <cstdint>

#include "core/formats/gguf.h"
#include "core/library/folder_walk.h"
#include "core/library/library.h"

namespace hearth::library {

/// What the header of a model's file says; good while size and time stay the same.
struct ModelHeader {
  std::uint64_t bytes = 0;
  std::int64_t modifiedNs = 0;
  InstalledModel model;  ///< without id
  bool isCompanion = false;  ///< of another model: no model of its own
};

/// A file that only sees images for another model.
[[nodiscard]] bool isProjector(const GgufFile& file);
/// A file that only changes another model (LoRA).
[[nodiscard]] bool isAdapter(const GgufFile& file);

/// Never fails: what is wrong with the file stands in model.problem.
[[nodiscard]] ModelHeader readHeader(const ModelFiles& files, bool inDataFolder);

}  // namespace hearth::library
