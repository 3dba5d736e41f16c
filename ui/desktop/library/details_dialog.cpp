#include "ui/desktop/library/details_dialog.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QTreeWidget>
#include <QVBoxLayout>

#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/bridge/models_bridge.h"
#include "ui/desktop/common/format.h"
#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

DetailsDialog::DetailsDialog(Bridge& bridge, const InstalledModel& model, QWidget* parent)
    : QDialog(parent), m_search(new QLineEdit), m_table(new QTreeWidget), m_error(new ErrorBox) {
  setWindowTitle(tr("Details of %1").arg(q(model.id)));
  resize(720, 560);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(24, 24, 24, 24);
  column->setSpacing(12);
  QLabel* title = makeLabel("title");
  title->setText(q(model.id));
  title->setWordWrap(true);
  auto* path = new ElidedLabel;
  path->setProperty("role", u"small"_s);
  path->setFullText(u"%1 · %2"_s.arg(q(model.path.string()), bytesText(model.fileBytes)));
  m_search->setPlaceholderText(tr("Search the metadata"));
  m_search->setAccessibleName(m_search->placeholderText());
  m_search->setClearButtonEnabled(true);
  m_table->setColumnCount(2);
  m_table->setHeaderLabels({tr("Key"), tr("Value")});
  m_table->setRootIsDecorated(false);
  m_table->setAlternatingRowColors(true);
  m_table->setUniformRowHeights(true);
  m_table->setAccessibleName(tr("Metadata"));
  m_table->setColumnWidth(0, 300);
  QPushButton* close = makeButton();
  close->setText(tr("Close"));
  column->addWidget(title);
  column->addWidget(path);
  column->addWidget(m_error);
  column->addWidget(m_search);
  column->addWidget(m_table, 1);
  column->addWidget(close, 0, Qt::AlignRight);
  connect(close, &QPushButton::clicked, this, &QDialog::accept);
  connect(m_search, &QLineEdit::textChanged, this, &DetailsDialog::filter);
  bridge.models().details(q(model.path.string()), this, [this](const Result<std::vector<ModelsBridge::Fact>>& facts) {
    if (!facts) {
      m_error->showError(facts.error());
      return;
    }
    for (const ModelsBridge::Fact& fact : *facts) {
      QString line = fact.value;
      auto* item = new QTreeWidgetItem({fact.key, line.replace(u'\n', u'⏎').left(200)});
      item->setToolTip(1, fact.value.left(1000).toHtmlEscaped());
      m_table->addTopLevelItem(item);
    }
  });
}

void DetailsDialog::filter(const QString& text) {
  for (int i = 0; i < m_table->topLevelItemCount(); ++i) {
    QTreeWidgetItem* item = m_table->topLevelItem(i);
    item->setHidden(!item->text(0).contains(text, Qt::CaseInsensitive) && !item->text(1).contains(text, Qt::CaseInsensitive));
  }
}

}  // namespace hearth::ui
