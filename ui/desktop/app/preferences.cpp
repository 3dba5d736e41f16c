#include "ui/desktop/app/preferences.h"

#include <algorithm>

namespace hearth::ui {

using namespace Qt::StringLiterals;

Preferences::Preferences(const QString& dataFolder) : m_settings(dataFolder + "/desktop.ini"_L1) {}

QString Preferences::language() const { return m_settings.value("language"_L1).toString(); }
void Preferences::setLanguage(const QString& code) { m_settings.setValue("language"_L1, code); }

ThemeChoice Preferences::theme() const {
  const QString name = m_settings.value("theme"_L1).toString();
  return name == "light"_L1 ? ThemeChoice::Light : name == "dark"_L1 ? ThemeChoice::Dark : ThemeChoice::System;
}
void Preferences::setTheme(ThemeChoice choice) {
  m_settings.setValue("theme"_L1, choice == ThemeChoice::Light ? u"light"_s : choice == ThemeChoice::Dark ? u"dark"_s : u"system"_s);
}

QByteArray Preferences::geometry() const { return m_settings.value("geometry"_L1).toByteArray(); }
void Preferences::setGeometry(const QByteArray& geometry) { m_settings.setValue("geometry"_L1, geometry); }

QString Preferences::lastModel() const { return m_settings.value("last_model"_L1).toString(); }
void Preferences::setLastModel(const QString& id) { m_settings.setValue("last_model"_L1, id); }

QString Preferences::draft() const { return m_settings.value("draft"_L1).toString(); }
void Preferences::setDraft(const QString& text) { m_settings.setValue("draft"_L1, text); }

bool Preferences::firstRunSkipped() const { return m_settings.value("first_run_skipped"_L1, false).toBool(); }
void Preferences::setFirstRunSkipped(bool skipped) { m_settings.setValue("first_run_skipped"_L1, skipped); }

int Preferences::serverPort() const { return m_settings.value("server_port"_L1, 11435).toInt(); }
void Preferences::setServerPort(int port) { m_settings.setValue("server_port"_L1, port); }

bool Preferences::serverShared() const { return m_settings.value("server_shared"_L1, false).toBool(); }
void Preferences::setServerShared(bool shared) { m_settings.setValue("server_shared"_L1, shared); }

bool Preferences::tray() const { return m_settings.value("tray"_L1, false).toBool(); }
void Preferences::setTray(bool wanted) { m_settings.setValue("tray"_L1, wanted); }

int Preferences::scale() const { return std::clamp(m_settings.value("scale"_L1, 100).toInt(), kSmallestScale, kLargestScale); }
void Preferences::setScale(int percent) { m_settings.setValue("scale"_L1, std::clamp(percent, kSmallestScale, kLargestScale)); }

MotionChoice Preferences::motion() const {
  const QString name = m_settings.value("motion"_L1).toString();
  return name == "full"_L1 ? MotionChoice::Full : name == "reduced"_L1 ? MotionChoice::Reduced : MotionChoice::System;
}
void Preferences::setMotion(MotionChoice choice) {
  m_settings.setValue("motion"_L1, choice == MotionChoice::Full ? u"full"_s : choice == MotionChoice::Reduced ? u"reduced"_s : u"system"_s);
}

}  // namespace hearth::ui
