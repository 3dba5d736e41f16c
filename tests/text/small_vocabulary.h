#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/formats/gguf.h"
#include "core/text/tokenizer.h"
#include "core/text/unicode.h"
#include "core/text/vocabulary.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/support/scratch_folder.h"

namespace hearth::test {

/// A vocabulary small enough to reason about; a test changes what it wants and opens it through a real GGUF file.
struct SmallVocabulary {
  std::string model;
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;
  std::vector<float> scores;
  std::vector<std::string> merges;

  int add(std::string text, TokenKind kind = TokenKind::Normal, float score = 0) {
    tokens.push_back(std::move(text));
    types.push_back(static_cast<std::int32_t>(kind));
    scores.push_back(score);
    return static_cast<int>(tokens.size()) - 1;
  }

  [[nodiscard]] Result<std::unique_ptr<Tokenizer>> open() const {
    GgufWriter writer;
    writer.set("tokenizer.ggml.model", model);
    writer.set("tokenizer.ggml.tokens", tokens);
    writer.set("tokenizer.ggml.token_type", types);
    if (model == "llama") writer.set("tokenizer.ggml.scores", scores);
    if (model == "gpt2") writer.set("tokenizer.ggml.merges", merges);
    for (const auto& change : changes) change(writer);
    const ScratchFolder folder;
    if (auto written = writer.write(folder.path() / "v.gguf"); !written) return std::unexpected(written.error());
    HEARTH_TRY(const GgufFile file, GgufFile::open(folder.path() / "v.gguf"));
    return Tokenizer::fromGguf(file);  // the tokenizer must not need the file any more
  }

  std::vector<std::function<void(GgufWriter&)>> changes;
  void set(std::string key, GgufWriter::Value value) {
    changes.emplace_back([key = std::move(key), value = std::move(value)](GgufWriter& writer) { writer.set(key, value); });
  }
};

/// Ids 0–255 are the bytes, then "he" "ll" "hell" "hello" " w" (256–260), then <|im_start|> <|im_end|> (261, 262, control)
/// and <tool> (263, user-defined).
inline SmallVocabulary byteLevel() {
  SmallVocabulary v;
  v.model = "gpt2";
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::string letter;
    unicode::append(letter, byteLevelLetter(static_cast<unsigned char>(byte)));
    v.add(std::move(letter));
  }
  for (const char* token : {"he", "ll", "hell", "hello", "\u0120w"}) v.add(token);
  v.merges = {"h e", "l l", "he ll", "hell o", "\u0120 w"};
  v.add("<|im_start|>", TokenKind::Control);
  v.add("<|im_end|>", TokenKind::Control);
  v.add("<tool>", TokenKind::UserDefined);
  v.set("tokenizer.ggml.bos_token_id", std::uint32_t{261});
  v.set("tokenizer.ggml.eos_token_id", std::uint32_t{262});
  return v;
}

/// 0 <unk>, 1 <s>, 2 </s>, 3–258 the bytes, then pieces.
inline SmallVocabulary sentencePiece(bool bytes = true) {
  SmallVocabulary v;
  v.model = "llama";
  v.add("<unk>", TokenKind::Unknown);
  v.add("<s>", TokenKind::Control);
  v.add("</s>", TokenKind::Control);
  constexpr char kHex[] = "0123456789ABCDEF";
  for (unsigned byte = 0; bytes && byte < 256; ++byte) {
    v.add(std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">", TokenKind::Byte);
  }
  v.set("tokenizer.ggml.bos_token_id", std::uint32_t{1});
  v.set("tokenizer.ggml.eos_token_id", std::uint32_t{2});
  v.set("tokenizer.ggml.unknown_token_id", std::uint32_t{0});
  return v;
}

}  // namespace hearth::test
