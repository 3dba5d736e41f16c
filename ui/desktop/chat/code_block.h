#pragma once

#include <QFrame>

class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace hearth::ui {

class CodeHighlighter;

/// A code block: language, copy button, the code without wrapping. As high as its lines; scrolls sideways only.
class CodeBlock : public QFrame {
  Q_OBJECT
 public:
  explicit CodeBlock(QWidget* parent = nullptr);
  /// Appends when `code` continues what is shown, so that streaming keeps selection and scroll position.
  void setCode(const QString& code, const QString& language);
  [[nodiscard]] QString code() const;
  [[nodiscard]] QPushButton* copyButton() const { return m_copy; }
  [[nodiscard]] QPlainTextEdit* editor() const { return m_text; }
  /// Marks each occurrence (any case; empty = none) and gives their number.
  int mark(const QString& words);
  /// Where the first marked occurrence stands, in this widget; null when there is none.
  [[nodiscard]] QRect firstMark() const;

 protected:
  void changeEvent(QEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void retranslate();
  void fit();
  QLabel* m_language;
  QPushButton* m_copy;
  QPlainTextEdit* m_text;
  CodeHighlighter* m_highlighter;
  QString m_languageName, m_words;
};

}  // namespace hearth::ui
