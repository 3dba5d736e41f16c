#include "ui/desktop/common/theme.h"

#include <QApplication>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>
#include <QFontInfo>
#include <QPalette>
#include <QStyleFactory>

#include <cmath>

#include "ui/desktop/common/style_sheet.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

const Theme* g_current = nullptr;
Metrics g_metrics;

const auto kPortalService = "org.freedesktop.portal.Desktop"_L1;
const auto kPortalPath = "/org/freedesktop/portal/desktop"_L1;
const auto kPortalInterface = "org.freedesktop.portal.Settings"_L1;
const auto kAppearance = "org.freedesktop.appearance"_L1;
const auto kColorScheme = "color-scheme"_L1;

double channel(double value) { return value <= 0.03928 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4); }

double luminance(const QColor& color) {
  return 0.2126 * channel(color.redF()) + 0.7152 * channel(color.greenF()) + 0.0722 * channel(color.blueF());
}

QPalette paletteOf(const Theme& theme) {
  QPalette palette;
  palette.setColor(QPalette::Window, theme.window);
  palette.setColor(QPalette::WindowText, theme.text);
  palette.setColor(QPalette::Base, theme.card);
  palette.setColor(QPalette::AlternateBase, theme.rail);
  palette.setColor(QPalette::Text, theme.text);
  palette.setColor(QPalette::PlaceholderText, theme.muted);
  palette.setColor(QPalette::Button, theme.card);
  palette.setColor(QPalette::ButtonText, theme.text);
  palette.setColor(QPalette::BrightText, theme.bad);
  palette.setColor(QPalette::ToolTipBase, theme.rail);
  palette.setColor(QPalette::ToolTipText, theme.text);
  palette.setColor(QPalette::Highlight, theme.accent);
  palette.setColor(QPalette::HighlightedText, theme.onAccent);
  palette.setColor(QPalette::Link, theme.accent);
  palette.setColor(QPalette::LinkVisited, theme.accent);
  palette.setColor(QPalette::Mid, theme.border);
  palette.setColor(QPalette::Light, theme.card);
  palette.setColor(QPalette::Dark, theme.border);
  palette.setColor(QPalette::Shadow, theme.border);
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
    palette.setColor(QPalette::Disabled, role, theme.muted);
  }
  return palette;
}

}  // namespace

const Theme& Theme::light() {
  static const Theme theme{
      .dark = false,
      .window = QColor(0xFB, 0xFA, 0xF8),
      .rail = QColor(0xF3, 0xF1, 0xED),
      .card = QColor(0xFF, 0xFF, 0xFF),
      .border = QColor(0xDC, 0xD9, 0xD2),
      .text = QColor(0x1F, 0x1D, 0x1A),
      .muted = QColor(0x65, 0x62, 0x5D),
      .accent = QColor(0xC2, 0x41, 0x0C),
      .onAccent = QColor(0xFF, 0xFF, 0xFF),
      .accentSoft = QColor(0xFD, 0xEF, 0xE6),
      .hover = QColor(0xEB, 0xE8, 0xE2),
      .good = QColor(0x22, 0x73, 0x45),
      .warn = QColor(0x85, 0x58, 0x00),
      .bad = QColor(0xB4, 0x23, 0x18),
      .seriesA = QColor(0xC2, 0x41, 0x0C),
      .seriesB = QColor(0x2F, 0x6F, 0xB0),
      .seriesC = QColor(0x3F, 0x8F, 0x52),
      .seriesOther = QColor(0x8C, 0x87, 0x80),
      .codeWord = QColor(0x24, 0x5F, 0x9E),
      .codeValue = QColor(0x22, 0x73, 0x45),
      .codeComment = QColor(0x65, 0x62, 0x5D),
      .codeName = QColor(0x7A, 0x42, 0x96),
  };
  return theme;
}

const Theme& Theme::dark_() {
  static const Theme theme{
      .dark = true,
      .window = QColor(0x1B, 0x1A, 0x19),
      .rail = QColor(0x24, 0x23, 0x22),
      .card = QColor(0x2B, 0x2A, 0x28),
      .border = QColor(0x3D, 0x3B, 0x38),
      .text = QColor(0xF3, 0xF0, 0xEC),
      .muted = QColor(0xAC, 0xA7, 0xA1),
      .accent = QColor(0xFB, 0x92, 0x3C),
      .onAccent = QColor(0x1F, 0x1D, 0x1A),
      .accentSoft = QColor(0x3A, 0x2A, 0x1E),
      .hover = QColor(0x35, 0x33, 0x31),
      .good = QColor(0x5D, 0xBB, 0x7A),
      .warn = QColor(0xE7, 0xAF, 0x4A),
      .bad = QColor(0xF2, 0x86, 0x7B),
      .seriesA = QColor(0xFB, 0x92, 0x3C),
      .seriesB = QColor(0x7F, 0xB2, 0xE5),
      .seriesC = QColor(0x9C, 0xD0, 0x8F),
      .seriesOther = QColor(0x89, 0x83, 0x7B),
      .codeWord = QColor(0x7F, 0xB2, 0xE5),
      .codeValue = QColor(0x9C, 0xD0, 0x8F),
      .codeComment = QColor(0xAC, 0xA7, 0xA1),
      .codeName = QColor(0xCF, 0xA8, 0xE6),
  };
  return theme;
}

double contrastRatio(const QColor& a, const QColor& b) {
  const double la = luminance(a);
  const double lb = luminance(b);
  return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

ThemeManager::ThemeManager(QApplication& app) : m_app(app) {
  // Before we touch it, the palette is the system's: the fallback where no portal answers.
  m_systemDark = luminance(app.palette().color(QPalette::Window)) < 0.2;
  if (QStyle* fusion = QStyleFactory::create(u"Fusion"_s)) QApplication::setStyle(fusion);
  const int system = QFontInfo(QApplication::font()).pixelSize();
  g_metrics.base = std::max(13, system);
  g_metrics.small = std::max(11, g_metrics.base * 11 / 13);
  g_metrics.title = g_metrics.base * 20 / 13;
  QFont font = QApplication::font();
  font.setPixelSize(g_metrics.base);
  QApplication::setFont(font);
  askPortal();
  apply();
}

ThemeManager::~ThemeManager() { g_current = nullptr; }

const Theme& ThemeManager::current() noexcept { return g_current ? *g_current : Theme::light(); }
const Metrics& ThemeManager::metrics() noexcept { return g_metrics; }

void ThemeManager::setChoice(ThemeChoice choice) {
  m_choice = choice;
  apply();
}

void ThemeManager::askPortal() {
  QDBusConnection bus = QDBusConnection::sessionBus();
  if (!bus.isConnected()) return;
  bus.connect(kPortalService, kPortalPath, kPortalInterface, u"SettingChanged"_s, this,
              SLOT(onPortalSetting(QString, QString, QDBusVariant)));
  QDBusMessage read = QDBusMessage::createMethodCall(kPortalService, kPortalPath, kPortalInterface, u"Read"_s);
  read << QString(kAppearance) << QString(kColorScheme);
  auto* watcher = new QDBusPendingCallWatcher(bus.asyncCall(read, 2000), this);
  connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher] {
    const QDBusPendingReply<QDBusVariant> reply = *watcher;
    watcher->deleteLater();
    if (reply.isError()) return;
    // Read() wraps the value twice.
    const QVariant inner = reply.value().variant();
    onPortalSetting(kAppearance, kColorScheme,
                    inner.canConvert<QDBusVariant>() ? inner.value<QDBusVariant>() : QDBusVariant(inner));
  });
}

void ThemeManager::onPortalSetting(const QString& group, const QString& key, const QDBusVariant& value) {
  if (group != kAppearance || key != kColorScheme) return;
  const uint scheme = value.variant().toUInt();  // 0 = no preference, 1 = dark, 2 = light
  if (scheme == 0) return;
  m_systemDark = scheme == 1;
  if (m_choice == ThemeChoice::System) apply();
}

void ThemeManager::apply() {
  const bool dark = m_choice == ThemeChoice::Dark || (m_choice == ThemeChoice::System && m_systemDark);
  const Theme& wanted = dark ? Theme::dark_() : Theme::light();
  if (g_current == &wanted) return;
  g_current = &wanted;
  QApplication::setPalette(paletteOf(wanted));
  m_app.setStyleSheet(styleSheetOf(wanted, g_metrics));
  emit changed();
}

}  // namespace hearth::ui
