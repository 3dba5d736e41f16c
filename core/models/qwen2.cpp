#include <cmath>

#include "core/models/family.h"

namespace hearth::models {
namespace {

/// Qwen2 and Qwen2.5 (arXiv 2407.10671, 2412.15115): as Llama, with a bias on query, key and value, and rotary positions in
/// half-split pairs.
class Qwen2 final : public Family {
 public:
  static Result<std::unique_ptr<Family>> make(const Hyperparameters& p, ModelPlan& plan) {
    const ModelConfig& c = p.config;
    auto model = std::make_unique<Qwen2>();
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
      HEARTH_TRY(layer.queryBias, plan.vector(layerTensor(i, "attn_q.bias"), queryDim));
      HEARTH_TRY(layer.keyBias, plan.vector(layerTensor(i, "attn_k.bias"), keyDim));
      HEARTH_TRY(layer.valueBias, plan.vector(layerTensor(i, "attn_v.bias"), keyDim));
      HEARTH_TRY(layer.output, plan.matrix(layerTensor(i, "attn_output.weight"), c.embedding, queryDim));
      HEARTH_TRY(layer.feedForwardNorm, norm(layerTensor(i, "ffn_norm.weight")));
      HEARTH_TRY(layer.gate, plan.matrix(layerTensor(i, "ffn_gate.weight"), c.feedForward, c.embedding));
      HEARTH_TRY(layer.up, plan.matrix(layerTensor(i, "ffn_up.weight"), c.feedForward, c.embedding));
      HEARTH_TRY(layer.down, plan.matrix(layerTensor(i, "ffn_down.weight"), c.embedding, c.feedForward));
      model->m_layers.push_back(layer);
    }
    HEARTH_TRY(model->m_outputNorm, norm("output_norm.weight"));
    HEARTH_TRY(model->m_head, outputHead(plan, c));

    model->m_rope = plan.rope({kernels::RopeStyle::HalfSplit, p.rotaryDims, p.ropeBase, p.ropeFrequencyScale, {}});
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
      ops.project(m_attended, {}, {{layer.output, m_stream, {}, true}});
      ops.gatedProject(m_stream, layer.feedForwardNorm, {layer.gate, layer.up, GateKind::Silu, m_inner, m_up});
      ops.project(m_inner, {}, {{layer.down, m_stream, {}, true}});
    }
    ops.head(m_stream, m_outputNorm, m_head);
  }

 private:
  struct Layer {
    Norm attentionNorm, feedForwardNorm;
    Matrix query, key, value, output, gate, up, down;
    Vector queryBias, keyBias, valueBias;
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

Result<std::unique_ptr<Family>> makeQwen2(const Hyperparameters& parameters, ModelPlan& plan) { return Qwen2::make(parameters, plan); }

}  // namespace hearth::models
