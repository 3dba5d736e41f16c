#pragma once

#include <vector>

#include "core/models/family.h"

namespace hearth::models {

/// Of tensors that some families have and others do not.
enum class Presence { Never, IfThere, Always };

/// Layers that see `size` positions back, but for each `period`-th one, which sees all; they rotate with a base of their
/// own.
struct SlidingWindow {
  int size = 0;  ///< 0 = every layer sees everything
  int period = 1;
  double ropeBase = 10000.0;
};

/// What tells one family of decoders from another; the rest of the block is the same for all.
struct DecoderSpec {
  kernels::RopeStyle ropeStyle = kernels::RopeStyle::HalfSplit;
  bool ropeFactors = false;                      ///< rope_freqs.weight, where the file has it
  Presence queryKeyValueBias = Presence::Never;  ///< attn_q.bias, attn_k.bias, attn_v.bias
  Presence outputBias = Presence::Never;         ///< attn_output.bias
  bool headNorms = false;                        ///< over each query and key head, before the rotation
  bool postNorms = false;                        ///< of what attention and (dense) feed-forward add to the stream
  GateKind gate = GateKind::Silu;
  float embeddingScale = 1.0F;
  double scoreWidth = 0;  ///< scores are divided by its root; 0 = the head dimension
  SlidingWindow window{};
};

/// The pre-norm transformer decoder that most families are (arXiv 1706.03762, 2302.13971):
///   x ← x + attention(norm(x)),  x ← x + feedForward(norm(x))
/// with RMSNorm, rotary positions, grouped-query attention, and a gated feed-forward layer or a mixture of experts. Layers
/// of both kinds may follow each other: the file's tensors say which is which. Immutable once made.
class Decoder final : public Family {
 public:
  /// Errors: Corrupt (a tensor is missing or of another shape: evidence names it), UnsupportedFormat.
  [[nodiscard]] static Result<std::unique_ptr<Family>> make(const DecoderSpec& spec, const Hyperparameters& parameters,
                                                            ModelPlan& plan);
  void forward(Ops& ops) const override;

 private:
  struct Layer {
    Norm attentionNorm, queryNorm, keyNorm, attentionPostNorm, feedForwardNorm, feedForwardPostNorm;
    Matrix query, key, value, output;
    Vector queryBias, keyBias, valueBias, outputBias;
    RopeTable rope;
    AttentionSpec attention;
    Matrix gate, up, down;  // absent in a layer of experts
    ExpertMixture experts;
  };
  struct Maker;

  void addToStream(Ops& ops, Buffer from, Matrix weight, Vector bias, const Norm& norm) const;

  GateKind m_gateKind = GateKind::Silu;
  float m_embeddingScale = 1.0F;
  Matrix m_embedding, m_head;
  std::vector<Layer> m_layers;
  Norm m_outputNorm;
  HeadShape m_heads;
  Buffer m_stream, m_branch, m_query, m_key, m_value, m_attended, m_inner, m_up;
};

}  // namespace hearth::models
