#pragma once

#include <QString>

#include <vector>

#include "ui/desktop/chat/math_spans.h"

namespace hearth::ui {

/// A top-level piece of a Markdown text: rich text that a QLabel shows, or a code block.
struct MarkdownBlock {
  enum class Kind { Text, Code } kind = Kind::Text;
  QString html;      ///< Text: only tags that we wrote; all of the source is escaped, images are links
  QString code;      ///< Code
  QString language;  ///< Code: the fence's first word, may be empty
  std::vector<MathSpan> math = {};  ///< Text: the formula of each kMathMark in html
  friend bool operator==(const MarkdownBlock&, const MarkdownBlock&) = default;
};

/// Splits into blocks (CommonMark with tables, strike-through, task lists and bare links, by md4c), and formulas. HTML in the source is
/// shown as text. Never fails: what is no Markdown is a paragraph. Colours come from the current theme.
[[nodiscard]] std::vector<MarkdownBlock> parseMarkdown(const QString& source);

/// True for the addresses that a click may open: http, https and mailto.
[[nodiscard]] bool isSafeLink(const QString& url);

}  // namespace hearth::ui
