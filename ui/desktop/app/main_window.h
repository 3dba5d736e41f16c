#pragma once

#include <QMainWindow>
#include <QString>

#include "ui/desktop/app/rail.h"
#include "ui/desktop/app/window_context.h"

class QStackedWidget;

namespace hearth::ui {

class ChatPage;
class DashboardPage;
class ModelsPage;
class ServerPage;
class SettingsPage;
class StatusStrip;

/// Rail, pages, status strip; shortcuts; loads the last model after the first scan. Qt thread only.
class MainWindow : public QMainWindow {
  Q_OBJECT
 public:
  explicit MainWindow(const WindowContext& context);
  /// The model to load after the first scan instead of the last one: a library name, or the path of a file in a model folder.
  void setStartModel(const QString& nameOrPath) { m_startModel = nameOrPath; }

  void showPage(Page page);
  [[nodiscard]] Page page() const;
  [[nodiscard]] ChatPage* chat() const { return m_chat; }
  [[nodiscard]] ModelsPage* models() const { return m_models; }
  [[nodiscard]] DashboardPage* dashboard() const { return m_dashboard; }
  [[nodiscard]] ServerPage* server() const { return m_server; }
  [[nodiscard]] SettingsPage* settings() const { return m_settings; }
  [[nodiscard]] StatusStrip* strip() const { return m_strip; }

 signals:
  void quitWanted();  ///< the program is to end, also where closing the window only hides it

 protected:
  void changeEvent(QEvent* event) override;
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;
  void closeEvent(QCloseEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  void remember();
  void addShortcuts();
  void afterFirstScan();
  void setWatched(bool watched);

  WindowContext m_context;
  QString m_startModel;
  Rail* m_rail;
  QStackedWidget* m_pages;
  ChatPage* m_chat;
  ModelsPage* m_models;
  DashboardPage* m_dashboard;
  ServerPage* m_server;
  SettingsPage* m_settings;
  StatusStrip* m_strip;
  bool m_firstScanDone = false;
};

}  // namespace hearth::ui
