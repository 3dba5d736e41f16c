#pragma once

#include <QSyntaxHighlighter>

#include "ui/desktop/chat/code_languages.h"

namespace hearth::ui {

/// Comments, strings, numbers, keywords and names of a language in the theme's colours: enough to read by, not a parser.
class CodeHighlighter : public QSyntaxHighlighter {
  Q_OBJECT
 public:
  CodeHighlighter(QTextDocument* document, const QString& language);
  void setLanguage(const QString& language);

 protected:
  void highlightBlock(const QString& line) override;

 private:
  enum class Part { Word, Value, Comment, Name };
  void colour(qsizetype from, qsizetype to, Part part);
  [[nodiscard]] qsizetype comment(const QString& line, qsizetype at);
  [[nodiscard]] qsizetype quote(const QString& line, qsizetype at, int which, qsizetype from);
  [[nodiscard]] qsizetype name(const QString& line, qsizetype at);
  [[nodiscard]] bool keyFollows(const QString& line, qsizetype at) const;
  [[nodiscard]] qsizetype markup(const QString& line, qsizetype at);
  const CodeLanguage* m_language;
  bool m_inTag = false;
};

}  // namespace hearth::ui
