#pragma once

#include <QWidget>

#include <vector>

#include "core/server/server.h"

class QButtonGroup;
class QLabel;
class QPlainTextEdit;
class QPushButton;
class QSpinBox;
class QTableView;

namespace hearth::ui {

class Bridge;
class ErrorBox;
class Preferences;
class RequestLogModel;
class ToggleSwitch;

/// The server's switch, its address and port, snippets to use it, and its request log. The log rests while the page is
/// hidden. Qt thread only.
class ServerPage : public QWidget {
  Q_OBJECT
 public:
  ServerPage(Bridge& bridge, Preferences& preferences, QWidget* parent = nullptr);
  [[nodiscard]] ToggleSwitch* toggle() const { return m_switch; }
  [[nodiscard]] QSpinBox* portBox() const { return m_port; }
  [[nodiscard]] ErrorBox* errorBox() const { return m_error; }
  [[nodiscard]] RequestLogModel& log() const { return *m_log; }
  [[nodiscard]] QPlainTextEdit* snippet() const { return m_snippet; }
  [[nodiscard]] QLabel* addressLabel() const { return m_address; }

 protected:
  void changeEvent(QEvent* event) override;
  void showEvent(QShowEvent* event) override;

 private:
  void retranslate();
  void refresh();
  void flip(bool on);
  void onFailed(const Error& error);
  void onRequests(const std::vector<RequestRecord>& records);
  [[nodiscard]] QString snippetText() const;

  Bridge& m_bridge;
  Preferences& m_preferences;
  QLabel* m_title;
  QLabel* m_switchText;
  ToggleSwitch* m_switch;
  ErrorBox* m_error;
  QLabel* m_addressName;
  QLabel* m_address;
  QLabel* m_note;
  QPushButton* m_copyAddress;
  QLabel* m_portName;
  QSpinBox* m_port;
  QLabel* m_snippetTitle;
  QButtonGroup* m_tabs;
  QPushButton* m_copySnippet;
  QPlainTextEdit* m_snippet;
  QLabel* m_logTitle;
  QLabel* m_logEmpty;
  QTableView* m_table;
  RequestLogModel* m_log;
  std::vector<RequestRecord> m_waiting;  ///< while hidden
};

}  // namespace hearth::ui
