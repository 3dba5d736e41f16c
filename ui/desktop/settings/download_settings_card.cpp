#include "ui/desktop/settings/download_settings_card.h"

#include <QDoubleSpinBox>
#include <QEvent>
#include <QLineEdit>
#include <QSpinBox>
#include <QUrl>
#include <QVBoxLayout>

#include <cmath>

#include "core/host/download_settings.h"
#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/common/widgets.h"
#include "ui/desktop/settings/setting_row.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr double kMegabyte = 1e6;

bool isServer(const QString& text, bool proxy) {
  const QUrl url(text, QUrl::StrictMode);
  const QString scheme = url.scheme();
  const bool known = scheme == "https"_L1 || scheme == "http"_L1 || (proxy && scheme.startsWith("socks"_L1));
  return url.isValid() && known && !url.host().isEmpty();
}

}  // namespace

DownloadSettingsCard::DownloadSettingsCard(Bridge& bridge, QWidget* parent)
    : QWidget(parent),
      m_bridge(bridge),
      m_title(makeLabel("heading")),
      m_mirror(new QLineEdit),
      m_modelScope(new QLineEdit),
      m_ollama(new QLineEdit),
      m_token(new QLineEdit),
      m_proxy(new QLineEdit),
      m_speed(new QDoubleSpinBox),
      m_parallel(new QSpinBox),
      m_connections(new QSpinBox),
      m_error(new ErrorBox) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  QVBoxLayout* card = addSettingCard(column, m_title);
  card->addWidget(m_error);
  m_mirrorLabel = addSettingRow(card, m_mirror, &m_mirrorNote);
  m_modelScopeLabel = addSettingRow(card, m_modelScope, nullptr);
  m_ollamaLabel = addSettingRow(card, m_ollama, &m_ollamaNote);
  m_tokenLabel = addSettingRow(card, m_token, &m_tokenNote);
  m_proxyLabel = addSettingRow(card, m_proxy, &m_proxyNote);
  m_speedLabel = addSettingRow(card, m_speed, nullptr);
  m_parallelLabel = addSettingRow(card, m_parallel, nullptr);
  m_connectionsLabel = addSettingRow(card, m_connections, &m_connectionsNote);
  m_token->setEchoMode(QLineEdit::Password);
  m_mirror->setPlaceholderText(u"https://huggingface.co"_s);
  m_modelScope->setPlaceholderText(u"https://modelscope.cn"_s);
  m_ollama->setPlaceholderText(u"https://registry.ollama.ai"_s);
  m_proxy->setPlaceholderText(u"http://host:port"_s);
  for (QLineEdit* field : {m_mirror, m_modelScope, m_ollama, m_token, m_proxy}) field->setFixedWidth(420);
  m_speed->setRange(0, 10'000);
  m_speed->setDecimals(1);
  m_speed->setSuffix(u" MB/s"_s);
  m_parallel->setRange(1, 8);
  m_connections->setRange(1, 16);
  for (QWidget* field : std::initializer_list<QWidget*>{m_speed, m_parallel, m_connections}) field->setFixedWidth(240);
  const DownloadOptions usual;
  m_parallel->setValue(usual.parallelDownloads);
  m_connections->setValue(usual.connectionsPerFile);
  bind(m_mirror, settings::kHuggingFaceEndpoint, true);
  bind(m_modelScope, settings::kModelScopeEndpoint, true);
  bind(m_ollama, settings::kOllamaEndpoint, true);
  bind(m_token, settings::kHuggingFaceToken, false);
  bind(m_proxy, settings::kDownloadProxy, true);
  connect(m_speed, &QDoubleSpinBox::editingFinished, this, [this] {
    store(settings::kDownloadSpeed, QString::number(static_cast<qlonglong>(std::llround(m_speed->value() * kMegabyte))));
  });
  connect(m_parallel, &QSpinBox::editingFinished, this,
          [this] { store(settings::kDownloadParallel, QString::number(m_parallel->value())); });
  connect(m_connections, &QSpinBox::editingFinished, this,
          [this] { store(settings::kDownloadConnections, QString::number(m_connections->value())); });
  retranslate();
  load();
}

void DownloadSettingsCard::bind(QLineEdit* field, const char* key, bool address) {
  connect(field, &QLineEdit::editingFinished, this, [this, field, key, address] {
    if (!field->isModified()) return;
    field->setModified(false);
    const QString text = field->text().trimmed();
    if (address && !text.isEmpty() && !isServer(text, field == m_proxy)) {
      m_error->showError(Error{
          ErrorCode::InvalidArgument, {}, {{"value", text.toStdString()}, {"allowed", "https://host, http://host:port"}}});
      return;
    }
    store(key, text);
  });
}

void DownloadSettingsCard::load() {
  const auto text = [this](const char* key, QLineEdit* field) {
    m_bridge.setting(QString::fromLatin1(key), this, [field](const Result<QString>& value) {
      if (value && !field->isModified()) field->setText(*value);
    });
  };
  text(settings::kHuggingFaceEndpoint, m_mirror);
  text(settings::kModelScopeEndpoint, m_modelScope);
  text(settings::kOllamaEndpoint, m_ollama);
  text(settings::kHuggingFaceToken, m_token);
  text(settings::kDownloadProxy, m_proxy);
  const auto number = [this](const char* key, auto set) {
    m_bridge.setting(QString::fromLatin1(key), this, [set](const Result<QString>& value) {
      if (value && !value->isEmpty()) set(value->toLongLong());
    });
  };
  number(settings::kDownloadSpeed, [this](qlonglong value) { m_speed->setValue(static_cast<double>(value) / kMegabyte); });
  number(settings::kDownloadParallel, [this](qlonglong value) { m_parallel->setValue(static_cast<int>(value)); });
  number(settings::kDownloadConnections, [this](qlonglong value) { m_connections->setValue(static_cast<int>(value)); });
}

void DownloadSettingsCard::store(const char* key, const QString& value) {
  m_error->clear();
  m_bridge.setSetting(QString::fromLatin1(key), value, this, [this](const Result<void>& result) {
    if (!result) m_error->showError(result.error());
  });
}

void DownloadSettingsCard::retranslate() {
  m_title->setText(tr("Downloads"));
  m_mirrorLabel->setText(tr("Hugging Face mirror"));
  m_mirrorNote->setText(
      tr("The address of a mirror, where huggingface.co cannot be reached. Empty: huggingface.co itself."));
  m_modelScopeLabel->setText(tr("ModelScope mirror"));
  m_ollamaLabel->setText(tr("Ollama registry mirror"));
  m_ollamaNote->setText(tr("Empty: modelscope.cn and registry.ollama.ai themselves. A registry of your own works, too."));
  m_tokenLabel->setText(tr("Hugging Face token"));
  m_tokenNote->setText(
      tr("For models whose owner asks for consent. Made on huggingface.co under Settings, Access Tokens; it is kept in the "
         "data folder and sent to that address only."));
  m_proxyLabel->setText(tr("Proxy"));
  m_proxyNote->setText(tr("Empty: as the environment says."));
  m_speedLabel->setText(tr("Speed limit"));
  m_speed->setSpecialValueText(tr("none"));
  m_parallelLabel->setText(tr("Models at a time"));
  m_connectionsLabel->setText(tr("Connections for each file"));
  m_connectionsNote->setText(tr("More can be quicker where a server limits each connection."));
  const std::pair<QWidget*, QLabel*> named[] = {{m_mirror, m_mirrorLabel},     {m_modelScope, m_modelScopeLabel}, {m_ollama, m_ollamaLabel}, {m_token, m_tokenLabel},
                                                {m_proxy, m_proxyLabel},       {m_speed, m_speedLabel},
                                                {m_parallel, m_parallelLabel}, {m_connections, m_connectionsLabel}};
  for (const auto& [field, label] : named) field->setAccessibleName(label->text());
}

void DownloadSettingsCard::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
}

}  // namespace hearth::ui
