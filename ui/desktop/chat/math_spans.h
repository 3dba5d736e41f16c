#pragma once

#include <QString>

#include <vector>

namespace hearth::ui {

/// A formula in a text, or a piece of one that shall be shown as it is written.
struct MathSpan {
  QString source;   ///< between the marks
  QString written;  ///< with them
  bool display = false;
  bool formula = true;  ///< false: shown as written
  friend bool operator==(const MathSpan&, const MathSpan&) = default;
};

/// What stands for a span in a text that findMath() gave: this character, the span's number in the digits that begin at
/// kMathDigit, and kMathEnd. The three are of no script; where a text has them, it loses them.
inline constexpr QChar kMathMark{0xE8F5};
inline constexpr QChar kMathEnd{0xE8F6};
inline constexpr char16_t kMathDigit = 0xE8E0;

/// Takes formulas out of Markdown before its own marks (_, *, \) can mangle them: $…$, $$…$$, \(…\), \[…\] and bare
/// \begin{…} environments. Sums of money ($5 and $6) are no formulas, and neither is what stands in code. What is opened and
/// not closed, as while a reply grows, and what cannot be typeset, is a span that is shown as written.
struct MathText {
  QString text;  ///< with a mark for each span
  std::vector<MathSpan> spans;
};
[[nodiscard]] MathText findMath(const QString& markdown);
/// The text with its spans as they were written.
[[nodiscard]] QString withoutMarks(const QString& text, const std::vector<MathSpan>& spans);
/// The span whose mark begins at `at`, which moves behind it; null: there is none.
[[nodiscard]] const MathSpan* spanAt(const QString& text, qsizetype& at, const std::vector<MathSpan>& spans);

}  // namespace hearth::ui
