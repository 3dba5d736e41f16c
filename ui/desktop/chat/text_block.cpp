#include "ui/desktop/chat/text_block.h"

#include <QAbstractTextDocumentLayout>
#include <QDesktopServices>
#include <QEvent>
#include <QMimeData>
#include <QScrollBar>
#include <QTextBlock>
#include <QTextDocument>
#include <QTextDocumentFragment>
#include <QTextLayout>
#include <QWheelEvent>

#include <cmath>

#include "ui/desktop/chat/markdown.h"
#include "ui/desktop/chat/math/formula.h"
#include "ui/desktop/common/theme.h"

namespace hearth::ui {

TextBlock::TextBlock(QWidget* parent) : QTextBrowser(parent) {
  setProperty("role", QStringLiteral("bare"));
  setFrameShape(QFrame::NoFrame);
  setOpenLinks(false);
  setUndoRedoEnabled(false);
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAsNeeded);  // a wide formula or table is not cut off
  setSizeAdjustPolicy(QAbstractScrollArea::AdjustIgnored);
  setTextInteractionFlags(Qt::TextBrowserInteraction | Qt::TextSelectableByKeyboard);
  setFocusPolicy(Qt::ClickFocus);  // Tab goes from message to message, arrows through the text
  document()->setDocumentMargin(0);
  QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  policy.setHeightForWidth(true);
  setSizePolicy(policy);
  connect(this, &QTextBrowser::anchorClicked, this, [](const QUrl& link) {
    if (isSafeLink(link.toString())) QDesktopServices::openUrl(link);
  });
  connect(this, &QTextBrowser::highlighted, this, [this](const QUrl& link) { setToolTip(link.toString().toHtmlEscaped()); });
}

void TextBlock::setBlockHtml(const QString& html, const std::vector<MathSpan>& math) {
  setHtml(html);
  if (!math.empty()) putFormulas(math);
  contentChanged();
}

void TextBlock::putFormulas(const std::vector<MathSpan>& math) {
  QAbstractTextDocumentLayout* layout = document()->documentLayout();
  if (!layout->handlerForObject(math::FormulaObject::kType)) layout->registerHandler(math::FormulaObject::kType, new math::FormulaObject(layout));
  QTextCursor cursor(document());
  for (const MathSpan& span : math) {
    cursor = document()->find(QString(kMathMark), cursor);
    if (cursor.isNull()) return;
    math::FormulaObject::insert(cursor, span.source, span.written, span.display);
  }
}

QMimeData* TextBlock::createMimeDataFromSelection() const {
  const QTextCursor selection = textCursor();
  QString text = selection.selection().toPlainText();
  qsizetype at = 0;
  for (int i = selection.selectionStart(); i < selection.selectionEnd(); ++i) {
    if (document()->characterAt(i) != QChar(QChar::ObjectReplacementCharacter)) continue;
    QTextCursor there(document());
    there.setPosition(i + 1);
    const QString written = math::FormulaObject::written(there.charFormat());
    at = text.indexOf(QChar::ObjectReplacementCharacter, at);
    if (at < 0) break;
    text.replace(at, 1, written);
    at += written.size();
  }
  auto* copied = new QMimeData;
  copied->setText(text);
  return copied;
}

void TextBlock::setBlockText(const QString& text) {
  setPlainText(text);
  contentChanged();
}

void TextBlock::contentChanged() {
  if (!m_words.isEmpty()) mark(QString(m_words));
  updateGeometry();
}

int TextBlock::mark(const QString& words) {
  m_words = words;
  QList<ExtraSelection> found;
  if (!words.isEmpty()) {
    QTextCharFormat format;
    format.setBackground(ThemeManager::current().accent);
    format.setForeground(ThemeManager::current().onAccent);
    for (QTextCursor at = document()->find(words); !at.isNull(); at = document()->find(words, at)) found.append({at, format});
  }
  setExtraSelections(found);
  return static_cast<int>(found.size());
}

QRect TextBlock::firstMark() const {
  const QList<ExtraSelection> marks = extraSelections();
  if (marks.isEmpty()) return {};
  QTextCursor start = marks.front().cursor;
  start.setPosition(start.selectionStart());
  return cursorRect(start);
}

int TextBlock::heightForWidth(int width) const {
  QTextDocument* const text = document();
  if (text->textWidth() != width) text->setTextWidth(width);
  const bool wide = text->size().width() > width + 1;
  return static_cast<int>(std::ceil(text->size().height())) + (wide ? horizontalScrollBar()->sizeHint().height() : 0);
}

int TextBlock::naturalWidth() const { return static_cast<int>(std::ceil(document()->idealWidth())); }

QSize TextBlock::sizeHint() const {
  const int width = this->width() > 0 ? this->width() : 320;
  return {width, heightForWidth(width)};
}

QSize TextBlock::minimumSizeHint() const { return {32, 0}; }

void TextBlock::wheelEvent(QWheelEvent* event) {
  // The wheel turns the transcript; only sideways turns are the block's own.
  if (event->angleDelta().x() != 0 && horizontalScrollBar()->maximum() > 0) {
    QTextBrowser::wheelEvent(event);
  } else {
    event->ignore();
  }
}

void TextBlock::changeEvent(QEvent* event) {
  QTextBrowser::changeEvent(event);
  if (event->type() == QEvent::FontChange) updateGeometry();
  if (event->type() == QEvent::PaletteChange && !m_words.isEmpty()) mark(QString(m_words));
}

void TextBlock::resizeEvent(QResizeEvent* event) {
  QTextBrowser::resizeEvent(event);
  if (verticalScrollBar()->value() != 0) verticalScrollBar()->setValue(0);
}

}  // namespace hearth::ui
