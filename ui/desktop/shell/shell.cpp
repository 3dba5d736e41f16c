#include "ui/desktop/shell/shell.h"

#include <QApplication>
#include <QCloseEvent>
#include <QSessionManager>
#include <QSettings>
#include <QSystemTrayIcon>

#include "ui/desktop/app/main_window.h"
#include "ui/desktop/app/preferences.h"
#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/common/widgets.h"
#include "ui/desktop/settings/settings_page.h"
#include "ui/desktop/shell/opener.h"
#include "ui/desktop/shell/system_card.h"
#include "ui/desktop/shell/tray.h"
#include "ui/desktop/shell/window_place.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {
constexpr const char* kScaleVariable = "QT_SCALE_FACTOR";
constexpr const char* kTokenVariable = "XDG_ACTIVATION_TOKEN";
}  // namespace

Shell::Shell(Bridge& bridge, Preferences& preferences, MotionManager& motion, MainWindow& window, Options options)
    : m_bridge(bridge),
      m_preferences(preferences),
      m_motion(motion),
      m_window(window),
      m_autostart(std::move(options.autostart)),
      m_tray(new Tray(bridge, options.trayAvailable ? options.trayAvailable : &QSystemTrayIcon::isSystemTrayAvailable, this)),
      m_opener(new Opener(bridge, window)),
      m_card(new SystemCard),
      m_appliedScale(options.appliedScale) {
  m_opener->setParent(this);
  window.settings()->insertCard(m_card);
  window.installEventFilter(this);
  connect(m_tray, &Tray::openWanted, this, [this] { raise(); });
  connect(m_tray, &Tray::shareWanted, this, [this] {
    m_window.showPage(Page::Server);
    raise();
  });
  connect(m_tray, &Tray::quitWanted, this, &Shell::quit);
  connect(&window, &MainWindow::quitWanted, this, &Shell::quit);
  // At the end of the session windows are closed to see whether one objects: none of ours does.
  connect(qGuiApp, &QGuiApplication::commitDataRequest, this, [this](QSessionManager&) { m_quitting = true; }, Qt::DirectConnection);
  bindCard();
  applyTray();
  keepOnScreens(&window);
}

Shell::~Shell() { m_window.removeEventFilter(this); }

void Shell::bindCard() {
  m_card->setScale(m_preferences.scale(), m_appliedScale);
  m_card->setMotion(static_cast<int>(m_preferences.motion()));
  connect(m_card, &SystemCard::scaleChosen, this, [this](int percent) { m_preferences.setScale(percent); });
  connect(m_card, &SystemCard::motionChosen, this, [this](int choice) {
    m_preferences.setMotion(static_cast<MotionChoice>(choice));
    m_motion.setChoice(static_cast<MotionChoice>(choice));
  });
  connect(m_card, &SystemCard::trayChosen, this, [this](bool wanted) {
    m_preferences.setTray(wanted);
    applyTray();
  });
  connect(m_card, &SystemCard::autostartChosen, this, [this](bool on) {
    m_card->errorBox()->clear();
    const auto switchIt = [autostart = m_autostart, on]() -> std::pair<Result<void>, bool> {
      auto result = autostart.setEnabled(on);
      return {std::move(result), autostart.enabled()};
    };
    m_bridge.worker().runInOrder(this, switchIt, [this](const std::pair<Result<void>, bool>& answer) {
      if (!answer.first) m_card->errorBox()->showError(answer.first.error());
      m_card->setAutostart(answer.second);
    });
  });
  const auto look = [autostart = m_autostart] {
    (void)autostart.refresh();  // a file that cannot be mended stays as it is, and says so by not working
    return autostart.enabled();
  };
  m_bridge.worker().runInOrder(this, look, [this](bool on) { m_card->setAutostart(on); });
}

void Shell::applyTray() {
  m_tray->setWanted(m_preferences.tray());
  m_card->setTray(m_preferences.tray(), m_tray->available());
  // A closed dialog over a hidden window is not the end.
  QApplication::setQuitOnLastWindowClosed(!m_tray->shown());
}

void Shell::start(const StartRequest& request) {
  if (!request.background) {
    m_window.show();
  } else if (!m_tray->shown()) {
    m_window.showMinimized();
  }
  act(request);
}

void Shell::handle(const StartRequest& request) {
  if (!request.background) raise(request.activationToken);
  act(request);
}

void Shell::act(const StartRequest& request) {
  if (const auto page = pageNamed(request.page)) m_window.showPage(*page);
  if (!request.open.isEmpty()) m_opener->open(request.open);
}

void Shell::raise(const QString& activationToken) {
  if (!activationToken.isEmpty()) qputenv(kTokenVariable, activationToken.toUtf8());  // Qt's Wayland backend reads it there
  if (m_window.isMinimized()) {
    m_window.setWindowState(m_window.windowState() & ~Qt::WindowMinimized);
  }
  m_window.show();
  m_window.raise();
  m_window.activateWindow();
  qunsetenv(kTokenVariable);
}

void Shell::quit() {
  m_quitting = true;
  QApplication::exit(0);
}

bool Shell::eventFilter(QObject* watched, QEvent* event) {
  if (watched != &m_window) return QObject::eventFilter(watched, event);
  if (event->type() == QEvent::LanguageChange) m_tray->retranslate();
  if (event->type() != QEvent::Close || m_quitting) return QObject::eventFilter(watched, event);
  if (m_tray->shown()) {
    m_window.hide();
    event->ignore();
    return true;
  }
  // The tray may have gone since: then closing ends the program as it does without one.
  QApplication::setQuitOnLastWindowClosed(true);
  return QObject::eventFilter(watched, event);
}

void keepQtSettingsIn(const QString& folder) {
  for (const auto format : {QSettings::NativeFormat, QSettings::IniFormat}) QSettings::setPath(format, QSettings::UserScope, folder);
}

std::function<void()> scaleEverything(int percent) {
  if (percent == 100) return [] {};
  const bool was = qEnvironmentVariableIsSet(kScaleVariable);
  const QByteArray before = qgetenv(kScaleVariable);
  bool number = false;
  const double system = before.toDouble(&number);
  qputenv(kScaleVariable, QByteArray::number((number && system > 0 ? system : 1.0) * percent / 100.0));
  return [was, before] {
    if (was) {
      qputenv(kScaleVariable, before);
    } else {
      qunsetenv(kScaleVariable);
    }
  };
}

}  // namespace hearth::ui
