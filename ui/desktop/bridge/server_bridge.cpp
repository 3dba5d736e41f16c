#include "ui/desktop/bridge/server_bridge.h"

namespace hearth::ui {

namespace {
constexpr int kBatchMilliseconds = 100;
constexpr std::size_t kMostWaiting = 1000;
}  // namespace

ServerBridge::ServerBridge(Host& host, Worker& worker) : m_host(host), m_worker(worker) {
  m_inbox = std::make_shared<Inbox<RequestRecord>>(
      this,
      [this] {
        if (!m_timer.isActive()) m_timer.start();
      },
      kMostWaiting);
  m_timer.setSingleShot(true);
  m_timer.setInterval(kBatchMilliseconds);
  connect(&m_timer, &QTimer::timeout, this, &ServerBridge::drain);
  m_host.server().setRequestListener([inbox = m_inbox](const RequestRecord& record) { inbox->push(record); });
  m_running = m_host.server().running();
  m_address = QString::fromStdString(m_host.server().address());
}

ServerBridge::~ServerBridge() { detach(); }

void ServerBridge::detach() {
  if (!m_attached) return;
  m_attached = false;
  m_host.server().setRequestListener({});
  m_inbox->close();
}

void ServerBridge::start(quint16 port, const QString& defaultModel) {
  if (m_changing || m_running) return;
  m_changing = true;
  emit changed();
  ServerOptions options;
  options.port = port;
  options.defaultModel = defaultModel.toStdString();
  m_worker.run(
      this, [this, options] { return m_host.server().start(options); },
      [this](const Result<void>& started) {
        m_changing = false;
        refresh();
        if (!started) emit failed(started.error());
      });
}

void ServerBridge::stop() {
  if (m_changing || !m_running) return;
  m_changing = true;
  emit changed();
  m_worker.run(
      this, [this] { m_host.server().stop(); },
      [this] {
        m_changing = false;
        refresh();
      });
}

void ServerBridge::refresh() {
  m_running = m_host.server().running();
  m_address = QString::fromStdString(m_host.server().address());
  emit changed();
}

void ServerBridge::drain() {
  const std::vector<RequestRecord> records = m_inbox->take();
  if (!records.empty()) emit requests(records);
}

}  // namespace hearth::ui
