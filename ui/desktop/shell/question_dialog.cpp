#include "ui/desktop/shell/question_dialog.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

QuestionDialog::QuestionDialog(const QString& title, const QString& subject, const QString& text, const QString& yes, QWidget* parent)
    : QDialog(parent), m_subject(makeLabel("heading")), m_text(makeLabel("muted")), m_yes(makeButton("primary")), m_no(makeButton()) {
  setWindowTitle(title);
  setAttribute(Qt::WA_DeleteOnClose);
  setModal(true);
  setMinimumWidth(460);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(24, 24, 24, 24);
  column->setSpacing(12);
  QLabel* heading = makeLabel("title");
  heading->setText(title);
  for (QLabel* label : {heading, m_subject, m_text}) {
    label->setTextFormat(Qt::PlainText);  // it came from outside
    label->setWordWrap(true);
    column->addWidget(label);
  }
  m_subject->setText(subject);
  m_subject->setTextInteractionFlags(Qt::TextSelectableByMouse);
  m_subject->setVisible(!subject.isEmpty());
  m_text->setText(text);
  column->addStretch(1);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(12);
  buttons->addStretch(1);
  buttons->addWidget(m_no);
  buttons->addWidget(m_yes);
  column->addLayout(buttons);
  m_yes->setText(yes);
  m_yes->setVisible(!yes.isEmpty());
  m_yes->setAutoDefault(false);  // who is typing when it comes up has not said yes
  m_no->setText(yes.isEmpty() ? tr("Close") : tr("Cancel"));
  m_no->setDefault(true);
  m_no->setFocus();
  setAccessibleDescription(subject + u' ' + text);
  connect(m_yes, &QPushButton::clicked, this, &QDialog::accept);
  connect(m_no, &QPushButton::clicked, this, &QDialog::reject);
}

}  // namespace hearth::ui
