#pragma once

#include <QString>

#include "ui/desktop/common/theme.h"

namespace hearth::ui {

/// The application's style sheet for these tokens. Widgets opt in by the property "role" (title, muted, small, primary,
/// quiet, link, card, …).
[[nodiscard]] QString styleSheetOf(const Theme& theme, const Metrics& metrics);

}  // namespace hearth::ui
