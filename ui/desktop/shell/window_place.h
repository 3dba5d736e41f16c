#pragma once

#include <QList>
#include <QRect>
#include <QSize>

class QWidget;

namespace hearth::ui {

/// Where a window that wants to be at `wanted` is put so that all of it can be seen: on the screen that shows most of it, else
/// on the first; smaller where the screen is, moved where it hangs over. `screens` are their free areas, without panels.
[[nodiscard]] QRect placeOnScreens(const QRect& wanted, const QList<QRect>& screens);

/// The least size of the window: `wished`, less where the largest of the screens is smaller.
[[nodiscard]] QSize leastSize(const QSize& wished, const QList<QRect>& screens);

/// Puts the window where it can be seen, now and whenever a screen goes or changes.
void keepOnScreens(QWidget* window);

}  // namespace hearth::ui
