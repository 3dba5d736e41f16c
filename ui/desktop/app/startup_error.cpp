#include "ui/desktop/app/startup_error.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

StartupErrorDialog::StartupErrorDialog(const Error& error, const QString& dataFolder, QWidget* parent)
    : QDialog(parent), m_box(new ErrorBox), m_retry(makeButton("primary")) {
  setWindowTitle(tr("Hearth could not start"));
  setMinimumWidth(560);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(24, 24, 24, 24);
  column->setSpacing(16);
  QLabel* title = makeLabel("title");
  title->setText(tr("Hearth could not start"));
  column->addWidget(title);
  m_box->showError(error);
  column->addWidget(m_box);
  QLabel* folder = makeLabel("small");
  folder->setText(tr("Data folder: %1. Another one can be chosen with --data-dir or HEARTH_HOME.").arg(dataFolder));
  folder->setWordWrap(true);
  folder->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  column->addWidget(folder);
  auto* row = new QHBoxLayout;
  row->addStretch(1);
  QPushButton* quit = makeButton();
  quit->setText(tr("Quit"));
  m_retry->setText(tr("Try again"));
  m_retry->setDefault(true);
  row->addWidget(quit);
  row->addWidget(m_retry);
  column->addLayout(row);
  connect(quit, &QPushButton::clicked, this, &QDialog::reject);
  connect(m_retry, &QPushButton::clicked, this, &QDialog::accept);
}

}  // namespace hearth::ui
