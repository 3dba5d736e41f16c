#pragma once

#include <QHash>
#include <QObject>
#include <QTimer>

#include <functional>
#include <memory>
#include <vector>

#include "core/host/host.h"
#include "ui/desktop/bridge/inbox.h"
#include "ui/desktop/bridge/worker.h"

namespace hearth::ui {

/// Chats and their messages, and replies while they are written. Qt thread only. Results come to the callbacks, events of
/// replies as batches of at most 30 a second.
class ChatBridge : public QObject {
  Q_OBJECT
 public:
  using ReplyId = quint64;
  template <class T>
  using Done = std::function<void(Result<T>)>;

  ChatBridge(Host& host, Worker& worker);
  ~ChatBridge() override;
  void detach();

  void conversations(QObject* context, Done<std::vector<Conversation>> done);
  void createConversation(Conversation draft, QObject* context, Done<Conversation> done);
  void updateConversation(const Conversation& conversation, QObject* context, Done<void> done);
  void trash(ConversationId id, QObject* context, Done<void> done);
  void restore(ConversationId id, QObject* context, Done<void> done);
  /// The chat and the messages of its shown branch.
  struct Opened {
    Conversation conversation;
    std::vector<Message> path;
  };
  void open(ConversationId id, QObject* context, Done<Opened> done);
  /// Shows the sibling `step` places on (−1, +1) of `message`, and the newest leaf below it.
  void switchBranch(const Message& message, int step, QObject* context, Done<Opened> done);

  /// Starts a reply. Its events are held back until `done` has run. A refused one has no events.
  ReplyId send(ConversationId conversation, MessageId parent, const QString& text, const SendOptions& options, QObject* context,
               Done<SentMessage> done);
  ReplyId regenerate(MessageId message, const SendOptions& options, QObject* context, Done<SentMessage> done);
  void cancel(ReplyId reply);

 signals:
  /// In order; text of one batch is joined into one event, whose generatedTokens says how many tokens it holds.
  void events(quint64 reply, const std::vector<hearth::ChatEvent>& batch);

 private:
  using Batch = std::pair<ReplyId, ChatEvent>;
  struct Reply {
    ChatTaskPtr task;
    bool acknowledged = false;
    bool cancelWanted = false;
    std::vector<ChatEvent> held;
  };
  ReplyId begin(std::function<Result<SentMessage>(ChatSink)> start, QObject* context, Done<SentMessage> done);
  void drain();
  void deliver(ReplyId id, std::vector<ChatEvent> batch);
  [[nodiscard]] Result<Opened> openNow(ConversationId id);

  Host& m_host;
  Worker& m_worker;
  std::shared_ptr<Inbox<Batch>> m_inbox;
  QTimer m_timer;
  QHash<ReplyId, Reply> m_replies;
  ReplyId m_nextReply = 1;
};

}  // namespace hearth::ui
