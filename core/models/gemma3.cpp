#include <cmath>

#include "core/models/family.h"

namespace hearth::models {
namespace {

constexpr int kWindowPeriod = 6;               // five layers with a window, then one that sees everything
constexpr double kLocalRopeBase = 10000.0;     // of the layers with a window
constexpr int kLayersOf27B = 62;               // the one size whose scores are scaled by embedding / heads

/// Gemma 3 (arXiv 2503.19786): embeddings scaled by sqrt(width), norms before and after each half of a layer, norms of query and
/// key heads, GeGLU, five sliding-window layers for each global one with a rotation base of its own, tied head. The "+1" of
/// Gemma's norms is already in GGUF weights.
class Gemma3 final : public Family {
 public:
  static Result<std::unique_ptr<Family>> make(const Hyperparameters& p, ModelPlan& plan) {
    const ModelConfig& c = p.config;
    const MetadataReader read(plan.file(), c.architecture);
    auto model = std::make_unique<Gemma3>();
    const std::int64_t queryDim = static_cast<std::int64_t>(c.heads) * c.headDim;
    const std::int64_t keyDim = static_cast<std::int64_t>(c.kvHeads) * c.headDim;
    HEARTH_TRY(const int window, read.integer("attention.sliding_window", 1, 1 << 28));
    HEARTH_TRY(const int period, read.integer("attention.sliding_window_pattern", 1, 1024, kWindowPeriod));
    HEARTH_TRY(const double localBase, read.number("rope.freq_base_swa", 1.0, 1e12, kLocalRopeBase));
    const double scoreWidth = c.layers == kLayersOf27B ? static_cast<double>(c.embedding) / c.heads : c.headDim;

    HEARTH_TRY(model->m_embedding, plan.lookup("token_embd.weight", c.vocabulary, c.embedding));
    const auto norm = [&](const std::string& name, std::int64_t size) -> Result<Norm> {
      HEARTH_TRY(const Vector weight, plan.vector(name, size));
      return Norm{weight, p.normEpsilon};
    };
    // Linear scaling, where a size has it, belongs to the global layers.
    const RopeTable globalRope = plan.rope({kernels::RopeStyle::HalfSplit, p.rotaryDims, p.ropeBase, p.ropeFrequencyScale, {}});
    const RopeTable localRope = plan.rope({kernels::RopeStyle::HalfSplit, p.rotaryDims, localBase, 1.0, {}});
    for (int i = 0; i < c.layers; ++i) {
      Layer layer;
      const bool global = (i + 1) % period == 0;
      layer.rope = global ? globalRope : localRope;
      layer.attention.scale = static_cast<float>(1.0 / std::sqrt(scoreWidth));
      layer.attention.window = global ? 0 : window;
      HEARTH_TRY(layer.attentionNorm, norm(layerTensor(i, "attn_norm.weight"), c.embedding));
      HEARTH_TRY(layer.query, plan.matrix(layerTensor(i, "attn_q.weight"), queryDim, c.embedding));
      HEARTH_TRY(layer.key, plan.matrix(layerTensor(i, "attn_k.weight"), keyDim, c.embedding));
      HEARTH_TRY(layer.value, plan.matrix(layerTensor(i, "attn_v.weight"), keyDim, c.embedding));
      HEARTH_TRY(layer.queryNorm, norm(layerTensor(i, "attn_q_norm.weight"), c.headDim));
      HEARTH_TRY(layer.keyNorm, norm(layerTensor(i, "attn_k_norm.weight"), c.headDim));
      HEARTH_TRY(layer.output, plan.matrix(layerTensor(i, "attn_output.weight"), c.embedding, queryDim));
      HEARTH_TRY(layer.attentionPostNorm, norm(layerTensor(i, "post_attention_norm.weight"), c.embedding));
      HEARTH_TRY(layer.feedForwardNorm, norm(layerTensor(i, "ffn_norm.weight"), c.embedding));
      HEARTH_TRY(layer.gate, plan.matrix(layerTensor(i, "ffn_gate.weight"), c.feedForward, c.embedding));
      HEARTH_TRY(layer.up, plan.matrix(layerTensor(i, "ffn_up.weight"), c.feedForward, c.embedding));
      HEARTH_TRY(layer.down, plan.matrix(layerTensor(i, "ffn_down.weight"), c.embedding, c.feedForward));
      HEARTH_TRY(layer.feedForwardPostNorm, norm(layerTensor(i, "post_ffw_norm.weight"), c.embedding));
      model->m_layers.push_back(layer);
    }
    HEARTH_TRY(model->m_outputNorm, norm("output_norm.weight", c.embedding));
    HEARTH_TRY(model->m_head, outputHead(plan, c));

    model->m_embeddingScale = std::sqrt(static_cast<float>(c.embedding));
    model->m_heads = {c.heads, c.kvHeads, c.headDim};
    model->m_stream = plan.buffer(c.embedding);
    model->m_branch = plan.buffer(c.embedding);
    model->m_query = plan.buffer(queryDim);
    model->m_key = plan.buffer(keyDim);
    model->m_value = plan.buffer(keyDim);
    model->m_attended = plan.buffer(queryDim);
    model->m_inner = plan.buffer(c.feedForward);
    model->m_up = plan.buffer(c.feedForward);
    return model;
  }

  void forward(Ops& ops) const override {
    ops.embed(m_embedding, m_embeddingScale, m_stream);
    for (int i = 0; i < static_cast<int>(m_layers.size()); ++i) {
      const Layer& layer = m_layers[static_cast<std::size_t>(i)];
      ops.project(m_stream, layer.attentionNorm, {{layer.query, m_query}, {layer.key, m_key}, {layer.value, m_value}});
      ops.rotateAndStore(i, m_heads, {m_query, m_key, m_value, layer.queryNorm, layer.keyNorm, layer.rope});
      ops.attend(i, m_heads, m_query, m_attended, layer.attention);
      if (i + 1 == static_cast<int>(m_layers.size())) ops.keepLogitRows({m_stream, m_attended});
      ops.project(m_attended, {}, {{layer.output, m_branch}});
      ops.addNormed(m_branch, layer.attentionPostNorm, m_stream);
      ops.gatedProject(m_stream, layer.feedForwardNorm, {layer.gate, layer.up, GateKind::GeluTanh, m_inner, m_up});
      ops.project(m_inner, {}, {{layer.down, m_branch}});
      ops.addNormed(m_branch, layer.feedForwardPostNorm, m_stream);
    }
    ops.head(m_stream, m_outputNorm, m_head);
  }

 private:
  struct Layer {
    Norm attentionNorm, queryNorm, keyNorm, attentionPostNorm, feedForwardNorm, feedForwardPostNorm;
    Matrix query, key, value, output, gate, up, down;
    RopeTable rope;
    AttentionSpec attention;
  };
  Matrix m_embedding, m_head;
  float m_embeddingScale = 1.0F;
  std::vector<Layer> m_layers;
  Norm m_outputNorm;
  HeadShape m_heads;
  Buffer m_stream, m_branch, m_query, m_key, m_value, m_attended, m_inner, m_up;
};

}  // namespace

Result<std::unique_ptr<Family>> makeGemma3(const Hyperparameters& parameters, ModelPlan& plan) { return Gemma3::make(parameters, plan); }

}  // namespace hearth::models
