#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

struct sqlite3;

namespace hearth::store {

/// Cuts text into the words that full-text search compares. A run of letters and digits is a word, folded (case, accents,
/// compatibility forms), so that "Éclair" is found by "eclair". In scripts that put no spaces between words (Chinese,
/// Japanese, Korean, Thai and their neighbours) each character is a word of its own: a phrase of them finds words of any
/// length, two characters included. `found(word, begin, end)` gets the folded word and its bytes in `text`; false ends it.
/// Text that is not UTF-8 is read as far as it can be. What this gives is in the index: a change needs a migration that
/// builds the index anew.
void splitWords(std::string_view text, const std::function<bool(std::string_view word, std::size_t begin, std::size_t end)>& found);

/// Makes splitWords known to FTS5 on this connection, as tokenizer "hearth". Throws SQLite::Exception.
void registerSearchTokenizer(sqlite3* connection);

}  // namespace hearth::store
