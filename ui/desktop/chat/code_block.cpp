#include "ui/desktop/chat/code_block.h"

#include <QAbstractTextDocumentLayout>
#include <QApplication>
#include <QClipboard>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QSet>
#include <QTextBlock>
#include <QTextEdit>
#include <QTimer>
#include <QVBoxLayout>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

#include "ui/desktop/common/theme.h"
#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

bool isKeyword(const QString& word) {
  static const QSet<QString> words = [] {
    const QString all =
        u"alignas async auto await bool break case catch char class const constexpr continue def default defer delete do double elif else "
        u"end enum except explicit export extends extern false False final finally float fn for from func function go goto if impl "
        u"implements import in include inline int interface is lambda let long match mod module mut namespace new nil None not null "
        u"nullptr or and operator override package pass private protected pub public raise return select self short signed sizeof static "
        u"struct super switch template this throw trait true True try type typedef typename union unsigned use using var virtual void "
        u"while with yield where SELECT FROM WHERE INSERT UPDATE DELETE CREATE TABLE JOIN LEFT GROUP ORDER BY AND OR NOT NULL AS ON IN "
        u"LIMIT VALUES INTO SET then fi done echo"_s;
    const QStringList list = all.split(u' ');
    return QSet<QString>(list.begin(), list.end());
  }();
  return words.contains(word);
}

bool hashComments(const QString& language) {
  static const QSet<QString> languages{u"py"_s, u"python"_s, u"sh"_s, u"bash"_s, u"shell"_s, u"zsh"_s, u"ruby"_s, u"rb"_s, u"yaml"_s, u"yml"_s,
                                       u"toml"_s, u"make"_s, u"makefile"_s, u"cmake"_s, u"dockerfile"_s, u"r"_s, u"perl"_s};
  return languages.contains(language);
}

}  // namespace

CodeHighlighter::CodeHighlighter(QTextDocument* document, QString language)
    : QSyntaxHighlighter(document), m_language(std::move(language)) {}

void CodeHighlighter::setLanguage(const QString& language) {
  if (language == m_language) return;
  m_language = language;
  rehighlight();
}

void CodeHighlighter::highlightBlock(const QString& line) {
  const Theme& theme = ThemeManager::current();
  const QString marker = hashComments(m_language) ? u"#"_s : m_language == "sql"_L1 || m_language == "lua"_L1 ? u"--"_s : u"//"_s;
  setCurrentBlockState(0);
  qsizetype i = 0;
  if (previousBlockState() == 1) {  // inside /* … */
    const qsizetype end = line.indexOf("*/"_L1);
    const qsizetype length = end < 0 ? line.size() : end + 2;
    setFormat(0, static_cast<int>(length), theme.codeComment);
    if (end < 0) {
      setCurrentBlockState(1);
      return;
    }
    i = length;
  }
  while (i < line.size()) {
    const QChar c = line[i];
    const qsizetype start = i;
    if (QStringView(line).mid(i).startsWith(marker)) {
      setFormat(static_cast<int>(i), static_cast<int>(line.size() - i), theme.codeComment);
      return;
    }
    if (c == u'/' && i + 1 < line.size() && line[i + 1] == u'*') {
      const qsizetype end = line.indexOf("*/"_L1, i + 2);
      i = end < 0 ? line.size() : end + 2;
      setFormat(static_cast<int>(start), static_cast<int>(i - start), theme.codeComment);
      if (end < 0) setCurrentBlockState(1);
    } else if (c == u'"' || c == u'\'' || c == u'`') {
      for (++i; i < line.size() && line[i] != c; ++i) {
        if (line[i] == u'\\') ++i;
      }
      i = std::min(i + 1, line.size());
      setFormat(static_cast<int>(start), static_cast<int>(i - start), theme.codeValue);
    } else if (c.isDigit()) {
      while (i < line.size() && (line[i].isLetterOrNumber() || line[i] == u'.')) ++i;
      setFormat(static_cast<int>(start), static_cast<int>(i - start), theme.codeValue);
    } else if (c.isLetter() || c == u'_') {
      while (i < line.size() && (line[i].isLetterOrNumber() || line[i] == u'_')) ++i;
      const bool call = i < line.size() && line[i] == u'(';
      if (call || isKeyword(line.mid(start, i - start))) setFormat(static_cast<int>(start), static_cast<int>(i - start), theme.codeWord);
    } else {
      ++i;
    }
  }
}

CodeBlock::CodeBlock(QWidget* parent) : QFrame(parent), m_language(makeLabel("small")), m_copy(makeButton("quiet")), m_text(new QPlainTextEdit) {
  setProperty("role", u"sunken"_s);
  m_text->setProperty("role", u"bare"_s);
  m_text->setReadOnly(true);
  m_text->setFrameShape(QFrame::NoFrame);
  m_text->setLineWrapMode(QPlainTextEdit::NoWrap);
  m_text->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  m_text->setFocusPolicy(Qt::ClickFocus);  // the caret comes from the text before it
  m_text->document()->setDocumentMargin(0);
  QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
  font.setPixelSize(ThemeManager::metrics().base - 1);
  // A style sheet's font would win over setFont() of the widget, the document's own does not.
  m_text->document()->setDefaultFont(font);
  m_text->setFont(font);
  m_text->viewport()->installEventFilter(this);
  m_highlighter = new CodeHighlighter(m_text->document(), {});
  auto* head = new QHBoxLayout;
  head->addWidget(m_language);
  head->addStretch(1);
  head->addWidget(m_copy);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(12, 4, 8, 8);
  column->setSpacing(4);
  column->addLayout(head);
  column->addWidget(m_text);
  connect(m_copy, &QPushButton::clicked, this, [this] {
    QApplication::clipboard()->setText(code());
    m_copy->setText(tr("Copied"));
    QTimer::singleShot(1500, this, &CodeBlock::retranslate);
  });
  connect(m_text->horizontalScrollBar(), &QScrollBar::rangeChanged, this, &CodeBlock::fit);
  retranslate();
}

void CodeBlock::setCode(const QString& code, const QString& language) {
  if (language != m_languageName) {
    m_languageName = language;
    m_highlighter->setLanguage(language.toLower());
    retranslate();
  }
  const QString shown = this->code();
  if (code == shown) return;
  if (!shown.isEmpty() && code.startsWith(shown)) {
    QTextCursor cursor(m_text->document());
    cursor.movePosition(QTextCursor::End);
    cursor.insertText(code.mid(shown.size()));
  } else {
    m_text->setPlainText(code);
  }
  fit();
}

QString CodeBlock::code() const { return m_text->toPlainText(); }

int CodeBlock::mark(const QString& words) {
  if (words.isEmpty() && m_words.isEmpty()) return 0;
  m_words = words;
  QList<QTextEdit::ExtraSelection> found;
  if (!words.isEmpty()) {
    QTextCharFormat format;
    format.setBackground(ThemeManager::current().accent);
    format.setForeground(ThemeManager::current().onAccent);
    for (QTextCursor at = m_text->document()->find(words); !at.isNull(); at = m_text->document()->find(words, at)) found.append({at, format});
  }
  m_text->setExtraSelections(found);
  return static_cast<int>(found.size());
}

QRect CodeBlock::firstMark() const {
  const QList<QTextEdit::ExtraSelection> marks = m_text->extraSelections();
  if (marks.isEmpty()) return {};
  QTextCursor start = marks.front().cursor;
  start.setPosition(start.selectionStart());
  return m_text->cursorRect(start).translated(m_text->pos());
}

void CodeBlock::fit() {
  // Line by line: one with Chinese in it is taller than the font says.
  double lines = 0;
  const QAbstractTextDocumentLayout* layout = m_text->document()->documentLayout();
  for (QTextBlock block = m_text->document()->begin(); block.isValid(); block = block.next()) lines += layout->blockBoundingRect(block).height();
  const bool bar = m_text->horizontalScrollBar()->maximum() > 0;
  const int least = QFontMetrics(m_text->document()->defaultFont()).lineSpacing();
  const int height = std::max(least, static_cast<int>(std::ceil(lines))) + 6 + (bar ? 12 : 0);
  if (height != m_text->height() || m_text->minimumHeight() != height) m_text->setFixedHeight(height);
}

void CodeBlock::retranslate() {
  m_language->setText(m_languageName.isEmpty() ? tr("text") : m_languageName);
  m_copy->setText(tr("Copy"));
  m_copy->setAccessibleName(tr("Copy this code"));
  m_text->setAccessibleName(tr("Code"));
}

void CodeBlock::changeEvent(QEvent* event) {
  QFrame::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
  if (event->type() == QEvent::PaletteChange && m_highlighter) m_highlighter->rehighlight();
}

bool CodeBlock::eventFilter(QObject* watched, QEvent* event) {
  // The wheel turns the transcript; only sideways turns are the block's own.
  if (event->type() == QEvent::Wheel && static_cast<QWheelEvent*>(event)->angleDelta().x() == 0) {
    event->ignore();
    return true;
  }
  return QFrame::eventFilter(watched, event);
}

}  // namespace hearth::ui
