#include "core/text/tokenizer.h"

#include <algorithm>

#include "core/formats/gguf.h"
#include "core/text/tokenizer_base.h"
#include "core/text/unicode.h"

namespace hearth {

Result<std::unique_ptr<Tokenizer>> Tokenizer::fromGguf(const GgufFile& file) {
  constexpr std::string_view kModelKey = "tokenizer.ggml.model";
  const auto model = file.string(kModelKey);
  if (!model) return fail(ErrorCode::Corrupt, "the model file has no tokenizer", {{"key", std::string(kModelKey)}});
  if (*model == "gpt2") return makeBpeTokenizer(file);
  if (*model == "llama") return makeSpmTokenizer(file);
  if (*model == "bert") return makeWordPieceTokenizer(file);
  return fail(ErrorCode::UnsupportedFormat, "this kind of tokenizer is not supported",
              {{"key", std::string(kModelKey)}, {"value", unicode::replaceInvalid(model->substr(0, 80))}});
}

TokenizerBase::TokenizerBase(Vocabulary vocabulary, const Settings& settings)
    : m_vocabulary(std::move(vocabulary)),
      m_addsBos(settings.addsBos && m_vocabulary.bos() >= 0),
      m_addsEos(settings.addsEos && m_vocabulary.eos() >= 0),
      m_prefixesSpace(settings.prefixesSpace) {}

std::vector<TokenId> TokenizerBase::encode(std::string_view text, const EncodeOptions& options) const {
  std::vector<TokenId> out;
  out.reserve(text.size() / 3 + 2);
  if (options.addSpecial && m_addsBos) out.push_back(bos());

  WordCache cache(text.size());
  const LiteralMatcher& literals = m_vocabulary.literals();
  std::size_t range = 0;  // the first plain range that ends behind the place looked at
  std::size_t stretch = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (!literals.canStart(static_cast<unsigned char>(text[at]))) {
      ++at;
      continue;
    }
    while (range < options.plain.size() &&
           (options.plain[range].end <= at || options.plain[range].end <= options.plain[range].begin)) {
      ++range;
    }
    const auto match = literals.longestAt(text, at, [&](TokenId token, std::size_t length) {
      if (!m_vocabulary.isControl(token)) return true;  // user-defined tokens are ordinary text in one piece
      if (!options.parseSpecial) return false;
      return range == options.plain.size() || options.plain[range].begin >= at + length;
    });
    if (match.token < 0) {
      ++at;
      continue;
    }
    if (at > stretch) encodeStretch(text.substr(stretch, at - stretch), cache, out);
    out.push_back(match.token);
    at += match.length;
    stretch = at;
  }
  if (stretch < text.size()) encodeStretch(text.substr(stretch), cache, out);
  if (options.addSpecial && m_addsEos) out.push_back(eos());
  return out;
}

std::string_view TokenizerBase::bytes(TokenId token, bool special) const {
  if (!m_vocabulary.contains(token)) return {};
  if (m_vocabulary.isControl(token) && !special) return {};
  return m_vocabulary.bytes(token);
}

std::string TokenizerBase::decode(std::span<const TokenId> tokens, bool special) const {
  std::string out;
  for (const TokenId token : tokens) out += bytes(token, special);
  if (m_prefixesSpace && out.starts_with(' ')) out.erase(0, 1);
  return unicode::isValid(out) ? out : unicode::replaceInvalid(out);
}

std::string StreamDecoder::push(TokenId token) {
  m_pending += m_tokenizer->bytes(token, std::ranges::find(m_shown, token) != m_shown.end());
  const std::size_t kept = unicode::incompleteTail(m_pending);
  const std::string_view ready = std::string_view(m_pending).substr(0, m_pending.size() - kept);
  std::string out = unicode::isValid(ready) ? std::string(ready) : unicode::replaceInvalid(ready);
  m_pending.erase(0, ready.size());
  return out;
}

std::string StreamDecoder::flush() {
  std::string out = unicode::replaceInvalid(m_pending);
  m_pending.clear();
  return out;
}

}  // namespace hearth
