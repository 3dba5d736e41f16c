#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/formats/gguf.h"

namespace hearth::testing {

/// A small model with random weights that this code and tests/golden/make_logits_golden.py make alike, bit for bit, from the
/// tensors' names: the script computes its logits with PyTorch, the tests hold ours to them, and no weights are committed.
struct TinySpec {
  std::string architecture = "llama";
  kernels::FormatId format = kernels::FormatId::F32;
  kernels::FormatId secondFormat = kernels::FormatId::F32;  ///< of attn_v and ffn_down; used when `mixed`
  bool mixed = false;
  bool tied = false;
  bool ropeFactors = false;
  bool biases = false;  ///< llama only; qwen2 always has them
  double linearRopeScale = 0;
  std::uint32_t expertWidth = 256;     ///< qwen3moe: inner width of an expert
  bool firstLayerDense = false;        ///< qwen3moe: the first layer has no experts
  bool expertSharesNormalised = true;  ///< qwen3moe
};

class TinyModel {
 public:
  struct Tensor {
    std::string name;
    kernels::FormatId format;
    std::vector<std::int64_t> dims;
    std::vector<std::byte> bytes;
  };
  static constexpr int kVocabulary = 96;
  static constexpr std::uint32_t kExperts = 8, kExpertsUsed = 3;

  explicit TinyModel(const TinySpec& spec);

  std::vector<std::pair<std::string, GgufWriter::Value>> metadata;
  std::vector<Tensor> tensors;

  void set(const std::string& key, GgufWriter::Value value);
  void remove(const std::string& key) {
    std::erase_if(metadata, [&](const auto& entry) { return entry.first == key; });
  }
  void removeTensor(const std::string& name) {
    std::erase_if(tensors, [&](const Tensor& tensor) { return tensor.name == name; });
  }
  [[nodiscard]] Tensor& tensor(const std::string& name);
  [[nodiscard]] std::uint64_t hash() const;  ///< of all tensors' bytes: equal to the script's when both made the same model
  [[nodiscard]] Result<void> write(const std::filesystem::path& path) const;

 private:
  void add(const std::string& name, kernels::FormatId format, std::vector<std::int64_t> dims, bool norm = false);
};

/// The prompt that the golden logits belong to.
[[nodiscard]] std::vector<std::int32_t> tinyPrompt(int count);

}  // namespace hearth::testing
