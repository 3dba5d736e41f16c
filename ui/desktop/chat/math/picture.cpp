#include "ui/desktop/chat/math/picture.h"

#include <QPainter>

#include <algorithm>

namespace hearth::ui::math {

void Picture::draw(const Picture& other, QPointF at) {
  for (const Glyphs& each : other.glyphs) glyphs.push_back({each.text, each.font, each.at + at});
  for (const QRectF& each : other.rules) rules.push_back(each.translated(at));
  for (const QPainterPath& each : other.fills) fills.push_back(each.translated(at));
  for (const Stroke& each : other.strokes) strokes.push_back({each.path.translated(at), each.width});
}

void Picture::place(const Picture& other, QPointF at) {
  draw(other, at);
  width = std::max(width, at.x() + other.width);
  ascent = std::max(ascent, other.ascent - at.y());
  descent = std::max(descent, other.descent + at.y());
}

void Picture::paint(QPainter& painter, QPointF baseline, const QColor& colour) const {
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  painter.translate(baseline);
  painter.setPen(colour);
  for (const Glyphs& each : glyphs) {
    painter.setFont(each.font);
    painter.drawText(each.at, each.text);
  }
  painter.setBrush(Qt::NoBrush);
  for (const Stroke& each : strokes) {
    painter.setPen(QPen(colour, each.width, Qt::SolidLine, Qt::FlatCap, Qt::MiterJoin));
    painter.drawPath(each.path);
  }
  for (const QPainterPath& each : fills) painter.fillPath(each, colour);
  for (const QRectF& each : rules) painter.fillRect(each, colour);
  painter.restore();
}

}  // namespace hearth::ui::math
