#pragma once

#include <QDialog>

#include "core/library/library.h"

class QLineEdit;
class QTreeWidget;

namespace hearth::ui {

class Bridge;
class ErrorBox;

/// The metadata of a model file, searchable, read on a worker.
class DetailsDialog : public QDialog {
  Q_OBJECT
 public:
  DetailsDialog(Bridge& bridge, const InstalledModel& model, QWidget* parent = nullptr);
  [[nodiscard]] QTreeWidget* table() const { return m_table; }

 private:
  void filter(const QString& text);
  QLineEdit* m_search;
  QTreeWidget* m_table;
  ErrorBox* m_error;
};

}  // namespace hearth::ui
