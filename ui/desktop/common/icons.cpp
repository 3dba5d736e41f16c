#include "ui/desktop/common/icons.h"

#include <QFile>
#include <QGuiApplication>
#include <QPainter>
#include <QPixmap>
#include <QSvgRenderer>

#include "ui/desktop/common/theme.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

QPixmap themedPixmap(QLatin1StringView name, int size, const QColor& color, double ratio) {
  QFile file(":/icons/"_L1 + name + ".svg"_L1);
  QPixmap pixmap(QSize(size, size) * ratio);
  pixmap.fill(Qt::transparent);
  if (file.open(QIODevice::ReadOnly)) {
    QByteArray svg = file.readAll();
    svg.replace("currentColor", color.name().toLatin1());
    QSvgRenderer renderer(svg);
    QPainter painter(&pixmap);
    renderer.render(&painter);
  }
  pixmap.setDevicePixelRatio(ratio);
  return pixmap;
}

QIcon themedIcon(QLatin1StringView name, int size) {
  const Theme& theme = ThemeManager::current();
  const double ratio = qGuiApp->devicePixelRatio();
  QIcon icon;
  icon.addPixmap(themedPixmap(name, size, theme.muted, ratio), QIcon::Normal, QIcon::Off);
  icon.addPixmap(themedPixmap(name, size, theme.accent, ratio), QIcon::Normal, QIcon::On);
  icon.addPixmap(themedPixmap(name, size, theme.border, ratio), QIcon::Disabled, QIcon::Off);
  return icon;
}

}  // namespace hearth::ui
