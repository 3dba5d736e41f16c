#pragma once

#include <QWidget>

#include <functional>
#include <vector>

class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QSpinBox;
class QVBoxLayout;

namespace hearth::ui {

class Bridge;
class ErrorBox;

/// Hubs and downloads: mirror, token, proxy, speed, how many at a time. A change holds at once. Qt thread only.
class DownloadSettingsCard : public QWidget {
  Q_OBJECT
 public:
  explicit DownloadSettingsCard(Bridge& bridge, QWidget* parent = nullptr);
  [[nodiscard]] QLineEdit* mirror() const { return m_mirror; }
  [[nodiscard]] QLineEdit* modelScope() const { return m_modelScope; }
  [[nodiscard]] QLineEdit* ollama() const { return m_ollama; }
  [[nodiscard]] QLineEdit* token() const { return m_token; }
  [[nodiscard]] QLineEdit* proxy() const { return m_proxy; }
  [[nodiscard]] QDoubleSpinBox* speed() const { return m_speed; }
  [[nodiscard]] QSpinBox* parallel() const { return m_parallel; }
  [[nodiscard]] QSpinBox* connections() const { return m_connections; }
  [[nodiscard]] ErrorBox* errorBox() const { return m_error; }

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  void load();
  void store(const char* key, const QString& value);
  /// What was typed is stored when the field is left; an address must be one.
  void bind(QLineEdit* field, const char* key, bool address);
  Bridge& m_bridge;
  QLabel* m_title;
  QLineEdit* m_mirror;
  QLineEdit* m_modelScope;
  QLineEdit* m_ollama;
  QLineEdit* m_token;
  QLineEdit* m_proxy;
  QDoubleSpinBox* m_speed;
  QSpinBox* m_parallel;
  QSpinBox* m_connections;
  ErrorBox* m_error;
  QLabel *m_mirrorLabel, *m_mirrorNote, *m_modelScopeLabel, *m_ollamaLabel, *m_ollamaNote, *m_tokenLabel, *m_tokenNote, *m_proxyLabel, *m_proxyNote, *m_speedLabel,
      *m_parallelLabel, *m_connectionsLabel, *m_connectionsNote;
};

}  // namespace hearth::ui
