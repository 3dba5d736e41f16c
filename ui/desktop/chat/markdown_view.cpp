#include "ui/desktop/chat/markdown_view.h"

#include <QEvent>
#include <QKeyEvent>
#include <QPlainTextEdit>
#include <QVBoxLayout>

#include "ui/desktop/chat/code_block.h"
#include "ui/desktop/chat/text_block.h"

namespace hearth::ui {

namespace {

/// The caret went past the last line, or before the first one.
template <class Edit>
bool atEdge(Edit* edit, int direction) {
  QTextCursor next = edit->textCursor();
  return !next.movePosition(direction < 0 ? QTextCursor::Up : QTextCursor::Down);
}

template <class Edit>
void putCaret(Edit* edit, bool atEnd) {
  edit->moveCursor(atEnd ? QTextCursor::End : QTextCursor::Start);
  edit->setFocus(Qt::OtherFocusReason);
}

}  // namespace

MarkdownView::MarkdownView(QWidget* parent) : QWidget(parent), m_column(new QVBoxLayout(this)) {
  m_column->setContentsMargins(0, 0, 0, 0);
  m_column->setSpacing(10);
}

void MarkdownView::setMarkdown(const QString& source) {
  if (source == m_source) return;
  m_source = source;
  std::vector<MarkdownBlock> blocks = parseMarkdown(source);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i < m_blocks.size() && m_blocks[i] == blocks[i]) continue;
    if (i < m_blocks.size() && m_blocks[i].kind == blocks[i].kind) {
      updateBlock(m_widgets[i], blocks[i]);
      continue;
    }
    QWidget* widget = makeWidget(blocks[i]);
    if (i < m_widgets.size()) {
      delete m_column->replaceWidget(m_widgets[i], widget);
      m_widgets[i]->deleteLater();
      m_widgets[i]->hide();
      m_widgets[i] = widget;
    } else {
      m_column->addWidget(widget);
      m_widgets.push_back(widget);
    }
    widget->show();  // else Qt shows it later, and until then it counts for nothing in the height
  }
  while (m_widgets.size() > blocks.size()) {
    m_column->removeWidget(m_widgets.back());
    m_widgets.back()->hide();
    m_widgets.back()->deleteLater();
    m_widgets.pop_back();
  }
  m_blocks = std::move(blocks);
}

QWidget* MarkdownView::makeWidget(const MarkdownBlock& block) {
  QWidget* widget = nullptr;
  if (block.kind == MarkdownBlock::Kind::Code) {
    auto* code = new CodeBlock(this);
    code->editor()->installEventFilter(this);
    widget = code;
  } else {
    widget = new TextBlock(this);
    widget->installEventFilter(this);
  }
  updateBlock(widget, block);
  return widget;
}

void MarkdownView::updateBlock(QWidget* widget, const MarkdownBlock& block) {
  if (block.kind == MarkdownBlock::Kind::Code) {
    auto* code = static_cast<CodeBlock*>(widget);
    code->setCode(block.code, block.language);
    code->mark(m_marked);
  } else {
    auto* text = static_cast<TextBlock*>(widget);
    text->setBlockHtml(block.html, block.math);
    text->mark(m_marked);
  }
}

int MarkdownView::mark(const QString& words) {
  m_marked = words;
  int found = 0;
  for (std::size_t i = 0; i < m_widgets.size(); ++i) {
    found += m_blocks[i].kind == MarkdownBlock::Kind::Code ? static_cast<CodeBlock*>(m_widgets[i])->mark(words)
                                                           : static_cast<TextBlock*>(m_widgets[i])->mark(words);
  }
  return found;
}

QRect MarkdownView::firstMark() const {
  for (std::size_t i = 0; i < m_widgets.size(); ++i) {
    const QRect at = m_blocks[i].kind == MarkdownBlock::Kind::Code ? static_cast<CodeBlock*>(m_widgets[i])->firstMark()
                                                                   : static_cast<TextBlock*>(m_widgets[i])->firstMark();
    if (!at.isNull()) return at.translated(m_widgets[i]->pos());
  }
  return {};
}

bool MarkdownView::takeCaret(bool atEnd) {
  if (m_widgets.empty()) return false;
  const std::size_t i = atEnd ? m_widgets.size() - 1 : 0;
  if (m_blocks[i].kind == MarkdownBlock::Kind::Code) {
    putCaret(static_cast<CodeBlock*>(m_widgets[i])->editor(), atEnd);
  } else {
    putCaret(static_cast<TextBlock*>(m_widgets[i]), atEnd);
  }
  return true;
}

void MarkdownView::moveCaret(QWidget* from, int direction) {
  for (std::size_t i = 0; i < m_widgets.size(); ++i) {
    if (m_widgets[i] != from && !m_widgets[i]->isAncestorOf(from)) continue;
    const std::size_t next = i + static_cast<std::size_t>(direction);  // one before the first is past the end, too
    if (next >= m_widgets.size()) break;
    if (m_blocks[next].kind == MarkdownBlock::Kind::Code) {
      putCaret(static_cast<CodeBlock*>(m_widgets[next])->editor(), direction < 0);
    } else {
      putCaret(static_cast<TextBlock*>(m_widgets[next]), direction < 0);
    }
    return;
  }
  emit caretLeaves(direction);
}

void MarkdownView::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  // Colours are written into the rich text: draw it again in the new theme.
  if (event->type() == QEvent::PaletteChange && !m_source.isEmpty()) {
    const std::vector<MarkdownBlock> blocks = parseMarkdown(m_source);
    for (std::size_t i = 0; i < blocks.size() && i < m_widgets.size(); ++i) {
      if (m_blocks[i] == blocks[i]) continue;
      m_blocks[i] = blocks[i];
      updateBlock(m_widgets[i], blocks[i]);
    }
  }
}

bool MarkdownView::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() != QEvent::KeyPress) return QWidget::eventFilter(watched, event);
  const auto* key = static_cast<QKeyEvent*>(event);
  const int direction = key->key() == Qt::Key_Up ? -1 : key->key() == Qt::Key_Down ? +1 : 0;
  if (direction == 0 || key->modifiers() != Qt::NoModifier) return QWidget::eventFilter(watched, event);
  auto* widget = static_cast<QWidget*>(watched);
  const auto* rich = qobject_cast<QTextEdit*>(widget);
  const auto* plain = qobject_cast<QPlainTextEdit*>(widget);
  if ((rich && atEdge(rich, direction)) || (plain && atEdge(plain, direction))) {
    moveCaret(widget, direction);
    return true;
  }
  return QWidget::eventFilter(watched, event);
}

}  // namespace hearth::ui
