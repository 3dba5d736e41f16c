#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/formats/gguf.h"

namespace hearth {

/// A GGUF that is whole and tells a llama's hyperparameters; its one tensor makes it `extraFloats` × 4 bytes larger.
inline GgufWriter tinyModel(const std::string& name, std::int64_t extraFloats = 32, const std::string& architecture = "llama") {
  GgufWriter writer;
  writer.set("general.architecture", architecture);
  writer.set("general.name", name);
  writer.set("general.license", std::string("apache-2.0"));
  writer.set(architecture + ".block_count", std::uint32_t{1});
  writer.set(architecture + ".context_length", std::uint32_t{128});
  writer.set(architecture + ".embedding_length", std::uint32_t{32});
  writer.set(architecture + ".feed_forward_length", std::uint32_t{64});
  writer.set(architecture + ".attention.head_count", std::uint32_t{2});
  writer.set(architecture + ".attention.head_count_kv", std::uint32_t{1});
  writer.set(architecture + ".attention.layer_norm_rms_epsilon", 1e-5F);
  writer.set(architecture + ".vocab_size", std::uint32_t{4});
  writer.set("tokenizer.ggml.model", std::string("gpt2"));
  writer.set("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b", "c", "d"});
  writer.set("tokenizer.chat_template", std::string("{{ messages }}"));
  writer.addTensor("token_embd.weight", kernels::FormatId::F32, {extraFloats, 4},
                   std::vector<std::byte>(static_cast<std::size_t>(extraFloats) * 16));
  return writer;
}

inline void writeModel(const std::filesystem::path& path, const std::string& name = "tiny", std::int64_t extraFloats = 32) {
  std::filesystem::create_directories(path.parent_path());
  const auto written = tinyModel(name, extraFloats).write(path);
  ASSERT_TRUE(written) << written.error().describe();
}

inline void writeText(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// Two parts of one split model.
inline void writeSplit(const std::filesystem::path& folder, const std::string& stem) {
  std::filesystem::create_directories(folder);
  for (int part = 0; part < 2; ++part) {
    GgufWriter writer = part == 0 ? tinyModel(stem) : GgufWriter();
    if (part == 1) {
      writer.addTensor("output_norm.weight", kernels::FormatId::F32, {32}, std::vector<std::byte>(128));
    }
    // The format keeps these as uint16 and int32; readers take any integer.
    writer.set("split.no", static_cast<std::uint32_t>(part));
    writer.set("split.count", std::uint32_t{2});
    writer.set("split.tensors.count", std::int32_t{2});
    const auto written = writer.write(folder / fmt::format("{}-{:05}-of-00002.gguf", stem, part + 1));
    ASSERT_TRUE(written) << written.error().describe();
  }
}

inline std::string readBytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace hearth
