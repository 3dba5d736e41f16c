#include "ui/desktop/common/format.h"

#include <QCoreApplication>
#include <QLocale>

#include <algorithm>
#include <cmath>

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

class Durations {
  Q_DECLARE_TR_FUNCTIONS(Format)

 public:
  static QString text(double seconds) {
    if (seconds < 0) return u"—"_s;
    if (seconds < 0.095) return tr("%1 ms").arg(std::max(1, static_cast<int>(std::lround(seconds * 1000))));
    if (seconds < 60) return tr("%1 s").arg(QLocale().toString(seconds, 'f', seconds < 10 ? 2 : 0));
    const auto whole = static_cast<qlonglong>(std::llround(seconds));
    if (whole < 3600) return tr("%1 min %2 s").arg(whole / 60).arg(whole % 60);
    return tr("%1 h %2 min").arg(whole / 3600).arg(whole % 3600 / 60);
  }
};

}  // namespace

QString bytesText(std::uint64_t bytes) {
  const char* const units[] = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(units)) {
    value /= 1000;
    ++unit;
  }
  const int digits = unit == 0 || value >= 99.95 ? 0 : 1;
  return QLocale().toString(value, 'f', digits) + u' ' + QLatin1StringView(units[unit]);
}

QString countText(std::int64_t count) {
  if (count < 10'000) return QLocale().toString(static_cast<qlonglong>(count));
  if (count < 1'000'000) return QLocale().toString(static_cast<double>(count) / 1e3, 'f', count < 100'000 ? 1 : 0) + u'k';
  return QLocale().toString(static_cast<double>(count) / 1e6, 'f', 1) + u'M';
}

QString parametersText(std::int64_t parameters) {
  if (parameters <= 0) return {};
  const double value = static_cast<double>(parameters);
  if (value >= 0.95e9) return QLocale().toString(value / 1e9, 'f', value >= 20e9 ? 0 : 1) + u'B';
  return QLocale().toString(value / 1e6, 'f', 0) + u'M';
}

QString secondsText(double seconds) { return Durations::text(seconds); }

QString figureText(double value) {
  const double size = std::abs(value);
  return QLocale().toString(value, 'f', size < 0.005 || size >= 99.5 ? 0 : size < 1 ? 2 : size < 10 ? 1 : 0);
}

}  // namespace hearth::ui
