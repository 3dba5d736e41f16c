#pragma once

#include <QByteArray>
#include <QString>

#include "ui/desktop/app/settings_file.h"
#include "ui/desktop/common/motion.h"
#include "ui/desktop/common/theme.h"

namespace hearth::ui {

/// What the window itself remembers (desktop.ini in the data folder): readable before the Host exists, so that even the
/// error window speaks the user's language. A folder that cannot be written only means that nothing is remembered.
class Preferences {
 public:
  explicit Preferences(const QString& dataFolder);

  [[nodiscard]] QString language() const;  ///< "" = the system's
  void setLanguage(const QString& code);
  [[nodiscard]] ThemeChoice theme() const;
  void setTheme(ThemeChoice choice);
  [[nodiscard]] QByteArray geometry() const;
  void setGeometry(const QByteArray& geometry);
  [[nodiscard]] QString lastModel() const;
  void setLastModel(const QString& id);
  [[nodiscard]] QString draft() const;  ///< what stood in the composer at the end, not yet sent
  void setDraft(const QString& text);
  [[nodiscard]] bool firstRunSkipped() const;  ///< the user wants to look around without a model
  void setFirstRunSkipped(bool skipped);
  [[nodiscard]] int serverPort() const;
  void setServerPort(int port);
  [[nodiscard]] bool serverShared() const;  ///< the server's switch opens it to the network
  void setServerShared(bool shared);
  [[nodiscard]] bool tray() const;  ///< an icon in the tray; closing the window leaves the program running
  void setTray(bool wanted);
  static constexpr int kSmallestScale = 100, kLargestScale = 200;
  [[nodiscard]] int scale() const;  ///< of everything that is shown, in percent; holds from a start on
  void setScale(int percent);
  [[nodiscard]] MotionChoice motion() const;
  void setMotion(MotionChoice choice);
  /// Returns when everything so far is on the disk.
  void flush() { m_settings.flush(); }

 private:
  SettingsFile m_settings;
};

}  // namespace hearth::ui
