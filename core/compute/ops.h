#pragma once

#include <initializer_list>
#include <span>

#include "core/compute/batch.h"
#include "core/compute/model_plan.h"

namespace hearth {

/// Root mean square normalisation (arXiv 1910.07467) with its weight, or, where there is a bias, layer normalisation (arXiv
/// 1607.06450); absent when the weight is.
struct Norm {
  Vector weight;
  float epsilon = 0.0F;
  Vector bias{};
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(weight); }
};

enum class Activation { None, Gelu };

/// out = act(weight · x (+ bias) (+ out's old value when `accumulate`: a residual connection)).
struct Projection {
  Matrix weight;
  Buffer out;
  Vector bias{};
  bool accumulate = false;
  Activation activation = Activation::None;
};

/// Which row of a table a token gets.
enum class LookupBy { Position, Segment };

enum class GateKind { Silu, GeluTanh };

/// inner = act(gate · x) ∘ (up · x); `scratch` holds up · x.
struct GatedProjection {
  Matrix gate, up;
  GateKind kind = GateKind::Silu;
  Buffer inner, scratch;
};

/// A layer's experts (arXiv 1701.06538): each token goes to the `used` of them that its router scores highest.
struct ExpertMixture {
  Matrix router;               ///< [experts × cols of the input]
  MatrixStack gate, up, down;  ///< one gated feed-forward layer for each expert
  int used = 0;                ///< 1 … experts
  bool normalise = true;       ///< shares of a token's experts: softmax over these; else softmax over all experts
  GateKind kind = GateKind::Silu;
  Buffer scores;  ///< working space: [experts]
  Buffer inner;   ///< working space: [used · rows of gate]
  Buffer out;     ///< accumulated to
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(router); }
};

/// The heads of one attention layer: query [heads · headDim], key and value [kvHeads · headDim].
struct HeadShape {
  int heads = 0, kvHeads = 0, headDim = 0;
};

struct QueryKeyValue {
  Buffer query, key, value;
  Norm queryNorm{}, keyNorm{};  ///< over each head, before the rotation; absent in most families
  RopeTable rope;  ///< absent: nothing is rotated
};

struct AttentionSpec {
  float scale = 1.0F;
  bool bidirectional = false;  ///< every token of a step sees all of its sequence, which the step must hold whole
  int window = 0;        ///< 0 = all earlier positions
  float softcap = 0.0F;  ///< 0 = none
};

/// The fused operations of a forward pass over the step's ragged batch. A model family calls them in the paper's order; each
/// Device implements them. Buffers hold one row for each token of the batch, until keepLogitRows(). Every row's result
/// depends on that row (and, for attention, its own sequence) only, bit for bit. Called by the thread that runs the step; an
/// operation is complete when the next one of the same step needs it.
class Ops {
 public:
  virtual ~Ops() = default;
  /// out[t] = table[token t] · scale
  virtual void embed(Matrix table, float scale, Buffer out) = 0;
  /// out[t] += table[position or segment of t]; the table has a row for each (the batch was validated).
  virtual void addLookup(Matrix table, LookupBy by, Buffer out) = 0;
  /// rows = norm(rows): where the norm follows what was added to the stream, not precedes what reads it.
  virtual void normalise(Buffer rows, const Norm& norm) = 0;
  /// Several projections of one input, which is normalised first when `norm` is present. Outputs are no alias of `in`,
  /// except that `in` itself may be accumulated to when it is normalised or read before: residual streams.
  virtual void project(Buffer in, const Norm& norm, std::span<const Projection> projections) = 0;
  void project(Buffer in, const Norm& norm, std::initializer_list<Projection> list) {
    project(in, norm, std::span<const Projection>(list.begin(), list.size()));
  }
  virtual void gatedProject(Buffer in, const Norm& norm, const GatedProjection& gated) = 0;
  /// out += Σ share_e · down_e · (act(gate_e · x) ∘ (up_e · x)) over the experts e of each token, in their order; x =
  /// norm(in). Of equal scores the earlier expert is taken. `out` may be `in`.
  virtual void mixExperts(Buffer in, const Norm& norm, const ExpertMixture& mixture) = 0;
  /// Normalises (optional) and rotates query and key, then writes key and value into the pages of `layer`.
  virtual void rotateAndStore(int layer, const HeadShape& shape, const QueryKeyValue& qkv) = 0;
  /// out[t] = softmax(scale · q kᵀ) v over the positions that token t of its sequence may see, by head.
  virtual void attend(int layer, const HeadShape& shape, Buffer query, Buffer out, const AttentionSpec& spec) = 0;
  /// residual += norm(in)
  virtual void addNormed(Buffer in, const Norm& norm, Buffer residual) = 0;
  /// From here to the end of the step the buffers hold the rows of the batch's logitRows and hiddenRows only (moved to the
  /// front): what follows the last attention is needed for no other token.
  virtual void keepLogitRows(std::span<const Buffer> buffers) = 0;
  void keepLogitRows(std::initializer_list<Buffer> list) {
    keepLogitRows(std::span<const Buffer>(list.begin(), list.size()));
  }
  /// Of the rows that keepLogitRows() left: norm(in) for the batch's hiddenRows, and the logits weight · norm(in) for its
  /// logitRows (none where there is no weight: encoders).
  virtual void head(Buffer in, const Norm& norm, Matrix weight) = 0;
  /// Whether the step is not wanted any more (Batch::abandoned): the family returns, endStep() gives Cancelled.
  [[nodiscard]] virtual bool abandoned() { return false; }
};

}  // namespace hearth
