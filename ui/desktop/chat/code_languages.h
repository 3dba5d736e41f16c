#pragma once

#include <QSet>
#include <QString>
#include <QStringList>

#include <vector>

namespace hearth::ui {

/// How a language writes comments, strings and words: one line of a table (code_languages.cpp) for each.
struct CodeLanguage {
  struct Quote {
    QString open, close;
    bool escapes = true;    ///< a backslash takes the next character with it
    bool lines = false;     ///< goes on over line ends
  };
  enum class Shape { Code, Markup, Styles, Data } shape = Shape::Code;
  QStringList names;         ///< as fences call it, lower case; the first is its own
  QStringList lineComments;
  QString blockOpen, blockClose;
  std::vector<Quote> quotes;
  QSet<QString> words;       ///< keywords
  bool anyCase = false;      ///< of keywords
  bool directives = false;   ///< a line that begins with # is one
  bool marks = false;        ///< @name is an annotation
  QString inNames;           ///< signs that names may hold besides letters, digits and _
};

/// The language of a fence; one with the common signs of many languages when the name is empty or not known.
[[nodiscard]] const CodeLanguage& codeLanguage(const QString& name);
[[nodiscard]] const std::vector<CodeLanguage>& codeLanguages();

}  // namespace hearth::ui
