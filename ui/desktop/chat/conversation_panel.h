#pragma once

#include <QFrame>
#include <QStyledItemDelegate>

#include "ui/desktop/chat/chat_controller.h"

class QLabel;
class QLineEdit;
class QListView;
class QPushButton;
class QTimer;

namespace hearth::ui {

class ElidedLabel;

/// Paints headings small and muted, the chosen chat on the soft accent.
class ConversationDelegate : public QStyledItemDelegate {
  Q_OBJECT
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
  [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

/// The list of chats: new, search, rename (F2), delete to the trash (Del) with undo. Qt thread only.
class ConversationPanel : public QFrame {
  Q_OBJECT
 public:
  explicit ConversationPanel(ChatController& controller, QWidget* parent = nullptr);
  [[nodiscard]] QListView* view() const { return m_view; }
  [[nodiscard]] QLineEdit* search() const { return m_search; }
  [[nodiscard]] QPushButton* newButton() const { return m_new; }
  [[nodiscard]] QPushButton* undoButton() const { return m_undo; }

 signals:
  void newChat();

 protected:
  void changeEvent(QEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void retranslate();
  void selectCurrent();
  void menuAt(const QPoint& point);
  [[nodiscard]] ConversationId chosen() const;

  ChatController& m_controller;
  QPushButton* m_new;
  QLineEdit* m_search;
  QListView* m_view;
  QLabel* m_nothing;
  QFrame* m_undoBar;
  ElidedLabel* m_undoText;
  QPushButton* m_undo;
  QTimer* m_undoTimer;
  ConversationId m_trashed = 0;
};

}  // namespace hearth::ui
