#pragma once

#include <QFrame>

#include "core/engine/engine_pool.h"
#include "core/library/library.h"

class QLabel;
class QProgressBar;
class QPushButton;

namespace hearth::ui {

class ElidedLabel;
class ErrorBox;

/// One model of the library: what it is, its problem or state, load and unload. Shows what it is given, reports clicks.
class ModelCard : public QFrame {
  Q_OBJECT
 public:
  explicit ModelCard(InstalledModel model, QWidget* parent = nullptr);
  [[nodiscard]] const InstalledModel& model() const noexcept { return m_model; }
  void setModel(InstalledModel model);
  void setStatus(const ModelStatus& status);
  void setPrimary(bool primary);  ///< the page's one primary action
  [[nodiscard]] QPushButton* loadButton() const { return m_load; }
  [[nodiscard]] QPushButton* chatButton() const { return m_chat; }
  [[nodiscard]] QPushButton* detailsButton() const { return m_details; }
  [[nodiscard]] ErrorBox* errorBox() const { return m_error; }
  [[nodiscard]] QLabel* stateLabel() const { return m_state; }

 signals:
  void load();
  void unload();
  void chat();
  void details();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void refresh();
  InstalledModel m_model;
  ModelStatus m_status;
  bool m_primary = false;
  ElidedLabel* m_name;
  ElidedLabel* m_facts;
  QLabel* m_badge;
  QLabel* m_state;
  QProgressBar* m_progress;
  QPushButton* m_chat;
  QPushButton* m_load;
  QPushButton* m_details;
  ErrorBox* m_error;
};

}  // namespace hearth::ui
