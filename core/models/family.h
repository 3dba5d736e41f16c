#pragma once

#include <memory>
#include <string>

#include "core/compute/batch.h"
#include "core/compute/model_plan.h"
#include "core/compute/ops.h"
#include "core/models/hyperparameters.h"

namespace hearth::models {

/// One architecture: its weights by name, and the order of the operations. Immutable once made; holds handles only, the
/// weights themselves belong to the device.
class Family {
 public:
  virtual ~Family() = default;
  virtual void forward(Ops& ops) const = 0;
};

/// Names the weights and buffers of the family in `plan`. Errors: Corrupt, UnsupportedFormat.
using MakeFamily = Result<std::unique_ptr<Family>> (*)(const Hyperparameters& parameters, ModelPlan& plan);

// One function for each file of this folder; registry.cpp has the table.
Result<std::unique_ptr<Family>> makeLlama(const Hyperparameters& parameters, ModelPlan& plan);
Result<std::unique_ptr<Family>> makeQwen2(const Hyperparameters& parameters, ModelPlan& plan);
Result<std::unique_ptr<Family>> makeQwen3(const Hyperparameters& parameters, ModelPlan& plan);  // and qwen3moe
Result<std::unique_ptr<Family>> makeGemma3(const Hyperparameters& parameters, ModelPlan& plan);
Result<std::unique_ptr<Family>> makeBert(const Hyperparameters& parameters, ModelPlan& plan);

/// "blk.7.attn_q.weight"
[[nodiscard]] inline std::string layerTensor(int layer, const char* name) {
  return "blk." + std::to_string(layer) + "." + name;
}

/// The output head: its own matrix, or the token embedding again where the two are tied.
[[nodiscard]] inline Result<Matrix> outputHead(ModelPlan& plan, const ModelConfig& config) {
  return plan.matrix(plan.has("output.weight") ? "output.weight" : "token_embd.weight", config.vocabulary, config.embedding);
}

}  // namespace hearth::models
