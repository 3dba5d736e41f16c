#pragma once

#include <QElapsedTimer>
#include <QHash>
#include <QObject>

#include <optional>
#include <vector>

#include "ui/desktop/bridge/chat_bridge.h"
#include "ui/desktop/chat/chat_parameters.h"
#include "ui/desktop/chat/conversation_list_model.h"

namespace hearth::ui {

class ModelsBridge;

/// One message as the transcript shows it: what the store has, and what is happening to it now.
struct TranscriptItem {
  enum class Phase { None, Starting, Loading, Queued, Reading, Writing };
  Message message;
  Phase phase = Phase::None;  ///< other than None while a reply is made
  double loadProgress = 0;
  int queuePosition = 0;
  double queueSeconds = -1;
  [[nodiscard]] bool running() const noexcept { return phase != Phase::None; }
};

/// The chat page's mind: which chat is open, its messages, the replies being written (also in chats that are not open).
/// No widgets. Qt thread only; everything that blocks goes through the bridge.
class ChatController : public QObject {
  Q_OBJECT
 public:
  ChatController(ChatBridge& bridge, ModelsBridge& models, QObject* parent = nullptr);

  [[nodiscard]] ConversationListModel& list() noexcept { return m_list; }
  [[nodiscard]] const Conversation& conversation() const noexcept { return m_conversation; }
  [[nodiscard]] const std::vector<TranscriptItem>& items() const noexcept { return m_items; }
  [[nodiscard]] bool busy() const;  ///< a reply of the open chat is being made
  [[nodiscard]] QString model() const;  ///< that the next message goes to; empty = none
  [[nodiscard]] ChatParameters parameters() const { return ChatParameters::fromJson(m_conversation.parametersJson); }
  struct Context {
    int used = 0, total = 0;
  };
  [[nodiscard]] Context context() const;

  void refreshList();
  void newChat();
  void open(ConversationId id);
  void send(const QString& text);
  void stop();
  void regenerate(MessageId message);
  void edit(MessageId message, const QString& text);  ///< of a user's message: a new branch
  void switchBranch(MessageId message, int step);
  void rename(ConversationId id, const QString& title);
  void trash(ConversationId id);
  void restore(ConversationId id);
  void setModel(const QString& id);
  void setParameters(const ChatParameters& parameters, const QString& systemPrompt);

 signals:
  void listChanged();
  void conversationChanged();
  void itemsChanged();                     ///< messages came, went, or changed state
  void textGrew(qint64 message);           ///< only the text of this running reply
  void progressChanged(qint64 message);    ///< its phase
  void busyChanged();
  void trashed(qint64 id, const QString& title);
  void failed(const hearth::Error& error);
  void sendRefused(const QString& text, const hearth::Error& error);

 private:
  struct Active {
    ConversationId conversation = 0;
    TranscriptItem item;
    int tokens = 0;
    QElapsedTimer sinceFirst;
  };
  void onEvents(quint64 reply, const std::vector<ChatEvent>& batch);
  void applyEvent(Active& active, const ChatEvent& event);
  void show(ChatBridge::Opened opened);
  void reload(ConversationId id);
  void sendTo(ConversationId conversation, MessageId parent, const QString& text);
  void accept(ChatBridge::ReplyId reply, ConversationId conversation, const SentMessage& sent);
  void save();
  [[nodiscard]] TranscriptItem* itemOf(MessageId message);
  [[nodiscard]] SendOptions options() const;

  ChatBridge& m_bridge;
  ModelsBridge& m_models;
  ConversationListModel m_list;
  Conversation m_conversation;  ///< id 0 = a chat that has no message yet
  std::vector<TranscriptItem> m_items;
  QHash<quint64, Active> m_active;
  int m_contextTotal = 0;
  quint64 m_openTicket = 0;  ///< answers for a chat that is no longer wanted are dropped
  bool m_sending = false;
};

}  // namespace hearth::ui
