#include "ui/desktop/chat/math/shapes.h"

#include <algorithm>

namespace hearth::ui::math {

using namespace Qt::StringLiterals;

namespace {

Picture sized(double width, double top, double bottom) {
  Picture picture;
  picture.width = width;
  picture.ascent = -top;
  picture.descent = bottom;
  return picture;
}

void lines(Picture& picture, std::initializer_list<QPointF> points, double thickness) {
  QPainterPath path;
  bool first = true;
  for (const QPointF& point : points) {
    first ? path.moveTo(point) : path.lineTo(point);
    first = false;
  }
  picture.strokes.push_back({path, thickness});
}

/// A crescent: thick in the middle, thin at the ends, as a parenthesis is.
Picture parenthesis(bool left, double top, double bottom, double em, double thickness) {
  const double height = bottom - top;
  const double bulge = std::min(0.62 * em, 0.26 * em + height * 0.05);
  const double fat = std::min(0.16 * em, thickness * 1.6 + height * 0.008);
  const double side = 0.08 * em;
  const double width = bulge + 2 * side;
  const auto x = [&](double from) { return left ? width - side - from : side + from; };
  QPainterPath path;
  path.moveTo(x(0), top);
  path.cubicTo(x(bulge), top + height * 0.22, x(bulge), bottom - height * 0.22, x(0), bottom);
  path.lineTo(x(-thickness * 0.4), bottom);
  path.cubicTo(x(bulge - fat * 1.33), bottom - height * 0.25, x(bulge - fat * 1.33), top + height * 0.25, x(-thickness * 0.4), top);
  path.closeSubpath();
  Picture picture = sized(width, top, bottom);
  picture.fills.push_back(path);
  return picture;
}

Picture brace(bool left, double top, double bottom, double em, double thickness) {
  const double width = 0.6 * em;
  const double spine = width * 0.55;
  const double middle = (top + bottom) / 2;
  const double curl = std::min((bottom - top) / 4, 0.55 * em);
  const auto x = [&](double at) { return left ? at : width - at; };
  QPainterPath path;
  path.moveTo(x(width - 0.06 * em), top + thickness / 2);
  path.cubicTo(x(spine), top + thickness / 2, x(spine), top + curl * 0.4, x(spine), top + curl);
  path.lineTo(x(spine), middle - curl);
  path.cubicTo(x(spine), middle - curl * 0.35, x(spine * 0.8), middle, x(0.1 * em), middle);
  path.cubicTo(x(spine * 0.8), middle, x(spine), middle + curl * 0.35, x(spine), middle + curl);
  path.lineTo(x(spine), bottom - curl);
  path.cubicTo(x(spine), bottom - curl * 0.4, x(spine), bottom - thickness / 2, x(width - 0.06 * em), bottom - thickness / 2);
  Picture picture = sized(width, top, bottom);
  picture.strokes.push_back({path, thickness * 1.25});
  return picture;
}

}  // namespace

Picture stretchedDelimiter(const QString& text, double height, double axis, double em, double thickness) {
  if (text.isEmpty()) return {};
  const double top = -axis - height / 2;
  const double bottom = -axis + height / 2;
  const QChar c = text[0];
  const double t = thickness * 1.15;
  if (c == u'(' || c == u')') return parenthesis(c == u'(', top, bottom, em, thickness);
  if (c == u'{' || c == u'}') return brace(c == u'{', top, bottom, em, thickness);
  if (c == u'|' || c == u'‖') {
    Picture picture = sized(c == u'|' ? 0.28 * em : 0.45 * em, top, bottom);
    const double x = 0.14 * em;
    lines(picture, {{x, top}, {x, bottom}}, t);
    if (c == u'‖') lines(picture, {{picture.width - x, top}, {picture.width - x, bottom}}, t);
    return picture;
  }
  if (c == u'⟨' || c == u'⟩') {
    const double width = std::min(0.7 * em, 0.3 * em + height * 0.06);
    Picture picture = sized(width, top, bottom);
    const double near = c == u'⟨' ? 0.07 * em : width - 0.07 * em;
    const double far = width - near;
    lines(picture, {{far, top}, {near, -axis}, {far, bottom}}, t);
    return picture;
  }
  if (c == u'/' || c == u'\\') {
    const double width = 0.2 * em + height * 0.3;
    Picture picture = sized(width, top, bottom);
    lines(picture, {{c == u'/' ? 0.05 * em : width - 0.05 * em, bottom}, {c == u'/' ? width - 0.05 * em : 0.05 * em, top}}, t);
    return picture;
  }
  if (u"↑↓↕⇑⇓"_s.contains(c)) {
    const double width = 0.5 * em;
    const double x = width / 2;
    const double head = 0.16 * em;
    Picture picture = sized(width, top, bottom);
    lines(picture, {{x, top}, {x, bottom}}, t);
    if (c != u'↓' && c != u'⇓') lines(picture, {{x - head, top + head * 1.3}, {x, top}, {x + head, top + head * 1.3}}, t);
    if (c != u'↑' && c != u'⇑') lines(picture, {{x - head, bottom - head * 1.3}, {x, bottom}, {x + head, bottom - head * 1.3}}, t);
    return picture;
  }
  // Brackets, and those that lack a hook at one end.
  const bool opens = u"[⌈⌊⟦"_s.contains(c);
  const bool hookTop = u"[]⌈⌉⟦⟧"_s.contains(c);
  const bool hookBottom = u"[]⌊⌋⟦⟧"_s.contains(c);
  const double width = 0.42 * em;
  Picture picture = sized(width, top, bottom);
  const double spine = opens ? 0.14 * em : width - 0.14 * em;
  const double end = opens ? width - 0.06 * em : 0.06 * em;
  QPainterPath path;
  path.moveTo(hookTop ? end : spine, top + t / 2);
  path.lineTo(spine, top + t / 2);
  path.lineTo(spine, bottom - t / 2);
  if (hookBottom) path.lineTo(end, bottom - t / 2);
  picture.strokes.push_back({path, t});
  if (c == u'⟦' || c == u'⟧') lines(picture, {{(spine + end) / 2, top}, {(spine + end) / 2, bottom}}, t);
  return picture;
}

Radical radical(double width, double top, double bottom, double em, double thickness) {
  const double height = top + bottom;
  const double sign = std::min(0.9 * em, 0.55 * em + height * 0.06);
  const double knee = bottom - std::min(height * 0.45, 0.55 * em);
  Radical made;
  made.signWidth = sign;
  Picture& picture = made.picture;
  picture.width = sign + width;
  picture.ascent = top;
  picture.descent = bottom;
  lines(picture, {{0.04 * em, knee + 0.08 * em}, {sign * 0.28, knee}, {sign * 0.3, knee}}, thickness);
  lines(picture, {{sign * 0.26, knee - thickness * 0.3}, {sign * 0.52, bottom - thickness}}, thickness * 1.9);
  lines(picture, {{sign * 0.53, bottom}, {sign, -top + thickness / 2}, {sign + width, -top + thickness / 2}}, thickness);
  return made;
}

Picture lyingBrace(double width, bool over, double em, double thickness) {
  const double height = 0.42 * em;
  const double curl = std::min(width / 4, 0.5 * em);
  const double middle = width / 2;
  // y grows away from what is embraced.
  const auto y = [&](double at) { return over ? -at : at; };
  const double spine = height * 0.5;
  QPainterPath path;
  path.moveTo(0.02 * em, y(0.04 * em));
  path.cubicTo(0.02 * em, y(spine), curl * 0.4, y(spine), curl, y(spine));
  path.lineTo(middle - curl, y(spine));
  path.cubicTo(middle - curl * 0.35, y(spine), middle, y(spine * 1.3), middle, y(height));
  path.cubicTo(middle, y(spine * 1.3), middle + curl * 0.35, y(spine), middle + curl, y(spine));
  path.lineTo(width - curl, y(spine));
  path.cubicTo(width - curl * 0.4, y(spine), width - 0.02 * em, y(spine), width - 0.02 * em, y(0.04 * em));
  Picture picture;
  picture.width = width;
  (over ? picture.ascent : picture.descent) = height;
  picture.strokes.push_back({path, thickness * 1.2});
  return picture;
}

Picture wideMark(const QString& mark, double width, double em, double thickness) {
  Picture picture;
  picture.width = width;
  const double high = 0.2 * em;
  picture.ascent = high;
  const QChar c = mark[0];
  if (c == u'→' || c == u'←') {
    const double y = -high / 2;
    const double head = 0.13 * em;
    const double tip = c == u'→' ? width : 0;
    const double back = c == u'→' ? width - head * 1.3 : head * 1.3;
    lines(picture, {{0, y}, {width, y}}, thickness);
    lines(picture, {{back, y - head}, {tip, y}, {back, y + head}}, thickness);
  } else if (c == u'˜') {
    QPainterPath path;
    path.moveTo(0, -high * 0.3);
    path.cubicTo(width * 0.3, -high * 1.5, width * 0.65, high * 0.5, width, -high * 0.8);
    picture.strokes.push_back({path, thickness * 1.2});
  } else if (c == u'ˇ') {
    lines(picture, {{0, -high}, {width / 2, -0.02 * em}, {width, -high}}, thickness * 1.2);
  } else if (c == u'´') {
    lines(picture, {{width * 0.3, 0}, {width * 0.75, -high}}, thickness * 1.5);
  } else if (c == u'`') {
    lines(picture, {{width * 0.7, 0}, {width * 0.25, -high}}, thickness * 1.5);
  } else if (c == u'˘') {
    QPainterPath path;
    path.moveTo(0, -high);
    path.quadTo(width / 2, high * 0.7, width, -high);
    picture.strokes.push_back({path, thickness * 1.2});
  } else if (c == u'˚') {
    QPainterPath path;
    path.addEllipse(QPointF(width / 2, -high * 0.6), high * 0.55, high * 0.55);
    picture.strokes.push_back({path, thickness});
  } else if (c == u'˙' || c == u'¨' || c == u'⃛') {
    const int dots = c == u'˙' ? 1 : c == u'¨' ? 2 : 3;
    const double radius = 0.062 * em;
    for (int i = 0; i < dots; ++i) {
      QPainterPath path;
      path.addEllipse(QPointF(width / 2 + (i - (dots - 1) / 2.0) * 0.22 * em, -radius), radius, radius);
      picture.fills.push_back(path);
    }
  } else {
    lines(picture, {{0, -0.02 * em}, {width / 2, -high}, {width, -0.02 * em}}, thickness * 1.2);
  }
  return picture;
}

Picture longArrow(bool toLeft, double width, double axis, double em, double thickness) {
  Picture picture = wideMark(toLeft ? u"←"_s : u"→"_s, width, em, thickness);
  Picture moved;
  moved.width = width;
  moved.draw(picture, {0, -axis + 0.1 * em});
  moved.ascent = axis + 0.14 * em;
  moved.descent = std::max(0.0, 0.14 * em - axis);
  return moved;
}

}  // namespace hearth::ui::math
