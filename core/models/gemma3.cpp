#include <cmath>

#include "core/models/decoder.h"

namespace hearth::models {
namespace {

constexpr int kWindowPeriod = 6;            // five layers with a window, then one that sees everything
constexpr double kLocalRopeBase = 10000.0;  // of the layers with a window
constexpr int kLayersOf27B = 62;            // the one size whose scores are scaled by embedding / heads

}  // namespace

/// Gemma 3 (arXiv 2503.19786): embeddings scaled by sqrt(width), norms before and after each half of a layer, norms of query
/// and key heads, GeGLU, five sliding-window layers for each global one with a rotation base of its own, tied head. The "+1"
/// of Gemma's norms is already in GGUF weights.
Result<std::unique_ptr<Family>> makeGemma3(const Hyperparameters& parameters, ModelPlan& plan) {
  const ModelConfig& c = parameters.config;
  const MetadataReader read(plan.file(), c.architecture);
  DecoderSpec spec;
  spec.headNorms = true;
  spec.postNorms = true;
  spec.gate = GateKind::GeluTanh;
  spec.embeddingScale = std::sqrt(static_cast<float>(c.embedding));
  if (c.layers == kLayersOf27B) spec.scoreWidth = static_cast<double>(c.embedding) / c.heads;
  HEARTH_TRY(spec.window.size, read.integer("attention.sliding_window", 1, 1 << 28));
  HEARTH_TRY(spec.window.period, read.integer("attention.sliding_window_pattern", 1, 1024, kWindowPeriod));
  HEARTH_TRY(spec.window.ropeBase, read.number("rope.freq_base_swa", 1.0, 1e12, kLocalRopeBase));
  return Decoder::make(spec, parameters, plan);
}

}  // namespace hearth::models
