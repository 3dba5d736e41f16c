#include "ui/desktop/chat/code_highlighter.h"

#include <algorithm>

#include "ui/desktop/common/theme.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

// What a line ends in: nothing, a comment, a string of the table's n-th kind; and in markup, whether inside a tag.
constexpr int kNothing = 0;
constexpr int kComment = 1;
constexpr int kQuote = 2;
constexpr int kTag = 64;

bool startsAt(const QString& line, qsizetype at, const QString& words) { return !words.isEmpty() && QStringView(line).mid(at).startsWith(words); }

}  // namespace

CodeHighlighter::CodeHighlighter(QTextDocument* document, const QString& language)
    : QSyntaxHighlighter(document), m_language(&codeLanguage(language)) {}

void CodeHighlighter::setLanguage(const QString& language) {
  const CodeLanguage* wanted = &codeLanguage(language);
  if (wanted == m_language) return;
  m_language = wanted;
  rehighlight();
}

void CodeHighlighter::colour(qsizetype from, qsizetype to, Part part) {
  const Theme& theme = ThemeManager::current();
  const QColor& wanted = part == Part::Word ? theme.codeWord : part == Part::Value ? theme.codeValue : part == Part::Name ? theme.codeName : theme.codeComment;
  setFormat(static_cast<int>(from), static_cast<int>(to - from), wanted);
}

// To the end of the comment that goes on at `at`.
qsizetype CodeHighlighter::comment(const QString& line, qsizetype at) {
  const qsizetype end = line.indexOf(m_language->blockClose, at);
  if (end < 0) setCurrentBlockState(kComment | (m_inTag ? kTag : 0));
  return end < 0 ? line.size() : end + m_language->blockClose.size();
}

// A string of this kind that began at `from`; `at` is in it.
qsizetype CodeHighlighter::quote(const QString& line, qsizetype at, int which, qsizetype from) {
  const CodeLanguage::Quote& kind = m_language->quotes[static_cast<std::size_t>(which)];
  qsizetype i = at;
  for (; i < line.size(); ++i) {
    if (kind.escapes && line[i] == u'\\') {
      ++i;
    } else if (startsAt(line, i, kind.close)) {
      i += kind.close.size();
      colour(from, i, m_language->shape == CodeLanguage::Shape::Data && keyFollows(line, i) ? Part::Name : Part::Value);
      return i;
    }
  }
  if (kind.lines) setCurrentBlockState((kQuote + which) | (m_inTag ? kTag : 0));
  colour(from, line.size(), Part::Value);
  return line.size();
}

bool CodeHighlighter::keyFollows(const QString& line, qsizetype at) const {
  while (at < line.size() && line[at].isSpace()) ++at;
  return at < line.size() && (line[at] == u':' || line[at] == u'=');
}

qsizetype CodeHighlighter::name(const QString& line, qsizetype at) {
  using Shape = CodeLanguage::Shape;
  const auto inName = [this](QChar c) { return c.isLetterOrNumber() || c == u'_' || m_language->inNames.contains(c); };
  qsizetype end = at + 1;
  while (end < line.size() && inName(line[end])) ++end;
  const QString word = line.mid(at, end - at);
  if (m_language->words.contains(m_language->anyCase ? word.toLower() : word)) {
    colour(at, end, Part::Word);
  } else if (m_language->anyCase && m_language->words.contains(word)) {
    colour(at, end, Part::Word);
  } else if (m_language->shape == Shape::Data || m_language->shape == Shape::Styles) {
    if (keyFollows(line, end)) colour(at, end, m_language->shape == Shape::Styles ? Part::Word : Part::Name);
  } else if (end < line.size() && line[end] == u'(') {
    colour(at, end, Part::Name);
  } else if (word.size() > 1 && word[0].isUpper() && !word.isUpper() && !m_language->words.isEmpty() && !m_language->anyCase) {
    colour(at, end, Part::Name);  // a type, in nearly every language that has them
  }
  return end;
}

// One step through tags, attributes and entities.
qsizetype CodeHighlighter::markup(const QString& line, qsizetype at) {
  const QChar c = line[at];
  if (!m_inTag) {
    if (c == u'&') {
      const qsizetype end = line.indexOf(u';', at);
      if (end > at && end - at < 10) {
        colour(at, end + 1, Part::Value);
        return end + 1;
      }
    }
    if (c != u'<') return at + 1;
    m_inTag = true;
    qsizetype end = at + 1;
    while (end < line.size() && (line[end].isLetterOrNumber() || u"/!?-:_."_s.contains(line[end]))) ++end;
    colour(at, end, Part::Word);
    return end;
  }
  if (c == u'>' || (c == u'/' && startsAt(line, at, u"/>"_s))) {
    m_inTag = false;
    const qsizetype end = at + (c == u'>' ? 1 : 2);
    colour(at, end, Part::Word);
    return end;
  }
  if (!c.isLetter() && c != u'_' && c != u':' && c != u'@') return at + 1;
  qsizetype end = at + 1;
  while (end < line.size() && (line[end].isLetterOrNumber() || u"-:_.@"_s.contains(line[end]))) ++end;
  colour(at, end, Part::Name);
  return end;
}

void CodeHighlighter::highlightBlock(const QString& line) {
  const int before = std::max(0, previousBlockState());
  const int open = before & (kTag - 1);
  m_inTag = (before & kTag) != 0;
  setCurrentBlockState(kNothing);
  qsizetype i = 0;
  if (open == kComment) {
    i = comment(line, 0);
    colour(0, i, Part::Comment);
  } else if (open >= kQuote && static_cast<std::size_t>(open - kQuote) < m_language->quotes.size()) {
    i = quote(line, 0, open - kQuote, 0);
  }
  const bool markupShape = m_language->shape == CodeLanguage::Shape::Markup;
  while (i < line.size()) {
    const QChar c = line[i];
    if (startsAt(line, i, m_language->blockOpen)) {
      const qsizetype end = comment(line, i + m_language->blockOpen.size());
      colour(i, end, Part::Comment);
      i = end;
      continue;
    }
    const bool lineComment = std::ranges::any_of(m_language->lineComments, [&](const QString& mark) {
      // A # in a word of the shell, or in an address, begins none.
      return startsAt(line, i, mark) && (mark != "#"_L1 || i == 0 || line[i - 1].isSpace() || m_language->shape == CodeLanguage::Shape::Code) &&
             (mark != "#"_L1 || i == 0 || line[i - 1] != u'$');
    });
    if (lineComment) {
      colour(i, line.size(), Part::Comment);
      break;
    }
    int which = 0;
    const int kinds = static_cast<int>(m_language->quotes.size());
    while (which < kinds && !startsAt(line, i, m_language->quotes[static_cast<std::size_t>(which)].open)) ++which;
    // A sign for a foot or a separator of digits (1'000) begins no string.
    const bool insideWord = c == u'\'' && i > 0 && line[i - 1].isLetterOrNumber() && m_language->shape != CodeLanguage::Shape::Markup && !(i > 0 && u"rbfuLR"_s.contains(line[i - 1]));
    if (which < kinds && !insideWord && (!markupShape || m_inTag)) {
      i = quote(line, i + m_language->quotes[static_cast<std::size_t>(which)].open.size(), which, i);
    } else if (markupShape) {
      i = markup(line, i);
    } else if (m_language->directives && c == u'#' && QStringView(line).left(i).trimmed().isEmpty()) {
      qsizetype end = i + 1;
      while (end < line.size() && (line[end].isLetter() || line[end].isSpace()) && !(end > i + 1 && line[end].isSpace() && line[end - 1].isLetter())) ++end;
      colour(i, end, Part::Word);
      i = end;
    } else if (m_language->marks && c == u'@' && i + 1 < line.size() && line[i + 1].isLetter()) {
      qsizetype end = i + 1;
      while (end < line.size() && (line[end].isLetterOrNumber() || u"_.-"_s.contains(line[end]))) ++end;
      colour(i, end, Part::Name);
      i = end;
    } else if (c.isDigit() || (c == u'#' && m_language->shape == CodeLanguage::Shape::Styles && i + 1 < line.size() && line[i + 1].isLetterOrNumber())) {
      qsizetype end = i + 1;
      while (end < line.size() && (line[end].isLetterOrNumber() || line[end] == u'.' || line[end] == u'_' || line[end] == u'%' || (line[end] == u'\'' && end + 1 < line.size() && line[end + 1].isDigit()))) ++end;
      colour(i, end, Part::Value);
      i = end;
    } else if (c.isLetter() || c == u'_' || (m_language->inNames.contains(c) && c == u'$')) {
      i = name(line, i);
    } else {
      ++i;
    }
  }
  if (markupShape && currentBlockState() == kNothing) setCurrentBlockState(m_inTag ? kTag : kNothing);
}

}  // namespace hearth::ui
