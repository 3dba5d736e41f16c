#include "ui/desktop/shell/tray.h"

#include <QIcon>
#include <QMenu>
#include <QSystemTrayIcon>

#include "ui/desktop/app/status_strip.h"
#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/bridge/models_bridge.h"
#include "ui/desktop/bridge/server_bridge.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

Tray::Tray(Bridge& bridge, std::function<bool()> available, QObject* parent)
    : QObject(parent), m_bridge(bridge), m_available(std::move(available)), m_menu(std::make_unique<QMenu>()) {
  m_model = m_menu->addAction(QString());
  m_status = m_menu->addAction(QString());
  for (QAction* line : {m_model, m_status}) line->setEnabled(false);
  m_menu->addSeparator();
  m_open = m_menu->addAction(QString());
  m_share = m_menu->addAction(QString());
  m_menu->addSeparator();
  m_quit = m_menu->addAction(QString());
  connect(m_open, &QAction::triggered, this, &Tray::openWanted);
  connect(m_quit, &QAction::triggered, this, &Tray::quitWanted);
  connect(m_share, &QAction::triggered, this, [this] {
    if (m_bridge.server().running()) {
      m_bridge.server().stop();
    } else {
      emit shareWanted();
    }
  });
  connect(&bridge.server(), &ServerBridge::changed, this, &Tray::refresh);
  connect(&bridge.models(), &ModelsBridge::statusChanged, this, &Tray::refresh);
  retranslate();
}

Tray::~Tray() = default;

void Tray::setWanted(bool wanted) {
  m_wanted = wanted;
  if (!wanted) {
    m_icon.reset();
    return;
  }
  if (m_icon) return;
  m_icon = std::make_unique<QSystemTrayIcon>(QIcon(u":/icons/hearth.svg"_s));
  m_icon->setContextMenu(m_menu.get());
  connect(m_icon.get(), &QSystemTrayIcon::activated, this, [this](QSystemTrayIcon::ActivationReason reason) {
    if (reason == QSystemTrayIcon::Trigger || reason == QSystemTrayIcon::DoubleClick) emit openWanted();
  });
  m_icon->show();  // a tray that comes later takes it then
  refresh();
}

bool Tray::shown() const { return m_wanted && m_icon && available(); }

void Tray::refresh() {
  const ServerBridge& server = m_bridge.server();
  const QString model = m_bridge.models().loadedModel();
  m_model->setText(model.isEmpty() ? tr("No model loaded") : model);
  m_status->setText(server.running() ? StatusStrip::serverText(server) : tr("Sharing is off"));
  m_share->setText(!server.running() ? tr("Share…") : server.status().lan ? tr("Stop sharing") : tr("Stop the server"));
  m_share->setEnabled(!server.changing());
  if (m_icon) m_icon->setToolTip(u"Hearth · "_s + m_status->text());
}

void Tray::retranslate() {
  m_open->setText(tr("Open Hearth"));
  m_quit->setText(tr("Quit"));
  refresh();
}

}  // namespace hearth::ui
