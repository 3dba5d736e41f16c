#pragma once

#include <QWidget>

class QCheckBox;
class QComboBox;
class QLabel;

namespace hearth::ui {

class ErrorBox;

/// Settings › "Window and session": size of everything, motion, tray, autostart. Draws and asks; the Shell acts. Qt thread only.
class SystemCard : public QWidget {
  Q_OBJECT
 public:
  explicit SystemCard(QWidget* parent = nullptr);
  [[nodiscard]] QComboBox* scaleBox() const { return m_scale; }
  [[nodiscard]] QComboBox* motionBox() const { return m_motion; }
  [[nodiscard]] QCheckBox* trayBox() const { return m_tray; }
  [[nodiscard]] QCheckBox* autostartBox() const { return m_autostart; }
  [[nodiscard]] QLabel* trayNote() const { return m_trayNote; }
  [[nodiscard]] QLabel* scaleNote() const { return m_scaleNote; }
  [[nodiscard]] ErrorBox* errorBox() const { return m_error; }

  void setScale(int percent, int applied);  ///< chosen, and in force since the start
  void setMotion(int choice);               ///< a MotionChoice
  void setTray(bool wanted, bool available);
  void setAutostart(bool on);  ///< as it is; the box rests between a click and this

 signals:
  void scaleChosen(int percent);
  void motionChosen(int choice);
  void trayChosen(bool wanted);
  void autostartChosen(bool on);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  QLabel* m_title;
  ErrorBox* m_error;
  QComboBox* m_scale;
  QComboBox* m_motion;
  QCheckBox* m_tray;
  QCheckBox* m_autostart;
  QLabel *m_scaleLabel, *m_scaleNote, *m_motionLabel, *m_trayLabel, *m_trayNote, *m_autostartLabel, *m_autostartNote;
  int m_chosenScale = 100, m_appliedScale = 100, m_chosenMotion = 0;
  bool m_trayAvailable = true;
};

}  // namespace hearth::ui
