#pragma once

#include <QDialog>

#include "core/base/error.h"

class QPushButton;

namespace hearth::ui {

class ErrorBox;

/// Shown instead of the main window when the Host could not be made: what happened, the evidence, the fix. Accepted =
/// try again.
class StartupErrorDialog : public QDialog {
  Q_OBJECT
 public:
  StartupErrorDialog(const Error& error, const QString& dataFolder, QWidget* parent = nullptr);
  [[nodiscard]] ErrorBox* errorBox() const { return m_box; }

 private:
  ErrorBox* m_box;
  QPushButton* m_retry;
};

}  // namespace hearth::ui
