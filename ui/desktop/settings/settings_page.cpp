#include "ui/desktop/settings/settings_page.h"

#include <QComboBox>
#include <QCoreApplication>
#include <QDesktopServices>
#include <QEvent>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QLocale>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QUrl>
#include <QVBoxLayout>

#include <algorithm>

#include "core/host/settings.h"
#include "ui/desktop/app/preferences.h"
#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/bridge/models_bridge.h"
#include "ui/desktop/common/language.h"
#include "ui/desktop/common/theme.h"
#include "ui/desktop/common/widgets.h"
#include "ui/desktop/settings/download_settings_card.h"
#include "ui/desktop/settings/setting_row.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

const auto kContextKey = QString::fromLatin1(settings::kContextTokens);
const auto kThreadsKey = QString::fromLatin1(settings::kThreads);
const auto kKeepAliveKey = QString::fromLatin1(settings::kKeepAliveSeconds);
constexpr int kKeepAlives[] = {-1, 300, 900, 3600};
constexpr int kContexts[] = {0, 2048, 4096, 8192, 16384, 32768, 65536, 131072};

}  // namespace

SettingsPage::SettingsPage(const WindowContext& context)
    : m_context(context),
      m_title(makeLabel("title")),
      m_appearance(makeLabel("heading")),
      m_compute(makeLabel("heading")),
      m_storage(makeLabel("heading")),
      m_about(makeLabel("small")),
      m_language(new QComboBox),
      m_theme(new QComboBox),
      m_contextSize(new QComboBox),
      m_threads(new QSpinBox),
      m_keepAlive(new QComboBox),
      m_dataFolder(new ElidedLabel),
      m_openFolder(makeButton()),
      m_folders(new QVBoxLayout),
      m_addFolder(makeButton()),
      m_downloads(new DownloadSettingsCard(context.bridge)),
      m_error(new ErrorBox) {
  setObjectName(u"page"_s);
  QVBoxLayout* column = makeScrollPage(this);
  m_column = column;
  m_area = findChild<QScrollArea*>();
  column->addWidget(m_title);
  column->addWidget(m_error);

  QVBoxLayout* card = addSettingCard(column, m_appearance);
  m_languageLabel = addSettingRow(card, m_language, nullptr);
  m_themeLabel = addSettingRow(card, m_theme, nullptr);
  m_cardPlace = column->count();
  card = addSettingCard(column, m_compute);
  m_contextLabel = addSettingRow(card, m_contextSize, &m_contextNote);
  m_threads->setRange(0, 1024);
  m_threadsLabel = addSettingRow(card, m_threads, &m_threadsNote);
  m_keepLabel = addSettingRow(card, m_keepAlive, &m_keepNote);
  card = addSettingCard(column, m_storage);
  auto* folderField = new QWidget;
  auto* folderRow = new QHBoxLayout(folderField);
  folderRow->setContentsMargins(0, 0, 0, 0);
  folderRow->addWidget(m_dataFolder, 1);
  folderRow->addWidget(m_openFolder);
  m_dataLabel = addSettingRow(card, folderField, nullptr);
  auto* modelFolders = new QWidget;
  auto* modelColumn = new QVBoxLayout(modelFolders);
  modelColumn->setContentsMargins(0, 0, 0, 0);
  modelColumn->setSpacing(6);
  modelColumn->addLayout(m_folders);
  modelColumn->addWidget(m_addFolder, 0, Qt::AlignLeft);
  m_foldersLabel = addSettingRow(card, modelFolders, &m_foldersNote);
  column->addWidget(m_downloads);
  column->addWidget(m_about);
  column->addStretch(1);

  for (QWidget* field : std::initializer_list<QWidget*>{m_language, m_theme, m_contextSize, m_threads, m_keepAlive})
    field->setFixedWidth(240);
  m_dataFolder->setFullText(context.bridge.dataFolder());
  connect(m_language, &QComboBox::activated, this, [this] {
    const QString code = m_language->currentData().toString();
    m_context.preferences.setLanguage(code);
    m_context.language.setLanguage(code);
  });
  connect(m_theme, &QComboBox::activated, this, [this] {
    const auto choice = static_cast<ThemeChoice>(m_theme->currentData().toInt());
    m_context.preferences.setTheme(choice);
    m_context.theme.setChoice(choice);
  });
  connect(m_contextSize, &QComboBox::activated, this,
          [this] { store(kContextKey, m_contextSize->currentData().toString()); });
  connect(m_threads, &QSpinBox::editingFinished, this, [this] { store(kThreadsKey, QString::number(m_threads->value())); });
  connect(m_keepAlive, &QComboBox::activated, this, [this] { store(kKeepAliveKey, m_keepAlive->currentData().toString()); });
  connect(m_openFolder, &QPushButton::clicked, this,
          [this] { QDesktopServices::openUrl(QUrl::fromLocalFile(m_context.bridge.dataFolder())); });
  connect(m_addFolder, &QPushButton::clicked, this, [this] {
    const QString folder = QFileDialog::getExistingDirectory(this, tr("Add a folder with models"));
    if (folder.isEmpty()) return;
    m_context.bridge.models().addFolder(folder, this, [this](const Result<void>& result) {
      if (!result) m_error->showError(result.error());
    });
  });
  connect(&context.bridge.models(), &ModelsBridge::modelsChanged, this, &SettingsPage::fillFolders);
  retranslate();
  load();
}

void SettingsPage::insertCard(QWidget* card) { m_column->insertWidget(m_cardPlace++, card); }

void SettingsPage::focusToken() {
  m_downloads->token()->setFocus();
  m_area->ensureWidgetVisible(m_downloads->token(), 0, 120);
}

void SettingsPage::load() {
  m_context.bridge.setting(kContextKey, this, [this](const Result<QString>& value) {
    if (value) fillContexts(value->toInt());
  });
  m_context.bridge.setting(kThreadsKey, this, [this](const Result<QString>& value) {
    if (value) m_threads->setValue(value->toInt());
  });
  m_context.bridge.setting(kKeepAliveKey, this, [this](const Result<QString>& value) {
    if (!value || value->isEmpty()) return;
    const int place = m_keepAlive->findData(value->toInt());
    if (place >= 0) m_keepAlive->setCurrentIndex(place);
  });
}

void SettingsPage::fillContexts(int chosen) {
  const QSignalBlocker quiet(m_contextSize);
  m_contextSize->clear();
  std::vector<int> sizes(std::begin(kContexts), std::end(kContexts));
  // One that was set elsewhere has its line, too.
  if (std::ranges::find(sizes, chosen) == sizes.end()) sizes.insert(std::ranges::upper_bound(sizes, chosen), chosen);
  for (const int size : sizes) {
    m_contextSize->addItem(size == 0 ? tr("automatic") : tr("%1 tokens").arg(QLocale().toString(size)), size);
  }
  m_contextSize->setCurrentIndex(std::max(0, m_contextSize->findData(chosen)));
}

void SettingsPage::store(const QString& key, const QString& value) {
  m_error->clear();
  m_context.bridge.setSetting(key, value, this, [this](const Result<void>& result) {
    if (!result) m_error->showError(result.error());
  });
}

void SettingsPage::fillFolders() {
  clearLayout(m_folders);
  for (const std::filesystem::path& folder : m_context.bridge.models().folders()) {
    const QString path = QString::fromStdString(folder.string());
    auto* row = new QHBoxLayout;
    auto* label = new ElidedLabel;
    label->setFullText(path);
    QPushButton* remove = makeButton("quiet");
    remove->setText(tr("Remove"));
    remove->setToolTip(tr("Forget this folder; its files stay where they are"));
    connect(remove, &QPushButton::clicked, this,
            [this, path] { m_context.bridge.models().removeFolder(path, this, [] {}); });
    row->addWidget(label, 1);
    row->addWidget(remove);
    m_folders->addLayout(row);
  }
}

void SettingsPage::retranslate() {
  m_title->setText(tr("Settings"));
  m_appearance->setText(tr("Appearance"));
  m_compute->setText(tr("Compute"));
  m_storage->setText(tr("Storage"));
  m_languageLabel->setText(tr("Language"));
  m_themeLabel->setText(tr("Theme"));
  m_contextLabel->setText(tr("Context size"));
  m_contextNote->setText(
      tr("How long a conversation can be. Automatic is 8,192 tokens, less where memory is short; more takes more memory, "
         "and no model gets more than it was trained for. A change holds for models that are loaded from now on."));
  m_threadsLabel->setText(tr("Compute threads"));
  m_threadsNote->setText(
      tr("Automatic is one for each physical core; more seldom helps. In use now: %1. A change holds from the next start.")
          .arg(m_context.bridge.threads()));
  m_threads->setSpecialValueText(tr("automatic"));
  m_keepLabel->setText(tr("Unload idle models"));
  m_keepNote->setText(
      tr("Gives the memory of a model back when nobody has used it for so long; the next message loads it again. A change "
         "holds from the next start."));
  m_dataLabel->setText(tr("Data folder"));
  m_foldersLabel->setText(tr("Model folders"));
  m_foldersNote->setText(tr("Models in these folders are used where they are; nothing is copied."));
  m_openFolder->setText(tr("Open"));
  m_addFolder->setText(tr("Add folder…"));
  m_about->setText(tr("Hearth %1 · sends nothing anywhere unless you search or download").arg(QCoreApplication::applicationVersion()));
  const QSignalBlocker a(m_language), b(m_theme), c(m_keepAlive);
  m_language->clear();
  m_language->addItem(tr("As the system"), QString());
  for (const auto& [code, name] : LanguageManager::available()) m_language->addItem(name, code);
  m_language->setCurrentIndex(std::max(0, m_language->findData(m_context.language.language())));
  m_theme->clear();
  m_theme->addItem(tr("As the system"), static_cast<int>(ThemeChoice::System));
  m_theme->addItem(tr("Light"), static_cast<int>(ThemeChoice::Light));
  m_theme->addItem(tr("Dark"), static_cast<int>(ThemeChoice::Dark));
  m_theme->setCurrentIndex(std::max(0, m_theme->findData(static_cast<int>(m_context.theme.choice()))));
  fillContexts(m_contextSize->currentData().toInt());
  const QVariant kept = m_keepAlive->currentData();
  m_keepAlive->clear();
  for (const int seconds : kKeepAlives) {
    m_keepAlive->addItem(seconds < 0      ? tr("Never")
                         : seconds < 3600 ? tr("After %1 minutes").arg(seconds / 60)
                                          : tr("After one hour"),
                         seconds);
  }
  m_keepAlive->setCurrentIndex(std::max(0, m_keepAlive->findData(kept)));
  const std::pair<QWidget*, QLabel*> named[] = {{m_language, m_languageLabel},
                                                {m_theme, m_themeLabel},
                                                {m_contextSize, m_contextLabel},
                                                {m_threads, m_threadsLabel},
                                                {m_keepAlive, m_keepLabel}};
  for (const auto& [field, label] : named) field->setAccessibleName(label->text());
  fillFolders();
}

void SettingsPage::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
}

}  // namespace hearth::ui
