#pragma once

#include <QWidget>

#include "ui/desktop/app/window_context.h"

class QComboBox;
class QLabel;
class QPushButton;
class QScrollArea;
class QSpinBox;
class QVBoxLayout;

namespace hearth::ui {

class DownloadSettingsCard;
class ElidedLabel;
class ErrorBox;

/// Language, theme, data folder, context size, compute threads, keep-alive, model folders. What is chosen holds at once,
/// unless its line says that it holds from the next start. Qt thread only.
class SettingsPage : public QWidget {
  Q_OBJECT
 public:
  explicit SettingsPage(const WindowContext& context);
  [[nodiscard]] QComboBox* languageBox() const { return m_language; }
  [[nodiscard]] QComboBox* themeBox() const { return m_theme; }
  [[nodiscard]] QSpinBox* threadsBox() const { return m_threads; }
  [[nodiscard]] QComboBox* contextBox() const { return m_contextSize; }
  [[nodiscard]] DownloadSettingsCard* downloads() const { return m_downloads; }
  /// After the card of the appearance; takes ownership.
  void insertCard(QWidget* card);
  void focusToken();  ///< where a hub asked for one

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  void fillFolders();
  void load();
  void fillContexts(int chosen);
  void store(const QString& key, const QString& value);

  WindowContext m_context;
  QLabel* m_title;
  QLabel* m_appearance;
  QLabel* m_compute;
  QLabel* m_storage;
  QLabel* m_about;
  QComboBox* m_language;
  QComboBox* m_theme;
  QComboBox* m_contextSize;
  QSpinBox* m_threads;
  QComboBox* m_keepAlive;
  ElidedLabel* m_dataFolder;
  QPushButton* m_openFolder;
  QVBoxLayout* m_folders;
  QPushButton* m_addFolder;
  DownloadSettingsCard* m_downloads;
  QScrollArea* m_area = nullptr;
  QVBoxLayout* m_column = nullptr;
  int m_cardPlace = 0;
  ErrorBox* m_error;
  QLabel *m_languageLabel, *m_themeLabel, *m_contextLabel, *m_contextNote, *m_threadsLabel, *m_threadsNote, *m_keepLabel,
      *m_keepNote, *m_dataLabel, *m_foldersLabel, *m_foldersNote;
};

}  // namespace hearth::ui
