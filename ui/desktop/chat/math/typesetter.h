#pragma once

#include <QFont>

#include "ui/desktop/chat/math/node.h"
#include "ui/desktop/chat/math/picture.h"

namespace hearth::ui::math {

/// Lays a parsed formula out, after the rules of The TeXbook's appendix G, simplified for the fonts that a desktop has: one
/// with mathematical tables is not needed. Qt thread only.
class Typesetter {
 public:
  explicit Typesetter(double pixels) : m_pixels(pixels) {}
  [[nodiscard]] Picture typeset(const Row& row, bool display) const;

 private:
  enum class Style { Display, Text, Script, ScriptScript };
  [[nodiscard]] Picture row(const Row& row, Style style, bool afterOrdinary = false) const;
  [[nodiscard]] Picture node(const Node& node, Style style) const;
  [[nodiscard]] Picture symbol(const Node& node, Style style) const;
  [[nodiscard]] Picture text(const QString& text, Node::Face face, double pixels) const;
  [[nodiscard]] Picture fraction(const Node& node, Style style) const;
  [[nodiscard]] Picture root(const Node& node, Style style) const;
  [[nodiscard]] Picture scripts(const Node& node, Style style) const;
  [[nodiscard]] Picture limits(const Node& node, Style style) const;
  [[nodiscard]] Picture fenced(const Node& node, Style style) const;
  [[nodiscard]] Picture table(const Node& node, Style style) const;
  [[nodiscard]] Picture accent(const Node& node, Style style) const;
  [[nodiscard]] Picture embraced(const Node& node, Style style) const;
  [[nodiscard]] Picture arrow(const Node& node, Style style) const;
  [[nodiscard]] Picture delimiter(const QString& text, double height, Style style) const;
  [[nodiscard]] Picture between(const QString& left, const Picture& body, const QString& right, Style style) const;

  [[nodiscard]] double em(Style style) const;
  [[nodiscard]] double axis(Style style) const { return em(style) * 0.25; }
  [[nodiscard]] double thickness(Style style) const;
  [[nodiscard]] static QFont font(Node::Face face, double pixels);
  [[nodiscard]] static Style scriptOf(Style style);
  [[nodiscard]] static Style partOf(Style style);  // of a fraction
  [[nodiscard]] static Style scaled(Style style, Node::Scale scale);
  double m_pixels;
};

}  // namespace hearth::ui::math
