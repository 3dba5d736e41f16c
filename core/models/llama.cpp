#include "core/models/decoder.h"

namespace hearth::models {

/// Llama (arXiv 2302.13971, 2307.09288, 2407.21783) and its many relatives: rotation pairs are neighbours. Llama 3.1 and
/// later bring frequency factors for the rotation; some relatives have biases.
Result<std::unique_ptr<Family>> makeLlama(const Hyperparameters& parameters, ModelPlan& plan) {
  DecoderSpec spec;
  spec.ropeStyle = kernels::RopeStyle::Interleaved;
  spec.ropeFactors = true;
  spec.queryKeyValueBias = Presence::IfThere;
  spec.outputBias = Presence::IfThere;
  return Decoder::make(spec, parameters, plan);
}

}  // namespace hearth::models
