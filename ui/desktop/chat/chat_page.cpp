#include "ui/desktop/chat/chat_page.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QMenu>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/bridge/models_bridge.h"
#include "ui/desktop/chat/composer.h"
#include "ui/desktop/chat/conversation_panel.h"
#include "ui/desktop/chat/parameters_panel.h"
#include "ui/desktop/chat/transcript_view.h"
#include "ui/desktop/common/format.h"
#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

ChatPage::ChatPage(Bridge& bridge, QWidget* parent)
    : QWidget(parent),
      m_bridge(bridge),
      m_controller(new ChatController(bridge.chat(), bridge.models(), this)),
      m_panel(new ConversationPanel(*m_controller)),
      m_title(new ElidedLabel),
      m_modelButton(makeButton()),
      m_parametersButton(makeButton()),
      m_error(new ErrorBox),
      m_stack(new QStackedWidget),
      m_transcript(new TranscriptView(*m_controller)),
      m_empty(new EmptyState),
      m_composer(new Composer),
      m_parameters(new ParametersPanel) {
  setObjectName(u"page"_s);
  m_title->setProperty("role", u"heading"_s);
  m_parametersButton->setCheckable(true);
  auto* header = new QFrame;
  header->setObjectName(u"pageHeader"_s);
  auto* headerRow = new QHBoxLayout(header);
  headerRow->setContentsMargins(24, 9, 24, 9);
  headerRow->setSpacing(12);
  headerRow->addWidget(m_title, 1);
  headerRow->addWidget(m_modelButton);
  headerRow->addWidget(m_parametersButton);
  m_stack->addWidget(m_empty);
  m_stack->addWidget(m_transcript);
  m_empty->setIcon("chat"_L1);
  auto* composerColumn = new QVBoxLayout;
  composerColumn->setContentsMargins(24, 0, 24, 16);
  composerColumn->setSpacing(10);
  composerColumn->addWidget(m_error);
  composerColumn->addWidget(m_composer);
  auto* middle = new QVBoxLayout;
  middle->setSpacing(0);
  middle->addWidget(header);
  middle->addWidget(m_stack, 1);
  middle->addLayout(composerColumn);
  m_composerColumn = composerColumn;
  m_parameters->setObjectName(u"rightPanel"_s);
  m_parameters->setFixedWidth(272);
  m_parameters->hide();
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  row->addWidget(m_panel);
  row->addLayout(middle, 1);
  row->addWidget(m_parameters);

  connect(m_panel, &ConversationPanel::newChat, this, &ChatPage::newChat);
  connect(m_parametersButton, &QPushButton::toggled, this, &ChatPage::setParametersVisible);
  connect(m_parameters, &ParametersPanel::changed, this,
          [this] { m_controller->setParameters(m_parameters->parameters(), m_parameters->systemPrompt()); });
  connect(m_modelButton, &QPushButton::clicked, this, &ChatPage::showModelMenu);
  connect(m_empty, &EmptyState::activated, this, &ChatPage::modelsPageWanted);
  connect(m_composer, &Composer::send, this, [this](const QString& text) {
    m_error->clear();
    if (m_controller->model().isEmpty()) {
      m_composer->setText(text);
      emit modelsPageWanted();
      return;
    }
    m_controller->send(text);
  });
  connect(m_composer, &Composer::stop, this, &ChatPage::stop);
  connect(m_controller, &ChatController::busyChanged, this, &ChatPage::refresh);
  connect(m_controller, &ChatController::itemsChanged, this, &ChatPage::refresh);
  connect(m_controller, &ChatController::progressChanged, this, &ChatPage::refresh);
  connect(m_controller, &ChatController::conversationChanged, this, [this] {
    m_parameters->setParameters(m_controller->parameters(), q(m_controller->conversation().systemPrompt));
    refresh();
  });
  connect(m_controller, &ChatController::textGrew, this, [this] {
    const ChatController::Context context = m_controller->context();
    m_composer->setContext(context.used, context.total);
  });
  connect(m_controller, &ChatController::failed, m_error, &ErrorBox::showError);
  connect(m_controller, &ChatController::sendRefused, this, [this](const QString& text, const Error& error) {
    // Nothing typed is lost.
    if (m_composer->text().isEmpty()) m_composer->setText(text);
    m_error->showError(error);
  });
  connect(&bridge.models(), &ModelsBridge::modelsChanged, this, &ChatPage::refresh);
  connect(&bridge.models(), &ModelsBridge::statusChanged, this, &ChatPage::refresh);
  m_controller->refreshList();
  retranslate();
}

void ChatPage::newChat() {
  m_error->clear();
  m_controller->newChat();
  m_composer->focusText();
}

void ChatPage::stop() { m_controller->stop(); }

void ChatPage::setParametersVisible(bool visible) {
  m_parameters->setVisible(visible);
  m_parametersButton->setChecked(visible);
  place();
}

void ChatPage::showModelMenu() {
  QMenu menu(this);
  for (const InstalledModel& model : m_bridge.models().models()) {
    const QString id = q(model.id);
    QAction* action = menu.addAction(id, this, [this, id] {
      m_controller->setModel(id);
      m_bridge.models().load(id);
    });
    action->setCheckable(true);
    action->setChecked(id == m_controller->model());
    action->setEnabled(!model.problem);
  }
  menu.addSeparator();
  menu.addAction(tr("Models page…"), this, &ChatPage::modelsPageWanted);
  menu.exec(m_modelButton->mapToGlobal(QPoint(0, m_modelButton->height() + 4)));
}

void ChatPage::refresh() {
  const ModelsBridge& models = m_bridge.models();
  const QString model = m_controller->model();
  const ModelStatus status = models.status(model);
  const bool noModels = models.scanned() && model.isEmpty();
  const QString title = q(m_controller->conversation().title);
  m_title->setFullText(title.isEmpty() ? tr("New chat") : title);

  QString button = model.isEmpty() ? tr("No model") : model;
  if (status.state == ModelState::Loading) button = tr("Loading %1%").arg(static_cast<int>(status.progress * 100));
  const int widest = std::max(160, width() / 4);
  m_modelButton->setText(m_modelButton->fontMetrics().elidedText(button, Qt::ElideMiddle, widest) + u" ▾"_s);
  m_modelButton->setToolTip(model);
  m_modelButton->setAccessibleName(tr("Model: %1").arg(button));

  m_composer->setBusy(m_controller->busy());
  m_composer->setModelName(model);
  const ChatController::Context context = m_controller->context();
  m_composer->setContext(context.used, context.total);

  const bool empty = m_controller->items().empty();
  m_stack->setCurrentIndex(empty ? 0 : 1);
  if (!empty) return;
  if (noModels) {
    m_empty->setTexts(tr("Add a model to start"), tr("A model is one GGUF file. Import one that you have, or point Hearth at the folder where they are. Nothing leaves this machine."),
                      tr("Go to Models"));
  } else if (status.state == ModelState::Loading) {
    m_empty->setTexts(tr("Loading %1").arg(model), tr("%1% done. You can write already: the message is sent when the model is ready.").arg(static_cast<int>(status.progress * 100)), {});
  } else if (status.state == ModelState::Failed && status.error) {
    m_empty->setTexts(tr("%1 could not be loaded").arg(model), errorText(*status.error).oneLine(), tr("Go to Models"));
  } else {
    m_empty->setTexts(tr("What can I help with?"), tr("Ask anything. The model runs on this machine, and so do your chats."), {});
  }
}

void ChatPage::place() {
  // The composer keeps the transcript's column.
  const int room = width() - m_panel->width() - (m_parameters->isVisibleTo(this) ? m_parameters->width() : 0);
  const int side = std::max(24, (room - 780) / 2);
  m_composerColumn->setContentsMargins(side, 0, side, 16);
}

void ChatPage::retranslate() {
  m_parametersButton->setText(tr("Parameters"));
  m_modelButton->setStatusTip(tr("Choose the model of this chat"));
  refresh();
}

void ChatPage::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
}

void ChatPage::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  place();
  refresh();
}

}  // namespace hearth::ui
