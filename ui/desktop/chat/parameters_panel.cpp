#include "ui/desktop/chat/parameters_panel.h"

#include <QDoubleSpinBox>
#include <QEvent>
#include <QGridLayout>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QRegularExpressionValidator>
#include <QSignalBlocker>
#include <QTimer>
#include <QVBoxLayout>

#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

QDoubleSpinBox* fraction(double most) {
  auto* box = new QDoubleSpinBox;
  box->setRange(0, most);
  box->setSingleStep(0.05);
  box->setDecimals(2);
  return box;
}

}  // namespace

ParametersPanel::ParametersPanel(QWidget* parent)
    : QScrollArea(parent),
      m_temperature(fraction(5)),
      m_topP(fraction(1)),
      m_topK(new QSpinBox),
      m_minP(fraction(1)),
      m_maxTokens(new QSpinBox),
      m_seed(new QLineEdit),
      m_system(new QPlainTextEdit),
      m_reset(makeButton()),
      m_title(makeLabel("heading")),
      m_systemLabel(makeLabel("small")),
      m_typed(new QTimer(this)) {
  m_topK->setRange(0, 1'000'000);
  m_maxTokens->setRange(0, 10'000'000);
  m_maxTokens->setSingleStep(256);
  m_seed->setValidator(new QRegularExpressionValidator(QRegularExpression(u"[0-9]{0,19}"_s), m_seed));
  m_system->setTabChangesFocus(true);
  m_system->setFixedHeight(160);
  QVBoxLayout* column = makeScrollBody(this, 16);
  column->addWidget(m_title);
  column->addWidget(m_systemLabel);
  column->addWidget(m_system);
  auto* grid = new QGridLayout;
  grid->setHorizontalSpacing(12);
  grid->setVerticalSpacing(8);
  grid->setColumnStretch(1, 1);
  int row = 0;
  for (QWidget* field : std::initializer_list<QWidget*>{m_temperature, m_topP, m_topK, m_minP, m_maxTokens, m_seed}) {
    QLabel* label = makeLabel("");
    label->setBuddy(field);
    m_labels.push_back(label);
    grid->addWidget(label, row, 0);
    grid->addWidget(field, row++, 1);
  }
  column->addLayout(grid);
  column->addWidget(m_reset);
  column->addStretch(1);
  for (QDoubleSpinBox* box : {m_temperature, m_topP, m_minP}) connect(box, &QDoubleSpinBox::valueChanged, this, &ParametersPanel::changed);
  for (QSpinBox* box : {m_topK, m_maxTokens}) connect(box, &QSpinBox::valueChanged, this, &ParametersPanel::changed);
  connect(m_seed, &QLineEdit::editingFinished, this, &ParametersPanel::changed);
  // Typing is saved once it pauses, not with each key.
  m_typed->setSingleShot(true);
  m_typed->setInterval(500);
  connect(m_system, &QPlainTextEdit::textChanged, m_typed, qOverload<>(&QTimer::start));
  connect(m_typed, &QTimer::timeout, this, &ParametersPanel::changed);
  connect(m_reset, &QPushButton::clicked, this, [this] {
    setParameters({}, systemPrompt());
    emit changed();
  });
  setParameters({}, {});
  retranslate();
}

void ParametersPanel::setParameters(const ChatParameters& parameters, const QString& systemPrompt) {
  const QSignalBlocker a(m_temperature), b(m_topP), c(m_topK), d(m_minP), e(m_maxTokens), f(m_seed);
  m_temperature->setValue(parameters.temperature);
  m_topP->setValue(parameters.topP);
  m_topK->setValue(parameters.topK);
  m_minP->setValue(parameters.minP);
  m_maxTokens->setValue(parameters.maxTokens < 0 ? 0 : parameters.maxTokens);
  m_seed->setText(parameters.seed ? QString::number(*parameters.seed) : QString());
  // Not while it is being typed: the cursor would jump.
  if (m_system->toPlainText() != systemPrompt && !m_typed->isActive()) {
    const QSignalBlocker g(m_system);
    m_system->setPlainText(systemPrompt);
  }
}

ChatParameters ParametersPanel::parameters() const {
  ChatParameters parameters;
  parameters.temperature = m_temperature->value();
  parameters.topP = m_topP->value();
  parameters.topK = m_topK->value();
  parameters.minP = m_minP->value();
  parameters.maxTokens = m_maxTokens->value() == 0 ? -1 : m_maxTokens->value();
  bool ok = false;
  if (const qulonglong seed = m_seed->text().toULongLong(&ok); ok) parameters.seed = seed;
  return parameters;
}

QString ParametersPanel::systemPrompt() const { return m_system->toPlainText(); }

void ParametersPanel::retranslate() {
  m_title->setText(tr("Parameters of this chat"));
  m_systemLabel->setText(tr("System prompt"));
  m_system->setPlaceholderText(tr("How the model should behave in this chat"));
  m_system->setAccessibleName(tr("System prompt"));
  const QString names[] = {tr("Temperature"), tr("Top-p"), tr("Top-k"), tr("Min-p"), tr("Most tokens"), tr("Seed")};
  const QString tips[] = {tr("0 always takes the likeliest token; higher is more varied"),
                          tr("Only the likeliest tokens that together reach this probability; 1 = off"),
                          tr("Only this many of the likeliest tokens; 0 = off"),
                          tr("Only tokens at least this likely, measured against the likeliest; 0 = off"),
                          tr("The reply ends after this many tokens; 0 = until the context is full"),
                          tr("The same number gives the same reply; empty = random")};
  QWidget* const fields[] = {m_temperature, m_topP, m_topK, m_minP, m_maxTokens, m_seed};
  for (std::size_t i = 0; i < m_labels.size(); ++i) {
    m_labels[i]->setText(names[i]);
    m_labels[i]->setToolTip(tips[i]);
    fields[i]->setToolTip(tips[i]);
    fields[i]->setAccessibleName(names[i]);
  }
  m_maxTokens->setSpecialValueText(tr("no limit"));
  m_topK->setSpecialValueText(tr("off"));
  m_seed->setPlaceholderText(tr("random"));
  m_reset->setText(tr("Back to defaults"));
}

void ParametersPanel::changeEvent(QEvent* event) {
  QScrollArea::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
}

}  // namespace hearth::ui
