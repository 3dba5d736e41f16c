// Draws the program's icon in the sizes of the hicolor theme: render_icons ICON.svg FOLDER NAME
#include <QDir>
#include <QGuiApplication>
#include <QImage>
#include <QPainter>
#include <QSvgRenderer>

#include <cstdio>

int main(int argc, char** argv) {
  const QGuiApplication app(argc, argv);
  const QStringList arguments = QGuiApplication::arguments();
  if (arguments.size() != 4) return 2;
  QSvgRenderer drawing(arguments[1]);
  if (!drawing.isValid()) {
    std::fprintf(stderr, "render_icons: cannot read %s\n", argv[1]);
    return 1;
  }
  for (const int size : {16, 22, 24, 32, 48, 64, 128, 256, 512}) {
    QImage picture(size, size, QImage::Format_ARGB32_Premultiplied);
    picture.fill(0);
    QPainter painter(&picture);
    painter.setRenderHint(QPainter::Antialiasing);
    drawing.render(&painter);
    painter.end();
    const QString folder = QString::fromLatin1("%1/%2x%2/apps").arg(arguments[2]).arg(size);
    const QString file = QString::fromLatin1("%1/%2.png").arg(folder, arguments[3]);
    if (!QDir().mkpath(folder) || !picture.save(file, "PNG")) {
      std::fprintf(stderr, "render_icons: cannot write %s\n", qPrintable(file));
      return 1;
    }
  }
  return 0;
}
