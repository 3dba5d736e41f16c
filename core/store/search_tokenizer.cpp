#include "core/store/search_tokenizer.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>
#include <utf8proc.h>

#include <array>
#include <string>

namespace hearth::store {
namespace {

constexpr std::size_t kLongestWord = 128;  // bytes; the rest of a word (base64, a hash) is not compared

struct Range {
  utf8proc_int32_t first, last;
};
// Scripts written without spaces, by block.
constexpr std::array kUnspaced{
    Range{0x0E00, 0x0EFF},    // Thai, Lao
    Range{0x1000, 0x109F},    // Myanmar
    Range{0x1100, 0x11FF},    // Hangul Jamo
    Range{0x1780, 0x17FF},    // Khmer
    Range{0x2E80, 0x2FDF},    // radicals
    Range{0x3005, 0x3007},    // ideographic iteration mark, closing mark, zero
    Range{0x3040, 0x31FF},    // kana, bopomofo, Hangul compatibility
    Range{0x3400, 0x4DBF},    // Han, extension A
    Range{0x4E00, 0x9FFF},    // Han
    Range{0xAC00, 0xD7FF},    // Hangul
    Range{0xF900, 0xFAFF},    // Han, compatibility
    Range{0xFF66, 0xFFDC},    // half-width kana and Hangul
    Range{0x1B000, 0x1B16F},  // further kana
    Range{0x20000, 0x3FFFF},  // Han, extensions B and later
};

bool unspaced(utf8proc_int32_t c) noexcept {
  if (c < kUnspaced.front().first) return false;
  for (const Range& range : kUnspaced) {
    if (c <= range.last) return c >= range.first;
  }
  return false;
}

enum class Kind : unsigned char { Between, Mark, Word };
Kind kindOf(utf8proc_int32_t c) noexcept {
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return Kind::Word;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return Kind::Mark;
    default: return Kind::Between;
  }
}

void append(std::string& word, utf8proc_int32_t c) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto size = utf8proc_encode_char(c, bytes.data());
  word.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
}

// Case, compatibility forms and accents fall away.
void appendFolded(std::string& word, utf8proc_int32_t c) {
  constexpr auto kFold = static_cast<utf8proc_option_t>(UTF8PROC_CASEFOLD | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK |
                                                        UTF8PROC_IGNORE);
  std::array<utf8proc_int32_t, 32> parts{};
  int boundary = 0;
  const auto count = utf8proc_decompose_char(c, parts.data(), parts.size(), kFold, &boundary);
  if (count < 0 || count > static_cast<utf8proc_ssize_t>(parts.size())) return append(word, c);
  for (utf8proc_ssize_t i = 0; i < count; ++i) append(word, parts[static_cast<std::size_t>(i)]);
}

}  // namespace

void splitWords(std::string_view text, const std::function<bool(std::string_view, std::size_t, std::size_t)>& found) {
  std::string word;
  std::size_t begin = 0;
  bool open = false;
  const auto close = [&](std::size_t end) {
    if (!open) return true;
    open = false;
    if (word.size() > kLongestWord) {
      std::size_t cut = kLongestWord;
      while (cut > 0 && (static_cast<unsigned char>(word[cut]) & 0xC0U) == 0x80U) --cut;
      word.resize(cut);
    }
    return word.empty() || found(word, begin, end);
  };
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
      const bool capital = byte >= 'A' && byte <= 'Z';
      if (letter || capital) {
        if (!open) {
          word.clear();
          begin = at;
          open = true;
        }
        if (word.size() <= kLongestWord) word += static_cast<char>(capital ? byte + ('a' - 'A') : byte);
      } else if (!close(at)) {
        return;
      }
      ++at;
      continue;
    }
    utf8proc_int32_t c = -1;
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                                       static_cast<utf8proc_ssize_t>(text.size() - at), &c);
    if (size <= 0 || c < 0) {  // not UTF-8 here
      if (!close(at)) return;
      ++at;
      continue;
    }
    const std::size_t next = at + static_cast<std::size_t>(size);
    const Kind kind = kindOf(c);
    if (kind == Kind::Word && unspaced(c)) {
      if (!close(at)) return;
      word.clear();
      appendFolded(word, c);
      // A voiced kana must stay apart from its plain one.
      if (c >= 0x3040 && c <= 0x30FF) {
        word.clear();
        append(word, c);
      }
      if (!word.empty() && !found(word, at, next)) return;
    } else if (kind == Kind::Word) {
      if (!open) {
        word.clear();
        begin = at;
        open = true;
      }
      if (word.size() <= kLongestWord) appendFolded(word, c);
    } else if (kind == Kind::Between && !close(at)) {
      return;
    }
    at = next;  // a mark belongs to the character before it and is folded away
  }
  close(text.size());
}

namespace {

// FTS5's view of it: no state.
int createTokenizer(void*, const char**, int, Fts5Tokenizer** out) {
  static char nothing = 0;
  *out = reinterpret_cast<Fts5Tokenizer*>(&nothing);
  return SQLITE_OK;
}
void deleteTokenizer(Fts5Tokenizer*) {}

int tokenize(Fts5Tokenizer*, void* context, int, const char* text, int size,
             int (*token)(void*, int, const char*, int, int, int)) {
  int outcome = SQLITE_OK;
  try {
    splitWords({text, static_cast<std::size_t>(size < 0 ? 0 : size)}, [&](std::string_view word, std::size_t begin, std::size_t end) {
      outcome = token(context, 0, word.data(), static_cast<int>(word.size()), static_cast<int>(begin), static_cast<int>(end));
      return outcome == SQLITE_OK;
    });
  } catch (const std::exception&) {
    return SQLITE_NOMEM;
  }
  return outcome;
}

}  // namespace

void registerSearchTokenizer(sqlite3* connection) {
  const auto check = [&](int code) {
    if (code != SQLITE_OK) throw SQLite::Exception("full-text search is not available", code);
  };
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  check(sqlite3_prepare_v2(connection, "SELECT fts5(?1)", -1, &statement, nullptr));
  sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
  sqlite3_step(statement);
  check(sqlite3_finalize(statement));
  if (api == nullptr) check(SQLITE_ERROR);
  fts5_tokenizer functions{createTokenizer, deleteTokenizer, tokenize};
  check(api->xCreateTokenizer(api, "hearth", nullptr, &functions, nullptr));
}

}  // namespace hearth::store
