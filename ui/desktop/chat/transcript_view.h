#pragma once

#include <QScrollArea>

#include <vector>

#include "ui/desktop/chat/chat_controller.h"

class QPushButton;
class QVBoxLayout;

namespace hearth::ui {

class MessageWidget;

/// The messages of the open chat. Makes widgets for the newest kWindow messages only, older ones when asked for, so that a
/// long chat opens as fast as a short one. Follows the end of the text unless the user scrolled up.
class TranscriptView : public QScrollArea {
  Q_OBJECT
 public:
  static constexpr std::size_t kWindow = 40;

  explicit TranscriptView(ChatController& controller, QWidget* parent = nullptr);
  [[nodiscard]] const std::vector<MessageWidget*>& messages() const noexcept { return m_widgets; }
  [[nodiscard]] bool following() const noexcept { return m_follow; }

 protected:
  void changeEvent(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void sync();
  void onText(qint64 message);
  [[nodiscard]] MessageWidget* widgetOf(qint64 message) const;
  [[nodiscard]] MessageWidget* make(const TranscriptItem& item);

  ChatController& m_controller;
  QVBoxLayout* m_column;
  QPushButton* m_earlier;
  std::vector<MessageWidget*> m_widgets;
  ConversationId m_conversation = 0;
  std::size_t m_window = kWindow;
  bool m_follow = true;
};

}  // namespace hearth::ui
