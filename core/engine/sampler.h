#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/engine/random.h"
#include "core/engine/request.h"
#include "core/text/grammar/token_grammar.h"

namespace hearth {

/// A token that is still in the running, with its logit.
struct Candidate {
  TokenId token = 0;
  float logit = 0;
};

/// Working memory of sample(), kept between calls so that nothing is allocated per token. One for each sampling thread.
struct SamplerScratch {
  struct Ranked {
    double rank = 0;  ///< smaller is better
    double weight = 0;
    TokenId token = 0;
  };
  std::vector<Candidate> candidates, selection;
  std::vector<Ranked> ranked;
  std::vector<double> weights;
  std::vector<TokenId> window, history;
  std::vector<int> matches;
  std::vector<std::pair<TokenId, float>> edits;  ///< raw logits of tokens that bias and penalties changed
};

struct SampledToken {
  TokenId token = 0;
  std::optional<TokenLogprob> logprob;
};

/// Chooses the tokens of one sequence. Owns the parameters, the seed and mirostat's state; called by one thread at a time.
///
/// Order: grammar mask → logit bias → repetition, presence, frequency penalties → DRY → [temperature 0: most likely token, lowest id on a
/// tie] → top-k → typical → top-p → min-p → XTC → temperature → draw. Truncation looks at the distribution before
/// temperature, so that heat changes how the survivors are weighed and not who survives. Mirostat replaces all truncation.
/// Penalties look at prompt and output alike. NaN logits are never chosen.
class Sampler {
 public:
  Sampler(SamplingParams params, std::uint64_t seed) : m_params(std::move(params)), m_random(seed), m_mu(2 * m_params.mirostatTau) {}

  /// Picks the token that follows `history` (prompt and output, not empty in practice but allowed to be) from logits
  /// [vocabulary], which are changed in place. The random numbers are a function of the seed and of `index` (number of
  /// tokens generated before). `mask` (may be null) says which tokens may be chosen at all; logprobs are those of the unmasked
  /// distribution. Errors: Corrupt when no logit is usable (all NaN or −∞), InvalidArgument when mask and biases leave nothing.
  [[nodiscard]] Result<SampledToken> sample(std::span<float> logits, std::span<const TokenId> history, std::uint64_t index,
                                            SamplerScratch& scratch, const TokenMask* mask = nullptr);
  [[nodiscard]] const SamplingParams& params() const noexcept { return m_params; }

 private:
  void penalise(std::span<float> logits, std::span<const TokenId> history, SamplerScratch& s) const;
  void penaliseRepeats(std::span<float> logits, std::span<const TokenId> history, SamplerScratch& s) const;
  void truncate(std::vector<Candidate>& candidates, double total, std::uint64_t index, SamplerScratch& s) const;
  [[nodiscard]] TokenId drawMirostat(std::vector<Candidate>& candidates, std::uint64_t index, SamplerScratch& s);

  SamplingParams m_params;
  CounterRandom m_random;
  double m_mu;  // mirostat's running bound on surprise, in bits
};

/// Index of the largest value, the lowest on a tie; NaN is ignored. −1 when there is none above −∞.
[[nodiscard]] std::int32_t argmax(std::span<const float> values) noexcept;

/// log Σ exp(logits), NaN and −∞ left out.
[[nodiscard]] double logSumExp(std::span<const float> logits) noexcept;

/// The `count` largest logits into `best`, largest first, lower ids first on ties; fewer when fewer are above −∞.
void selectTop(std::span<const float> logits, std::size_t count, std::vector<Candidate>& best);

}  // namespace hearth
