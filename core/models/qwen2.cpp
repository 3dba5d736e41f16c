#include "core/models/decoder.h"

namespace hearth::models {

/// Qwen2 and Qwen2.5 (arXiv 2407.10671, 2412.15115): query, key and value have a bias.
Result<std::unique_ptr<Family>> makeQwen2(const Hyperparameters& parameters, ModelPlan& plan) {
  DecoderSpec spec;
  spec.queryKeyValueBias = Presence::Always;
  return Decoder::make(spec, parameters, plan);
}

}  // namespace hearth::models
