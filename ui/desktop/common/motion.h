#pragma once

#include <QList>
#include <QObject>

class QApplication;
class QDBusVariant;

namespace hearth::ui {

enum class MotionChoice { System, Full, Reduced };

/// Whether things may move: the user's choice, or the system's (GNOME's "Animations" and the newer portal key "reduced-motion",
/// both by the XDG desktop portal). Reduced: no fading menus, no sliding, no blinking cursor. Qt thread
/// only. One for each application object; widgets that would animate ask reduced().
class MotionManager : public QObject {
  Q_OBJECT
 public:
  explicit MotionManager(QApplication& app);
  ~MotionManager() override;

  void setChoice(MotionChoice choice);
  [[nodiscard]] MotionChoice choice() const noexcept { return m_choice; }
  /// False before any manager exists.
  [[nodiscard]] static bool reduced() noexcept;

 signals:
  void changed();

 private slots:
  void onPortalSetting(const QString& group, const QString& key, const QDBusVariant& value);

 private:
  void ask(const QString& group, const QString& key);
  void apply();

  MotionChoice m_choice = MotionChoice::System;
  bool m_systemReduced = false;
  const int m_flashTime;          // of the text cursor, as the system has it
  QList<Qt::UIEffect> m_effects;  // which it had
};

}  // namespace hearth::ui
