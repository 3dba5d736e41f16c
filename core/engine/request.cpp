#include "core/engine/request.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace hearth {
namespace {

std::unexpected<Error> outOfRange(std::string_view field, std::string value, std::string_view allowed) {
  return fail(ErrorCode::InvalidArgument, fmt::format("{} must be {}", field, allowed),
              {{"field", std::string(field)}, {"value", std::move(value)}, {"allowed", std::string(allowed)}});
}

struct RealRange {
  std::string_view field;
  double value, low, high;
};
struct IntRange {
  std::string_view field;
  std::int64_t value, low, high;
};

}  // namespace

Result<void> SamplingParams::validate(std::int32_t vocabularySize) const {
  const RealRange reals[] = {
      {"temperature", temperature, 0, 100},
      {"top_p", topP, 0, 1},
      {"min_p", minP, 0, 1},
      {"typical_p", typicalP, 0, 1},
      {"repetition_penalty", repetitionPenalty, 0.01, 100},
      {"presence_penalty", presencePenalty, -2, 2},
      {"frequency_penalty", frequencyPenalty, -2, 2},
      {"dry_multiplier", dryMultiplier, 0, 100},
      {"dry_base", dryBase, 1, 100},
      {"xtc_probability", xtcProbability, 0, 1},
      {"xtc_threshold", xtcThreshold, 0, 1},
      {"mirostat_tau", mirostatTau, 0, 100},
      {"mirostat_eta", mirostatEta, 0, 1},
  };
  for (const auto& range : reals) {
    // Written so that NaN fails.
    if (!(range.value >= range.low && range.value <= range.high))
      return outOfRange(range.field, fmt::format("{}", range.value), fmt::format("{}…{}", range.low, range.high));
  }
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  const IntRange ints[] = {
      {"top_k", topK, 0, kMost},        {"penalty_window", penaltyWindow, -1, kMost}, {"dry_allowed_length", dryAllowedLength, 1, kMost},
      {"dry_window", dryWindow, -1, kMost}, {"mirostat", mirostat, 0, 2},             {"logprobs", logprobs, -1, 20},
  };
  for (const auto& range : ints) {
    if (range.value < range.low || range.value > range.high)
      return outOfRange(range.field, fmt::format("{}", range.value), fmt::format("{}…{}", range.low, range.high));
  }
  for (const auto& [token, bias] : logitBias) {
    if (token < 0 || token >= vocabularySize)
      return outOfRange("logit_bias", fmt::format("{}", token), fmt::format("a token 0…{}", vocabularySize - 1));
    // Minus infinity bans a token outright.
    if (!(bias >= -100.0F && bias <= 100.0F) && bias != -std::numeric_limits<float>::infinity())
      return outOfRange("logit_bias", fmt::format("{}", bias), "-100…100, or -infinity");
  }
  if (dryBreakers.size() > 256) return outOfRange("dry_breakers", fmt::format("{} sequences", dryBreakers.size()), "at most 256 sequences");
  for (const auto& breaker : dryBreakers) {
    if (breaker.empty() || breaker.size() > 64)
      return outOfRange("dry_breakers", fmt::format("{} tokens", breaker.size()), "1…64 tokens each");
    for (const TokenId token : breaker) {
      if (token < 0 || token >= vocabularySize)
        return outOfRange("dry_breakers", fmt::format("{}", token), fmt::format("a token 0…{}", vocabularySize - 1));
    }
  }
  return {};
}

}  // namespace hearth
