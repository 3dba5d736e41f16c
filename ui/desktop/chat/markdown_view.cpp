#include "ui/desktop/chat/markdown_view.h"

#include <QDesktopServices>
#include <QEvent>
#include <QLabel>
#include <QUrl>
#include <QVBoxLayout>

#include "ui/desktop/chat/code_block.h"

namespace hearth::ui {

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
    widget = new CodeBlock(this);
  } else {
    auto* label = new QLabel(this);
    label->setTextFormat(Qt::RichText);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextBrowserInteraction);
    label->setOpenExternalLinks(false);
    // A word longer than the column must not widen the page.
    label->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    connect(label, &QLabel::linkActivated, this, [](const QString& link) {
      if (isSafeLink(link)) QDesktopServices::openUrl(QUrl(link));
    });
    connect(label, &QLabel::linkHovered, label, [label](const QString& link) { label->setToolTip(link.toHtmlEscaped()); });
    widget = label;
  }
  updateBlock(widget, block);
  return widget;
}

void MarkdownView::updateBlock(QWidget* widget, const MarkdownBlock& block) {
  if (block.kind == MarkdownBlock::Kind::Code) {
    static_cast<CodeBlock*>(widget)->setCode(block.code, block.language);
  } else {
    static_cast<QLabel*>(widget)->setText(block.html);
  }
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

}  // namespace hearth::ui
