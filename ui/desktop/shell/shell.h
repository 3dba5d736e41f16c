#pragma once

#include <QObject>

#include <functional>

#include "ui/desktop/common/motion.h"
#include "ui/desktop/shell/autostart.h"
#include "ui/desktop/shell/start_request.h"

namespace hearth::ui {

class Bridge;
class MainWindow;
class Opener;
class Preferences;
class SystemCard;
class Tray;

/// What the desktop around it and the main window have to do with each other: tray, autostart, links and files from outside,
/// motion, the place of the window, and when closing it ends the program. Made after the window, ends before it. Qt thread
/// only.
class Shell : public QObject {
  Q_OBJECT
 public:
  struct Options {
    Autostart autostart;
    std::function<bool()> trayAvailable;  ///< empty = ask the system
    int appliedScale = 100;               ///< in force since the start
  };
  Shell(Bridge& bridge, Preferences& preferences, MotionManager& motion, MainWindow& window, Options options);
  ~Shell() override;

  /// The first showing of the window: with the session it waits in the tray, or minimised.
  void start(const StartRequest& request);
  /// Another start asks.
  void handle(const StartRequest& request);
  void raise(const QString& activationToken = {});
  void quit();  ///< also where closing would only hide

  [[nodiscard]] Tray& tray() const { return *m_tray; }
  [[nodiscard]] Opener& opener() const { return *m_opener; }
  [[nodiscard]] SystemCard* card() const { return m_card; }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void applyTray();
  void bindCard();
  void act(const StartRequest& request);

  Bridge& m_bridge;
  Preferences& m_preferences;
  MotionManager& m_motion;
  MainWindow& m_window;
  Autostart m_autostart;
  Tray* m_tray;
  Opener* m_opener;
  SystemCard* m_card;
  const int m_appliedScale;
  bool m_quitting = false;
};

/// The data folder of a portable Hearth leaves nothing in the user's settings, either: Qt's own go there, too.
void keepQtSettingsIn(const QString& folder);

/// Makes everything that will be shown larger: before the application object is made. Undo with the returned function once it
/// is there, so that programs which this one starts are not enlarged.
[[nodiscard]] std::function<void()> scaleEverything(int percent);

}  // namespace hearth::ui
