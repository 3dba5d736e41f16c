#include "ui/desktop/chat/message_widget.h"

#include <QApplication>
#include <QClipboard>
#include <QEvent>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPainter>
#include <QPlainTextEdit>
#include <QVBoxLayout>

#include "ui/desktop/chat/markdown_view.h"
#include "ui/desktop/chat/text_block.h"
#include "ui/desktop/common/format.h"
#include "ui/desktop/common/theme.h"
#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {
constexpr int kWidestBubble = 560;

/// What the model thought stands before its answer as a quotation.
QString shownText(const Message& message) {
  if (message.reasoning.empty()) return q(message.text);
  QString thought = q(message.reasoning).trimmed();
  thought.replace(u'\n', u"\n> "_s);
  return u"> "_s + thought + u"\n\n"_s + q(message.text);
}
}  // namespace

MessageWidget::MessageWidget(const TranscriptItem& item, QWidget* parent) : QWidget(parent), m_item(item) {
  setFocusPolicy(Qt::StrongFocus);
  build();
  refresh();
}

bool MessageWidget::canShow(const TranscriptItem& item) const noexcept { return (item.message.role == Role::User) == isUser(); }

int MessageWidget::heightAt(int width) {
  resize(width, std::max(1, height()));
  ensurePolished();
  fitBubble();
  layout()->activate();
  return layout()->hasHeightForWidth() ? layout()->totalHeightForWidth(width) : layout()->totalSizeHint().height();
}

bool MessageWidget::inUse() const {
  const QWidget* focus = QApplication::focusWidget();
  return (m_editor && !m_editor->isHidden()) || (focus && (focus == this || isAncestorOf(focus)));
}

int MessageWidget::mark(const QString& words) {
  if (m_plain) return m_plain->mark(words);
  return m_markdown ? m_markdown->mark(words) : 0;
}

QRect MessageWidget::firstMark() const {
  const QWidget* text = m_plain ? static_cast<QWidget*>(m_plain) : m_markdown;
  if (!text) return {};
  const QRect mark = m_plain ? m_plain->firstMark() : m_markdown->firstMark();
  return mark.isNull() ? mark : QRect(text->mapTo(this, mark.topLeft()), mark.size());
}

bool MessageWidget::takeCaret(bool atEnd) {
  if (m_markdown) return m_markdown->isVisibleTo(this) && m_markdown->takeCaret(atEnd);
  m_plain->moveCursor(atEnd ? QTextCursor::End : QTextCursor::Start);
  m_plain->setFocus(Qt::OtherFocusReason);
  return true;
}

void MessageWidget::build() {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(4);
  if (isUser()) {
    m_bubble = new QFrame;
    m_bubble->setProperty("role", u"bubble"_s);
    m_plain = new TextBlock;
    m_plain->installEventFilter(this);
    auto* inside = new QVBoxLayout(m_bubble);
    inside->setContentsMargins(14, 10, 14, 10);
    inside->addWidget(m_plain);
    column->addWidget(m_bubble, 0, Qt::AlignRight);
  } else {
    m_markdown = new MarkdownView;
    column->addWidget(m_markdown);
    connect(m_markdown, &MarkdownView::caretLeaves, this, [this](int direction) { emit stepped(id(), direction, true); });
    m_error = new ErrorBox;
    column->addWidget(m_error);
  }
  m_actions = new QWidget;
  auto* row = new QHBoxLayout(m_actions);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(2);
  m_state = makeLabel("small");
  m_previous = makeButton("quiet");
  m_previous->setText(u"‹"_s);
  m_branch = makeLabel("small");
  m_next = makeButton("quiet");
  m_next->setText(u"›"_s);
  m_edit = makeButton("quiet");
  m_copy = makeButton("quiet");
  m_again = makeButton("quiet");
  if (isUser()) {
    row->addStretch(1);
  } else {
    row->addWidget(m_state);
    row->addStretch(1);
  }
  for (QWidget* widget : std::initializer_list<QWidget*>{m_previous, m_branch, m_next, m_edit, m_copy, m_again}) row->addWidget(widget);
  m_edit->setVisible(isUser());
  m_again->setVisible(!isUser());
  if (isUser()) m_state->hide();
  column->addWidget(m_actions);
  connect(m_previous, &QPushButton::clicked, this, [this] { emit branchStep(id(), -1); });
  connect(m_next, &QPushButton::clicked, this, [this] { emit branchStep(id(), +1); });
  connect(m_again, &QPushButton::clicked, this, [this] { emit regenerate(id()); });
  connect(m_edit, &QPushButton::clicked, this, &MessageWidget::beginEdit);
  connect(m_copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(q(m_item.message.text)); });
}

void MessageWidget::setItem(const TranscriptItem& item) {
  if (item.message.id != id() && m_editor) endEdit();
  m_item = item;
  refresh();
}

void MessageWidget::updateText(const TranscriptItem& item) {
  m_item = item;
  if (m_markdown) m_markdown->setMarkdown(shownText(item.message));
  refreshFooter();
}

void MessageWidget::setActionsEnabled(bool enabled) {
  m_enabled = enabled;
  refreshFooter();
}

void MessageWidget::refresh() {
  const Message& message = m_item.message;
  if (m_plain) {
    if (m_plain->toPlainText() != q(message.text)) m_plain->setBlockText(q(message.text));
    m_plain->setAccessibleName(tr("Message"));
    fitBubble();
  }
  if (m_markdown) {
    m_markdown->setMarkdown(shownText(message));
    m_markdown->setVisible(!message.text.empty() || !message.reasoning.empty());
    m_markdown->setAccessibleName(tr("Reply"));
  }
  if (m_error) {
    if (message.state == MessageState::Failed && !m_item.running()) {
      m_error->showError(message.error.value_or(Error{ErrorCode::Internal, {}, {}}));
      m_error->setAction(tr("Try again"), [this] { emit regenerate(id()); });
    } else {
      m_error->clear();
    }
  }
  m_edit->setText(tr("Edit"));
  m_edit->setAccessibleName(tr("Edit this message as a new branch"));
  m_copy->setText(tr("Copy"));
  m_copy->setAccessibleName(tr("Copy this message"));
  m_again->setText(tr("Regenerate"));
  m_again->setToolTip(tr("Write another reply; this one stays as a branch"));
  m_previous->setAccessibleName(tr("Previous branch"));
  m_next->setAccessibleName(tr("Next branch"));
  if (m_editSend) {
    m_editSend->setText(tr("Send"));
    m_editCancel->setText(tr("Cancel"));
  }
  refreshName();
  refreshFooter();
}

// What a screen reader says of the message as a whole. Not while it grows: it would never end.
void MessageWidget::refreshName() {
  const QString text = q(m_item.message.text);
  setAccessibleName(isUser() ? tr("You: %1").arg(text) : m_item.running() ? tr("Reply") : tr("Reply: %1").arg(text));
  setAccessibleDescription(tr("Arrow keys go to other messages, Enter into the text"));
}

void MessageWidget::focusInEvent(QFocusEvent* event) {
  QWidget::focusInEvent(event);
  update();
}

void MessageWidget::focusOutEvent(QFocusEvent* event) {
  QWidget::focusOutEvent(event);
  update();
}

void MessageWidget::keyPressEvent(QKeyEvent* event) {
  switch (event->key()) {
    case Qt::Key_Up: emit stepped(id(), -1, false); return;
    case Qt::Key_Down: emit stepped(id(), +1, false); return;
    case Qt::Key_Return:
    case Qt::Key_Enter: takeCaret(false); return;
    case Qt::Key_C:
      if (event->modifiers() == Qt::ControlModifier) {
        m_copy->click();
        return;
      }
      break;
    default: break;
  }
  QWidget::keyPressEvent(event);
}

void MessageWidget::paintEvent(QPaintEvent* event) {
  QWidget::paintEvent(event);
  if (!hasFocus()) return;
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(ThemeManager::current().accent);
  painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), Metrics::kRadius, Metrics::kRadius);
}

void MessageWidget::refreshFooter() {
  const Message& message = m_item.message;
  const bool branches = message.siblingCount > 1;
  m_previous->setVisible(branches);
  m_next->setVisible(branches);
  m_branch->setVisible(branches);
  m_branch->setText(u"%1/%2"_s.arg(message.siblingIndex + 1).arg(message.siblingCount));
  m_previous->setEnabled(m_enabled && message.siblingIndex > 0);
  m_next->setEnabled(m_enabled && message.siblingIndex + 1 < message.siblingCount);
  m_edit->setEnabled(m_enabled);
  m_again->setEnabled(m_enabled);
  m_copy->setVisible(!message.text.empty());
  if (isUser()) return;
  m_again->setVisible(!m_item.running());
  if (m_markdown) m_markdown->setVisible(!message.text.empty() || !message.reasoning.empty());

  const QString tokens = tr("%1 tokens").arg(countText(message.generatedTokens));
  const QString rate = tr("%1 tok/s").arg(figureText(message.tokensPerSecond));
  QStringList parts;
  const char* role = "small";
  switch (m_item.phase) {
    case TranscriptItem::Phase::Starting: parts << tr("Starting…"); break;
    case TranscriptItem::Phase::Loading: parts << tr("Loading the model… %1%").arg(static_cast<int>(m_item.loadProgress * 100)); break;
    case TranscriptItem::Phase::Queued:
      parts << tr("Waiting · place %1 in the queue").arg(m_item.queuePosition);
      if (m_item.queueSeconds >= 0) parts << tr("about %1").arg(secondsText(m_item.queueSeconds));
      break;
    case TranscriptItem::Phase::Reading: parts << tr("Reading the conversation… %1 tokens").arg(countText(message.promptTokens)); break;
    case TranscriptItem::Phase::Writing:
      parts << tr("Writing…");
      if (message.tokensPerSecond > 0) parts << rate;
      break;
    case TranscriptItem::Phase::None:
      if (message.state == MessageState::Stopped) {
        parts << tr("Stopped by you. Regenerate writes it anew.");
        role = "warn";
      } else if (message.state == MessageState::Interrupted) {
        parts << tr("Interrupted: Hearth was closed while writing. Regenerate writes it anew.");
        role = "warn";
      } else if (message.lengthLimited) {
        parts << tr("Ended at the token limit. Raise it under Parameters.");
        role = "warn";
      }
      if (message.tokensPerSecond > 0 && message.state == MessageState::Complete) {
        parts << rate << tr("first token %1").arg(secondsText(message.firstTokenSeconds)) << tokens;
      }
      break;
  }
  setRole(m_state, role);
  m_state->setText(parts.join(u" · "_s));
}

void MessageWidget::fitBubble() {
  if (!m_plain) return;
  const int room = std::max(120, std::min(kWidestBubble, width() - 64) - 28);
  m_plain->document()->setTextWidth(-1);
  const int wanted = std::min(m_plain->naturalWidth() + 1, room);
  // A layout with an alignment asks for no height for this width: what wraps would be cut off.
  const QSize size(wanted, m_plain->heightForWidth(wanted));
  if (m_plain->minimumSize() != size || m_plain->maximumSize() != size) m_plain->setFixedSize(size);
}

void MessageWidget::beginEdit() {
  if (!isUser()) return;
  if (!m_editor) {
    m_editor = new QWidget;
    m_editText = new QPlainTextEdit;
    m_editText->setFixedHeight(104);
    m_editText->installEventFilter(this);
    m_editCancel = makeButton();
    m_editSend = makeButton("primary");
    auto* column = new QVBoxLayout(m_editor);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_editText);
    auto* row = new QHBoxLayout;
    row->addStretch(1);
    row->addWidget(m_editCancel);
    row->addWidget(m_editSend);
    column->addLayout(row);
    static_cast<QVBoxLayout*>(layout())->insertWidget(0, m_editor);
    connect(m_editCancel, &QPushButton::clicked, this, &MessageWidget::endEdit);
    connect(m_editSend, &QPushButton::clicked, this, [this] {
      const QString text = m_editText->toPlainText();
      endEdit();
      if (!text.trimmed().isEmpty()) emit edited(id(), text);
    });
    m_editText->setAccessibleName(tr("Edit this message as a new branch"));
    refresh();
  }
  m_editText->setPlainText(q(m_item.message.text));
  m_bubble->hide();
  m_actions->hide();
  m_editor->show();
  m_editText->setFocus();
  m_editText->moveCursor(QTextCursor::End);
}

void MessageWidget::endEdit() {
  m_editor->hide();
  m_bubble->show();
  m_actions->show();
}

void MessageWidget::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) refresh();
}

void MessageWidget::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  fitBubble();
}

bool MessageWidget::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() != QEvent::KeyPress) return QWidget::eventFilter(watched, event);
  const auto* key = static_cast<QKeyEvent*>(event);
  if (watched == m_editText) {
    const bool enter = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
    if (enter && !(key->modifiers() & Qt::ShiftModifier)) {
      m_editSend->click();
      return true;
    }
    if (key->key() == Qt::Key_Escape) {
      endEdit();
      return true;
    }
  } else if (watched == m_plain && key->modifiers() == Qt::NoModifier && (key->key() == Qt::Key_Up || key->key() == Qt::Key_Down)) {
    QTextCursor next = m_plain->textCursor();
    const bool up = key->key() == Qt::Key_Up;
    if (!next.movePosition(up ? QTextCursor::Up : QTextCursor::Down)) {
      emit stepped(id(), up ? -1 : +1, true);
      return true;
    }
  }
  return QWidget::eventFilter(watched, event);
}

}  // namespace hearth::ui
