#include <cmath>

#include "core/models/family.h"

namespace hearth::models {
namespace {

/// Llama (arXiv 2302.13971, 2307.09288, 2407.21783) and its many relatives: pre-norm, rotary positions in interleaved pairs,
/// grouped-query attention, SwiGLU. Llama 3.1 and later bring frequency factors for the rotation.
class Llama final : public Family {
 public:
  static Result<std::unique_ptr<Family>> make(const Hyperparameters& p, ModelPlan& plan) {
    const ModelConfig& c = p.config;
    auto model = std::make_unique<Llama>();
    const std::int64_t queryDim = static_cast<std::int64_t>(c.heads) * c.headDim;
    const std::int64_t keyDim = static_cast<std::int64_t>(c.kvHeads) * c.headDim;

    HEARTH_TRY(model->m_embedding, plan.lookup("token_embd.weight", c.vocabulary, c.embedding));
    const auto norm = [&](const std::string& name) -> Result<Norm> {
      HEARTH_TRY(const Vector weight, plan.vector(name, c.embedding));
      return Norm{weight, p.normEpsilon};
    };
    for (int i = 0; i < c.layers; ++i) {
      Layer layer;
      HEARTH_TRY(layer.attentionNorm, norm(layerTensor(i, "attn_norm.weight")));
      HEARTH_TRY(layer.query, plan.matrix(layerTensor(i, "attn_q.weight"), queryDim, c.embedding));
      HEARTH_TRY(layer.key, plan.matrix(layerTensor(i, "attn_k.weight"), keyDim, c.embedding));
      HEARTH_TRY(layer.value, plan.matrix(layerTensor(i, "attn_v.weight"), keyDim, c.embedding));
      HEARTH_TRY(layer.queryBias, plan.optionalVector(layerTensor(i, "attn_q.bias"), queryDim));
      HEARTH_TRY(layer.keyBias, plan.optionalVector(layerTensor(i, "attn_k.bias"), keyDim));
      HEARTH_TRY(layer.valueBias, plan.optionalVector(layerTensor(i, "attn_v.bias"), keyDim));
      HEARTH_TRY(layer.output, plan.matrix(layerTensor(i, "attn_output.weight"), c.embedding, queryDim));
      HEARTH_TRY(layer.outputBias, plan.optionalVector(layerTensor(i, "attn_output.bias"), c.embedding));
      HEARTH_TRY(layer.feedForwardNorm, norm(layerTensor(i, "ffn_norm.weight")));
      HEARTH_TRY(layer.gate, plan.matrix(layerTensor(i, "ffn_gate.weight"), c.feedForward, c.embedding));
      HEARTH_TRY(layer.up, plan.matrix(layerTensor(i, "ffn_up.weight"), c.feedForward, c.embedding));
      HEARTH_TRY(layer.down, plan.matrix(layerTensor(i, "ffn_down.weight"), c.embedding, c.feedForward));
      model->m_layers.push_back(layer);
    }
    HEARTH_TRY(model->m_outputNorm, norm("output_norm.weight"));
    HEARTH_TRY(model->m_head, outputHead(plan, c));

    RopeSpec rope{kernels::RopeStyle::Interleaved, p.rotaryDims, p.ropeBase, p.ropeFrequencyScale, {}};
    HEARTH_TRY(rope.factors, plan.optionalVector("rope_freqs.weight", p.rotaryDims / 2));
    model->m_rope = plan.rope(rope);
    model->m_heads = {c.heads, c.kvHeads, c.headDim};
    model->m_attention.scale = 1.0F / std::sqrt(static_cast<float>(c.headDim));
    model->m_stream = plan.buffer(c.embedding);
    model->m_query = plan.buffer(queryDim);
    model->m_key = plan.buffer(keyDim);
    model->m_value = plan.buffer(keyDim);
    model->m_attended = plan.buffer(queryDim);
    model->m_inner = plan.buffer(c.feedForward);
    model->m_up = plan.buffer(c.feedForward);
    return model;
  }

  void forward(Ops& ops) const override {
    ops.embed(m_embedding, 1.0F, m_stream);
    for (int i = 0; i < static_cast<int>(m_layers.size()); ++i) {
      const Layer& layer = m_layers[static_cast<std::size_t>(i)];
      ops.project(m_stream, layer.attentionNorm,
                  {{layer.query, m_query, layer.queryBias}, {layer.key, m_key, layer.keyBias}, {layer.value, m_value, layer.valueBias}});
      ops.rotateAndStore(i, m_heads, {m_query, m_key, m_value, {}, {}, m_rope});
      ops.attend(i, m_heads, m_query, m_attended, m_attention);
      if (i + 1 == static_cast<int>(m_layers.size())) ops.keepLogitRows({m_stream, m_attended});
      ops.project(m_attended, {}, {{layer.output, m_stream, layer.outputBias, true}});
      ops.gatedProject(m_stream, layer.feedForwardNorm, {layer.gate, layer.up, GateKind::Silu, m_inner, m_up});
      ops.project(m_inner, {}, {{layer.down, m_stream, {}, true}});
    }
    ops.head(m_stream, m_outputNorm, m_head);
  }

 private:
  struct Layer {
    Norm attentionNorm, feedForwardNorm;
    Matrix query, key, value, output, gate, up, down;
    Vector queryBias, keyBias, valueBias, outputBias;
  };
  Matrix m_embedding, m_head;
  std::vector<Layer> m_layers;
  Norm m_outputNorm;
  RopeTable m_rope;
  HeadShape m_heads;
  AttentionSpec m_attention;
  Buffer m_stream, m_query, m_key, m_value, m_attended, m_inner, m_up;
};

}  // namespace

Result<std::unique_ptr<Family>> makeLlama(const Hyperparameters& parameters, ModelPlan& plan) { return Llama::make(parameters, plan); }

}  // namespace hearth::models
