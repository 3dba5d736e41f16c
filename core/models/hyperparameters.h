#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/formats/gguf.h"
#include "core/models/model.h"

namespace hearth::models {

/// Reads `<architecture>.<key>` with a range: file data is hostile, and every size below is multiplied by another. Cheap to
/// make; the file outlives it.
class MetadataReader {
 public:
  MetadataReader(const GgufFile& file, std::string architecture) : m_file(file), m_architecture(std::move(architecture)) {}
  /// Errors: Corrupt (evidence: key, value, least, most) when absent without a default, of another kind, or out of range.
  [[nodiscard]] Result<int> integer(std::string_view key, int least, int most, std::optional<int> otherwise = {}) const;
  [[nodiscard]] Result<double> number(std::string_view key, double least, double most,
                                      std::optional<double> otherwise = {}) const;
  [[nodiscard]] std::string key(std::string_view suffix) const { return m_architecture + "." + std::string(suffix); }
  [[nodiscard]] const GgufFile& file() const noexcept { return m_file; }

 private:
  const GgufFile& m_file;
  std::string m_architecture;
};

/// What every decoder family reads in the same way.
struct Hyperparameters {
  ModelConfig config;
  float normEpsilon = 0.0F;
  int rotaryDims = 0;
  double ropeBase = 10000.0;
  double ropeFrequencyScale = 1.0;
  int expertFeedForward = 0;           ///< inner width of one expert
  bool expertSharesNormalised = true;  ///< the chosen experts' shares sum to one
};

/// Whether an architecture's layers may be mixtures of experts.
enum class Experts { Never, Always };

/// Whether tokens see only what is before them (decoders), or the whole text (encoders).
enum class Direction { Causal, Both };

/// Errors: Corrupt (a value absent or out of range, or contradicting another), UnsupportedArchitecture (a variant we do not
/// compute: experts where `experts` is Never, heads that differ by layer), UnsupportedFormat (rope scaling we do not know).
[[nodiscard]] Result<Hyperparameters> readHyperparameters(const GgufFile& file, Experts experts, Direction direction);

}  // namespace hearth::models
