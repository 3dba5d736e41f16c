#pragma once

#include <QObject>
#include <QTimer>

#include <functional>
#include <memory>
#include <vector>

#include "core/host/host.h"
#include "ui/desktop/bridge/inbox.h"
#include "ui/desktop/bridge/worker.h"

namespace hearth::ui {

/// The HTTP server's switch and its request log. Qt thread only; log lines arrive in batches, at most 10 a second.
class ServerBridge : public QObject {
  Q_OBJECT
 public:
  ServerBridge(Host& host, Worker& worker);
  ~ServerBridge() override;
  void detach();

  [[nodiscard]] bool running() const noexcept { return m_running; }
  [[nodiscard]] bool changing() const noexcept { return m_changing; }
  [[nodiscard]] QString address() const { return m_address; }
  void start(quint16 port, const QString& defaultModel);
  void stop();

 signals:
  void changed();
  void failed(const hearth::Error& error);
  void requests(const std::vector<hearth::RequestRecord>& records);

 private:
  void drain();
  void refresh();

  Host& m_host;
  Worker& m_worker;
  std::shared_ptr<Inbox<RequestRecord>> m_inbox;
  QTimer m_timer;
  bool m_running = false;
  bool m_changing = false;
  bool m_attached = true;
  QString m_address;
};

}  // namespace hearth::ui
