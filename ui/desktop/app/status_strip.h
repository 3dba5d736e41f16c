#pragma once

#include <QFrame>

class QLabel;
class QPushButton;

namespace hearth::ui {

class Bridge;
class ElidedLabel;
class ServerBridge;
class UsageBar;

/// The strip below: the loaded model and its memory, tokens per second, whether the machine is shared, with
/// how many people, and how many requests wait. Qt thread only.
class StatusStrip : public QFrame {
  Q_OBJECT
 public:
  explicit StatusStrip(Bridge& bridge, QWidget* parent = nullptr);
  /// "shared · 3 users · 2 queued"; empty while the server is off.
  [[nodiscard]] static QString serverText(const ServerBridge& server);
  [[nodiscard]] QPushButton* sharedButton() const { return m_shared; }
  [[nodiscard]] ElidedLabel* modelLabel() const { return m_model; }

 signals:
  void serverWanted();  ///< the indicator was clicked

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void refresh();
  Bridge& m_bridge;
  QLabel* m_dot;
  ElidedLabel* m_model;
  QLabel* m_detail;
  QLabel* m_memoryName;
  UsageBar* m_bar;
  QLabel* m_memory;
  QLabel* m_rate;
  QPushButton* m_shared;
};

}  // namespace hearth::ui
