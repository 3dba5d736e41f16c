#pragma once

#include <QString>

#include "ui/desktop/chat/math/picture.h"

namespace hearth::ui::math {

/// Shapes that grow with what they hold; no font has them at every size. `em` and `thickness` in pixels.

/// A delimiter of this height, its middle at `axis` above the baseline. Null picture for an empty text.
[[nodiscard]] Picture stretchedDelimiter(const QString& text, double height, double axis, double em, double thickness);
/// The sign over a box `width` broad that reaches from `top` above to `bottom` below the baseline; its own width in front.
struct Radical {
  Picture picture;
  double signWidth = 0;
};
[[nodiscard]] Radical radical(double width, double top, double bottom, double em, double thickness);
/// A brace lying on its side, its point up (`over`) or down; its baseline is the edge beside what it embraces.
[[nodiscard]] Picture lyingBrace(double width, bool over, double em, double thickness);
/// Marks of accents, standing on the baseline. Drawn, for fonts place them each in its own way.
[[nodiscard]] Picture wideMark(const QString& mark, double width, double em, double thickness);
/// An arrow at the height of the axis.
[[nodiscard]] Picture longArrow(bool toLeft, double width, double axis, double em, double thickness);

}  // namespace hearth::ui::math
