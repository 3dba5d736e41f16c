#pragma once

#include <QString>

#include <memory>
#include <vector>

namespace hearth::ui::math {

/// What stands beside a symbol decides how much room is left between (The TeXbook, chapter 18).
enum class Atom { Ordinary, Operator, Binary, Relation, Open, Close, Punctuation, Inner };

struct Node;
using NodePtr = std::unique_ptr<Node>;
using Row = std::vector<NodePtr>;

/// A piece of a formula as it was written. Which members count depends on the kind.
struct Node {
  enum class Kind {
    Symbol,     ///< text: one character, or a word set upright (sin, text)
    Group,      ///< row
    Fraction,   ///< row over below; a line between unless `plain`; left and right delimiters may be set
    Root,       ///< row under the sign; below: its index, may be empty
    Scripts,    ///< row: what they belong to; above, below; `limits`: over and under it
    Fenced,     ///< left and right delimiters as high as row
    Table,      ///< cells; left and right delimiters may be set
    Accent,     ///< text: the mark over row; `wide`: as broad as it
    Line,       ///< a line over (`over`) or under row
    Brace,      ///< a brace over or under row
    Box,        ///< a frame around row
    Space,      ///< size in ems
    Style,      ///< row in another style
    Phantom,    ///< room for row, unseen
    Cross,      ///< a stroke through row
    Arrow,      ///< text: an arrow as long as above and below need
  } kind = Kind::Symbol;
  enum class Face { Italic, Upright, Bold, BoldItalic, Mono, Sans };
  enum class Limits { ByStyle, Always, Never };
  enum class Scale { None, Display, Text, Script };

  QString text;
  Atom atom = Atom::Ordinary;
  Face face = Face::Italic;
  Limits limits = Limits::Never;
  bool large = false;  ///< Symbol: a sum or an integral, larger in a display
  bool plain = false;
  bool wide = false;
  bool over = true;
  double size = 0;  ///< Space: ems; Fenced without content: how high in units of a line
  Scale scale = Scale::None;
  QString left, right;
  Row row, above, below;
  std::vector<std::vector<Row>> cells;
  QString columns;      ///< Table: 'l', 'c' or 'r' for each; the last holds for those that follow
  bool tight = false;   ///< Table: aligned equations: no room between the columns of a pair
  bool small = false;   ///< Table: in script size
};

}  // namespace hearth::ui::math
