#include "core/server/api/infill.h"

#include <fmt/format.h>

#include <array>
#include <optional>

namespace hearth::api {
namespace {

struct InfillTokens {
  TokenId prefix = -1, suffix = -1, middle = -1;
};

struct Names {
  std::string_view prefix, suffix, middle;
};
constexpr std::array kFamilies{
    Names{"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},  // Qwen2.5-Coder, CodeGemma
    Names{"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},        // StarCoder
    Names{"<fim-prefix>", "<fim-suffix>", "<fim-middle>"},        // SantaCoder
    Names{"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"},  // DeepSeek-Coder
    Names{"▁<PRE>", "▁<SUF>", "▁<MID>"},                          // CodeLlama
    Names{"[PREFIX]", "[SUFFIX]", "[MIDDLE]"},                    // Codestral
};

std::optional<InfillTokens> findTokens(const LoadedModel& model) {
  const Tokenizer& tokenizer = model.engine->tokenizer();
  const auto valid = [&](const InfillTokens& t) {
    const auto inside = [&](TokenId token) { return token >= 0 && token < tokenizer.vocabularySize(); };
    return inside(t.prefix) && inside(t.suffix) && inside(t.middle);
  };
  if (model.file) {
    const auto token = [&](const char* now, const char* once) {
      auto value = model.file->integer(now);
      if (!value) value = model.file->integer(once);
      return static_cast<TokenId>(value.value_or(-1));
    };
    const InfillTokens named{token("tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.prefix_token_id"),
                             token("tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.suffix_token_id"),
                             token("tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.middle_token_id")};
    if (valid(named)) return named;
  }
  for (const Names& names : kFamilies) {
    const InfillTokens found{tokenizer.find(names.prefix), tokenizer.find(names.suffix), tokenizer.find(names.middle)};
    if (valid(found)) return found;
  }
  return std::nullopt;
}

}  // namespace

bool canInfill(const LoadedModel& model) { return model.engine && findTokens(model).has_value(); }

ApiResult<std::vector<TokenId>> infillPrompt(const LoadedModel& model, std::string_view prefix, std::string_view suffix,
                                             std::string_view at) {
  const auto special = findTokens(model);
  if (!special)
    return std::unexpected(
        unsupported(std::string(at),
                    fmt::format("{}: the model \"{}\" was not trained to fill in text between two parts.", at, model.id)));
  const Tokenizer& tokenizer = model.engine->tokenizer();
  EncodeOptions plain;
  plain.addSpecial = plain.parseSpecial = false;
  std::vector<TokenId> out;
  if (tokenizer.addsBos() && tokenizer.bos() >= 0) out.push_back(tokenizer.bos());
  const auto append = [&](std::string_view text) {
    const auto tokens = tokenizer.encode(text, plain);
    out.insert(out.end(), tokens.begin(), tokens.end());
  };
  out.push_back(special->prefix);
  append(prefix);
  out.push_back(special->suffix);
  append(suffix);
  out.push_back(special->middle);
  return out;
}

}  // namespace hearth::api
