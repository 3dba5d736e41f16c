// Draws each page in both themes and languages on the fakes, for docs/screenshots: make_screenshots FOLDER

#include <QApplication>
#include <QDir>
#include <QHash>
#include <QImage>

#include <cstdio>

#include "scenes.h"
#include "ui/desktop/app/resources.h"
#include "ui/desktop/chat/chat_page.h"

using namespace hearth;
using namespace hearth::test;
using namespace Qt::StringLiterals;

namespace {

/// The 256 commonest colours, without dithering: keeps the pictures of a flat interface small and sharp.
QImage withPalette(const QImage& picture) {
  QHash<QRgb, int> counts;
  const QImage plain = picture.convertToFormat(QImage::Format_RGB32);
  for (int y = 0; y < plain.height(); ++y) {
    const auto* line = reinterpret_cast<const QRgb*>(plain.constScanLine(y));
    for (int x = 0; x < plain.width(); ++x) ++counts[line[x]];
  }
  QList<QRgb> colours = counts.keys();
  std::ranges::sort(colours, [&counts](QRgb a, QRgb b) { return counts[a] > counts[b]; });
  colours.resize(std::min<qsizetype>(colours.size(), 256));
  return plain.convertToFormat(QImage::Format_Indexed8, colours, Qt::ThresholdDither | Qt::AvoidDither);
}

bool save(Desktop& desktop, const QString& file) {
  QTest::qWait(150);
  const QImage picture = withPalette(desktop.window->grab().toImage());
  const bool ok = picture.save(file, "PNG", 0);
  if (!ok) std::fprintf(stderr, "cannot write %s\n", qPrintable(file));
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_screenshots FOLDER\n", stderr);
    return 2;
  }
  if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  QApplication app(argc, argv);
  QApplication::setApplicationVersion(QStringLiteral(HEARTH_VERSION));
  ui::initialiseResources();
  const QString folder = QString::fromLocal8Bit(argv[1]);
  QDir().mkpath(folder);
  const char* const names[] = {"chat", "models", "dashboard", "server", "settings"};
  bool ok = true;
  for (const bool empty : {false, true}) {
    for (const QString& code : {u"en"_s, u"zh_CN"_s}) {
      Desktop desktop;
      desktop.language.setLanguage(code);
      if (!empty) furnish(desktop, true);
      desktop.preferences.setLastModel(u"qwen2.5-coder-1.5b-instruct-q4_k_m"_s);
      desktop.show();
      if (!empty) enliven(desktop, true);
      for (const bool dark : {false, true}) {
        if (empty && dark) continue;
        desktop.theme.setChoice(dark ? ui::ThemeChoice::Dark : ui::ThemeChoice::Light);
        for (int page = 0; page < (empty ? 4 : 5); ++page) {
          desktop.window->showPage(static_cast<ui::Page>(page));
          const QString file = u"%1/%2%3-%4-%5.png"_s.arg(folder, empty ? u"empty-"_s : QString(), QLatin1StringView(names[page]),
                                                         dark ? u"dark"_s : u"light"_s, code.left(2));
          ok = save(desktop, file) && ok;
        }
      }
    }
  }
  return ok ? 0 : 1;
}
