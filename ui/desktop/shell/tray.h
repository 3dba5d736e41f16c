#pragma once

#include <QObject>

#include <functional>
#include <memory>

class QAction;
class QMenu;
class QSystemTrayIcon;

namespace hearth::ui {

class Bridge;

/// The icon in the tray, while the user wants one: how things stand, open, sharing, quit. Qt thread only.
class Tray : public QObject {
  Q_OBJECT
 public:
  /// `available` says whether this desktop shows tray icons; tests bring their own.
  Tray(Bridge& bridge, std::function<bool()> available, QObject* parent = nullptr);
  ~Tray() override;

  [[nodiscard]] bool available() const { return m_available(); }
  void setWanted(bool wanted);
  /// There is an icon that brings the window back.
  [[nodiscard]] bool shown() const;
  [[nodiscard]] QMenu* menu() const { return m_menu.get(); }
  [[nodiscard]] QAction* statusLine() const { return m_status; }
  [[nodiscard]] QAction* openAction() const { return m_open; }
  [[nodiscard]] QAction* shareAction() const { return m_share; }
  [[nodiscard]] QAction* quitAction() const { return m_quit; }
  void retranslate();

 signals:
  void openWanted();
  void shareWanted();  ///< the page with the switch: sharing begins there, with its proof
  void quitWanted();

 private:
  void refresh();

  Bridge& m_bridge;
  std::function<bool()> m_available;
  bool m_wanted = false;
  std::unique_ptr<QMenu> m_menu;
  QAction* m_status;
  QAction* m_model;
  QAction* m_open;
  QAction* m_share;
  QAction* m_quit;
  std::unique_ptr<QSystemTrayIcon> m_icon;
};

}  // namespace hearth::ui
