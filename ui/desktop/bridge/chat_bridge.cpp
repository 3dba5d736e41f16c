#include "ui/desktop/bridge/chat_bridge.h"

#include <map>

namespace hearth::ui {

namespace {
constexpr int kBatchMilliseconds = 33;
}

ChatBridge::ChatBridge(Host& host, Worker& worker) : m_host(host), m_worker(worker) {
  m_inbox = std::make_shared<Inbox<Batch>>(this, [this] {
    if (!m_timer.isActive()) m_timer.start();
  });
  m_timer.setSingleShot(true);
  m_timer.setInterval(kBatchMilliseconds);
  connect(&m_timer, &QTimer::timeout, this, &ChatBridge::drain);
}

ChatBridge::~ChatBridge() { detach(); }

void ChatBridge::detach() {
  m_inbox->close();
  for (const Reply& reply : std::as_const(m_replies)) {
    if (reply.task) reply.task->cancel();
  }
  m_replies.clear();
}

void ChatBridge::conversations(QObject* context, Done<std::vector<Conversation>> done) {
  m_worker.runInOrder(context, [this] { return m_host.store().conversations(); }, std::move(done));
}

void ChatBridge::createConversation(Conversation draft, QObject* context, Done<Conversation> done) {
  m_worker.runInOrder(
      context,
      [this, draft = std::move(draft)]() -> Result<Conversation> {
        HEARTH_TRY(Conversation made, m_host.store().createConversation(draft.title, draft.model));
        if (!draft.systemPrompt.empty() || !draft.parametersJson.empty()) {
          made.systemPrompt = draft.systemPrompt;
          made.parametersJson = draft.parametersJson;
          HEARTH_CHECK(m_host.store().updateConversation(made));
        }
        return made;
      },
      std::move(done));
}

void ChatBridge::updateConversation(const Conversation& conversation, QObject* context, Done<void> done) {
  m_worker.runInOrder(
      context,
      [this, wanted = conversation]() -> Result<void> {
        // The shown branch belongs to the store: a reply may have moved it since this copy was read.
        HEARTH_TRY(Conversation now, m_host.store().conversation(wanted.id));
        now.title = wanted.title;
        now.model = wanted.model;
        now.systemPrompt = wanted.systemPrompt;
        now.parametersJson = wanted.parametersJson;
        return m_host.store().updateConversation(now);
      },
      std::move(done));
}

void ChatBridge::trash(ConversationId id, QObject* context, Done<void> done) {
  m_worker.runInOrder(context, [this, id] { return m_host.store().trashConversation(id); }, std::move(done));
}

void ChatBridge::restore(ConversationId id, QObject* context, Done<void> done) {
  m_worker.runInOrder(context, [this, id] { return m_host.store().restoreConversation(id); }, std::move(done));
}

Result<ChatBridge::Opened> ChatBridge::openNow(ConversationId id) {
  Opened opened;
  HEARTH_TRY(opened.conversation, m_host.store().conversation(id));
  if (opened.conversation.activeLeaf != 0) {
    HEARTH_TRY(opened.path, m_host.store().path(opened.conversation.activeLeaf));
  }
  return opened;
}

void ChatBridge::open(ConversationId id, QObject* context, Done<Opened> done) {
  m_worker.runInOrder(context, [this, id] { return openNow(id); }, std::move(done));
}

void ChatBridge::switchBranch(const Message& message, int step, QObject* context, Done<Opened> done) {
  m_worker.runInOrder(
      context,
      [this, message, step]() -> Result<Opened> {
        Store& store = m_host.store();
        HEARTH_TRY(const std::vector<Message> siblings, store.children(message.conversation, message.parent));
        const auto here = std::ranges::find(siblings, message.id, &Message::id);
        if (here == siblings.end()) return fail(ErrorCode::NotFound, "The message has no place in the tree");
        const auto wanted = here - siblings.begin() + step;
        if (wanted < 0 || wanted >= static_cast<std::ptrdiff_t>(siblings.size())) return openNow(message.conversation);
        HEARTH_TRY(const MessageId leaf, store.latestLeaf(siblings[static_cast<std::size_t>(wanted)].id));
        HEARTH_TRY(Conversation conversation, store.conversation(message.conversation));
        conversation.activeLeaf = leaf;
        HEARTH_CHECK(store.updateConversation(conversation));
        return openNow(message.conversation);
      },
      std::move(done));
}

ChatBridge::ReplyId ChatBridge::send(ConversationId conversation, MessageId parent, const QString& text, const SendOptions& options,
                                     QObject* context, Done<SentMessage> done) {
  return begin(
      [this, conversation, parent, message = text.toStdString(), options](ChatSink sink) {
        return m_host.chat().send(conversation, parent, message, options, std::move(sink));
      },
      context, std::move(done));
}

ChatBridge::ReplyId ChatBridge::regenerate(MessageId message, const SendOptions& options, QObject* context, Done<SentMessage> done) {
  return begin(
      [this, message, options](ChatSink sink) { return m_host.chat().regenerate(message, options, std::move(sink)); }, context,
      std::move(done));
}

ChatBridge::ReplyId ChatBridge::begin(std::function<Result<SentMessage>(ChatSink)> start, QObject* context, Done<SentMessage> done) {
  const ReplyId id = m_nextReply++;
  m_replies.insert(id, {});
  ChatSink sink = [inbox = m_inbox, id](const ChatEvent& event) { return inbox->push({id, event}); };
  m_worker.runInOrder(
      this, [start = std::move(start), sink = std::move(sink)] { return start(sink); },
      [this, id, guard = QPointer<QObject>(context), done = std::move(done)](Result<SentMessage> sent) {
        if (!sent) {
          m_replies.remove(id);
        } else if (const auto it = m_replies.find(id); it != m_replies.end()) {
          it->task = sent->task;
          it->acknowledged = true;
          if (it->cancelWanted && it->task) it->task->cancel();
        }
        if (guard) done(std::move(sent));
        // What was said before the acknowledgement arrived comes now.
        if (const auto it = m_replies.find(id); it != m_replies.end() && !it->held.empty()) deliver(id, std::exchange(it->held, {}));
      });
  return id;
}

void ChatBridge::cancel(ReplyId reply) {
  const auto it = m_replies.find(reply);
  if (it == m_replies.end()) return;
  it->cancelWanted = true;
  if (it->task) it->task->cancel();
}

void ChatBridge::drain() {
  std::map<ReplyId, std::vector<ChatEvent>> byReply;
  for (Batch& item : m_inbox->take()) {
    std::vector<ChatEvent>& batch = byReply[item.first];
    if (item.second.kind == ChatEvent::Kind::Text) item.second.generatedTokens = 1;
    if (item.second.kind == ChatEvent::Kind::Text && !batch.empty() && batch.back().kind == ChatEvent::Kind::Text) {
      batch.back().text += item.second.text;
      ++batch.back().generatedTokens;
    } else {
      batch.push_back(std::move(item.second));
    }
  }
  for (auto& [id, batch] : byReply) {
    const auto it = m_replies.find(id);
    if (it == m_replies.end()) continue;
    if (it->acknowledged) {
      deliver(id, std::move(batch));
    } else {
      std::ranges::move(batch, std::back_inserter(it->held));
    }
  }
}

void ChatBridge::deliver(ReplyId id, std::vector<ChatEvent> batch) {
  const bool ends = !batch.empty() && (batch.back().kind == ChatEvent::Kind::Finished || batch.back().kind == ChatEvent::Kind::Failed);
  if (ends) m_replies.remove(id);
  emit events(id, batch);
}

}  // namespace hearth::ui
