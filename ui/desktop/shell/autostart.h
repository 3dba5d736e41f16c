#pragma once

#include <QString>
#include <QStringList>

#include "core/base/error.h"

namespace hearth::ui {

/// Starting with the session: one file in the user's autostart folder (XDG), there only while it is switched on. Reads and
/// writes files: any thread, one at a time; the window asks through a worker.
class Autostart {
 public:
  /// `program` with `arguments` is what is started; `folder` is the user's autostart folder.
  Autostart(QString program, QStringList arguments, QString folder = usualFolder());

  [[nodiscard]] bool enabled() const;
  /// Errors: as errorFromErrno, with the path.
  [[nodiscard]] Result<void> setEnabled(bool wanted) const;
  /// Where it is on and another program or folder stands in the file (the program was moved): writes it anew.
  [[nodiscard]] Result<void> refresh() const;
  [[nodiscard]] QString file() const;
  [[nodiscard]] QByteArray text() const;  ///< of the file

  [[nodiscard]] static QString usualFolder();

 private:
  QString m_program;
  QStringList m_arguments;
  QString m_folder;
};

/// A command as the Exec line of a desktop entry takes it: quoted, and no field codes.
[[nodiscard]] QString desktopExec(const QString& program, const QStringList& arguments);

}  // namespace hearth::ui
