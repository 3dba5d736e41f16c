#pragma once

#include <QIcon>
#include <QLatin1StringView>

namespace hearth::ui {

/// An icon of the family in resources/icons, drawn in the current theme's muted colour, its accent when checked. Icons
/// must be asked for again after a theme change.
[[nodiscard]] QIcon themedIcon(QLatin1StringView name, int size = 20);
/// The same as a pixmap in a single colour.
[[nodiscard]] QPixmap themedPixmap(QLatin1StringView name, int size, const QColor& color, double ratio);

}  // namespace hearth::ui
