#pragma once

#include <QObject>
#include <QString>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/platform/file_lock.h"
#include "ui/desktop/shell/start_request.h"

class QLocalServer;
class QLocalSocket;

namespace hearth::ui {

/// One window for each data folder. The first start holds a lock in the folder, which the system releases however the
/// process ends, and listens on a local socket that only this user can reach; a second one hands its request over and
/// ends. Qt thread only.
class SingleInstance : public QObject {
  Q_OBJECT
 public:
  /// `dataFolder` exists and can be written; where it cannot, this start counts as the first: the Host tells why.
  explicit SingleInstance(const QString& dataFolder, QObject* parent = nullptr);
  ~SingleInstance() override;

  [[nodiscard]] bool first() const noexcept { return m_lock.has_value() || !m_taken; }
  /// Second start: gives `request` to the first one. False when that one does not answer within `milliseconds`, or ended
  /// meanwhile: then this one is first().
  [[nodiscard]] bool handOver(const StartRequest& request, int milliseconds);
  /// First start: requests come here, those that came before at once.
  void setHandler(std::function<void(const StartRequest&)> handler);
  /// The program ends: later starts do not turn to this one. The lock stays until destruction.
  void close();
  /// Where the first one listens.
  [[nodiscard]] static QString socketOf(const QString& dataFolder);

 private:
  void lock();
  void listen();
  void receive(QLocalSocket* socket);
  void take(const StartRequest& request);

  const QString m_file, m_socket;
  std::optional<platform::FileLock> m_lock;
  bool m_taken = false;  // by another process
  QLocalServer* m_server = nullptr;
  std::function<void(const StartRequest&)> m_handler;
  std::vector<StartRequest> m_waiting;
};

}  // namespace hearth::ui
