#include "ui/desktop/library/model_card.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QProgressBar>
#include <QVBoxLayout>

#include "ui/desktop/common/format.h"
#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

ModelCard::ModelCard(InstalledModel model, QWidget* parent)
    : QFrame(parent),
      m_model(std::move(model)),
      m_name(new ElidedLabel),
      m_facts(new ElidedLabel),
      m_badge(makeLabel("badge")),
      m_state(makeLabel("small")),
      m_progress(new QProgressBar),
      m_chat(makeButton()),
      m_load(makeButton()),
      m_details(makeButton("quiet")),
      m_error(new ErrorBox) {
  setProperty("role", u"card"_s);
  m_status.id = m_model.id;
  m_name->setProperty("role", u"heading"_s);
  m_facts->setProperty("role", u"small"_s);
  m_progress->setTextVisible(false);
  m_progress->setFixedWidth(140);
  m_progress->setRange(0, 1000);
  auto* texts = new QVBoxLayout;
  texts->setSpacing(4);
  auto* nameRow = new QHBoxLayout;
  nameRow->setSpacing(10);
  nameRow->addWidget(m_name);
  nameRow->addWidget(m_badge);
  nameRow->addStretch(1);
  texts->addLayout(nameRow);
  texts->addWidget(m_facts);
  auto* row = new QHBoxLayout;
  row->setSpacing(10);
  row->addLayout(texts, 1);
  row->addWidget(m_progress);
  row->addWidget(m_state);
  row->addWidget(m_details);
  row->addWidget(m_chat);
  row->addWidget(m_load);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(16, 12, 16, 12);
  column->setSpacing(10);
  column->addLayout(row);
  column->addWidget(m_error);
  connect(m_load, &QPushButton::clicked, this, [this] {
    if (m_status.state == ModelState::Ready || m_status.state == ModelState::Loading) {
      emit unload();
    } else {
      emit load();
    }
  });
  connect(m_chat, &QPushButton::clicked, this, &ModelCard::chat);
  connect(m_details, &QPushButton::clicked, this, &ModelCard::details);
  refresh();
}

void ModelCard::setModel(InstalledModel model) {
  m_model = std::move(model);
  refresh();
}

void ModelCard::setStatus(const ModelStatus& status) {
  m_status = status;
  refresh();
}

void ModelCard::setPrimary(bool primary) {
  m_primary = primary;
  refresh();
}

void ModelCard::refresh() {
  const QString name = m_model.config && !m_model.config->name.empty() ? q(m_model.config->name) : q(m_model.id);
  m_name->setFullText(name);
  QStringList facts;
  if (m_model.config) {
    const ModelConfig& config = *m_model.config;
    facts << q(config.quantisation) << bytesText(m_model.fileBytes) << tr("%1 parameters").arg(parametersText(config.parameters))
          << q(config.architecture) << tr("context %1").arg(countText(config.trainedContext));
    if (config.encoder) {
      facts << tr("for embeddings: does not chat");
    } else if (!m_model.hasChatTemplate) {
      facts << tr("base model: no chat template");
    }
    if (!m_model.license.empty()) facts << q(m_model.license);
  } else {
    facts << bytesText(m_model.fileBytes) << q(m_model.path.string());
  }
  m_facts->setFullText(facts.join(u" · "_s));

  const bool loading = m_status.state == ModelState::Loading;
  const bool ready = m_status.state == ModelState::Ready;
  m_badge->setVisible(ready || m_model.problem.has_value());
  setRole(m_badge, ready ? "badgeGood" : "badgeBad");
  m_badge->setText(ready ? tr("Loaded") : tr("Cannot be used"));
  m_progress->setVisible(loading);
  m_progress->setValue(static_cast<int>(m_status.progress * 1000));
  m_progress->setAccessibleName(tr("Loading %1").arg(name));
  QString state;
  if (loading) {
    state = tr("Loading %1%").arg(static_cast<int>(m_status.progress * 100));
  } else if (ready) {
    state = tr("%1 in memory").arg(bytesText(m_status.weightBytes + m_status.kvBytes));
    if (m_status.unloadsInSeconds >= 0) state += u" · "_s + tr("unloads in %1").arg(secondsText(m_status.unloadsInSeconds));
  } else if (m_status.state == ModelState::Unloading) {
    state = tr("Unloading…");
  }
  m_state->setText(state);
  m_state->setVisible(!state.isEmpty());
  m_details->setText(tr("Details"));
  m_details->setAccessibleName(tr("Details of %1").arg(name));
  m_chat->setText(tr("Chat"));
  m_chat->setAccessibleName(tr("Chat with %1").arg(name));
  m_chat->setVisible(ready);
  m_load->setText(loading ? tr("Cancel") : ready ? tr("Unload") : tr("Load"));
  m_load->setAccessibleName(u"%1 %2"_s.arg(m_load->text(), name));
  m_load->setVisible(!m_model.problem);
  m_load->setEnabled(m_status.state != ModelState::Unloading);
  setRole(m_load, m_primary && !loading && !ready ? "primary" : "");
  if (m_model.problem) {
    m_error->showError(*m_model.problem);
  } else if (m_status.state == ModelState::Failed && m_status.error) {
    m_error->showError(*m_status.error);
  } else {
    m_error->clear();
  }
}

void ModelCard::changeEvent(QEvent* event) {
  QFrame::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) refresh();
}

}  // namespace hearth::ui
