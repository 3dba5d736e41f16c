#include "ui/desktop/app/status_strip.h"

#include <QEvent>
#include <QHBoxLayout>

#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/bridge/models_bridge.h"
#include "ui/desktop/bridge/monitor_bridge.h"
#include "ui/desktop/bridge/server_bridge.h"
#include "ui/desktop/common/format.h"
#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

StatusStrip::StatusStrip(Bridge& bridge, QWidget* parent)
    : QFrame(parent),
      m_bridge(bridge),
      m_dot(makeLabel("small")),
      m_model(new ElidedLabel),
      m_detail(makeLabel("small")),
      m_memoryName(makeLabel("small")),
      m_bar(new UsageBar),
      m_memory(makeLabel("small")),
      m_rate(makeLabel("small")),
      m_shared(makeButton("strip")) {
  setObjectName(u"statusStrip"_s);
  setFixedHeight(30);
  m_dot->setText(u"●"_s);
  m_model->setProperty("role", u"small"_s);
  m_bar->setFixedWidth(112);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(14, 0, 14, 0);
  row->setSpacing(8);
  row->addWidget(m_dot);
  row->addWidget(m_model);
  row->addWidget(m_detail);
  row->addSpacing(8);
  row->addWidget(m_memoryName);
  row->addWidget(m_bar);
  row->addWidget(m_memory);
  row->addSpacing(8);
  row->addWidget(m_rate);
  row->addStretch(1);
  row->addWidget(m_shared);
  connect(&bridge.models(), &ModelsBridge::modelsChanged, this, &StatusStrip::refresh);
  connect(&bridge.models(), &ModelsBridge::statusChanged, this, &StatusStrip::refresh);
  connect(&bridge.monitor(), &MonitorBridge::sampled, this, &StatusStrip::refresh);
  connect(&bridge.server(), &ServerBridge::changed, this, &StatusStrip::refresh);
  connect(m_shared, &QPushButton::clicked, this, &StatusStrip::serverWanted);
  refresh();
}

void StatusStrip::refresh() {
  const ModelsBridge& models = m_bridge.models();
  const QString id = models.loadedModel();
  const ModelStatus status = models.status(id);
  const InstalledModel* model = models.find(id);
  const bool ready = status.state == ModelState::Ready && !id.isEmpty();
  setRole(m_dot, ready ? "good" : status.state == ModelState::Loading ? "warn" : "small");
  m_model->setFullText(id.isEmpty() ? tr("No model loaded") : id);
  QStringList detail;
  if (model && model->config) detail << q(model->config->quantisation);
  if (status.state == ModelState::Loading) detail << tr("loading %1%").arg(static_cast<int>(status.progress * 100));
  m_detail->setText(detail.join(u" · "_s));
  m_detail->setVisible(!detail.isEmpty());

  const auto& history = m_bridge.monitor().history();
  const bool sampled = !history.empty();
  const bool memory = ready && sampled && history.back().hardware.memoryTotal > 0;
  m_memoryName->setText(tr("memory"));
  if (memory) {
    const HardwareSample& now = history.back().hardware;
    const std::uint64_t ours = status.weightBytes + status.kvBytes;
    const std::uint64_t used = now.memoryTotal - std::min(now.memoryTotal, now.memoryAvailable);
    m_bar->setParts(static_cast<double>(now.memoryTotal),
                    {{UsageBar::Part::A, static_cast<double>(status.weightBytes)},
                     {UsageBar::Part::B, static_cast<double>(status.kvBytes)},
                     {UsageBar::Part::Other, static_cast<double>(used > ours ? used - ours : 0)}});
    m_memory->setText(tr("%1 of %2").arg(bytesText(ours), bytesText(now.memoryTotal)));
    const QString tip = tr("Weights %1, KV cache %2; the grey part is used by everything else").arg(bytesText(status.weightBytes), bytesText(status.kvBytes));
    m_bar->setToolTip(tip);
    m_memory->setToolTip(tip);
  }
  m_memoryName->setVisible(memory);
  m_bar->setVisible(memory);
  m_memory->setVisible(memory);

  const EngineStats engines = sampled ? history.back().engines : EngineStats{};
  m_rate->setText(tr("%1 tok/s").arg(figureText(engines.decodeTokensPerSecond)));
  m_rate->setVisible(ready);
  const ServerBridge& server = m_bridge.server();
  m_shared->setVisible(server.running());
  if (!server.running()) return;
  m_shared->setText(serverText(server));
  const ServerStatus& standing = server.status();
  if (standing.lan) {
    const QStringList users = server.activeUsers();
    const QString address = standing.addresses.empty() ? server.address() : q(standing.addresses.front());
    m_shared->setToolTip(users.isEmpty() ? tr("Shared at %1. Nobody used it in the last ten minutes.").arg(address)
                                         : tr("Shared at %1. In the last ten minutes used by: %2").arg(address, users.join(u", "_s)));
  } else {
    m_shared->setToolTip(tr("The server answers at %1, to programs on this computer.").arg(server.address()));
  }
  m_shared->setAccessibleName(m_shared->text());
  m_shared->setAccessibleDescription(m_shared->toolTip());
}

QString StatusStrip::serverText(const ServerBridge& server) {
  if (!server.running()) return {};
  const int queued = server.waiting();
  if (server.status().lan) {
    const qsizetype users = server.activeUsers().size();
    return users == 1 ? tr("shared · 1 user · %1 queued").arg(queued) : tr("shared · %1 users · %2 queued").arg(users).arg(queued);
  }
  const int running = static_cast<int>(server.queue().size()) - queued;
  return tr("server on · %1 running · %2 queued").arg(running).arg(queued);
}

void StatusStrip::changeEvent(QEvent* event) {
  QFrame::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) refresh();
}

}  // namespace hearth::ui
