#pragma once

#include <QAbstractScrollArea>
#include <QTimer>

#include <map>
#include <optional>
#include <vector>

#include "ui/desktop/chat/chat_controller.h"
#include "ui/desktop/chat/transcript_layout.h"

namespace hearth::ui {

class FindBar;
class MessageWidget;

/// The messages of the open chat. Has widgets for those in sight and a few beside them, whatever the length of the chat; a
/// widget that leaves is used for the next message that comes. Heights out of sight are estimates, and what is in sight stays
/// where it is when one turns out wrong. Follows the end of the text unless the user scrolled up. Qt thread only.
class TranscriptView : public QAbstractScrollArea {
  Q_OBJECT
 public:
  explicit TranscriptView(ChatController& controller, QWidget* parent = nullptr);
  ~TranscriptView() override;

  /// Those that are there, from the first to the last; all of a short chat.
  [[nodiscard]] std::vector<MessageWidget*> messages() const;
  [[nodiscard]] std::size_t widgetCount() const noexcept;  ///< with those that wait to be used again
  [[nodiscard]] const TranscriptLayout& heights() const noexcept { return m_layout; }
  [[nodiscard]] bool following() const noexcept { return m_follow; }
  [[nodiscard]] FindBar* findBar() const { return m_find; }
  void openFind();
  /// Scrolls as far as needed; the widget is there afterwards.
  MessageWidget* reveal(std::size_t index);

 protected:
  void changeEvent(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void scrollContentsBy(int dx, int dy) override;
  bool eventFilter(QObject* watched, QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  struct Live {
    MessageWidget* widget = nullptr;
    bool stale = true;  ///< its height must be measured
  };
  struct Anchor {
    std::size_t index = 0;
    int offset = 0;  ///< of its upper edge from that of the viewport
  };
  void sync();
  void onText(qint64 message);
  void place();
  void placeAround(const Anchor& anchor);
  void prefetch();
  [[nodiscard]] Anchor anchor() const;
  [[nodiscard]] Live& live(std::size_t index);
  [[nodiscard]] MessageWidget* make(const TranscriptItem& item);
  bool measure(std::size_t index, Live& entry);
  void release(MessageWidget* widget);
  void releaseFar(std::size_t first, std::size_t last);
  void estimateFrom(std::size_t index);
  [[nodiscard]] std::optional<std::size_t> indexOf(qint64 message) const;
  [[nodiscard]] int columnWidth() const;
  void step(qint64 message, int direction, bool caret);
  void showFound(std::size_t index);

  ChatController& m_controller;
  TranscriptLayout m_layout;
  std::vector<MessageId> m_ids;            // as laid out
  std::map<std::size_t, Live> m_live;      // by place
  std::vector<MessageWidget*> m_spare;     // hidden, for the next messages
  FindBar* m_find;
  QTimer m_prefetch;
  ConversationId m_conversation = 0;
  int m_width = 0;  // that heights were measured for
  bool m_follow = true;
  bool m_placing = false;
  bool m_placeWanted = false;
};

}  // namespace hearth::ui
