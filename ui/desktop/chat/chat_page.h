#pragma once

#include <QWidget>

#include "ui/desktop/chat/chat_controller.h"

class QPushButton;
class QStackedWidget;
class QVBoxLayout;

namespace hearth::ui {

class Bridge;
class Composer;
class ConversationPanel;
class ElidedLabel;
class EmptyState;
class ErrorBox;
class ParametersPanel;
class TranscriptView;

/// The chat page: list of chats, transcript, composer, parameters. Owns the controller. Qt thread only.
class ChatPage : public QWidget {
  Q_OBJECT
 public:
  explicit ChatPage(Bridge& bridge, QWidget* parent = nullptr);

  [[nodiscard]] ChatController& controller() const { return *m_controller; }
  [[nodiscard]] Composer* composer() const { return m_composer; }
  [[nodiscard]] TranscriptView* transcript() const { return m_transcript; }
  [[nodiscard]] ConversationPanel* panel() const { return m_panel; }
  [[nodiscard]] ParametersPanel* parameters() const { return m_parameters; }
  [[nodiscard]] ErrorBox* errorBox() const { return m_error; }
  [[nodiscard]] QPushButton* modelButton() const { return m_modelButton; }
  void newChat();
  void stop();
  void setParametersVisible(bool visible);

 signals:
  void modelsPageWanted();

 protected:
  void changeEvent(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void retranslate();
  void refresh();
  void showModelMenu();
  void place();

  Bridge& m_bridge;
  ChatController* m_controller;
  ConversationPanel* m_panel;
  ElidedLabel* m_title;
  QPushButton* m_modelButton;
  QPushButton* m_parametersButton;
  ErrorBox* m_error;
  QStackedWidget* m_stack;
  TranscriptView* m_transcript;
  EmptyState* m_empty;
  Composer* m_composer;
  ParametersPanel* m_parameters;
  QVBoxLayout* m_composerColumn = nullptr;
};

}  // namespace hearth::ui
