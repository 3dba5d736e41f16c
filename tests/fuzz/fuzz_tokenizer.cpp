#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "core/formats/gguf.h"
#include "core/text/tokenizer.h"
#include "core/text/unicode.h"
#include "tests/formats/gguf_bytes.h"

// Any vocabulary, any text. First byte: bit 0 = the vocabulary is a raw GGUF file, else it is built from the bytes (which
// reaches further in); bit 1 = SentencePiece; bits 2–4 = pre-tokenizer. Second byte: how many bytes of text follow (times 4).
namespace {

using namespace hearth;

void require(bool condition) {
  if (!condition) std::abort();
}

// Takes from the front; zeros when nothing is left.
struct Input {
  std::span<const std::uint8_t> bytes;
  std::uint8_t byte() {
    if (bytes.empty()) return 0;
    const std::uint8_t value = bytes[0];
    bytes = bytes.subspan(1);
    return value;
  }
  std::string_view text(std::size_t size) {
    size = std::min(size, bytes.size());
    const std::string_view out(reinterpret_cast<const char*>(bytes.data()), size);
    bytes = bytes.subspan(size);
    return out;
  }
};

// Each token: one byte with its kind (low 3 bits) and length (high 5), one for its score, then its text; until nothing is
// left. Length 31 makes a merge of two earlier tokens instead, and the token that it needs.
std::string buildFile(Input input, std::uint8_t flags) {
  static constexpr std::string_view kPre[] = {"gpt-2", "smollm", "qwen2", "llama-bpe", "default", "", "starcoder", "llama3"};
  const bool sentencePiece = (flags & 2U) != 0;
  std::vector<std::string> tokens;
  std::vector<std::string> merges;
  std::vector<std::int32_t> kinds;
  std::vector<float> scores;
  if (!sentencePiece) {
    for (const char* letter : {"a", "b", "c", "\u0120", "\u010a", "\u00c3", "\u00a9"}) {
      tokens.emplace_back(letter), kinds.push_back(1), scores.push_back(0);
    }
  }
  while (!input.bytes.empty() && tokens.size() < 2000) {
    const std::uint8_t head = input.byte();
    const std::uint8_t score = input.byte();
    if (head >> 3U == 31 && tokens.size() > 1) {
      const std::string& left = tokens[head * 7U % tokens.size()];
      const std::string& right = tokens[score % tokens.size()];
      merges.push_back(left + " " + right);
      tokens.push_back(left + right), kinds.push_back(1);
    } else {
      tokens.emplace_back(input.text(head >> 3U)), kinds.push_back(head & 7U);
    }
    scores.push_back(static_cast<float>(score) - 128.0F);
  }
  test::GgufBytes file;
  file.header(0, 7);
  file.entry("tokenizer.ggml.model", sentencePiece ? "llama" : "gpt2");
  file.entry("tokenizer.ggml.pre", kPre[flags >> 2U & 7U]);
  file.entry("tokenizer.ggml.eos_token_id", 1U);
  const auto array = [&](std::string_view key, std::uint32_t type, std::size_t count) {
    file.string(key).u32(9).u32(type).u64(count);
  };
  array("tokenizer.ggml.tokens", 8, tokens.size());
  for (const std::string& token : tokens) file.string(token);
  array("tokenizer.ggml.token_type", 5, kinds.size());
  for (const std::int32_t kind : kinds) file.number(kind);
  array("tokenizer.ggml.scores", 6, scores.size());
  for (const float score : scores) file.number(score);
  array("tokenizer.ggml.merges", 8, merges.size());
  for (const std::string& merge : merges) file.string(merge);
  return file.bytes();
}

void exercise(const Tokenizer& tokenizer, std::string_view text) {
  const std::vector<TextRange> typed{{0, text.size()}};
  for (const EncodeOptions& options : {EncodeOptions{}, EncodeOptions{.addSpecial = false, .plain = typed},
                                       EncodeOptions{.addSpecial = false, .parseSpecial = false}}) {
    const auto tokens = tokenizer.encode(text, options);
    StreamDecoder stream(tokenizer);
    std::string streamed;
    for (const TokenId token : tokens) {
      require(token >= 0 && token < tokenizer.vocabularySize());
      // Typed text becomes no control token; only "unknown" (a kind of its own, also counted as control) may stand for it.
      if (!options.addSpecial && tokenizer.isControl(token)) require(tokenizer.bytes(token, true) == "<unk>");
      streamed += stream.push(token);
      (void)tokenizer.isEndOfGeneration(token);
      (void)tokenizer.bytes(token, true);
    }
    streamed += stream.flush();
    require(unicode::isValid(streamed));
    require(unicode::isValid(tokenizer.decode(tokens)));
    (void)tokenizer.decode(tokens, true);
  }
  (void)tokenizer.find(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input{{data, size}};
  const std::uint8_t flags = input.byte();
  const std::string_view text = input.text(std::size_t{input.byte()} * 4);
  const std::string built = (flags & 1U) != 0 ? std::string(input.text(input.bytes.size())) : buildFile(input, flags);
  const auto file = GgufFile::parse(std::as_bytes(std::span(built)));
  if (!file) return 0;
  const auto tokenizer = Tokenizer::fromGguf(*file);
  if (!tokenizer) {
    require(tokenizer.error().code == ErrorCode::Corrupt || tokenizer.error().code == ErrorCode::UnsupportedFormat);
    return 0;
  }
  exercise(**tokenizer, text);
  std::string longText;
  for (int i = 0; i < 8; ++i) longText += text;
  exercise(**tokenizer, longText);
  return 0;
}
