#pragma once

#include <QFrame>
#include <QTimer>

#include <vector>

#include "ui/desktop/chat/chat_controller.h"

class QLabel;
class QLineEdit;
class QPushButton;

namespace hearth::ui {

/// Find in the open chat: the words, how many messages have them, one after the other from the newest. Looks through long
/// chats in short steps, so that typing goes on meanwhile. Qt thread only.
class FindBar : public QFrame {
  Q_OBJECT
 public:
  explicit FindBar(ChatController& controller, QWidget* parent = nullptr);
  void open();
  void close();
  /// Messages came, went or changed; another chat ends the search.
  void itemsChanged(bool otherChat);
  [[nodiscard]] QString words() const;  ///< empty while it is closed
  [[nodiscard]] const std::vector<std::size_t>& hits() const noexcept { return m_hits; }
  [[nodiscard]] bool searching() const { return m_work.isActive(); }
  [[nodiscard]] QLineEdit* field() const { return m_field; }
  [[nodiscard]] QLabel* count() const { return m_count; }

 signals:
  void wordsChanged(const QString& words);
  void found(std::size_t index);  ///< the message to show
  void closed();

 protected:
  void changeEvent(QEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void start();
  void work();
  void step(int direction);
  void retranslate();
  void showCount();

  ChatController& m_controller;
  QLineEdit* m_field;
  QLabel* m_count;
  QPushButton* m_previous;
  QPushButton* m_next;
  QPushButton* m_close;
  QTimer m_work;
  std::vector<std::size_t> m_hits;  // places of messages, the newest first
  std::size_t m_left = 0;           // messages that are not looked through: those before this place
  std::ptrdiff_t m_current = -1;    // of m_hits
};

}  // namespace hearth::ui
