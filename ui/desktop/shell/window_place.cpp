#include "ui/desktop/shell/window_place.h"

#include <QGuiApplication>
#include <QScreen>
#include <QWidget>

#include <algorithm>

namespace hearth::ui {

namespace {

constexpr int kTitleBar = 32;  // what a window manager adds above; known only once the window was shown

qint64 areaOf(const QRect& rect) { return rect.isEmpty() ? 0 : static_cast<qint64>(rect.width()) * rect.height(); }

QList<QRect> freeAreas() {
  QList<QRect> areas;
  for (const QScreen* screen : QGuiApplication::screens()) areas << screen->availableGeometry();
  return areas;
}

void place(QWidget* window) {
  const QList<QRect> screens = freeAreas();
  if (screens.isEmpty() || window->isMaximized() || window->isFullScreen()) return;
  window->setMinimumSize(leastSize(window->minimumSize(), screens));
  const QRect now = window->geometry();
  if (const QRect better = placeOnScreens(now, screens); better != now) window->setGeometry(better);
}

}  // namespace

QRect placeOnScreens(const QRect& wanted, const QList<QRect>& screens) {
  if (screens.isEmpty()) return wanted;
  const auto best = std::ranges::max_element(screens, {}, [&](const QRect& screen) { return areaOf(screen & wanted); });
  const QRect& screen = *best;
  if (screen.contains(wanted)) return wanted;
  // Its title bar is in reach too, where there is room for one.
  const QRect area = screen.height() > 2 * kTitleBar ? screen.adjusted(0, kTitleBar, 0, 0) : screen;
  QRect rect(wanted.topLeft(), wanted.size().boundedTo(area.size()));
  rect.moveLeft(std::clamp(rect.left(), area.left(), area.right() - rect.width() + 1));
  rect.moveTop(std::clamp(rect.top(), area.top(), area.bottom() - rect.height() + 1));
  return rect;
}

QSize leastSize(const QSize& wished, const QList<QRect>& screens) {
  QSize largest;
  for (const QRect& screen : screens) largest = largest.expandedTo(screen.size() - QSize(0, kTitleBar));
  return screens.isEmpty() ? wished : wished.boundedTo(largest);
}

void keepOnScreens(QWidget* window) {
  place(window);
  const auto again = [window] { place(window); };
  // Once the other screens have their new places.
  QObject::connect(qGuiApp, &QGuiApplication::screenRemoved, window, again, Qt::QueuedConnection);
  const auto watch = [window, again](const QScreen* screen) {
    QObject::connect(screen, &QScreen::availableGeometryChanged, window, again, Qt::QueuedConnection);
  };
  for (const QScreen* screen : QGuiApplication::screens()) watch(screen);
  QObject::connect(qGuiApp, &QGuiApplication::screenAdded, window, watch);
}

}  // namespace hearth::ui
