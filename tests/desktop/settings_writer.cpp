// Writes settings as fast as it can until it is killed: settings_writer FILE. Two keys always agree.
#include <QCoreApplication>

#include <cstdio>

#include "ui/desktop/app/settings_file.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  using namespace Qt::StringLiterals;
  hearth::ui::SettingsFile file(QString::fromLocal8Bit(argv[1]));
  int number = file.value(u"last"_s).toInt();
  for (bool told = false;; told = true) {
    ++number;
    file.setValue(u"first"_s, number);
    file.setValue(u"text"_s, QString(2000, QChar(u'a' + number % 26)));
    file.setValue(u"last"_s, number);
    file.flush();
    if (told) continue;
    std::puts("ready");  // one is on the disk: a slow one is no reason to find none
    std::fflush(stdout);
  }
}
