#pragma once

#include <string>
#include <string_view>

namespace hearth::chat {

/// A conversation's title from its first message: the first line that is not blank, without Markdown marks at its begin, at
/// most 60 characters (code points), cut at a word where there is one, "…" when cut. Valid UTF-8 when `text` is.
[[nodiscard]] std::string titleFrom(std::string_view text);

}  // namespace hearth::chat
