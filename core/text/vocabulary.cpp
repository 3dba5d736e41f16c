#include "core/text/vocabulary.h"

#include <algorithm>
#include <optional>

#include "core/formats/gguf.h"
#include "core/text/unicode.h"

namespace hearth {
namespace {

constexpr std::string_view kTokensKey = "tokenizer.ggml.tokens";
constexpr std::string_view kTypesKey = "tokenizer.ggml.token_type";
// No published token comes near these; they keep a walk through a hostile vocabulary short.
constexpr std::size_t kMaxTokenBytes = 65536;
constexpr std::size_t kMaxTokens = 1U << 20U;
constexpr std::size_t kMaxLiteralBytes = 1024;
constexpr std::size_t kMaxAllLiteralBytes = 4U << 20U;

std::unexpected<Error> corrupt(std::string message, std::string_view key, std::vector<Evidence> evidence = {}) {
  evidence.insert(evidence.begin(), {"key", std::string(key)});
  return fail(ErrorCode::Corrupt, std::move(message), std::move(evidence));
}

// "<0x0A>" → 10.
std::optional<unsigned char> byteOf(std::string_view text) noexcept {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return std::nullopt;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  const int high = digit(text[3]);
  const int low = digit(text[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<unsigned char>(high * 16 + low);
}

std::string replaceAll(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find(from, at), text.size());
    out.append(text.substr(at, next - at));
    if (next == text.size()) break;
    out.append(to);
    at = next + from.size();
  }
  return out;
}


struct ByteAlphabet {
  std::array<char32_t, 256> letter{};
  std::array<std::int16_t, 0x144> byte{};
  constexpr ByteAlphabet() {
    byte.fill(-1);
    char32_t next = 0x100;
    for (unsigned b = 0; b < 256; ++b) {
      const bool printable = (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      letter[b] = printable ? static_cast<char32_t>(b) : next++;
      byte[letter[b]] = static_cast<std::int16_t>(b);
    }
  }
};
constexpr ByteAlphabet kAlphabet;

}  // namespace

char32_t byteLevelLetter(unsigned char byte) noexcept { return kAlphabet.letter[byte]; }

bool decodeByteLevel(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t at = 0; at < text.size();) {
    const unicode::Decoded decoded = unicode::decodeAt(text, at);
    if (!decoded.valid || decoded.codePoint >= kAlphabet.byte.size() || kAlphabet.byte[decoded.codePoint] < 0) return false;
    out += static_cast<char>(kAlphabet.byte[decoded.codePoint]);
    at += decoded.length;
  }
  return true;
}

std::string_view Vocabulary::text(TokenId token) const noexcept {
  const Token& entry = m_tokens[static_cast<std::size_t>(token)];
  return {m_texts.data() + entry.text, entry.textSize};
}

std::string_view Vocabulary::bytes(TokenId token) const noexcept {
  const Token& entry = m_tokens[static_cast<std::size_t>(token)];
  return {m_texts.data() + entry.bytes, entry.bytesSize};
}

bool Vocabulary::isControl(TokenId token) const noexcept {
  return contains(token) && (kind(token) == TokenKind::Control || kind(token) == TokenKind::Unknown);
}

bool Vocabulary::isEndOfGeneration(TokenId token) const noexcept {
  return contains(token) && m_tokens[static_cast<std::size_t>(token)].endOfGeneration;
}

Result<Vocabulary> Vocabulary::read(const GgufFile& file, Spelling spelling) {
  Vocabulary vocabulary;
  HEARTH_CHECK(vocabulary.readTokens(file, spelling));
  HEARTH_CHECK(vocabulary.readSpecial(file, spelling));
  vocabulary.markEndOfGeneration(file);
  HEARTH_CHECK(vocabulary.buildLiterals(spelling));
  return vocabulary;
}

Result<void> Vocabulary::readTokens(const GgufFile& file, Spelling spelling) {
  const auto* tokens = file.strings(kTokensKey);
  if (tokens == nullptr || tokens->empty()) return corrupt("the model has no vocabulary", kTokensKey);
  if (tokens->size() > kMaxTokens) {
    return corrupt("the vocabulary is larger than any valid one", kTokensKey, {{"tokens", std::to_string(tokens->size())}});
  }
  const auto* types = file.integers(kTypesKey);
  if (types == nullptr && file.find(kTypesKey) != nullptr) {
    return corrupt("the kinds of the tokens are not numbers", kTypesKey);
  }
  if (types != nullptr && types->size() != tokens->size()) {
    return corrupt("there is not one kind for each token", kTypesKey,
                   {{"tokens", std::to_string(tokens->size())}, {"kinds", std::to_string(types->size())}});
  }
  m_byteTokens.fill(-1);
  m_tokens.resize(tokens->size());
  std::string bytes;
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    const std::string_view text = (*tokens)[i];
    Token& token = m_tokens[i];
    if (text.size() > kMaxTokenBytes) {
      return corrupt("a token is longer than any valid one", kTokensKey,
                     {{"token", std::to_string(i)}, {"bytes", std::to_string(text.size())}});
    }
    const std::int64_t kind = types == nullptr ? 1 : (*types)[i];
    if (kind < 0 || kind > static_cast<std::int64_t>(TokenKind::Byte)) {
      return corrupt("a token is of an unknown kind", kTypesKey, {{"token", std::to_string(i)}, {"kind", std::to_string(kind)}});
    }
    token.kind = kind == 0 ? TokenKind::Normal : static_cast<TokenKind>(kind);

    bytes.assign(text);
    if (types == nullptr && spelling == Spelling::SentencePiece && byteOf(text)) token.kind = TokenKind::Byte;
    if (token.kind == TokenKind::Byte) {
      const auto byte = byteOf(text);
      if (!byte) {
        return corrupt("a byte token does not name a byte", kTokensKey,
                       {{"token", std::to_string(i)}, {"text", unicode::replaceInvalid(text.substr(0, 40))}});
      }
      bytes.assign(1, static_cast<char>(*byte));
      TokenId& slot = m_byteTokens[*byte];
      if (slot < 0) slot = static_cast<TokenId>(i);
    } else if (token.kind == TokenKind::Normal || token.kind == TokenKind::Unused) {
      if (spelling != Spelling::ByteLevel) {
        bytes = replaceAll(text, kSpaceMark, " ");
      } else if (!decodeByteLevel(text, bytes)) {
        bytes.assign(text);  // not of the alphabet: Hugging Face's decoder gives such a token as it is
      }
    } else if (token.kind == TokenKind::UserDefined && spelling != Spelling::ByteLevel) {
      bytes = replaceAll(text, kSpaceMark, " ");
    }
    token.text = m_texts.size();
    token.textSize = static_cast<std::uint32_t>(text.size());
    m_texts.insert(m_texts.end(), text.begin(), text.end());
    token.bytes = bytes == text ? token.text : m_texts.size();
    token.bytesSize = static_cast<std::uint32_t>(bytes.size());
    if (bytes != text) m_texts.insert(m_texts.end(), bytes.begin(), bytes.end());
  }
  // Views into m_texts are taken only now that it grows no more.
  m_byText = StringTable(m_tokens.size());
  for (TokenId token = 0; token < size(); ++token) {
    if (!text(token).empty()) m_byText.insert(text(token), token);
  }
  return {};
}

Result<void> Vocabulary::readSpecial(const GgufFile& file, Spelling spelling) {
  const auto read = [&](std::string_view key, TokenId& token) -> Result<void> {
    const auto value = file.integer(key);
    if (!value) return {};
    // Some converters write -1 or 2^32-1 for "none".
    if (*value == -1 || *value == 0xffffffff) return {};
    if (*value < 0 || *value >= size()) {
      return corrupt("a special token is not in the vocabulary", key,
                     {{"token", std::to_string(*value)}, {"vocabulary", std::to_string(size())}});
    }
    token = static_cast<TokenId>(*value);
    return {};
  };
  HEARTH_CHECK(read("tokenizer.ggml.bos_token_id", m_bos));
  HEARTH_CHECK(read("tokenizer.ggml.eos_token_id", m_eos));
  HEARTH_CHECK(read("tokenizer.ggml.unknown_token_id", m_unknown));
  if (spelling == Spelling::WordPiece) {
    // What begins and ends a text has names of its own here; the second one is misspelt in the format.
    HEARTH_CHECK(read("tokenizer.ggml.cls_token_id", m_bos));
    HEARTH_CHECK(read("tokenizer.ggml.seperator_token_id", m_eos));
    if (m_bos < 0) m_bos = find("[CLS]");
    if (m_eos < 0) m_eos = find("[SEP]");
    if (m_unknown < 0) m_unknown = find("[UNK]");
  }
  // A file without kinds still must not let typed text become these.
  if (file.find(kTypesKey) == nullptr) {
    if (m_unknown >= 0) m_tokens[static_cast<std::size_t>(m_unknown)].kind = TokenKind::Unknown;
    for (const TokenId token : {m_bos, m_eos}) {
      if (token >= 0) m_tokens[static_cast<std::size_t>(token)].kind = TokenKind::Control;
    }
  }
  return {};
}

void Vocabulary::markEndOfGeneration(const GgufFile& file) {
  const auto mark = [&](TokenId token) { m_tokens[static_cast<std::size_t>(token)].endOfGeneration = true; };
  if (m_eos >= 0) mark(m_eos);
  for (const std::string_view key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    const auto token = file.integer(key);
    if (token && *token >= 0 && *token < size()) mark(static_cast<TokenId>(*token));
  }
  // Many files name only one end; a model that emits another of its family's would talk on with itself.
  static constexpr std::string_view kEnds[] = {
      "<|im_end|>", "<|endoftext|>", "<end_of_turn>", "<turn|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>",
      "<|end_of_turn|>", "<|END_OF_TURN_TOKEN|>", "<|return|>", "<|call|>", "<EOT>", "<|eot|>", "<|end|>",
      "<\xef\xbd\x9c" "end\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>"};
  // In Harmony (gpt-oss) <|end|> closes one message of several; the answer ends with <|return|> or <|call|>.
  const bool harmony = isControl(find("<|return|>")) && isControl(find("<|call|>"));
  for (const std::string_view name : kEnds) {
    const TokenId token = find(name);
    if (isControl(token) && !(harmony && name == "<|end|>")) mark(token);
  }
}

Result<void> Vocabulary::buildLiterals(Spelling spelling) {
  std::vector<LiteralMatcher::Literal> literals;
  std::size_t all = 0;
  for (TokenId token = 0; token < size(); ++token) {
    if (kind(token) != TokenKind::UserDefined && !isControl(token)) continue;
    const std::string_view name = text(token);
    if (name.empty()) continue;
    all += name.size();
    if (name.size() > kMaxLiteralBytes || all > kMaxAllLiteralBytes) {
      return corrupt("the special tokens are longer than any valid ones", kTokensKey,
                     {{"token", std::to_string(token)}, {"bytes", std::to_string(name.size())}});
    }
    literals.push_back({spelling == Spelling::SentencePiece ? replaceAll(name, " ", kSpaceMark) : std::string(name), token});
  }
  m_literals = LiteralMatcher(std::move(literals), spelling == Spelling::SentencePiece);
  return {};
}

}  // namespace hearth
