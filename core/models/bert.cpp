#include <cmath>
#include <vector>

#include "core/models/family.h"

namespace hearth::models {
namespace {

/// BERT (arXiv 1810.04805): an encoder. Positions are learned, every token sees the whole text, and each norm follows the
/// sum that it belongs to:
///   x ← norm(x + attention(x)),  x ← norm(x + feedForward(x))
/// Immutable once made.
class Bert final : public Family {
 public:
  static Result<std::unique_ptr<Family>> make(const Hyperparameters& parameters, ModelPlan& plan);
  void forward(Ops& ops) const override;

 private:
  struct Layer {
    Matrix query, key, value, output, up, down;
    Vector queryBias, keyBias, valueBias, outputBias, upBias, downBias;
    Norm attentionNorm, outputNorm;
  };

  Matrix m_tokens, m_positions, m_segments;
  Norm m_embeddingNorm;
  std::vector<Layer> m_layers;
  HeadShape m_heads;
  AttentionSpec m_attention;
  Buffer m_stream, m_query, m_key, m_value, m_attended, m_inner;
};

void Bert::forward(Ops& ops) const {
  ops.embed(m_tokens, 1.0F, m_stream);
  ops.addLookup(m_positions, LookupBy::Position, m_stream);
  ops.addLookup(m_segments, LookupBy::Segment, m_stream);
  ops.normalise(m_stream, m_embeddingNorm);
  for (const Layer& layer : m_layers) {
    if (ops.abandoned()) return;
    ops.project(m_stream, {},
                {{layer.query, m_query, layer.queryBias},
                 {layer.key, m_key, layer.keyBias},
                 {layer.value, m_value, layer.valueBias}});
    // The cache has one layer: this one's keys are read before the next one's are written.
    ops.rotateAndStore(0, m_heads, {m_query, m_key, m_value, {}, {}, {}});
    ops.attend(0, m_heads, m_query, m_attended, m_attention);
    if (&layer == &m_layers.back()) ops.keepLogitRows({m_stream, m_attended});
    ops.project(m_attended, {}, {{layer.output, m_stream, layer.outputBias, true}});
    ops.normalise(m_stream, layer.attentionNorm);
    ops.project(m_stream, {}, {{layer.up, m_inner, layer.upBias, false, Activation::Gelu}});
    ops.project(m_inner, {}, {{layer.down, m_stream, layer.downBias, true}});
    ops.normalise(m_stream, layer.outputNorm);
  }
  ops.head(m_stream, {}, {});
}

Result<std::unique_ptr<Family>> Bert::make(const Hyperparameters& p, ModelPlan& plan) {
  const ModelConfig& c = p.config;
  auto model = std::make_unique<Bert>();
  const auto norm = [&](const std::string& name) -> Result<Norm> {
    HEARTH_TRY(const Vector weight, plan.vector(name + ".weight", c.embedding));
    HEARTH_TRY(const Vector bias, plan.vector(name + ".bias", c.embedding));
    return Norm{weight, p.normEpsilon, bias};
  };
  model->m_heads = {c.heads, c.kvHeads, c.headDim};
  model->m_attention.scale = static_cast<float>(1.0 / std::sqrt(c.headDim));
  model->m_attention.bidirectional = true;
  const std::int64_t queryDim = static_cast<std::int64_t>(c.heads) * c.headDim;
  const std::int64_t keyDim = static_cast<std::int64_t>(c.kvHeads) * c.headDim;
  HEARTH_TRY(model->m_tokens, plan.lookup("token_embd.weight", c.vocabulary, c.embedding));
  HEARTH_TRY(model->m_positions, plan.lookup("position_embd.weight", c.trainedContext, c.embedding));
  const GgufTensor* segments = plan.file().tensor("token_types.weight");
  HEARTH_TRY(model->m_segments, plan.lookup("token_types.weight", segments != nullptr ? segments->dims[1] : 0, c.embedding));
  HEARTH_TRY(model->m_embeddingNorm, norm("token_embd_norm"));
  model->m_stream = plan.buffer(c.embedding);
  model->m_query = plan.buffer(queryDim);
  model->m_key = plan.buffer(keyDim);
  model->m_value = plan.buffer(keyDim);
  model->m_attended = plan.buffer(queryDim);
  model->m_inner = plan.buffer(c.feedForward);
  for (int i = 0; i < c.layers; ++i) {
    Layer layer;
    const auto projection = [&](const std::string& name, std::int64_t rows, std::int64_t cols, Matrix& weight,
                                Vector& bias) -> Result<void> {
      HEARTH_TRY(weight, plan.matrix(layerTensor(i, (name + ".weight").c_str()), rows, cols));
      HEARTH_TRY(bias, plan.optionalVector(layerTensor(i, (name + ".bias").c_str()), rows));
      return {};
    };
    HEARTH_CHECK(projection("attn_q", queryDim, c.embedding, layer.query, layer.queryBias));
    HEARTH_CHECK(projection("attn_k", keyDim, c.embedding, layer.key, layer.keyBias));
    HEARTH_CHECK(projection("attn_v", keyDim, c.embedding, layer.value, layer.valueBias));
    HEARTH_CHECK(projection("attn_output", c.embedding, queryDim, layer.output, layer.outputBias));
    HEARTH_CHECK(projection("ffn_up", c.feedForward, c.embedding, layer.up, layer.upBias));
    HEARTH_CHECK(projection("ffn_down", c.embedding, c.feedForward, layer.down, layer.downBias));
    HEARTH_TRY(layer.attentionNorm, norm(layerTensor(i, "attn_output_norm")));
    HEARTH_TRY(layer.outputNorm, norm(layerTensor(i, "layer_output_norm")));
    model->m_layers.push_back(layer);
  }
  return model;
}

}  // namespace

Result<std::unique_ptr<Family>> makeBert(const Hyperparameters& parameters, ModelPlan& plan) {
  return Bert::make(parameters, plan);
}

}  // namespace hearth::models
