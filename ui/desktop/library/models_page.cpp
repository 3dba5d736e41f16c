#include "ui/desktop/library/models_page.h"

#include <QEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QMimeData>
#include <QProgressBar>
#include <QStackedWidget>
#include <QUrl>
#include <QVBoxLayout>

#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/bridge/models_bridge.h"
#include "ui/desktop/common/format.h"
#include "ui/desktop/common/theme.h"
#include "ui/desktop/common/widgets.h"
#include "ui/desktop/library/details_dialog.h"
#include "ui/desktop/library/model_card.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

ModelsPage::ModelsPage(Bridge& bridge, QWidget* parent)
    : QWidget(parent),
      m_bridge(bridge),
      m_title(makeLabel("title")),
      m_summary(makeLabel("small")),
      m_addFolder(makeButton()),
      m_importButton(makeButton()),
      m_error(new ErrorBox),
      m_importCard(new QFrame),
      m_importName(new ElidedLabel),
      m_importBar(new QProgressBar),
      m_importFigures(makeLabel("small")),
      m_importCancel(makeButton()),
      m_stack(new QStackedWidget),
      m_empty(new EmptyState),
      m_list(nullptr),
      m_problems(new QVBoxLayout) {
  setObjectName(u"page"_s);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(12);
  auto* top = new QVBoxLayout;
  top->setContentsMargins(Metrics::kPageMargin, 20, Metrics::kPageMargin, 0);
  top->setSpacing(12);
  auto* header = new QHBoxLayout;
  header->setSpacing(12);
  header->addWidget(m_title);
  header->addStretch(1);
  header->addWidget(m_addFolder);
  header->addWidget(m_importButton);
  top->addLayout(header);
  top->addWidget(m_summary);
  top->addWidget(m_error);
  m_importCard->setProperty("role", u"card"_s);
  auto* importRow = new QHBoxLayout(m_importCard);
  importRow->setContentsMargins(16, 12, 16, 12);
  importRow->setSpacing(12);
  m_importBar->setTextVisible(false);
  m_importBar->setRange(0, 1000);
  importRow->addWidget(m_importName, 1);
  importRow->addWidget(m_importBar, 1);
  importRow->addWidget(m_importFigures);
  importRow->addWidget(m_importCancel);
  m_importCard->hide();
  top->addWidget(m_importCard);
  column->addLayout(top);
  auto* area = new QScrollArea;
  QVBoxLayout* body = makeScrollBody(area, Metrics::kPageMargin);
  body->setContentsMargins(Metrics::kPageMargin, 0, Metrics::kPageMargin, Metrics::kPageMargin);
  m_list = new QVBoxLayout;
  m_list->setSpacing(10);
  m_problems->setSpacing(10);
  body->addLayout(m_list);
  body->addLayout(m_problems);
  body->addStretch(1);
  m_empty->setIcon("models"_L1);
  m_stack->addWidget(m_empty);
  m_stack->addWidget(area);
  column->addWidget(m_stack, 1);

  connect(m_importButton, &QPushButton::clicked, this, &ModelsPage::chooseFiles);
  connect(m_empty, &EmptyState::activated, this, &ModelsPage::chooseFiles);
  connect(m_addFolder, &QPushButton::clicked, this, &ModelsPage::chooseFolder);
  ModelsBridge& models = bridge.models();
  connect(m_importCancel, &QPushButton::clicked, &models, &ModelsBridge::cancelImport);
  connect(&models, &ModelsBridge::modelsChanged, this, &ModelsPage::fill);
  connect(&models, &ModelsBridge::scanFailed, m_error, &ErrorBox::showError);
  connect(&models, &ModelsBridge::statusChanged, this, &ModelsPage::refreshStatus);
  connect(&models, &ModelsBridge::importProgress, this, &ModelsPage::showProgress);
  connect(&models, &ModelsBridge::importFinished, this, &ModelsPage::endImport);
  connect(&models, &ModelsBridge::importFailed, this, [this](const QString&, const Error& error) {
    if (error.code == ErrorCode::Cancelled) {
      m_queue.clear();
    } else {
      m_error->showError(error);
    }
    endImport();
  });
  retranslate();
}

QStringList ModelsPage::modelFiles(const QMimeData* data) {
  QStringList files;
  for (const QUrl& url : data->urls()) {
    const QString file = url.toLocalFile();
    if (file.endsWith(".gguf"_L1, Qt::CaseInsensitive)) files << file;
  }
  return files;
}

void ModelsPage::importFiles(const QStringList& files) {
  m_error->clear();
  m_queue += files;
  nextImport();
}

void ModelsPage::nextImport() {
  if (m_queue.isEmpty() || m_bridge.models().importing()) return;
  m_bridge.models().import(m_queue.takeFirst());
}

void ModelsPage::endImport() {
  m_importCard->hide();
  nextImport();
}

void ModelsPage::showProgress(const QString& file, quint64 done, quint64 total, double seconds) {
  m_importCard->show();
  m_importName->setFullText(tr("Importing %1").arg(QFileInfo(file).fileName()));
  m_importBar->setValue(total == 0 ? 0 : static_cast<int>(done * 1000 / total));
  m_importBar->setAccessibleName(m_importName->fullText());
  QStringList figures;
  if (total > 0) figures << tr("%1 of %2").arg(bytesText(done), bytesText(total));
  if (seconds > 0.3 && done > 0) {
    const double rate = static_cast<double>(done) / seconds;
    figures << tr("%1/s").arg(bytesText(static_cast<quint64>(rate))) << tr("%1 left").arg(secondsText(static_cast<double>(total - done) / rate));
  }
  m_importFigures->setText(figures.isEmpty() ? tr("checking the file…") : figures.join(u" · "_s));
}

void ModelsPage::chooseFiles() {
  const QStringList files = QFileDialog::getOpenFileNames(this, tr("Import models"), {}, tr("GGUF models (*.gguf)"));
  if (!files.isEmpty()) importFiles(files);
}

void ModelsPage::chooseFolder() {
  const QString folder = QFileDialog::getExistingDirectory(this, tr("Add a folder with models"));
  if (folder.isEmpty()) return;
  m_error->clear();
  m_bridge.models().addFolder(folder, this, [this](const Result<void>& result) {
    if (!result) m_error->showError(result.error());
  });
}

void ModelsPage::fill() {
  std::vector<InstalledModel> models = m_bridge.models().models();
  std::ranges::stable_partition(models, [](const InstalledModel& model) { return !model.problem; });
  // Cards of models that are still there stay: nothing jumps under the pointer.
  std::vector<ModelCard*> next;
  for (const InstalledModel& model : models) {
    const auto known = std::ranges::find_if(m_cards, [&model](const ModelCard* card) { return card && card->model().id == model.id; });
    ModelCard* card = nullptr;
    if (known != m_cards.end()) {
      card = *known;
      *known = nullptr;
      card->setModel(model);
    } else {
      const QString id = q(model.id);
      card = new ModelCard(model);
      connect(card, &ModelCard::load, this, [this, id] { m_bridge.models().load(id); });
      connect(card, &ModelCard::unload, this, [this, id] { m_bridge.models().unload(id); });
      connect(card, &ModelCard::chat, this, [this, id] { emit chatWanted(id); });
      connect(card, &ModelCard::details, this, [this, card] { DetailsDialog(m_bridge, card->model(), this).exec(); });
    }
    next.push_back(card);
  }
  for (ModelCard* gone : m_cards) {
    if (gone) gone->deleteLater();
  }
  m_cards = std::move(next);
  for (std::size_t i = 0; i < m_cards.size(); ++i) m_list->insertWidget(static_cast<int>(i), m_cards[i]);
  clearLayout(m_problems);
  for (const Error& problem : m_bridge.models().problems()) {
    auto* box = new ErrorBox;
    box->showError(problem);
    m_problems->addWidget(box);
  }
  retranslate();
  for (const ModelCard* card : m_cards) refreshStatus(q(card->model().id));
}

void ModelsPage::refreshStatus(const QString& id) {
  const bool anyLoaded = !m_bridge.models().loadedModel().isEmpty();
  bool primaryGiven = anyLoaded;
  for (ModelCard* card : m_cards) {
    if (q(card->model().id) == id) card->setStatus(m_bridge.models().status(id));
    const bool primary = !primaryGiven && !card->model().problem;
    card->setPrimary(primary);
    primaryGiven = primaryGiven || primary;
  }
}

void ModelsPage::retranslate() {
  const ModelsBridge& models = m_bridge.models();
  m_title->setText(tr("Models"));
  m_importButton->setText(tr("Import…"));
  m_importButton->setToolTip(tr("Copy a GGUF file into the data folder; files can also be dropped on the window"));
  m_addFolder->setText(tr("Add folder…"));
  m_addFolder->setToolTip(tr("Use the models in a folder where they are, without copying"));
  m_importCancel->setText(tr("Cancel"));
  m_summary->setText(models.scanned() ? tr("%1 on this machine · %2 free on the data disk").arg(models.models().size()).arg(bytesText(models.freeBytes()))
                                      : tr("Looking for models…"));
  m_empty->setTexts(tr("No models yet"),
                    tr("Drop a GGUF file here, import one, or add the folder where you keep them. Models in your own folders are used in place."),
                    tr("Import a model…"));
  m_stack->setCurrentIndex(models.models().empty() && models.problems().empty() && models.scanned() ? 0 : 1);
}

void ModelsPage::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
}

}  // namespace hearth::ui
