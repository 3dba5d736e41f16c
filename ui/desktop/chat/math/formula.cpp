#include "ui/desktop/chat/math/formula.h"

#include <QCache>
#include <QFontMetrics>
#include <QPainter>
#include <QTextCursor>
#include <QTextDocument>

#include <algorithm>

#include "ui/desktop/chat/math/parser.h"
#include "ui/desktop/chat/math/typesetter.h"
#include "ui/desktop/common/theme.h"

namespace hearth::ui::math {

namespace {

constexpr int kSource = QTextFormat::UserProperty + 1;
constexpr int kWritten = QTextFormat::UserProperty + 2;
constexpr int kDisplay = QTextFormat::UserProperty + 3;

using Parsed = std::optional<Row>;

const Parsed& parsed(const QString& source) {
  static QCache<QString, Parsed> cache(500);
  if (const Parsed* known = cache.object(source)) return *known;
  auto* made = new Parsed(parse(source));
  static const Parsed none;
  return cache.insert(source, made) ? *made : none;
}

std::shared_ptr<const Picture> pictureOf(const QTextFormat& format) {
  const QFont font = format.toCharFormat().font();
  const int pixels = font.pixelSize() > 0 ? font.pixelSize() : QFontMetrics(font).height() * 4 / 5;
  return typeset(format.stringProperty(kSource), pixels * 1.08, format.boolProperty(kDisplay));
}

double halfHeightOfX(const QTextFormat& format) { return QFontMetrics(format.toCharFormat().font()).xHeight() / 2.0; }

/// Qt puts the middle of an object that is aligned so a little above the baseline: as high as this, all of it is in the line.
double heightInLine(const Picture& picture, double halfX) { return std::max(2 * picture.ascent - halfX, 2 * picture.descent + halfX); }

}  // namespace

bool isKnown(const QString& source) { return parsed(source).has_value(); }

std::shared_ptr<const Picture> typeset(const QString& source, double pixels, bool display) {
  using Kept = std::shared_ptr<const Picture>;
  static QCache<QString, Kept> cache(500);
  const QString key = QString::number(pixels) + QLatin1Char(display ? 'd' : 't') + source;
  if (const Kept* known = cache.object(key)) return *known;
  const Parsed& row = parsed(source);
  if (!row) return nullptr;
  Kept made = std::make_shared<const Picture>(Typesetter(pixels).typeset(*row, display));
  cache.insert(key, new Kept(made));
  return made;
}

void FormulaObject::insert(QTextCursor& cursor, const QString& source, const QString& written, bool display) {
  QTextCharFormat format = cursor.charFormat();
  format.setObjectType(kType);
  format.setProperty(kSource, source);
  format.setProperty(kWritten, written);
  format.setProperty(kDisplay, display);
  format.setVerticalAlignment(QTextCharFormat::AlignMiddle);
  cursor.insertText(QString(QChar::ObjectReplacementCharacter), format);
}

QString FormulaObject::written(const QTextFormat& format) { return format.objectType() == kType ? format.stringProperty(kWritten) : QString(); }

QSizeF FormulaObject::intrinsicSize(QTextDocument*, int, const QTextFormat& format) {
  const auto picture = pictureOf(format);
  if (!picture) return {};
  return {picture->width, heightInLine(*picture, halfHeightOfX(format))};
}

void FormulaObject::drawObject(QPainter* painter, const QRectF& rect, QTextDocument*, int, const QTextFormat& format) {
  const auto picture = pictureOf(format);
  if (!picture) return;
  const QBrush brush = format.foreground();
  const QColor colour = brush.style() == Qt::NoBrush ? ThemeManager::current().text : brush.color();
  picture->paint(*painter, {rect.left(), rect.top() + (rect.height() + halfHeightOfX(format)) / 2}, colour);
}

}  // namespace hearth::ui::math
