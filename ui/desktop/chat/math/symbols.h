#pragma once

#include <QString>

#include <optional>

#include "ui/desktop/chat/math/node.h"

namespace hearth::ui::math {

/// A command that stands for one character or one upright word.
struct Symbol {
  QString text;
  Atom atom = Atom::Ordinary;
  Node::Limits limits = Node::Limits::Never;
  bool large = false;
  bool upright = true;
};
[[nodiscard]] std::optional<Symbol> symbolNamed(const QString& command);
/// A character as it stands in a formula.
[[nodiscard]] Symbol symbolOf(char32_t character);
/// The combining mark of an accent (hat, vec, …); null when there is none of this name.
struct AccentMark {
  QString mark;
  bool wide = false;
};
[[nodiscard]] std::optional<AccentMark> accentNamed(const QString& command);
/// Letters of \mathbb, \mathcal, \mathfrak, \mathscr; what these have no letter for stays.
[[nodiscard]] QString inAlphabet(const QString& alphabet, const QString& letters);
/// What may stand after \left, \right and \big: the character, empty for ".". None: it is no delimiter.
[[nodiscard]] std::optional<QString> delimiterNamed(const QString& token);

}  // namespace hearth::ui::math
