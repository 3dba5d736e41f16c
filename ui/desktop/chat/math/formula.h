#pragma once

#include <QString>
#include <QTextObjectInterface>

#include <memory>

#include "ui/desktop/chat/math/picture.h"

class QTextCursor;

namespace hearth::ui::math {

/// Whether a formula can be typeset (see parser.h). Answers are kept. Qt thread only.
[[nodiscard]] bool isKnown(const QString& source);
/// The formula at this size; kept for the next time. Null: it is not known.
[[nodiscard]] std::shared_ptr<const Picture> typeset(const QString& source, double pixels, bool display);

/// Draws formulas in a QTextDocument: each is one character, whose format has source and kind. Stands on the line's
/// baseline. The source with its dollars or brackets is what copying gives.
class FormulaObject : public QObject, public QTextObjectInterface {
  Q_OBJECT
  Q_INTERFACES(QTextObjectInterface)
 public:
  using QObject::QObject;
  /// Puts a formula in place of the cursor's selection; the document's layout must know this object for kType.
  static constexpr int kType = QTextFormat::UserObject + 1;
  static void insert(QTextCursor& cursor, const QString& source, const QString& written, bool display);
  /// As it was written, from the format of its character.
  [[nodiscard]] static QString written(const QTextFormat& format);

  QSizeF intrinsicSize(QTextDocument* document, int position, const QTextFormat& format) override;
  void drawObject(QPainter* painter, const QRectF& rect, QTextDocument* document, int position, const QTextFormat& format) override;
};

}  // namespace hearth::ui::math
