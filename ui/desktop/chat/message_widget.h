#pragma once

#include <QWidget>

#include "ui/desktop/chat/chat_controller.h"

class QFrame;
class QHBoxLayout;
class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace hearth::ui {

class ErrorBox;
class MarkdownView;
class TextBlock;

/// One message: text, state with its next step, branch arrows, copy, edit or regenerate, figures. Shows what it is given,
/// reports clicks. Takes the focus as a whole: the arrow keys go from message to message, Enter puts the caret into the
/// text. Qt thread only.
class MessageWidget : public QWidget {
  Q_OBJECT
 public:
  explicit MessageWidget(const TranscriptItem& item, QWidget* parent = nullptr);

  /// Made for messages of this kind: setItem() may give it this one.
  [[nodiscard]] bool canShow(const TranscriptItem& item) const noexcept;
  /// Its height at this width, at which it stays.
  [[nodiscard]] int heightAt(int width);
  /// Something is written into it, or the focus is in it: it must not become another message.
  [[nodiscard]] bool inUse() const;
  int mark(const QString& words);  ///< shows where these words stand; gives how often
  [[nodiscard]] QRect firstMark() const;
  bool takeCaret(bool atEnd);

  [[nodiscard]] MessageId id() const noexcept { return m_item.message.id; }
  [[nodiscard]] bool isUser() const noexcept { return m_item.message.role == Role::User; }
  void setItem(const TranscriptItem& item);  ///< everything
  void updateText(const TranscriptItem& item);  ///< while it streams
  void setActionsEnabled(bool enabled);  ///< no branching while a reply is written

  [[nodiscard]] MarkdownView* markdown() const { return m_markdown; }
  [[nodiscard]] QPushButton* previousButton() const { return m_previous; }
  [[nodiscard]] QPushButton* nextButton() const { return m_next; }
  [[nodiscard]] QLabel* branchLabel() const { return m_branch; }
  [[nodiscard]] QPushButton* regenerateButton() const { return m_again; }
  [[nodiscard]] QPushButton* editButton() const { return m_edit; }
  [[nodiscard]] QLabel* stateLabel() const { return m_state; }
  [[nodiscard]] ErrorBox* errorBox() const { return m_error; }
  void beginEdit();

 signals:
  void branchStep(qint64 message, int step);
  void regenerate(qint64 message);
  void edited(qint64 message, const QString& text);
  void stepped(qint64 message, int direction, bool caret);  ///< to the next or previous message

 protected:
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void changeEvent(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void build();
  void refresh();
  void refreshFooter();
  void fitBubble();
  void endEdit();
  void refreshName();

  TranscriptItem m_item;
  bool m_enabled = true;
  QFrame* m_bubble = nullptr;       // user
  TextBlock* m_plain = nullptr;     // user
  QWidget* m_editor = nullptr;      // user, made when first needed
  QPlainTextEdit* m_editText = nullptr;
  QPushButton* m_editSend = nullptr;
  QPushButton* m_editCancel = nullptr;
  MarkdownView* m_markdown = nullptr;  // assistant
  ErrorBox* m_error = nullptr;
  QLabel* m_state = nullptr;
  QWidget* m_actions = nullptr;
  QPushButton* m_previous = nullptr;
  QLabel* m_branch = nullptr;
  QPushButton* m_next = nullptr;
  QPushButton* m_edit = nullptr;
  QPushButton* m_copy = nullptr;
  QPushButton* m_again = nullptr;
};

}  // namespace hearth::ui
