#pragma once

#include <QStringList>
#include <QWidget>

#include <vector>

class QLabel;
class QMimeData;
class QProgressBar;
class QPushButton;
class QStackedWidget;
class QVBoxLayout;

namespace hearth {
struct Error;
}

namespace hearth::ui {

class Bridge;
class ElidedLabel;
class EmptyState;
class ErrorBox;
class ModelCard;

/// The library: cards of models, import by dialog or drop, folders, free space. Qt thread only.
class ModelsPage : public QWidget {
  Q_OBJECT
 public:
  explicit ModelsPage(Bridge& bridge, QWidget* parent = nullptr);

  /// Local .gguf files of a drop.
  [[nodiscard]] static QStringList modelFiles(const QMimeData* data);
  void importFiles(const QStringList& files);  ///< one after the other
  [[nodiscard]] const std::vector<ModelCard*>& cards() const noexcept { return m_cards; }
  [[nodiscard]] ErrorBox* errorBox() const { return m_error; }
  [[nodiscard]] EmptyState* emptyState() const { return m_empty; }

 signals:
  void chatWanted(const QString& model);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  void fill();
  void refreshStatus(const QString& id);
  void chooseFiles();
  void chooseFolder();
  void nextImport();
  void showProgress(const QString& file, quint64 done, quint64 total, double seconds);
  void endImport();

  Bridge& m_bridge;
  QLabel* m_title;
  QLabel* m_summary;
  QPushButton* m_addFolder;
  QPushButton* m_importButton;
  ErrorBox* m_error;
  QWidget* m_importCard;
  ElidedLabel* m_importName;
  QProgressBar* m_importBar;
  QLabel* m_importFigures;
  QPushButton* m_importCancel;
  QStackedWidget* m_stack;
  EmptyState* m_empty;
  QVBoxLayout* m_list;
  QVBoxLayout* m_problems;
  std::vector<ModelCard*> m_cards;
  QStringList m_queue;
};

}  // namespace hearth::ui
