#include "ui/desktop/server/server_page.h"

#include <QApplication>
#include <QButtonGroup>
#include <QClipboard>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QPlainTextEdit>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/desktop/app/preferences.h"
#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/bridge/models_bridge.h"
#include "ui/desktop/bridge/server_bridge.h"
#include "ui/desktop/common/theme.h"
#include "ui/desktop/common/widgets.h"
#include "ui/desktop/server/request_log_model.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

std::pair<QFrame*, QVBoxLayout*> makeCard() {
  auto* card = new QFrame;
  card->setProperty("role", u"card"_s);
  auto* column = new QVBoxLayout(card);
  column->setContentsMargins(16, 14, 16, 14);
  column->setSpacing(8);
  return {card, column};
}

}  // namespace

ServerPage::ServerPage(Bridge& bridge, Preferences& preferences, QWidget* parent)
    : QWidget(parent),
      m_bridge(bridge),
      m_preferences(preferences),
      m_title(makeLabel("title")),
      m_switchText(makeLabel("heading")),
      m_switch(new ToggleSwitch),
      m_error(new ErrorBox),
      m_addressName(makeLabel("small")),
      m_address(makeLabel("heading")),
      m_note(makeLabel("small")),
      m_copyAddress(makeButton()),
      m_portName(makeLabel("small")),
      m_port(new QSpinBox),
      m_snippetTitle(makeLabel("heading")),
      m_tabs(new QButtonGroup(this)),
      m_copySnippet(makeButton("quiet")),
      m_snippet(new QPlainTextEdit),
      m_logTitle(makeLabel("heading")),
      m_logEmpty(makeLabel("muted")),
      m_table(new QTableView),
      m_log(new RequestLogModel(this)) {
  setObjectName(u"page"_s);
  QVBoxLayout* column = makeScrollPage(this);
  auto* header = new QHBoxLayout;
  header->setSpacing(12);
  header->addWidget(m_title);
  header->addStretch(1);
  header->addWidget(m_switch);
  header->addWidget(m_switchText);
  column->addLayout(header);
  column->addWidget(m_error);

  auto [addressCard, addressColumn] = makeCard();
  m_port->setRange(1, 65535);
  m_port->setValue(preferences.serverPort());
  m_port->setFixedWidth(112);
  m_port->setGroupSeparatorShown(false);
  m_address->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  m_note->setWordWrap(true);
  addressColumn->addWidget(m_addressName);
  auto* addressRow = new QHBoxLayout;
  addressRow->setSpacing(10);
  addressRow->addWidget(m_address);
  addressRow->addWidget(m_copyAddress);
  addressRow->addStretch(1);
  addressColumn->addLayout(addressRow);
  auto* portRow = new QHBoxLayout;
  portRow->setSpacing(10);
  portRow->addWidget(m_portName);
  portRow->addWidget(m_port);
  portRow->addStretch(1);
  addressColumn->addLayout(portRow);
  addressColumn->addWidget(m_note);
  addressColumn->addStretch(1);

  auto [snippetCard, snippetColumn] = makeCard();
  auto* snippetHead = new QHBoxLayout;
  snippetHead->setSpacing(8);
  snippetHead->addWidget(m_snippetTitle);
  snippetHead->addStretch(1);
  int tab = 0;
  for (const auto& name : {u"curl"_s, u"Python"_s}) {
    QPushButton* button = makeButton("tab");
    button->setText(name);
    button->setCheckable(true);
    m_tabs->addButton(button, tab++);
    snippetHead->addWidget(button);
  }
  m_tabs->button(1)->setChecked(true);
  snippetHead->addWidget(m_copySnippet);
  auto* sunken = new QFrame;
  sunken->setProperty("role", u"sunken"_s);
  auto* inside = new QVBoxLayout(sunken);
  inside->setContentsMargins(12, 8, 12, 8);
  m_snippet->setReadOnly(true);
  m_snippet->setProperty("role", u"bare"_s);
  m_snippet->setFrameShape(QFrame::NoFrame);
  m_snippet->setLineWrapMode(QPlainTextEdit::NoWrap);
  QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
  font.setPixelSize(ThemeManager::metrics().small + 1);
  m_snippet->document()->setDefaultFont(font);
  m_snippet->setFixedHeight(QFontMetrics(font).lineSpacing() * 9 + 16);
  inside->addWidget(m_snippet);
  snippetColumn->addLayout(snippetHead);
  snippetColumn->addWidget(sunken);

  auto* cards = new QHBoxLayout;
  cards->setSpacing(12);
  cards->addWidget(addressCard, 1);
  cards->addWidget(snippetCard, 1);
  column->addLayout(cards);

  auto [logCard, logColumn] = makeCard();
  logColumn->addWidget(m_logTitle);
  logColumn->addWidget(m_logEmpty);
  m_logEmpty->setWordWrap(true);
  m_table->setModel(m_log);
  m_table->setShowGrid(false);
  m_table->verticalHeader()->hide();
  m_table->verticalHeader()->setDefaultSectionSize(32);
  m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::Interactive);
  m_table->horizontalHeader()->setSectionResizeMode(RequestLogModel::Model, QHeaderView::Stretch);
  m_table->horizontalHeader()->setHighlightSections(false);
  m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
  m_table->setSelectionMode(QAbstractItemView::SingleSelection);
  m_table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
  m_table->setTextElideMode(Qt::ElideRight);
  m_table->setMinimumHeight(240);
  const std::pair<int, int> widths[] = {{RequestLogModel::Time, 88},   {RequestLogModel::Request, 232}, {RequestLogModel::Client, 104},
                                        {RequestLogModel::State, 216}, {RequestLogModel::Tokens, 128}, {RequestLogModel::Seconds, 88}};
  for (const auto& [section, width] : widths) m_table->setColumnWidth(section, width);
  logColumn->addWidget(m_table, 1);
  logColumn->addStretch(0);  // takes the room while the table is hidden, so that title and text stay at the top
  column->addWidget(logCard, 1);

  connect(m_switch, &QAbstractButton::clicked, this, &ServerPage::flip);
  connect(m_port, &QSpinBox::valueChanged, this, [this](int port) {
    m_preferences.setServerPort(port);
    refresh();
  });
  connect(m_copyAddress, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(m_address->text()); });
  connect(m_copySnippet, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(m_snippet->toPlainText()); });
  connect(m_tabs, &QButtonGroup::idClicked, this, [this] { refresh(); });
  connect(&bridge.server(), &ServerBridge::changed, this, &ServerPage::refresh);
  connect(&bridge.server(), &ServerBridge::failed, this, &ServerPage::onFailed);
  connect(&bridge.server(), &ServerBridge::requests, this, &ServerPage::onRequests);
  connect(&bridge.models(), &ModelsBridge::statusChanged, this, &ServerPage::refresh);
  connect(&bridge.models(), &ModelsBridge::modelsChanged, this, &ServerPage::refresh);
  retranslate();
}

void ServerPage::flip(bool on) {
  if (m_bridge.server().changing()) {  // one change at a time: the switch goes back to what is being done
    refresh();
    return;
  }
  m_error->clear();
  if (on) {
    m_bridge.server().start(static_cast<quint16>(m_port->value()), m_bridge.models().loadedModel());
  } else {
    m_bridge.server().stop();
  }
}

void ServerPage::onFailed(const Error& error) {
  m_error->showError(error);
  if (error.code != ErrorCode::PortInUse) return;
  const int next = m_port->value() < 65535 ? m_port->value() + 1 : 11435;
  m_error->setAction(tr("Use port %1").arg(next), [this, next] {
    m_port->setValue(next);
    m_switch->setChecked(true);
    flip(true);
  });
}

void ServerPage::onRequests(const std::vector<RequestRecord>& records) {
  if (isVisible()) {
    m_log->add(records);
    m_logEmpty->setVisible(m_log->rowCount() == 0);
    m_table->setVisible(m_log->rowCount() > 0);
    return;
  }
  m_waiting.insert(m_waiting.end(), records.begin(), records.end());
  // Start and end of a request are two records.
  if (m_waiting.size() > 2 * RequestLogModel::kRows) {
    m_waiting.erase(m_waiting.begin(), m_waiting.end() - static_cast<std::ptrdiff_t>(2 * RequestLogModel::kRows));
  }
}

void ServerPage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  if (!m_waiting.empty()) onRequests(std::exchange(m_waiting, {}));
}

QString ServerPage::snippetText() const {
  const ServerBridge& server = m_bridge.server();
  const QString base = server.running() ? server.address() : u"http://127.0.0.1:%1"_s.arg(m_port->value());
  QString model = m_bridge.models().loadedModel();
  if (model.isEmpty() && !m_bridge.models().models().empty()) model = QString::fromStdString(m_bridge.models().models().front().id);
  if (model.isEmpty()) model = u"model"_s;
  if (m_tabs->checkedId() == 0) {
    return uR"(curl %1/v1/chat/completions \
  -H 'Content-Type: application/json' \
  -d '{
    "model": "%2",
    "messages": [
      {"role": "user", "content": "Hello"}
    ]
  }')"_s.arg(base, model);
  }
  return uR"(from openai import OpenAI

client = OpenAI(base_url="%1/v1", api_key="none")
reply = client.chat.completions.create(
    model="%2",
    messages=[{"role": "user", "content": "Hello"}],
)
print(reply.choices[0].message.content))"_s.arg(base, model);
}

void ServerPage::refresh() {
  const ServerBridge& server = m_bridge.server();
  const bool on = server.running();
  {
    const QSignalBlocker quiet(m_switch);
    // It stays enabled meanwhile: a disabled one would hand the keyboard to its neighbour.
    m_switch->setChecked(server.changing() ? !on : on);
  }
  m_switchText->setText(server.changing() ? tr("One moment…") : on ? tr("The server is on") : tr("The server is off"));
  m_switch->setAccessibleName(tr("Server"));
  m_address->setText(on ? server.address() : tr("not listening"));
  m_copyAddress->setEnabled(on);
  m_port->setEnabled(!on && !server.changing());
  m_port->setToolTip(on ? tr("Switch the server off to change the port") : QString());
  m_snippet->setPlainText(snippetText());
  const bool empty = m_log->rowCount() == 0;
  m_logEmpty->setVisible(empty);
  m_table->setVisible(!empty);
  m_logEmpty->setText(on ? tr("No requests yet. Try the snippet above.") : tr("Switch the server on, and programs on this machine can use its models. Their requests are listed here."));
}

void ServerPage::retranslate() {
  m_title->setText(tr("Server"));
  m_addressName->setText(tr("Address"));
  m_note->setText(tr("Programs on this machine can use it through OpenAI's API under /v1."));
  m_copyAddress->setText(tr("Copy"));
  m_copyAddress->setAccessibleName(tr("Copy the address"));
  m_portName->setText(tr("Port"));
  m_port->setAccessibleName(tr("Port"));
  m_snippetTitle->setText(tr("Use it from"));
  m_copySnippet->setText(tr("Copy"));
  m_copySnippet->setAccessibleName(tr("Copy this snippet"));
  m_snippet->setAccessibleName(tr("Snippet"));
  m_logTitle->setText(tr("Requests"));
  m_table->setAccessibleName(tr("Requests"));
  m_log->retranslate();
  refresh();
}

void ServerPage::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) {
    // The one-click fix speaks the language too.
    if (!m_error->isHidden()) {
      const int next = m_port->value() < 65535 ? m_port->value() + 1 : 11435;
      if (m_error->actionButton()->isVisibleTo(m_error)) m_error->actionButton()->setText(tr("Use port %1").arg(next));
    }
    retranslate();
  }
}

}  // namespace hearth::ui
