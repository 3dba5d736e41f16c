#pragma once

#include <QScrollArea>

#include <vector>

#include "ui/desktop/chat/chat_parameters.h"

class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;
class QSpinBox;
class QTimer;

namespace hearth::ui {

/// Sampling parameters and system prompt of one chat. Reports each finished change. Qt thread only.
class ParametersPanel : public QScrollArea {
  Q_OBJECT
 public:
  explicit ParametersPanel(QWidget* parent = nullptr);
  void setParameters(const ChatParameters& parameters, const QString& systemPrompt);
  [[nodiscard]] ChatParameters parameters() const;
  [[nodiscard]] QString systemPrompt() const;

 signals:
  void changed();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  QDoubleSpinBox* m_temperature;
  QDoubleSpinBox* m_topP;
  QSpinBox* m_topK;
  QDoubleSpinBox* m_minP;
  QSpinBox* m_maxTokens;
  QLineEdit* m_seed;
  QPlainTextEdit* m_system;
  QPushButton* m_reset;
  QLabel* m_title;
  QLabel* m_systemLabel;
  std::vector<QLabel*> m_labels;
  QTimer* m_typed;
};

}  // namespace hearth::ui
