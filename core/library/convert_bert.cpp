#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "core/library/convert_source.h"

namespace hearth::library {
namespace {

namespace json = boost::json;
using Source = ConvertSource;

// bert.pooling_type.
enum Pooling : std::uint32_t { kMean = 1, kFirst = 2, kLast = 3 };
// tokenizer.ggml.token_type
constexpr std::int32_t kNormal = 1, kControl = 3;
constexpr std::string_view kSpaceMark = "\xe2\x96\x81";
constexpr std::string_view kContinues = "##";
constexpr std::int64_t kMostTokens = 1 << 20;

struct WordPieces {
  std::vector<std::string> tokens;
  bool lowercase = true;
  bool stripAccents = true;
};

std::unexpected<Error> unsupported(std::string message, std::string_view key, std::string value) {
  return fail(ErrorCode::UnsupportedFormat, std::move(message), {{"key", std::string(key)}, {"value", value.substr(0, 80)}});
}

/// strip_accents follows lower-casing where it is null or absent.
bool stripsAccents(const json::object& object, bool lowercase) { return Source::flag(object, "strip_accents", lowercase); }

Result<WordPieces> fromTokenizerJson(const json::object& file) {
  WordPieces pieces;
  const json::value* model = file.if_contains("model");
  const json::value* vocabulary =
      model != nullptr && model->is_object() ? model->get_object().if_contains("vocab") : nullptr;
  if (vocabulary == nullptr) return fail(ErrorCode::Corrupt, "tokenizer.json has no vocabulary");
  // Older files do not name the kind.
  const std::string kind = Source::text(model->get_object(), "type");
  if ((!kind.empty() && kind != "WordPiece") || !vocabulary->is_object())
    return unsupported("only WordPiece tokenizers are known for this architecture", "tokenizer.json model.type", kind);
  if (const std::string mark = Source::text(model->get_object(), "continuing_subword_prefix");
      !mark.empty() && mark != kContinues)
    return unsupported("pieces that go on are marked in an unknown way", "continuing_subword_prefix", mark);
  const json::object& words = vocabulary->get_object();
  if (static_cast<std::int64_t>(words.size()) > kMostTokens)
    return fail(ErrorCode::Corrupt, "the vocabulary is larger than any valid one");
  pieces.tokens.resize(words.size());
  std::vector<bool> seen(words.size());
  for (const auto& [word, number] : words) {
    const auto* id = number.if_int64();
    if (id == nullptr || *id < 0 || *id >= static_cast<std::int64_t>(words.size()) || seen[static_cast<std::size_t>(*id)])
      return fail(ErrorCode::Corrupt, "the vocabulary's numbers are not 0 … n-1",
                  {{"token", std::string(word).substr(0, 80)}});
    seen[static_cast<std::size_t>(*id)] = true;
    pieces.tokens[static_cast<std::size_t>(*id)] = word;
  }
  if (const json::value* normalizer = file.if_contains("normalizer"); normalizer != nullptr && normalizer->is_object()) {
    const json::object& rules = normalizer->get_object();
    if (const std::string type = Source::text(rules, "type"); type != "BertNormalizer")
      return unsupported("this kind of normaliser is not known", "tokenizer.json normalizer.type", type);
    if (!Source::flag(rules, "clean_text", true) || !Source::flag(rules, "handle_chinese_chars", true))
      return unsupported("a normaliser that keeps control characters, or ideographs together, is not known",
                         "tokenizer.json normalizer", "");
    pieces.lowercase = Source::flag(rules, "lowercase", true);
    pieces.stripAccents = stripsAccents(rules, pieces.lowercase);
  }
  return pieces;
}

Result<WordPieces> readPieces(const Source& source) {
  HEARTH_TRY(const json::object file, source.json("tokenizer.json"));
  if (!file.empty()) return fromTokenizerJson(file);
  WordPieces pieces;
  HEARTH_TRY(pieces.tokens, source.lines("vocab.txt"));
  HEARTH_TRY(const json::object settings, source.json("tokenizer_config.json"));
  pieces.lowercase = Source::flag(settings, "do_lower_case", true);
  pieces.stripAccents = stripsAccents(settings, pieces.lowercase);
  return pieces;
}

Result<void> writeTokenizer(ConvertTarget& target, std::int64_t vocabulary, std::int64_t tokenTypes) {
  HEARTH_TRY(WordPieces pieces, readPieces(target.source()));
  if (static_cast<std::int64_t>(pieces.tokens.size()) > vocabulary) {
    return fail(ErrorCode::Corrupt, "the tokenizer has more tokens than the model",
                {{"tokens", std::to_string(pieces.tokens.size())}, {"vocab_size", std::to_string(vocabulary)}});
  }
  HEARTH_TRY(const json::object settings, target.source().json("tokenizer_config.json"));
  GgufWriter& out = target.writer();
  std::vector<std::int32_t> kinds(static_cast<std::size_t>(vocabulary), kNormal);
  const auto special = [&](std::string_view setting, std::string_view usual, std::string_view key) -> Result<void> {
    const std::string named = Source::text(settings, setting);
    const std::string_view text = named.empty() ? usual : named;
    const auto at = std::ranges::find(pieces.tokens, text);
    if (at == pieces.tokens.end())
      return fail(ErrorCode::Corrupt, "a special token is not in the vocabulary",
                  {{"key", std::string(setting)}, {"token", std::string(text.substr(0, 80))}});
    const auto id = static_cast<std::size_t>(at - pieces.tokens.begin());
    kinds[id] = kControl;
    out.set(std::string(key), static_cast<std::uint32_t>(id));
    return {};
  };
  HEARTH_CHECK(special("unk_token", "[UNK]", "tokenizer.ggml.unknown_token_id"));
  HEARTH_CHECK(special("cls_token", "[CLS]", "tokenizer.ggml.bos_token_id"));
  HEARTH_CHECK(special("cls_token", "[CLS]", "tokenizer.ggml.cls_token_id"));
  HEARTH_CHECK(special("sep_token", "[SEP]", "tokenizer.ggml.eos_token_id"));
  HEARTH_CHECK(special("sep_token", "[SEP]", "tokenizer.ggml.seperator_token_id"));
  HEARTH_CHECK(special("pad_token", "[PAD]", "tokenizer.ggml.padding_token_id"));
  HEARTH_CHECK(special("mask_token", "[MASK]", "tokenizer.ggml.mask_token_id"));
  // GGUF marks what begins a word where BERT marks what continues one; control tokens stay as they are.
  for (std::size_t i = 0; i < pieces.tokens.size(); ++i) {
    std::string& token = pieces.tokens[i];
    if (kinds[i] == kControl || (token.starts_with('[') && token.ends_with(']') && token.size() > 2)) continue;
    if (token.starts_with(kContinues)) {
      token.erase(0, kContinues.size());
    } else {
      token.insert(0, kSpaceMark);
    }
  }
  for (auto i = static_cast<std::int64_t>(pieces.tokens.size()); i < vocabulary; ++i)
    pieces.tokens.push_back(fmt::format("[PAD{}]", i));
  out.set("tokenizer.ggml.model", std::string("bert"));
  out.set("tokenizer.ggml.pre", std::string("default"));
  out.set("tokenizer.ggml.tokens", std::move(pieces.tokens));
  out.set("tokenizer.ggml.token_type", std::move(kinds));
  out.set("tokenizer.ggml.token_type_count", static_cast<std::uint32_t>(tokenTypes));
  out.set("tokenizer.ggml.normalizer.lowercase", pieces.lowercase);
  out.set("tokenizer.ggml.normalizer.strip_accents", pieces.stripAccents);
  return {};
}

Result<std::uint32_t> readPooling(const Source& source) {
  HEARTH_TRY(const json::object pooling, source.json("1_Pooling/config.json"));
  if (Source::flag(pooling, "pooling_mode_cls_token", false)) return kFirst;
  if (Source::flag(pooling, "pooling_mode_lasttoken", false)) return kLast;
  for (const std::string_view other :
       {"pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens"}) {
    if (Source::flag(pooling, other, false)) return unsupported("this way of pooling is not known", other, "true");
  }
  return kMean;  // also of models that say nothing, as sentence-transformers reads them
}

}  // namespace

/// BERT and its relatives of the same names (arXiv 1810.04805).
Result<void> convertBert(ConvertTarget& target) {
  Source& source = target.source();
  const json::object& config = source.config();
  HEARTH_TRY(const std::int64_t width, Source::integer(config, "hidden_size", 1, 1 << 17));
  HEARTH_TRY(const std::int64_t inner, Source::integer(config, "intermediate_size", 1, 1 << 20));
  HEARTH_TRY(const std::int64_t layers, Source::integer(config, "num_hidden_layers", 1, 1024));
  HEARTH_TRY(const std::int64_t heads, Source::integer(config, "num_attention_heads", 1, 1024));
  HEARTH_TRY(const std::int64_t positions, Source::integer(config, "max_position_embeddings", 1, 1 << 20));
  HEARTH_TRY(const std::int64_t vocabulary, Source::integer(config, "vocab_size", 1, kMostTokens));
  HEARTH_TRY(const std::int64_t tokenTypes, Source::integer(config, "type_vocab_size", 1, 1024));
  HEARTH_TRY(const double epsilon, Source::number(config, "layer_norm_eps", 1e-15, 1e-1));
  if (const std::string act = Source::text(config, "hidden_act"); act != "gelu")
    return unsupported("only the activation \"gelu\" is known", "hidden_act", act);
  if (const std::string kind = Source::text(config, "position_embedding_type"); !kind.empty() && kind != "absolute")
    return unsupported("only absolute positions are known", "position_embedding_type", kind);

  GgufWriter& out = target.writer();
  const auto size = [&](const char* key, std::int64_t value) {
    out.set(std::string("bert.") + key, static_cast<std::uint32_t>(value));
  };
  size("embedding_length", width);
  size("feed_forward_length", inner);
  size("block_count", layers);
  size("attention.head_count", heads);
  size("context_length", positions);
  out.set("bert.attention.layer_norm_epsilon", static_cast<float>(epsilon));
  out.set("bert.attention.causal", false);
  HEARTH_TRY(const std::uint32_t pooling, readPooling(source));
  out.set("bert.pooling_type", pooling);
  HEARTH_CHECK(writeTokenizer(target, vocabulary, tokenTypes));

  // A model with a head on top keeps the encoder under a name of its own.
  const std::string top = source.tensor("bert.embeddings.word_embeddings.weight") != nullptr ? "bert." : "";
  using enum ConvertTarget::Kind;
  const auto matrix = [&](const std::string& from, const std::string& to, std::int64_t rows,
                          std::int64_t cols) -> Result<void> {
    HEARTH_CHECK(target.add(top + from + ".weight", to + ".weight", {rows, cols}, Matrix));
    return target.add(top + from + ".bias", to + ".bias", {rows}, Exact);
  };
  const auto norm = [&](const std::string& from, const std::string& to) -> Result<void> {
    HEARTH_CHECK(target.add(top + from + ".weight", to + ".weight", {width}, Exact));
    return target.add(top + from + ".bias", to + ".bias", {width}, Exact);
  };
  HEARTH_CHECK(target.add(top + "embeddings.word_embeddings.weight", "token_embd.weight", {vocabulary, width}, Matrix));
  HEARTH_CHECK(target.add(top + "embeddings.position_embeddings.weight", "position_embd.weight", {positions, width}, Exact));
  HEARTH_CHECK(
      target.add(top + "embeddings.token_type_embeddings.weight", "token_types.weight", {tokenTypes, width}, Exact));
  HEARTH_CHECK(norm("embeddings.LayerNorm", "token_embd_norm"));
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string from = fmt::format("encoder.layer.{}.", i), to = fmt::format("blk.{}.", i);
    HEARTH_CHECK(matrix(from + "attention.self.query", to + "attn_q", width, width));
    HEARTH_CHECK(matrix(from + "attention.self.key", to + "attn_k", width, width));
    HEARTH_CHECK(matrix(from + "attention.self.value", to + "attn_v", width, width));
    HEARTH_CHECK(matrix(from + "attention.output.dense", to + "attn_output", width, width));
    HEARTH_CHECK(norm(from + "attention.output.LayerNorm", to + "attn_output_norm"));
    HEARTH_CHECK(matrix(from + "intermediate.dense", to + "ffn_up", inner, width));
    HEARTH_CHECK(matrix(from + "output.dense", to + "ffn_down", width, inner));
    HEARTH_CHECK(norm(from + "output.LayerNorm", to + "layer_output_norm"));
  }
  return {};
}

}  // namespace hearth::library
