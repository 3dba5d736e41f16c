#include "ui/desktop/common/motion.h"

#include <QApplication>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>

#include <utility>

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

bool g_reduced = false;

const auto kService = "org.freedesktop.portal.Desktop"_L1;
const auto kPath = "/org/freedesktop/portal/desktop"_L1;
const auto kInterface = "org.freedesktop.portal.Settings"_L1;

/// What each desktop calls it.
struct PortalKey {
  QLatin1StringView group, key;
  bool (*reduced)(const QVariant& value);
};
constexpr PortalKey kKeys[] = {
    {"org.freedesktop.appearance"_L1, "reduced-motion"_L1, [](const QVariant& value) { return value.toUInt() == 1; }},
    {"org.gnome.desktop.interface"_L1, "enable-animations"_L1, [](const QVariant& value) { return !value.toBool(); }},
};

}  // namespace

MotionManager::MotionManager(QApplication&) : m_flashTime(QApplication::cursorFlashTime()) {
  for (const auto effect : {Qt::UI_AnimateMenu, Qt::UI_FadeMenu, Qt::UI_AnimateCombo, Qt::UI_AnimateTooltip, Qt::UI_FadeTooltip, Qt::UI_AnimateToolBox}) {
    if (QApplication::isEffectEnabled(effect)) m_effects << effect;
  }
  QDBusConnection bus = QDBusConnection::sessionBus();
  if (bus.isConnected()) {
    bus.connect(kService, kPath, kInterface, u"SettingChanged"_s, this, SLOT(onPortalSetting(QString, QString, QDBusVariant)));
    for (const PortalKey& each : kKeys) ask(each.group, each.key);
  }
}

MotionManager::~MotionManager() { g_reduced = false; }

bool MotionManager::reduced() noexcept { return g_reduced; }

void MotionManager::setChoice(MotionChoice choice) {
  m_choice = choice;
  apply();
}

void MotionManager::ask(const QString& group, const QString& key) {
  QDBusMessage read = QDBusMessage::createMethodCall(kService, kPath, kInterface, u"Read"_s);
  read << group << key;
  auto* watcher = new QDBusPendingCallWatcher(QDBusConnection::sessionBus().asyncCall(read, 2000), this);
  connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher, group, key] {
    const QDBusPendingReply<QDBusVariant> reply = *watcher;
    watcher->deleteLater();
    if (reply.isError()) return;
    const QVariant inner = reply.value().variant();  // Read() wraps the value twice
    onPortalSetting(group, key, inner.canConvert<QDBusVariant>() ? inner.value<QDBusVariant>() : QDBusVariant(inner));
  });
}

void MotionManager::onPortalSetting(const QString& group, const QString& key, const QDBusVariant& value) {
  for (const PortalKey& each : kKeys) {
    if (group != each.group || key != each.key) continue;
    m_systemReduced = each.reduced(value.variant());
    apply();
  }
}

void MotionManager::apply() {
  const bool wanted = m_choice == MotionChoice::Reduced || (m_choice == MotionChoice::System && m_systemReduced);
  if (std::exchange(g_reduced, wanted) == wanted) return;
  for (const Qt::UIEffect effect : m_effects) QApplication::setEffectEnabled(effect, !wanted);
  QApplication::setCursorFlashTime(wanted ? 0 : m_flashTime);
  emit changed();
}

}  // namespace hearth::ui
