#pragma once

#include <QObject>
#include <QString>

#include <memory>

#include "core/host/host.h"
#include "ui/desktop/bridge/worker.h"

namespace hearth::ui {

class ChatBridge;
class DownloadsBridge;
class HubBridge;
class ModelsBridge;
class MonitorBridge;
class ServerBridge;
class TeamBridge;

/// The one way from the window to the Host, and back: no other class of ui calls core. Owns the worker threads and the
/// parts; the Host outlives it. Qt thread only. Destruction detaches all listeners, then waits for running calls.
class Bridge : public QObject {
  Q_OBJECT
 public:
  explicit Bridge(Host& host, QObject* parent = nullptr);
  ~Bridge() override;

  [[nodiscard]] ChatBridge& chat() const noexcept { return *m_chat; }
  [[nodiscard]] ModelsBridge& models() const noexcept { return *m_models; }
  [[nodiscard]] MonitorBridge& monitor() const noexcept { return *m_monitor; }
  [[nodiscard]] ServerBridge& server() const noexcept { return *m_server; }
  [[nodiscard]] TeamBridge& team() const noexcept { return *m_team; }
  [[nodiscard]] HubBridge& hubs() const noexcept { return *m_hubs; }
  [[nodiscard]] DownloadsBridge& downloads() const noexcept { return *m_downloads; }
  /// For calls that block and need no Host: small files of the desktop.
  [[nodiscard]] Worker& worker() const noexcept { return *m_worker; }
  [[nodiscard]] QString dataFolder() const;
  [[nodiscard]] int threads() const;

  /// Settings of the host in the store; one that is set holds at once where it can (core/host/settings.h names the keys).
  /// `done(value)` with an empty string when unset.
  void setting(const QString& key, QObject* context, std::function<void(Result<QString>)> done);
  void setSetting(const QString& key, const QString& value, QObject* context, std::function<void(Result<void>)> done);

 private:
  Host& m_host;
  std::unique_ptr<Worker> m_worker;
  std::unique_ptr<Worker> m_netWorker;  // a hub that does not answer holds up nobody else
  std::unique_ptr<ChatBridge> m_chat;
  std::unique_ptr<ModelsBridge> m_models;
  std::unique_ptr<MonitorBridge> m_monitor;
  std::unique_ptr<ServerBridge> m_server;
  std::unique_ptr<TeamBridge> m_team;
  std::unique_ptr<HubBridge> m_hubs;
  std::unique_ptr<DownloadsBridge> m_downloads;
};

}  // namespace hearth::ui
