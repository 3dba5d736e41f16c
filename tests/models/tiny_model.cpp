#include "tests/models/tiny_model.h"

#include <bit>
#include <cstring>
#include <stdexcept>

namespace hearth::testing {
namespace {

using kernels::FormatId;

constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ULL;

std::uint64_t fnv(std::span<const std::byte> bytes, std::uint64_t hash = 0xCBF29CE484222325ULL) {
  for (const std::byte byte : bytes) hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001B3ULL;
  return hash;
}

// SplitMix64 (Steele, Lea, Flood 2014), the n-th number of the stream that `seed` names.
std::uint64_t random(std::uint64_t seed, std::uint64_t n) {
  std::uint64_t z = seed + (n + 1) * kGolden;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

// Half-precision fields of a block: random mantissa, this sign and (biased) exponent, so that weights come out near
// 1/sqrt(256).
struct HalfField {
  std::size_t offset;
  std::uint16_t fixedBits;
};

std::vector<HalfField> halfFields(FormatId format) {
  const auto field = [](std::size_t offset, int exponent, bool negative = false) {
    return HalfField{offset, static_cast<std::uint16_t>(exponent << 10 | (negative ? 0x8000 : 0))};
  };
  switch (format) {
    case FormatId::Q4_0: return {field(0, 8)};
    case FormatId::Q4_1: return {field(0, 8), field(2, 11, true)};
    case FormatId::Q5_0: return {field(0, 7)};
    case FormatId::Q5_1: return {field(0, 7), field(2, 11, true)};
    case FormatId::Q8_0: return {field(0, 4)};
    case FormatId::Q4_K: return {field(0, 2), field(2, 5)};
    case FormatId::Q5_K: return {field(0, 1), field(2, 5)};
    case FormatId::Q6_K: return {field(208, 0)};
    default: return {};
  }
}

template <class T>
void append(std::vector<std::byte>& bytes, T value) {
  const auto raw = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

}  // namespace

void TinyModel::add(const std::string& name, FormatId format, std::vector<std::int64_t> dims, bool norm) {
  const std::uint64_t seed = fnv(std::as_bytes(std::span(name)));
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) count *= dim;
  std::vector<std::byte> bytes;
  const kernels::FormatInfo& info = *kernels::findFormat(format);
  if (info.blockElements == 1) {
    for (std::int64_t i = 0; i < count; ++i) {
      const auto u = random(seed, static_cast<std::uint64_t>(i));
      if (norm) {
        append(bytes, static_cast<float>(1.0 + 0.25 * (static_cast<double>(u >> 56U) / 128.0 - 1.0)));
        continue;
      }
      // 24 random bits in F32; eight in the halves, where they are exact. In [-1/8, 1/8).
      const double value = format == FormatId::F32 ? static_cast<double>(u >> 40U) / 8388608.0 - 1.0
                                                   : static_cast<double>(u >> 56U) / 128.0 - 1.0;
      const auto narrow = static_cast<float>(value / 8.0);
      if (format == FormatId::F32) {
        append(bytes, narrow);
      } else {
        std::byte two[2];
        info.quantize(&narrow, two, 1);
        bytes.insert(bytes.end(), two, two + 2);
      }
    }
  } else {
    const std::int64_t size = count / info.blockElements * info.blockBytes;
    for (std::uint64_t i = 0; static_cast<std::int64_t>(bytes.size()) < size; ++i) append(bytes, random(seed, i));
    bytes.resize(static_cast<std::size_t>(size));
    const auto fields = halfFields(format);
    for (std::size_t block = 0; block < bytes.size(); block += static_cast<std::size_t>(info.blockBytes)) {
      for (const HalfField& field : fields) {
        std::uint16_t half = 0;
        std::memcpy(&half, &bytes[block + field.offset], 2);
        half = static_cast<std::uint16_t>((half & 0x3FFU) | field.fixedBits);
        std::memcpy(&bytes[block + field.offset], &half, 2);
      }
    }
  }
  tensors.push_back({name, format, std::move(dims), std::move(bytes)});
}

TinyModel::TinyModel(const TinySpec& spec) {
  const bool gemma = spec.architecture == "gemma3", mixture = spec.architecture == "qwen3moe";
  const bool headNorms =
      gemma || mixture || spec.architecture == "qwen3";  // their heads are together wider than the embedding
  const std::uint32_t embedding = 256, heads = 4, kvHeads = gemma ? 1 : 2, headDim = headNorms ? 128 : 64, feedForward = 512;
  const std::uint32_t layers = gemma ? 4 : 2;
  const std::string prefix = spec.architecture + ".";
  set("general.architecture", spec.architecture);
  set("general.name", std::string("tiny ") + spec.architecture);
  set(prefix + "block_count", layers);
  set(prefix + "context_length", std::uint32_t{512});
  set(prefix + "embedding_length", embedding);
  set(prefix + "feed_forward_length", feedForward);
  set(prefix + "attention.head_count", heads);
  set(prefix + "attention.head_count_kv", kvHeads);
  set(prefix + "attention.layer_norm_rms_epsilon", 1e-5F);
  set(prefix + "rope.freq_base", gemma ? 1000000.0F : 10000.0F);
  if (headNorms) {
    set(prefix + "attention.key_length", headDim);
    set(prefix + "attention.value_length", headDim);
  }
  if (mixture) {
    set(prefix + "expert_count", kExperts);
    set(prefix + "expert_used_count", kExpertsUsed);
    set(prefix + "expert_feed_forward_length", spec.expertWidth);
    set(prefix + "expert_weights_norm", spec.expertSharesNormalised);
  }
  if (gemma) {
    set(prefix + "attention.sliding_window", std::uint32_t{12});
    set(prefix + "attention.sliding_window_pattern", std::uint32_t{2});
  }
  if (spec.linearRopeScale > 0) {
    set(prefix + "rope.scaling.type", std::string("linear"));
    set(prefix + "rope.scaling.factor", static_cast<float>(spec.linearRopeScale));
  }

  const FormatId format = spec.format;
  const FormatId second = spec.mixed ? spec.secondFormat : spec.format;
  add("token_embd.weight", format, {embedding, kVocabulary});
  for (std::uint32_t i = 0; i < layers; ++i) {
    const std::string layer = "blk." + std::to_string(i) + ".";
    add(layer + "attn_norm.weight", FormatId::F32, {embedding}, true);
    add(layer + "attn_q.weight", format, {embedding, heads * headDim});
    add(layer + "attn_k.weight", format, {embedding, kvHeads * headDim});
    add(layer + "attn_v.weight", second, {embedding, kvHeads * headDim});
    if (spec.architecture == "qwen2" || spec.biases) {
      add(layer + "attn_q.bias", FormatId::F32, {heads * headDim});
      add(layer + "attn_k.bias", FormatId::F32, {kvHeads * headDim});
      add(layer + "attn_v.bias", FormatId::F32, {kvHeads * headDim});
    }
    add(layer + "attn_output.weight", format, {heads * headDim, embedding});
    if (spec.biases) add(layer + "attn_output.bias", FormatId::F32, {embedding});
    add(layer + "ffn_norm.weight", FormatId::F32, {embedding}, true);
    if (mixture && !(i == 0 && spec.firstLayerDense)) {
      add(layer + "ffn_gate_inp.weight", FormatId::F32, {embedding, kExperts});
      add(layer + "ffn_gate_exps.weight", format, {embedding, spec.expertWidth, kExperts});
      add(layer + "ffn_up_exps.weight", format, {embedding, spec.expertWidth, kExperts});
      add(layer + "ffn_down_exps.weight", second, {spec.expertWidth, embedding, kExperts});
    } else {
      add(layer + "ffn_gate.weight", format, {embedding, feedForward});
      add(layer + "ffn_up.weight", format, {embedding, feedForward});
      add(layer + "ffn_down.weight", second, {feedForward, embedding});
    }
    if (headNorms) {
      add(layer + "attn_q_norm.weight", FormatId::F32, {headDim}, true);
      add(layer + "attn_k_norm.weight", FormatId::F32, {headDim}, true);
    }
    if (gemma) {
      add(layer + "post_attention_norm.weight", FormatId::F32, {embedding}, true);
      add(layer + "post_ffw_norm.weight", FormatId::F32, {embedding}, true);
    }
  }
  add("output_norm.weight", FormatId::F32, {embedding}, true);
  if (!spec.tied && !gemma) add("output.weight", format, {embedding, kVocabulary});
  if (spec.ropeFactors) {
    add("rope_freqs.weight", FormatId::F32, {headDim / 2}, true);
  }
}

void TinyModel::set(const std::string& key, GgufWriter::Value value) {
  remove(key);
  metadata.emplace_back(key, std::move(value));
}

TinyModel::Tensor& TinyModel::tensor(const std::string& name) {
  for (Tensor& one : tensors) {
    if (one.name == name) return one;
  }
  throw std::out_of_range(name);
}

std::uint64_t TinyModel::hash() const {
  std::uint64_t hash = fnv({});
  for (const Tensor& one : tensors) hash = fnv(one.bytes, hash);
  return hash;
}

Result<void> TinyModel::write(const std::filesystem::path& path) const {
  GgufWriter writer;
  for (const auto& [key, value] : metadata) writer.set(key, value);
  for (const Tensor& one : tensors) writer.addTensor(one.name, one.format, one.dims, one.bytes);
  return writer.write(path);
}

std::vector<std::int32_t> tinyPrompt(int count) {
  std::vector<std::int32_t> tokens;
  const std::uint64_t seed = fnv(std::as_bytes(std::span(std::string_view("prompt"))));
  for (int i = 0; i < count; ++i)
    tokens.push_back(static_cast<std::int32_t>(random(seed, static_cast<std::uint64_t>(i)) % TinyModel::kVocabulary));
  return tokens;
}

}  // namespace hearth::testing
