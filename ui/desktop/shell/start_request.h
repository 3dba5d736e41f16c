#pragma once

#include <QByteArray>
#include <QList>
#include <QString>
#include <QStringList>

#include "core/base/error.h"

namespace hearth::ui {

/// What a start of the program asks for; a second start hands it to the first one.
struct StartRequest {
  QStringList open;          ///< hearth:// links and absolute paths of files, as they were given
  QString page;              ///< empty = as it is
  QString activationToken;   ///< with which the desktop lets a window come to the front
  bool background = false;   ///< started with the session: no window is raised

  /// One line of JSON, and back. Errors of the way back: InvalidArgument.
  [[nodiscard]] QByteArray toLine() const;
  [[nodiscard]] static Result<StartRequest> fromLine(const QByteArray& line);
  /// What is larger is not one of ours.
  static constexpr qsizetype kMostBytes = 256 * 1024;
};

/// One thing to open, checked; nothing has been done yet.
struct Opening {
  enum class Kind { Model, Chat, File };
  Kind kind = Kind::File;
  QString text;        ///< reference of a model, path of a file
  qint64 chat = 0;
  bool operator==(const Opening&) const = default;
};

/// hearth://model/owner/name:Q4_K_M (what `hearth pull` takes, addresses left out: a link names a hub's model, not a place to
/// fetch from), hearth://chat/12, file:///…, or a path (relative ones from `folder`). Errors: InvalidArgument with the value.
[[nodiscard]] Result<Opening> parseOpening(const QString& argument, const QString& folder);

}  // namespace hearth::ui
