#include "core/models/hyperparameters.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

namespace hearth::models {
namespace {

// general.file_type of the GGUF specification, as people know the names.
std::string_view fileTypeName(std::int64_t type) {
  switch (type) {
    case 0: return "F32";
    case 1: return "F16";
    case 2: return "Q4_0";
    case 3: return "Q4_1";
    case 7: return "Q8_0";
    case 8: return "Q5_0";
    case 9: return "Q5_1";
    case 10: return "Q2_K";
    case 11: return "Q3_K_S";
    case 12: return "Q3_K_M";
    case 13: return "Q3_K_L";
    case 14: return "Q4_K_S";
    case 15: return "Q4_K_M";
    case 16: return "Q5_K_S";
    case 17: return "Q5_K_M";
    case 18: return "Q6_K";
    case 32: return "BF16";
    default: return {};
  }
}

std::string quantisationOf(const GgufFile& file) {
  if (const auto type = file.integer("general.file_type")) {
    if (const auto name = fileTypeName(*type); !name.empty()) return std::string(name);
  }
  std::map<std::string_view, std::int64_t> elements;
  for (const GgufTensor& tensor : file.tensors()) elements[tensor.info->name] += tensor.elements();
  std::string_view most = "unknown";
  std::int64_t largest = 0;
  for (const auto& [name, count] : elements) {
    if (count > largest) {
      most = name;
      largest = count;
    }
  }
  return std::string(most);
}

std::unexpected<Error> outOfRange(const std::string& key, const std::string& value, const std::string& least,
                                  const std::string& most) {
  return fail(ErrorCode::Corrupt, fmt::format("the model's setting {} is out of range", key),
              {{"key", key}, {"value", value}, {"least", least}, {"most", most}});
}

std::unexpected<Error> absent(const std::string& key) {
  return fail(ErrorCode::Corrupt, fmt::format("the model lacks the setting {}, or it is of another kind", key),
              {{"key", key}});
}

constexpr int kMostExperts = 4096;

Result<void> readExperts(const MetadataReader& read, Experts experts, Hyperparameters& p) {
  ModelConfig& c = p.config;
  if (experts == Experts::Never) {
    if (read.file().integer(read.key("expert_count")).value_or(0) <= 0) return {};
    return fail(ErrorCode::UnsupportedArchitecture, "mixtures of experts are not supported for this architecture",
                {{"architecture", c.architecture}});
  }
  HEARTH_TRY(c.experts, read.integer("expert_count", 1, kMostExperts));
  HEARTH_TRY(c.expertsUsed, read.integer("expert_used_count", 1, c.experts));
  HEARTH_TRY(p.expertFeedForward, read.integer("expert_feed_forward_length", 1, 1 << 20));
  p.expertSharesNormalised = read.file().boolean(read.key("expert_weights_norm")).value_or(true);
  constexpr int kSoftmax = 1;  // of expert_gating_func; 0 is a writer's "not said"
  HEARTH_TRY(const int gating, read.integer("expert_gating_func", 0, 1024, kSoftmax));
  HEARTH_TRY(const double scale, read.number("expert_weights_scale", -1e6, 1e6, 1.0));
  if (gating > kSoftmax || (scale != 1.0 && scale != 0.0)) {
    return fail(ErrorCode::UnsupportedArchitecture, "this way of weighing experts is not supported for this architecture",
                {{"architecture", c.architecture}, {"gating", std::to_string(gating)}, {"scale", fmt::format("{}", scale)}});
  }
  if (read.file().integer(read.key("expert_shared_count")).value_or(0) > 0) {
    return fail(ErrorCode::UnsupportedArchitecture,
                "experts that every token passes are not supported for this architecture",
                {{"architecture", c.architecture}, {"key", read.key("expert_shared_count")}});
  }
  return {};
}

/// Whether the model is an encoder, and how it pools.
Result<void> readPooling(const MetadataReader& read, Direction direction, ModelConfig& c) {
  c.encoder = direction == Direction::Both;
  if (c.encoder && read.file().boolean(read.key("attention.causal")).value_or(false)) {
    return fail(ErrorCode::UnsupportedArchitecture, "an encoder that does not look ahead is not supported",
                {{"architecture", c.architecture}, {"key", read.key("attention.causal")}});
  }
  HEARTH_TRY(const int pooling, read.integer("pooling_type", 0, 1024, 0));  // numbers of the GGUF files
  switch (pooling) {
    case 0: c.pooling = c.encoder ? Pooling::Mean : Pooling::None; return {};
    case 1: c.pooling = Pooling::Mean; return {};
    case 2: c.pooling = Pooling::First; return {};
    case 3: c.pooling = Pooling::Last; return {};
    default:
      return fail(ErrorCode::UnsupportedArchitecture, "models that rank pairs of texts are not supported yet",
                  {{"key", read.key("pooling_type")}, {"value", std::to_string(pooling)}});
  }
}

/// Which of the parameters a token needs: not the rows of an embedding that only serves to be looked up, nor the experts
/// that the token does not go to.
void countParameters(const GgufFile& file, ModelConfig& c) {
  for (const GgufTensor& tensor : file.tensors()) {
    c.parameters += tensor.elements();
    c.activeParameters += tensor.elements();
    if (c.experts > 0 && tensor.dims[2] == c.experts)
      c.activeParameters -= tensor.elements() / c.experts * (c.experts - c.expertsUsed);
  }
  const GgufTensor* embedding = file.tensor("token_embd.weight");
  if (embedding != nullptr && file.tensor("output.weight") != nullptr) c.lookupParameters = embedding->elements();
  c.activeParameters -= c.lookupParameters;
}

}  // namespace

Result<int> MetadataReader::integer(std::string_view suffix, int least, int most, std::optional<int> otherwise) const {
  const std::string name = key(suffix);
  const auto value = m_file.integer(name);
  if (!value) {
    if (otherwise && m_file.find(name) == nullptr) return *otherwise;
    return absent(name);
  }
  if (*value < least || *value > most)
    return outOfRange(name, std::to_string(*value), std::to_string(least), std::to_string(most));
  return static_cast<int>(*value);
}

Result<double> MetadataReader::number(std::string_view suffix, double least, double most,
                                      std::optional<double> otherwise) const {
  const std::string name = key(suffix);
  const auto value = m_file.number(name);
  if (!value) {
    if (otherwise && m_file.find(name) == nullptr) return *otherwise;
    return absent(name);
  }
  if (!(*value >= least && *value <= most)) {  // NaN is out of range as well
    return outOfRange(name, fmt::format("{}", *value), fmt::format("{}", least), fmt::format("{}", most));
  }
  return *value;
}

Result<Hyperparameters> readHyperparameters(const GgufFile& file, Experts experts, Direction direction) {
  Hyperparameters p;
  ModelConfig& c = p.config;
  c.architecture = file.architecture();
  const MetadataReader read(file, c.architecture);
  c.name = std::string(file.string("general.name").value_or(""));
  c.quantisation = quantisationOf(file);

  HEARTH_CHECK(readExperts(read, experts, p));
  HEARTH_CHECK(readPooling(read, direction, c));
  countParameters(file, c);
  for (const char* perLayer : {"attention.head_count", "attention.head_count_kv", "feed_forward_length"}) {
    const GgufValue* value = file.find(read.key(perLayer));
    if (value != nullptr && std::holds_alternative<GgufArray>(*value)) {
      return fail(ErrorCode::UnsupportedArchitecture, "layers of different sizes are not supported for this architecture",
                  {{"architecture", c.architecture}, {"key", read.key(perLayer)}});
    }
  }
  HEARTH_TRY(c.layers, read.integer("block_count", 1, 1024));
  HEARTH_TRY(c.embedding, read.integer("embedding_length", 1, 1 << 17));
  HEARTH_TRY(c.heads, read.integer("attention.head_count", 1, 1024));
  HEARTH_TRY(c.kvHeads, read.integer("attention.head_count_kv", 1, 1024, c.heads));
  HEARTH_TRY(c.feedForward, read.integer("feed_forward_length", 1, 1 << 20));
  HEARTH_TRY(c.trainedContext, read.integer("context_length", 1, 1 << 28));
  if (c.heads % c.kvHeads != 0) {
    return fail(ErrorCode::Corrupt, "the query heads cannot be shared evenly by the key heads",
                {{"heads", std::to_string(c.heads)}, {"kv_heads", std::to_string(c.kvHeads)}});
  }
  const bool explicitHead = file.find(read.key("attention.key_length")) != nullptr;
  if (!explicitHead && c.embedding % c.heads != 0) {
    return fail(ErrorCode::Corrupt, "the embedding cannot be divided by the number of heads",
                {{"embedding", std::to_string(c.embedding)}, {"heads", std::to_string(c.heads)}});
  }
  HEARTH_TRY(c.headDim, read.integer("attention.key_length", 1, 1024, c.embedding / c.heads));
  HEARTH_TRY(const int valueDim, read.integer("attention.value_length", 1, 1024, c.headDim));
  HEARTH_TRY(p.rotaryDims, read.integer("rope.dimension_count", 2, 1024, c.headDim));
  if (valueDim != c.headDim || c.headDim < 2 || c.headDim > 1024 || c.headDim % 2 != 0 || p.rotaryDims > c.headDim ||
      p.rotaryDims % 2 != 0) {
    return fail(ErrorCode::Corrupt, "the sizes of the attention heads contradict each other",
                {{"key_length", std::to_string(c.headDim)},
                 {"value_length", std::to_string(valueDim)},
                 {"rope_dimensions", std::to_string(p.rotaryDims)}});
  }
  // Layer norms work with much smaller ones.
  const char* epsilonKey = c.encoder ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon";
  HEARTH_TRY(const double epsilon, read.number(epsilonKey, 1e-15, 1e-1));
  p.normEpsilon = static_cast<float>(epsilon);
  HEARTH_TRY(p.ropeBase, read.number("rope.freq_base", 1.0, 1e12, 10000.0));

  const auto scaling = file.string(read.key("rope.scaling.type")).value_or("none");
  if (scaling == "linear") {
    HEARTH_TRY(const double factor, read.number("rope.scaling.factor", 1e-3, 1e6));
    p.ropeFrequencyScale = 1.0 / factor;
  } else if (scaling != "none") {
    return fail(ErrorCode::UnsupportedFormat, "this kind of rope scaling is not supported",
                {{"rope_scaling", std::string(scaling)}});
  }

  const GgufTensor* embedding = file.tensor("token_embd.weight");
  if (embedding == nullptr) {
    return fail(ErrorCode::Corrupt, "the model lacks the tensor token_embd.weight", {{"tensor", "token_embd.weight"}});
  }
  if (embedding->dims[1] < 1 || embedding->dims[1] > 1 << 24) {
    return fail(ErrorCode::Corrupt, "the model's vocabulary is out of range",
                {{"vocabulary", std::to_string(embedding->dims[1])}});
  }
  c.vocabulary = static_cast<int>(embedding->dims[1]);
  return p;
}

}  // namespace hearth::models
