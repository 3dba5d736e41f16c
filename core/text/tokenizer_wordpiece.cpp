#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <span>

#include "core/formats/gguf.h"
#include "core/text/tokenizer_base.h"
#include "core/text/unicode.h"

namespace hearth {
namespace {

struct CodePointRange {
  char32_t first;
  char32_t last;
};

#include "core/text/wordpiece_ranges.inc"

// Ideographs stand for themselves; the hole at U+2B820 is the reference's own.
constexpr CodePointRange kIdeographRanges[] = {{0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xf900, 0xfaff},  {0x20000, 0x2a6df},
                                               {0x2a700, 0x2b81f}, {0x2b920, 0x2ceaf}, {0x2f800, 0x2fa1f}};
// Of longer words the reference makes one unknown token.
constexpr std::size_t kMostWordCharacters = 100;
// "İ" is the one letter whose lower case, by itself, is two characters.
constexpr char32_t kCapitalIWithDot = 0x130;
constexpr char32_t kCombiningDot = 0x307;

bool isIn(std::span<const CodePointRange> ranges, char32_t point) noexcept {
  const auto at = std::ranges::upper_bound(ranges, point, {}, &CodePointRange::first);
  return at != ranges.begin() && point <= std::prev(at)->last;
}

bool isPunctuation(char32_t point) noexcept {
  if (point < 0x80) {
    return (point >= 0x21 && point <= 0x2f) || (point >= 0x3a && point <= 0x40) || (point >= 0x5b && point <= 0x60) ||
           (point >= 0x7b && point <= 0x7e);
  }
  return isIn(kPunctuationRanges, point);
}

/// BERT's tokens (arXiv 1810.04805; Wu et al., arXiv 1609.08144): the text is cleaned, accents and case are dropped where
/// the model has it so, words end at spaces, punctuation and ideographs; a word is cut into the longest pieces from its
/// left. In the vocabulary, pieces that begin a word are marked with U+2581, those that continue one are bare.
class WordPieceTokenizer final : public TokenizerBase {
 public:
  WordPieceTokenizer(Vocabulary vocabulary, const Settings& settings, bool lowercase, bool stripAccents)
      : TokenizerBase(std::move(vocabulary), settings), m_lowercase(lowercase), m_stripAccents(stripAccents) {
    m_pieces = StringTable(static_cast<std::size_t>(m_vocabulary.size()));
    for (TokenId token = 0; token < m_vocabulary.size(); ++token) {
      const std::string_view text = m_vocabulary.text(token);
      if (m_vocabulary.isControl(token) || text.empty()) continue;
      m_pieces.insert(text, token);
      m_longest = std::max(m_longest, text.size());
    }
  }

 protected:
  void encodeStretch(std::string_view text, WordCache& cache, std::vector<TokenId>& out) const override {
    Words words{*this, cache, out, std::string(kSpaceMark), 0};
    std::array<utf8proc_int32_t, 16> parts{};
    for (std::size_t at = 0; at < text.size();) {
      const unicode::Decoded decoded = unicode::decodeAt(text, at);
      at += decoded.length;
      const char32_t point = decoded.codePoint;
      if (point == ' ' || point == '\t' || point == '\n' || point == '\r') {
        words.end();
        continue;
      }
      if (point > ' ' && point < 0x7f) {
        take(point, words);
        continue;
      }
      if (isIn(kRemovedRanges, point)) continue;  // U+FFFD and NUL among them
      if (unicode::classOf(point) == unicode::CharClass::Space) {
        words.end();
        continue;
      }
      const bool ideograph = isIn(kIdeographRanges, point);
      if (ideograph) words.end();
      int lastBoundClass = 0;
      const auto count = m_stripAccents ? utf8proc_decompose_char(static_cast<utf8proc_int32_t>(point), parts.data(),
                                                                  parts.size(), UTF8PROC_DECOMPOSE, &lastBoundClass)
                                        : 0;
      if (count <= 0 || count > static_cast<utf8proc_ssize_t>(parts.size())) {
        take(point, words);
      } else {
        for (const utf8proc_int32_t part : std::span(parts).first(static_cast<std::size_t>(count)))
          take(static_cast<char32_t>(part), words);
      }
      if (ideograph) words.end();
    }
    words.end();
  }

 private:
  /// The word that is being read, behind its mark.
  struct Words {
    const WordPieceTokenizer& tokenizer;
    WordCache& cache;
    std::vector<TokenId>& out;
    std::string word;
    std::size_t characters;
    void add(char32_t point) {
      // What is too long anyway need not be remembered.
      if (characters <= kMostWordCharacters) unicode::append(word, point);
      ++characters;
    }
    void end() {
      if (characters > kMostWordCharacters) {
        tokenizer.unknown(out);
      } else if (characters > 0) {
        cache.encode(word, out, [this](std::string_view each, auto& tokens) { tokenizer.encodeWord(each, tokens); });
      }
      word.resize(kSpaceMark.size());
      characters = 0;
    }
  };

  void take(char32_t point, Words& words) const {
    if (m_stripAccents && point >= 0x300 && isIn(kAccentRanges, point)) return;
    if (m_lowercase) {
      if (point == kCapitalIWithDot) {
        words.add('i');
        point = kCombiningDot;
      } else {
        point = static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(point)));
      }
    }
    if (isPunctuation(point)) {
      words.end();
      words.add(point);
      words.end();
    } else {
      words.add(point);
    }
  }

  void encodeWord(std::string_view word, std::vector<TokenId>& out) const {
    const std::size_t before = out.size();
    for (std::size_t at = 0; at < word.size();) {
      std::size_t length = std::min(word.size() - at, m_longest);
      TokenId token = -1;
      // A mark within a word is the writer's own U+2581: it begins no piece.
      const bool marked = at > 0 && word.substr(at).starts_with(kSpaceMark);
      for (const std::size_t least = at == 0 ? kSpaceMark.size() : 0; !marked && length > least; --length) {
        token = m_pieces.find(word.substr(at, length));
        if (token >= 0) break;
      }
      if (token < 0) {
        out.resize(before);
        unknown(out);
        return;
      }
      out.push_back(token);
      at += length;
    }
  }

  void unknown(std::vector<TokenId>& out) const {
    if (m_vocabulary.unknown() >= 0) out.push_back(m_vocabulary.unknown());
  }

  StringTable m_pieces;
  std::size_t m_longest = 0;  // bytes
  bool m_lowercase;
  bool m_stripAccents;
};

}  // namespace

Result<std::unique_ptr<Tokenizer>> makeWordPieceTokenizer(const GgufFile& file) {
  HEARTH_TRY(Vocabulary vocabulary, Vocabulary::read(file, Spelling::WordPiece));
  const bool lowercase = file.boolean("tokenizer.ggml.normalizer.lowercase").value_or(true);
  return std::make_unique<WordPieceTokenizer>(
      std::move(vocabulary),
      TokenizerBase::Settings{.addsBos = file.boolean("tokenizer.ggml.add_bos_token").value_or(true),
                              .addsEos = file.boolean("tokenizer.ggml.add_eos_token").value_or(true),
                              .prefixesSpace = true},
      lowercase, file.boolean("tokenizer.ggml.normalizer.strip_accents").value_or(lowercase));
}

}  // namespace hearth
