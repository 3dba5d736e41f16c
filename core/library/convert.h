#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "kernels/quant/format.h"

namespace hearth {

struct ConvertOptions {
  kernels::FormatId type =
      kernels::FormatId::F16;  ///< of the matrices: F32, F16 or Q8_0; a row that is no multiple of 32 stays F16
  std::function<bool(std::uint64_t done, std::uint64_t total)> progress;  ///< tensors; false = stop; may be empty
};

struct ConvertedModel {
  std::string architecture;
  std::string name;
  int tensors = 0;
  std::uint64_t fileBytes = 0;
  std::vector<std::string> ignored;  ///< tensors of the source that the architecture does not use
};

/// Writes a model of the Hugging Face kind (config.json, tokenizer.json or vocab.txt, model.safetensors whole or in parts;
/// pooling from 1_Pooling/config.json) as one GGUF file. `source` is its folder or its .safetensors file. `target` appears
/// whole or not at all, and must not be there before. Knows the architectures of convertibleArchitectures(). Blocks; any
/// thread. Errors: NotFound (evidence: path), Corrupt (a file or tensor that contradicts the configuration),
/// UnsupportedArchitecture, UnsupportedFormat (a tokenizer, or an activation function, that we lack), AlreadyExists,
/// InvalidArgument (type; a weight that 16 bits cannot hold), Cancelled, and those of GgufWriter::write.
[[nodiscard]] Result<ConvertedModel> convertModel(const std::filesystem::path& source, const std::filesystem::path& target,
                                                  const ConvertOptions& options = {});
/// The values of config.json's model_type that are known.
[[nodiscard]] std::vector<std::string> convertibleArchitectures();

}  // namespace hearth
