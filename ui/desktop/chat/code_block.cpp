#include "ui/desktop/chat/code_block.h"

#include <QAbstractTextDocumentLayout>
#include <QApplication>
#include <QClipboard>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QTextBlock>
#include <QTextEdit>
#include <QTimer>
#include <QVBoxLayout>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

#include "ui/desktop/chat/code_highlighter.h"
#include "ui/desktop/common/theme.h"
#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

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
