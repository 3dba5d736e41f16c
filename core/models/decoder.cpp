#include "core/models/decoder.h"

#include <cmath>

namespace hearth::models {

void Decoder::forward(Ops& ops) const {
  ops.embed(m_embedding, m_embeddingScale, m_stream);
  for (int i = 0; i < static_cast<int>(m_layers.size()); ++i) {
    if (i > 0 && ops.abandoned()) return;
    const Layer& layer = m_layers[static_cast<std::size_t>(i)];
    ops.project(m_stream, layer.attentionNorm,
                {{layer.query, m_query, layer.queryBias},
                 {layer.key, m_key, layer.keyBias},
                 {layer.value, m_value, layer.valueBias}});
    ops.rotateAndStore(i, m_heads, {m_query, m_key, m_value, layer.queryNorm, layer.keyNorm, layer.rope});
    ops.attend(i, m_heads, m_query, m_attended, layer.attention);
    if (i + 1 == static_cast<int>(m_layers.size())) ops.keepLogitRows({m_stream, m_attended});
    addToStream(ops, m_attended, layer.output, layer.outputBias, layer.attentionPostNorm);
    if (layer.experts) {
      ops.mixExperts(m_stream, layer.feedForwardNorm, layer.experts);
      continue;
    }
    ops.gatedProject(m_stream, layer.feedForwardNorm, {layer.gate, layer.up, m_gateKind, m_inner, m_up});
    addToStream(ops, m_inner, layer.down, {}, layer.feedForwardPostNorm);
  }
  ops.head(m_stream, m_outputNorm, m_head);
}

/// The residual connection: stream += norm(weight · from + bias).
void Decoder::addToStream(Ops& ops, Buffer from, Matrix weight, Vector bias, const Norm& norm) const {
  if (!norm) {
    ops.project(from, {}, {{weight, m_stream, bias, true}});
    return;
  }
  ops.project(from, {}, {{weight, m_branch, bias}});
  ops.addNormed(m_branch, norm, m_stream);
}

/// Names a decoder's tensors in a plan: make()'s working place.
struct Decoder::Maker {
  const DecoderSpec& spec;
  const Hyperparameters& p;
  ModelPlan& plan;
  Decoder& model;
  const ModelConfig& c = p.config;
  std::int64_t queryDim = static_cast<std::int64_t>(c.heads) * c.headDim;
  std::int64_t keyDim = static_cast<std::int64_t>(c.kvHeads) * c.headDim;
  RopeTable globalRope{}, localRope{};
  Buffer expertScores{}, expertInner{};
  bool anyDense = false;

  [[nodiscard]] Result<Norm> norm(const std::string& name, std::int64_t size) const {
    HEARTH_TRY(const Vector weight, plan.vector(name, size));
    return Norm{weight, p.normEpsilon};
  }
  [[nodiscard]] Result<Vector> bias(Presence presence, const std::string& name, std::int64_t size) const {
    if (presence == Presence::Never) return Vector{};
    return presence == Presence::Always ? plan.vector(name, size) : plan.optionalVector(name, size);
  }
  Result<void> everything();
  Result<void> ropes();
  Result<void> attention(int i, Layer& layer) const;
  Result<void> feedForward(int i, Layer& layer);
  Result<void> experts(int i, Layer& layer) const;
};

Result<void> Decoder::Maker::ropes() {
  RopeSpec global{spec.ropeStyle, p.rotaryDims, p.ropeBase, p.ropeFrequencyScale, {}};
  if (spec.ropeFactors) {
    HEARTH_TRY(global.factors, plan.optionalVector("rope_freqs.weight", p.rotaryDims / 2));
  }
  globalRope = plan.rope(global);
  // Linear scaling, where a size has it, belongs to the layers that see everything.
  if (spec.window.size > 0) localRope = plan.rope({spec.ropeStyle, p.rotaryDims, spec.window.ropeBase, 1.0, {}});
  return {};
}

Result<void> Decoder::Maker::attention(int i, Layer& layer) const {
  const bool local = spec.window.size > 0 && (i + 1) % spec.window.period != 0;
  layer.rope = local ? localRope : globalRope;
  layer.attention.window = local ? spec.window.size : 0;
  layer.attention.scale = static_cast<float>(1.0 / std::sqrt(spec.scoreWidth > 0 ? spec.scoreWidth : c.headDim));
  HEARTH_TRY(layer.attentionNorm, norm(layerTensor(i, "attn_norm.weight"), c.embedding));
  HEARTH_TRY(layer.query, plan.matrix(layerTensor(i, "attn_q.weight"), queryDim, c.embedding));
  HEARTH_TRY(layer.key, plan.matrix(layerTensor(i, "attn_k.weight"), keyDim, c.embedding));
  HEARTH_TRY(layer.value, plan.matrix(layerTensor(i, "attn_v.weight"), keyDim, c.embedding));
  HEARTH_TRY(layer.queryBias, bias(spec.queryKeyValueBias, layerTensor(i, "attn_q.bias"), queryDim));
  HEARTH_TRY(layer.keyBias, bias(spec.queryKeyValueBias, layerTensor(i, "attn_k.bias"), keyDim));
  HEARTH_TRY(layer.valueBias, bias(spec.queryKeyValueBias, layerTensor(i, "attn_v.bias"), keyDim));
  if (spec.headNorms) {
    HEARTH_TRY(layer.queryNorm, norm(layerTensor(i, "attn_q_norm.weight"), c.headDim));
    HEARTH_TRY(layer.keyNorm, norm(layerTensor(i, "attn_k_norm.weight"), c.headDim));
  }
  HEARTH_TRY(layer.output, plan.matrix(layerTensor(i, "attn_output.weight"), c.embedding, queryDim));
  HEARTH_TRY(layer.outputBias, bias(spec.outputBias, layerTensor(i, "attn_output.bias"), c.embedding));
  if (spec.postNorms) {
    HEARTH_TRY(layer.attentionPostNorm, norm(layerTensor(i, "post_attention_norm.weight"), c.embedding));
  }
  return {};
}

Result<void> Decoder::Maker::feedForward(int i, Layer& layer) {
  HEARTH_TRY(layer.feedForwardNorm, norm(layerTensor(i, "ffn_norm.weight"), c.embedding));
  // A model of experts may have layers without: these have a gate, up or down of the common kind and no router.
  const auto has = [&](const char* name) { return plan.has(layerTensor(i, name)); };
  const bool dense = c.experts == 0 || (!has("ffn_gate_inp.weight") &&
                                        (has("ffn_gate.weight") || has("ffn_up.weight") || has("ffn_down.weight")));
  if (!dense) return experts(i, layer);
  anyDense = true;
  HEARTH_TRY(layer.gate, plan.matrix(layerTensor(i, "ffn_gate.weight"), c.feedForward, c.embedding));
  HEARTH_TRY(layer.up, plan.matrix(layerTensor(i, "ffn_up.weight"), c.feedForward, c.embedding));
  HEARTH_TRY(layer.down, plan.matrix(layerTensor(i, "ffn_down.weight"), c.embedding, c.feedForward));
  if (spec.postNorms) {
    HEARTH_TRY(layer.feedForwardPostNorm, norm(layerTensor(i, "post_ffw_norm.weight"), c.embedding));
  }
  return {};
}

Result<void> Decoder::Maker::experts(int i, Layer& layer) const {
  ExpertMixture& mixture = layer.experts;
  const int width = p.expertFeedForward;
  HEARTH_TRY(mixture.router, plan.matrix(layerTensor(i, "ffn_gate_inp.weight"), c.experts, c.embedding));
  HEARTH_TRY(mixture.gate, plan.stack(layerTensor(i, "ffn_gate_exps.weight"), c.experts, width, c.embedding, 1));
  HEARTH_TRY(mixture.up, plan.stack(layerTensor(i, "ffn_up_exps.weight"), c.experts, width, c.embedding, 1));
  HEARTH_TRY(mixture.down, plan.stack(layerTensor(i, "ffn_down_exps.weight"), c.experts, c.embedding, width, c.expertsUsed));
  mixture.used = c.expertsUsed;
  mixture.normalise = p.expertSharesNormalised;
  mixture.kind = spec.gate;
  mixture.scores = expertScores;
  mixture.inner = expertInner;
  mixture.out = model.m_stream;
  return {};
}

Result<void> Decoder::Maker::everything() {
  model.m_gateKind = spec.gate;
  model.m_embeddingScale = spec.embeddingScale;
  model.m_heads = {c.heads, c.kvHeads, c.headDim};
  HEARTH_TRY(model.m_embedding, plan.lookup("token_embd.weight", c.vocabulary, c.embedding));
  HEARTH_CHECK(ropes());
  model.m_stream = plan.buffer(c.embedding);
  if (spec.postNorms) model.m_branch = plan.buffer(c.embedding);
  model.m_query = plan.buffer(queryDim);
  model.m_key = plan.buffer(keyDim);
  model.m_value = plan.buffer(keyDim);
  model.m_attended = plan.buffer(queryDim);
  if (c.experts > 0) {
    expertScores = plan.buffer(c.experts);
    expertInner = plan.buffer(static_cast<std::int64_t>(c.expertsUsed) * p.expertFeedForward);
  }
  for (int i = 0; i < c.layers; ++i) {
    Layer layer;
    HEARTH_CHECK(attention(i, layer));
    HEARTH_CHECK(feedForward(i, layer));
    model.m_layers.push_back(layer);
  }
  if (anyDense) {
    model.m_inner = plan.buffer(c.feedForward);
    model.m_up = plan.buffer(c.feedForward);
  }
  HEARTH_TRY(model.m_outputNorm, norm("output_norm.weight", c.embedding));
  HEARTH_TRY(model.m_head, outputHead(plan, c));
  return {};
}

Result<std::unique_ptr<Family>> Decoder::make(const DecoderSpec& spec, const Hyperparameters& parameters, ModelPlan& plan) {
  auto model = std::make_unique<Decoder>();
  HEARTH_CHECK((Maker{spec, parameters, plan, *model}.everything()));
  return model;
}

}  // namespace hearth::models
