#include "ui/desktop/chat/composer.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPlainTextEdit>
#include <QStyle>
#include <QTextBlock>
#include <QVBoxLayout>

#include "ui/desktop/common/format.h"
#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {
constexpr int kMostLines = 8;
}

Composer::Composer(QWidget* parent)
    : QFrame(parent),
      m_text(new QPlainTextEdit),
      m_hint(new ElidedLabel),
      m_contextLabel(makeLabel("small")),
      m_bar(new UsageBar),
      m_contextFigure(makeLabel("small")),
      m_button(makeButton("primary")) {
  setProperty("role", u"composer"_s);
  m_text->setProperty("role", u"bare"_s);
  m_hint->setProperty("role", u"small"_s);
  m_text->setFrameShape(QFrame::NoFrame);
  m_text->setVerticalScrollBarPolicy(Qt::ScrollBarAsNeeded);
  m_text->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_text->setTabChangesFocus(true);
  m_text->document()->setDocumentMargin(0);
  m_text->installEventFilter(this);
  m_bar->setFixedWidth(96);
  auto* row = new QHBoxLayout;
  row->setSpacing(10);
  row->addWidget(m_hint, 1);
  row->addWidget(m_contextLabel);
  row->addWidget(m_bar);
  row->addWidget(m_contextFigure);
  row->addWidget(m_button);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(14, 12, 12, 10);
  column->setSpacing(8);
  column->addWidget(m_text);
  column->addLayout(row);
  connect(m_text->document(), &QTextDocument::contentsChanged, this, &Composer::fit);
  connect(m_text, &QPlainTextEdit::textChanged, this, [this] { m_button->setEnabled(m_busy || !text().trimmed().isEmpty()); });
  connect(m_button, &QPushButton::clicked, this, &Composer::press);
  retranslate();
  fit();
}

void Composer::setModelName(const QString& name) {
  m_model = name;
  retranslate();
}

void Composer::setBusy(bool busy) {
  m_busy = busy;
  retranslate();
}

void Composer::setContext(int used, int total) {
  m_used = used;
  m_total = total;
  retranslate();
}

void Composer::setText(const QString& text) {
  m_text->setPlainText(text);
  m_text->moveCursor(QTextCursor::End);
}

QString Composer::text() const { return m_text->toPlainText(); }

void Composer::focusText() { m_text->setFocus(); }

void Composer::press() {
  if (m_busy) {
    emit stop();
  } else if (const QString message = text(); !message.trimmed().isEmpty()) {
    m_text->clear();
    emit send(message);
  }
}

void Composer::fit() {
  int lines = 0;
  for (QTextBlock block = m_text->document()->begin(); block.isValid() && lines < kMostLines; block = block.next()) {
    lines += std::max(1, block.layout() ? block.layout()->lineCount() : 1);
  }
  const int wanted = m_text->fontMetrics().lineSpacing() * std::clamp(lines, 1, kMostLines) + 6;
  if (m_text->height() != wanted || m_text->minimumHeight() != wanted) m_text->setFixedHeight(wanted);
}

void Composer::retranslate() {
  m_text->setPlaceholderText(m_model.isEmpty() ? tr("Add a model on the Models page to start") : tr("Message %1").arg(m_model));
  m_text->viewport()->update();  // Qt draws the new text only when something else makes it
  m_text->setAccessibleName(tr("Message"));
  static_cast<ElidedLabel*>(m_hint)->setFullText(tr("Enter sends · Shift+Enter makes a new line"));
  m_button->setText(m_busy ? tr("Stop") : tr("Send"));
  m_button->setToolTip(m_busy ? tr("Stop writing (Esc)") : tr("Send (Enter)"));
  m_button->setEnabled(m_busy || !text().trimmed().isEmpty());
  const bool gauge = m_total > 0;
  m_contextLabel->setText(tr("context"));
  m_contextFigure->setText(u"%1 / %2"_s.arg(countText(m_used), countText(m_total)));
  m_contextFigure->setToolTip(tr("Tokens of this conversation, and what the model can see at once"));
  m_bar->setParts(m_total, {{m_total > 0 && m_used > m_total * 9 / 10 ? UsageBar::Part::A : UsageBar::Part::B, m_used}});
  m_bar->setAccessibleName(tr("Context used: %1 of %2 tokens").arg(m_used).arg(m_total));
  m_contextLabel->setVisible(gauge);
  m_bar->setVisible(gauge);
  m_contextFigure->setVisible(gauge);
}

void Composer::changeEvent(QEvent* event) {
  QFrame::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
}

bool Composer::eventFilter(QObject* watched, QEvent* event) {
  if (watched != m_text) return QFrame::eventFilter(watched, event);
  if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) {
    setProperty("focused", event->type() == QEvent::FocusIn);
    style()->unpolish(this);
    style()->polish(this);
  } else if (event->type() == QEvent::Resize) {
    fit();
  } else if (event->type() == QEvent::KeyPress) {
    const auto* key = static_cast<QKeyEvent*>(event);
    if ((key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter) && !(key->modifiers() & Qt::ShiftModifier)) {
      if (!m_busy) press();
      return true;
    }
  }
  return QFrame::eventFilter(watched, event);
}

}  // namespace hearth::ui
