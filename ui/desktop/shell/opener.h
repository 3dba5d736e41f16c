#pragma once

#include <QObject>
#include <QPointer>
#include <QString>
#include <QStringList>

#include <deque>

#include "ui/desktop/shell/start_request.h"

namespace hearth::ui {

class Bridge;
class MainWindow;
class QuestionDialog;

/// Links and files from outside: each becomes a question to the user, one at a time, and nothing is shown, asked of a hub or
/// copied before the yes. Qt thread only.
class Opener : public QObject {
  Q_OBJECT
 public:
  Opener(Bridge& bridge, MainWindow& window);
  /// Links, and absolute paths; files of one call are one question.
  void open(const QStringList& arguments);
  [[nodiscard]] QuestionDialog* question() const;  ///< that is asked now
  [[nodiscard]] std::size_t waiting() const noexcept { return m_waiting.size(); }

 private:
  struct Asked {
    Opening::Kind kind = Opening::Kind::File;
    QString text;
    qint64 chat = 0;
    QStringList files;
    QString refused;  ///< what could not be understood
    bool operator==(const Asked&) const = default;
  };
  void add(Asked asked);
  void next();
  void ask(const Asked& asked);
  void askFiles(const Asked& asked);
  void show(QuestionDialog* dialog);

  Bridge& m_bridge;
  MainWindow& m_window;
  std::deque<Asked> m_waiting;
  Asked m_now;
  bool m_asking = false;
  QPointer<QuestionDialog> m_dialog;
};

}  // namespace hearth::ui
