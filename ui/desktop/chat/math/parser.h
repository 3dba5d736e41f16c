#pragma once

#include <QString>

#include <optional>

#include "ui/desktop/chat/math/node.h"

namespace hearth::ui::math {

/// Reads the common subset of LaTeX's formulas: fractions, roots, scripts, Greek, operators, sums and integrals, fences,
/// matrices, cases, aligned equations, text, accents, alphabets. None: there is a command it does not know, a brace that is
/// not closed, or nesting beyond reason; then the formula is shown as it was written.
[[nodiscard]] std::optional<Row> parse(const QString& source);

}  // namespace hearth::ui::math
