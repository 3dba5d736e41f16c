#include "ui/desktop/chat/chat_controller.h"

#include "ui/desktop/bridge/models_bridge.h"
#include "ui/desktop/common/format.h"

namespace hearth::ui {

namespace {

constexpr qsizetype kTitleLength = 60;

std::string titleOf(const QString& text) {
  QString title = text.simplified();
  if (title.size() > kTitleLength) title = title.left(kTitleLength - 1).trimmed() + u'…';
  return title.toStdString();
}

}  // namespace

ChatController::ChatController(ChatBridge& bridge, ModelsBridge& models, QObject* parent)
    : QObject(parent), m_bridge(bridge), m_models(models) {
  connect(&m_bridge, &ChatBridge::events, this, &ChatController::onEvents);
  connect(&m_list, &ConversationListModel::renamed, this, &ChatController::rename);
}

bool ChatController::busy() const {
  return m_sending || std::ranges::any_of(m_items, &TranscriptItem::running);
}

QString ChatController::model() const {
  const QString own = q(m_conversation.model);
  if (!own.isEmpty() && (m_models.find(own) || !m_models.scanned())) return own;
  const QString loaded = m_models.loadedModel();
  if (!loaded.isEmpty()) return loaded;
  const auto usable = std::ranges::find_if(m_models.models(), [](const InstalledModel& each) { return !each.problem; });
  return usable == m_models.models().end() ? QString() : q(usable->id);
}

ChatController::Context ChatController::context() const {
  Context context;
  context.total = m_contextTotal > 0 ? m_contextTotal : m_models.contextTokens(model());
  for (auto it = m_items.rbegin(); it != m_items.rend(); ++it) {
    if (it->message.promptTokens + it->message.generatedTokens > 0) {
      context.used = it->message.promptTokens + it->message.generatedTokens;
      break;
    }
  }
  return context;
}

SendOptions ChatController::options() const { return parameters().sendOptions(model()); }

void ChatController::refreshList() {
  m_bridge.conversations(this, [this](Result<std::vector<Conversation>> all) {
    if (!all) {
      emit failed(all.error());
      return;
    }
    m_list.setConversations(std::move(*all));
    emit listChanged();
  });
}

void ChatController::newChat() {
  ++m_openTicket;
  const std::string model = m_conversation.model;
  m_conversation = {};
  m_conversation.model = model;
  m_items.clear();
  m_sending = false;
  emit conversationChanged();
  emit itemsChanged();
  emit busyChanged();
}

void ChatController::open(ConversationId id) {
  if (id == m_conversation.id) return;
  reload(id);
}

void ChatController::reload(ConversationId id) {
  const quint64 ticket = ++m_openTicket;
  m_bridge.open(id, this, [this, ticket](Result<ChatBridge::Opened> opened) {
    if (ticket != m_openTicket) return;
    if (!opened) {
      emit failed(opened.error());
      return;
    }
    show(std::move(*opened));
  });
}

void ChatController::show(ChatBridge::Opened opened) {
  if (opened.conversation.id != m_conversation.id) m_sending = false;
  m_conversation = std::move(opened.conversation);
  std::vector<TranscriptItem> items;
  items.reserve(opened.path.size());
  for (Message& message : opened.path) {
    TranscriptItem item;
    // What this session knows of a reply is newer than the store: its text is written there every two seconds only.
    const bool unfinished = message.state == MessageState::Streaming;
    const auto active = std::ranges::find_if(m_active, [&message](const Active& each) { return each.item.message.id == message.id; });
    const auto shown = unfinished ? std::ranges::find_if(m_items, [&message](const TranscriptItem& each) { return each.message.id == message.id; }) : m_items.end();
    if (active != m_active.end()) {
      item = active->item;
      item.message.siblingIndex = message.siblingIndex;
      item.message.siblingCount = message.siblingCount;
    } else if (shown != m_items.end()) {
      item = *shown;  // it has just ended, and the store's copy was read before
      item.message.siblingIndex = message.siblingIndex;
      item.message.siblingCount = message.siblingCount;
    } else {
      item.message = std::move(message);
    }
    items.push_back(std::move(item));
  }
  m_items = std::move(items);
  emit conversationChanged();
  emit itemsChanged();
  emit busyChanged();
}

TranscriptItem* ChatController::itemOf(MessageId message) {
  // The message that something happens to is nearly always the last.
  const auto it = std::find_if(m_items.rbegin(), m_items.rend(), [message](const TranscriptItem& item) { return item.message.id == message; });
  return it == m_items.rend() ? nullptr : &*it;
}

void ChatController::send(const QString& text) {
  if (text.trimmed().isEmpty() || busy()) return;
  m_sending = true;
  emit busyChanged();
  if (m_conversation.id != 0) {
    sendTo(m_conversation.id, m_items.empty() ? 0 : m_items.back().message.id, text);
    return;
  }
  Conversation draft = m_conversation;
  draft.title = titleOf(text);
  draft.model = model().toStdString();
  const quint64 ticket = m_openTicket;
  m_bridge.createConversation(draft, this, [this, text, ticket](Result<Conversation> made) {
    if (!made) {
      m_sending = false;
      emit busyChanged();
      emit sendRefused(text, made.error());
      return;
    }
    if (ticket == m_openTicket) m_conversation = *made;
    refreshList();
    sendTo(made->id, 0, text);
  });
}

void ChatController::sendTo(ConversationId conversation, MessageId parent, const QString& text) {
  const auto reply = std::make_shared<ChatBridge::ReplyId>(0);
  *reply = m_bridge.send(conversation, parent, text, options(), this, [this, conversation, text, reply](Result<SentMessage> sent) {
    if (sent) {
      accept(*reply, conversation, *sent);
      return;
    }
    m_sending = false;
    emit busyChanged();
    emit sendRefused(text, sent.error());
  });
}

void ChatController::accept(ChatBridge::ReplyId reply, ConversationId conversation, const SentMessage& sent) {
  Active active;
  active.conversation = conversation;
  active.item.message = sent.assistant;
  active.item.phase = TranscriptItem::Phase::Starting;
  m_active.insert(reply, std::move(active));
  m_sending = false;
  if (conversation == m_conversation.id) reload(conversation);
  refreshList();
}

void ChatController::stop() {
  for (auto it = m_active.begin(); it != m_active.end(); ++it) {
    if (it->conversation == m_conversation.id) m_bridge.cancel(it.key());
  }
}

void ChatController::regenerate(MessageId message) {
  if (busy()) return;
  m_sending = true;
  emit busyChanged();
  const ConversationId conversation = m_conversation.id;
  const auto reply = std::make_shared<ChatBridge::ReplyId>(0);
  *reply = m_bridge.regenerate(message, options(), this, [this, conversation, reply](Result<SentMessage> sent) {
    if (sent) {
      accept(*reply, conversation, *sent);
      return;
    }
    m_sending = false;
    emit busyChanged();
    emit failed(sent.error());
  });
}

void ChatController::edit(MessageId message, const QString& text) {
  const TranscriptItem* item = itemOf(message);
  if (!item || busy() || text.trimmed().isEmpty()) return;
  m_sending = true;
  emit busyChanged();
  sendTo(m_conversation.id, item->message.parent, text);
}

void ChatController::switchBranch(MessageId message, int step) {
  const TranscriptItem* item = itemOf(message);
  if (!item) return;
  const quint64 ticket = ++m_openTicket;
  m_bridge.switchBranch(item->message, step, this, [this, ticket](Result<ChatBridge::Opened> opened) {
    if (ticket != m_openTicket) return;
    if (!opened) {
      emit failed(opened.error());
      return;
    }
    show(std::move(*opened));
  });
}

void ChatController::onEvents(quint64 reply, const std::vector<ChatEvent>& batch) {
  const auto it = m_active.find(reply);
  if (it == m_active.end()) return;
  const TranscriptItem::Phase before = it->item.phase;
  bool grew = false;
  bool ended = false;
  for (const ChatEvent& event : batch) {
    applyEvent(*it, event);
    grew = grew || event.kind == ChatEvent::Kind::Text || event.kind == ChatEvent::Kind::Reasoning;
    ended = ended || event.kind == ChatEvent::Kind::Finished || event.kind == ChatEvent::Kind::Failed;
  }
  const MessageId id = it->item.message.id;
  const bool phase = before != it->item.phase || !grew;
  if (TranscriptItem* shown = itemOf(id)) {
    const int index = shown->message.siblingIndex;
    const int count = shown->message.siblingCount;
    *shown = it->item;
    shown->message.siblingIndex = index;
    shown->message.siblingCount = count;
  }
  const bool missed = ended && !itemOf(id) && it->conversation == m_conversation.id;
  if (ended) m_active.erase(it);
  if (missed) reload(m_conversation.id);  // it ended between a read of the store and its showing
  if (grew) emit textGrew(id);
  if (ended) {
    emit itemsChanged();
    emit busyChanged();
    refreshList();
  } else if (phase) {
    emit progressChanged(id);
  }
}

void ChatController::applyEvent(Active& active, const ChatEvent& event) {
  using Phase = TranscriptItem::Phase;
  TranscriptItem& item = active.item;
  switch (event.kind) {
    case ChatEvent::Kind::Loading:
      item.phase = Phase::Loading;
      item.loadProgress = event.loadProgress;
      break;
    case ChatEvent::Kind::Queued:
      item.phase = Phase::Queued;
      item.queuePosition = event.queuePosition;
      item.queueSeconds = event.queueEstimateSeconds;
      break;
    case ChatEvent::Kind::Started:
      item.phase = Phase::Reading;
      item.message.promptTokens = event.promptTokens;
      if (event.contextTokens > 0) m_contextTotal = event.contextTokens;
      break;
    case ChatEvent::Kind::Text:
      item.phase = Phase::Writing;
      item.message.text += event.text;
      if (!active.sinceFirst.isValid()) active.sinceFirst.start();
      active.tokens += event.generatedTokens;
      item.message.generatedTokens = active.tokens;
      if (const qint64 elapsed = active.sinceFirst.elapsed(); elapsed > 500) {
        item.message.tokensPerSecond = static_cast<double>(active.tokens) * 1000.0 / static_cast<double>(elapsed);
      }
      break;
    case ChatEvent::Kind::Reasoning:
      item.phase = Phase::Writing;
      item.message.reasoning += event.text;
      break;
    case ChatEvent::Kind::ToolCall:
      break;
    case ChatEvent::Kind::Finished:
      item.phase = Phase::None;
      item.message.state = event.reason == FinishReason::Cancelled ? MessageState::Stopped
                           : event.reason == FinishReason::Error   ? MessageState::Failed
                                                                   : MessageState::Complete;
      item.message.lengthLimited = event.reason == FinishReason::Length;
      item.message.promptTokens = event.promptTokens;
      item.message.generatedTokens = event.generatedTokens;
      item.message.tokensPerSecond = event.tokensPerSecond;
      item.message.firstTokenSeconds = event.firstTokenSeconds;
      break;
    case ChatEvent::Kind::Failed:
      item.phase = Phase::None;
      item.message.state = MessageState::Failed;
      item.message.error = event.error;
      break;
  }
}

void ChatController::rename(ConversationId id, const QString& title) {
  const Conversation* known = m_list.find(id);
  if (!known) return;
  Conversation renamed = id == m_conversation.id ? m_conversation : *known;
  renamed.title = title.toStdString();
  if (id == m_conversation.id) m_conversation.title = renamed.title;
  m_bridge.updateConversation(renamed, this, [this](const Result<void>& result) {
    if (!result) emit failed(result.error());
    refreshList();
  });
  emit conversationChanged();
}

void ChatController::trash(ConversationId id) {
  const Conversation* known = m_list.find(id);
  const QString title = known ? q(known->title) : QString();
  if (id == m_conversation.id) {
    stop();
    newChat();
  }
  m_bridge.trash(id, this, [this, id, title](const Result<void>& result) {
    if (!result) {
      emit failed(result.error());
      return;
    }
    refreshList();
    emit trashed(id, title);
  });
}

void ChatController::restore(ConversationId id) {
  m_bridge.restore(id, this, [this, id](const Result<void>& result) {
    if (!result) {
      emit failed(result.error());
      return;
    }
    refreshList();
    open(id);
  });
}

void ChatController::setModel(const QString& id) {
  if (q(m_conversation.model) == id) return;
  m_conversation.model = id.toStdString();
  m_contextTotal = 0;
  save();
  emit conversationChanged();
}

void ChatController::setParameters(const ChatParameters& parameters, const QString& systemPrompt) {
  m_conversation.parametersJson = parameters.toJson();
  m_conversation.systemPrompt = systemPrompt.toStdString();
  save();
}

void ChatController::save() {
  if (m_conversation.id == 0) return;  // kept with the first message
  m_bridge.updateConversation(m_conversation, this, [this](const Result<void>& result) {
    if (!result) emit failed(result.error());
  });
}

}  // namespace hearth::ui
