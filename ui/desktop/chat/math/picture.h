#pragma once

#include <QColor>
#include <QFont>
#include <QPainterPath>
#include <QPointF>
#include <QRectF>
#include <QString>

#include <vector>

class QPainter;

namespace hearth::ui::math {

/// A typeset piece of a formula: its size and what is drawn, in pixels from the left end of its baseline, y downwards.
struct Picture {
  struct Glyphs {
    QString text;
    QFont font;
    QPointF at;  ///< of the text's own baseline
  };
  struct Stroke {
    QPainterPath path;
    double width = 1;
  };
  double width = 0, ascent = 0, descent = 0;
  std::vector<Glyphs> glyphs;
  std::vector<QRectF> rules;
  std::vector<QPainterPath> fills;
  std::vector<Stroke> strokes;

  [[nodiscard]] double height() const noexcept { return ascent + descent; }
  /// Takes what `other` draws, its baseline at `at`; the size stays.
  void draw(const Picture& other, QPointF at);
  /// The same, and grows so that it holds the other.
  void place(const Picture& other, QPointF at);
  void paint(QPainter& painter, QPointF baseline, const QColor& colour) const;
};

}  // namespace hearth::ui::math
