#include "core/text/tokenizer_bytes.h"

#include <bit>
#include <string_view>
#include <variant>
#include <vector>

#include "core/formats/gguf.h"

namespace hearth {
namespace {

// What an entry of each list and table takes (vocabulary.h, string_table.h, gguf.h).
constexpr std::uint64_t kToken = 32;
constexpr std::uint64_t kStringSlot = 24;
constexpr std::uint64_t kMergeSlot = 16;
constexpr std::uint64_t kRank = 4;
constexpr std::uint64_t kTensor = 400;  // its entry, name, and place in the index
/// A token's bytes are kept beside its text where they differ: nearly always where a space begins the word.
constexpr double kTextsPerToken = 1.5;

std::uint64_t slotsFor(std::uint64_t count) { return std::bit_ceil(count * 2 + 2); }

std::uint64_t textBytes(const std::vector<std::string_view>& list) {
  std::uint64_t sum = 0;
  for (const std::string_view text : list) sum += text.size();
  return sum;
}

}  // namespace

std::uint64_t tokenizerBytes(const GgufFile& file) {
  std::uint64_t bytes = file.tensors().size() * kTensor;
  // The file's lists: views, integers and doubles; the texts behind the views are pages of the file itself.
  for (const auto& [key, value] : file.metadata()) {
    const auto* array = std::get_if<GgufArray>(&value);
    if (array == nullptr) continue;
    if (const auto* texts = std::get_if<std::vector<std::string_view>>(array)) {
      bytes += texts->size() * sizeof(std::string_view) + textBytes(*texts) + texts->size() * sizeof(std::uint64_t);
    } else {
      bytes += std::visit([](const auto& list) -> std::uint64_t { return list.size() * sizeof(list[0]); }, *array);
    }
  }
  const auto* tokens = file.strings("tokenizer.ggml.tokens");
  if (tokens == nullptr) return bytes;
  const std::uint64_t count = tokens->size();
  bytes += static_cast<std::uint64_t>(kTextsPerToken * static_cast<double>(textBytes(*tokens))) + count * kToken + slotsFor(count) * kStringSlot;
  if (const auto* merges = file.strings("tokenizer.ggml.merges")) bytes += slotsFor(merges->size()) * kMergeSlot;
  // Pieces by text, and the rank of each: SentencePiece.
  if (file.string("tokenizer.ggml.model").value_or("") == "llama") bytes += slotsFor(count) * kStringSlot + count * kRank;
  return bytes;
}

}  // namespace hearth
