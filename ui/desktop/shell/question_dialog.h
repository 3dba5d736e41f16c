#pragma once

#include <QDialog>

class QLabel;
class QPushButton;

namespace hearth::ui {

/// A question that something from outside asks (a link, a file, another program): what it wants, in full, and what a yes
/// does. Nothing is chosen beforehand but the no. Deletes itself when closed. Qt thread only.
class QuestionDialog : public QDialog {
  Q_OBJECT
 public:
  /// An empty `yes` leaves one button that closes it.
  QuestionDialog(const QString& title, const QString& subject, const QString& text, const QString& yes, QWidget* parent);
  [[nodiscard]] QPushButton* yesButton() const { return m_yes; }
  [[nodiscard]] QPushButton* noButton() const { return m_no; }
  [[nodiscard]] QLabel* subjectLabel() const { return m_subject; }
  [[nodiscard]] QLabel* textLabel() const { return m_text; }

 private:
  QLabel* m_subject;
  QLabel* m_text;
  QPushButton* m_yes;
  QPushButton* m_no;
};

}  // namespace hearth::ui
