#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/formats/gguf.h"

namespace hearth::gguf {

/// What one GGUF file (one part of a split model) says. Views point into the parsed bytes.
struct Contents {
  std::map<std::string, GgufValue, std::less<>> metadata;
  std::vector<GgufTensor> tensors;  ///< in file order; each one's data lies inside the file, no two overlap
};

/// Parses and checks everything: nothing in the bytes is trusted. Errors as GgufFile::open, without the path.
[[nodiscard]] Result<Contents> parseContents(std::span<const std::byte> bytes);

}  // namespace hearth::gguf
