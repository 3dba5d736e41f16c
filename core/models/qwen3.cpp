#include "core/models/decoder.h"

namespace hearth::models {

/// Qwen3 (arXiv 2505.09388), dense and with experts: no biases; each query and key head is normalised before the rotation,
/// and heads have a size of their own (attention.key_length). The experts' layers are the decoder's own matter.
Result<std::unique_ptr<Family>> makeQwen3(const Hyperparameters& parameters, ModelPlan& plan) {
  DecoderSpec spec;
  spec.headNorms = true;
  return Decoder::make(spec, parameters, plan);
}

}  // namespace hearth::models
