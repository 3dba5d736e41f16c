#pragma once

#include <QFrame>

class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace hearth::ui {

class UsageBar;

/// Where messages are written: Enter sends, Shift+Enter makes a line, Esc stops. Grows to eight lines. Shows how full the
/// model's context is. Qt thread only.
class Composer : public QFrame {
  Q_OBJECT
 public:
  explicit Composer(QWidget* parent = nullptr);
  void setModelName(const QString& name);  ///< empty = none to write to
  void setBusy(bool busy);
  void setContext(int used, int total);
  void setText(const QString& text);
  [[nodiscard]] QString text() const;
  void focusText();
  [[nodiscard]] QPushButton* button() const { return m_button; }
  [[nodiscard]] QPlainTextEdit* editor() const { return m_text; }

 signals:
  void send(const QString& text);
  void stop();

 protected:
  void changeEvent(QEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void retranslate();
  void fit();
  void press();

  QPlainTextEdit* m_text;
  QLabel* m_hint;
  QLabel* m_contextLabel;
  UsageBar* m_bar;
  QLabel* m_contextFigure;
  QPushButton* m_button;
  QString m_model;
  bool m_busy = false;
  int m_used = 0, m_total = 0;
};

}  // namespace hearth::ui
