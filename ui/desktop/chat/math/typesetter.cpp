#include "ui/desktop/chat/math/typesetter.h"

#include <QFontMetricsF>

#include <algorithm>

#include "ui/desktop/chat/math/shapes.h"

namespace hearth::ui::math {

using namespace Qt::StringLiterals;

namespace {

/// Room between two atoms in eighteenths of an em; negative: not in scripts (The TeXbook, p. 170).
int roomBetween(Atom left, Atom right) {
  static constexpr int kRoom[8][8] = {
      // Ord Op Bin Rel Open Close Punct Inner
      {0, 3, -4, -5, 0, 0, 0, -3},   // Ord
      {3, 3, 0, -5, 0, 0, 0, -3},    // Op
      {-4, -4, 0, 0, -4, 0, 0, -4},  // Bin
      {-5, -5, 0, 0, -5, 0, 0, -5},  // Rel
      {0, 0, 0, 0, 0, 0, 0, 0},      // Open
      {0, 3, -4, -5, 0, 0, 0, -3},   // Close
      {-3, -3, 0, -3, -3, -3, -3, -3},  // Punct
      {-3, 3, -4, -5, -3, 0, -3, -3},   // Inner
  };
  return kRoom[static_cast<int>(left)][static_cast<int>(right)];
}

Atom atomOf(const Node& node) {
  if (node.kind == Node::Kind::Fraction) return Atom::Inner;
  if (node.kind == Node::Kind::Group && node.row.size() == 1 && node.atom == Atom::Ordinary) return node.row.front()->kind == Node::Kind::Symbol ? Atom::Ordinary : atomOf(*node.row.front());
  return node.atom;
}

}  // namespace

double Typesetter::em(Style style) const {
  const double factor = style == Style::Script ? 0.72 : style == Style::ScriptScript ? 0.56 : 1.0;
  return std::max(std::min(m_pixels, 7.0), m_pixels * factor);
}

double Typesetter::thickness(Style style) const { return std::max(1.0, em(style) * 0.055); }

Typesetter::Style Typesetter::scriptOf(Style style) { return style == Style::Display || style == Style::Text ? Style::Script : Style::ScriptScript; }
Typesetter::Style Typesetter::partOf(Style style) { return style == Style::Display ? Style::Text : scriptOf(style); }
Typesetter::Style Typesetter::scaled(Style style, Node::Scale scale) {
  switch (scale) {
    case Node::Scale::None: return style;
    case Node::Scale::Display: return Style::Display;
    case Node::Scale::Text: return Style::Text;
    case Node::Scale::Script: return Style::Script;
  }
  return style;
}

QFont Typesetter::font(Node::Face face, double pixels) {
  QFont font;
  static const QStringList serif{u"STIX Two Text"_s, u"Latin Modern Roman"_s, u"Cambria"_s, u"TeX Gyre Termes"_s, u"Noto Serif"_s, u"Liberation Serif"_s, u"DejaVu Serif"_s, u"serif"_s};
  switch (face) {
    case Node::Face::Mono: font.setFamilies({u"monospace"_s}); break;
    case Node::Face::Sans: break;
    default: font.setFamilies(serif);
  }
  font.setStyleHint(face == Node::Face::Mono ? QFont::Monospace : QFont::Serif);
  font.setItalic(face == Node::Face::Italic || face == Node::Face::BoldItalic);
  font.setBold(face == Node::Face::Bold || face == Node::Face::BoldItalic);
  font.setPixelSize(std::max(1, static_cast<int>(pixels + 0.5)));
  return font;
}

Picture Typesetter::typeset(const Row& content, bool display) const {
  Picture picture = row(content, display ? Style::Display : Style::Text);
  // A formula of one low letter stands in a line as high as others.
  picture.ascent = std::max(picture.ascent, em(Style::Text) * 0.7);
  return picture;
}

Picture Typesetter::text(const QString& text, Node::Face face, double pixels) const {
  Picture picture;
  const QFont used = font(face, pixels);
  const QFontMetricsF metrics(used);
  const QRectF tight = metrics.tightBoundingRect(text);
  picture.width = metrics.horizontalAdvance(text);
  // What leans out at the right would run into what follows.
  if (face == Node::Face::Italic || face == Node::Face::BoldItalic) picture.width = std::max(picture.width, tight.right() + pixels * 0.02);
  picture.ascent = -tight.top();
  picture.descent = tight.bottom();
  picture.glyphs.push_back({text, used, {0, 0}});
  return picture;
}

Picture Typesetter::symbol(const Node& node, Style style) const {
  if (!node.large) return text(node.text, node.face, em(style));
  const bool integral = node.limits == Node::Limits::Never;
  const double factor = style == Style::Display ? (integral ? 2.0 : 1.55) : (integral ? 1.3 : 1.1);
  Picture glyph = text(node.text, Node::Face::Upright, em(style) * factor);
  // Its ink stands in the middle of the line of fractions.
  const double shift = (glyph.ascent - glyph.descent) / 2 - axis(style);
  Picture picture;
  const QRectF tight = QFontMetricsF(glyph.glyphs.front().font).tightBoundingRect(node.text);
  picture.width = tight.width() + em(style) * 0.06;
  picture.draw(glyph, {-tight.left() + em(style) * 0.03, shift});
  picture.ascent = glyph.ascent - shift;
  picture.descent = glyph.descent + shift;
  return picture;
}

Picture Typesetter::row(const Row& content, Style style, bool afterOrdinary) const {
  Picture picture;
  Atom before = Atom::Open;
  bool any = afterOrdinary;
  if (afterOrdinary) before = Atom::Ordinary;
  const bool small = style == Style::Script || style == Style::ScriptScript;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const Node& each = *content[i];
    if (each.kind == Node::Kind::Space) {
      picture.width += each.size * em(style);
      continue;
    }
    // Changes of style hold to the end of the row, and are part of it.
    Atom atom = atomOf(each);
    if (atom == Atom::Binary) {
      const bool last = i + 1 == content.size();
      const Atom after = last ? Atom::Close : atomOf(*content[i + 1]);
      const bool sign = !any || before == Atom::Binary || before == Atom::Operator || before == Atom::Relation || before == Atom::Open || before == Atom::Punctuation;
      if (sign || last || after == Atom::Relation || after == Atom::Close || after == Atom::Punctuation) atom = Atom::Ordinary;
    }
    if (any) {
      const int room = roomBetween(before, atom);
      if (room > 0 || !small) picture.width += std::abs(room) * em(style) / 18;
    }
    const Picture part = node(each, style);
    picture.place(part, {picture.width, 0});
    before = atom;
    any = true;
  }
  return picture;
}

Picture Typesetter::node(const Node& node, Style style) const {
  switch (node.kind) {
    case Node::Kind::Symbol: return symbol(node, style);
    case Node::Kind::Group: return row(node.row, style);
    case Node::Kind::Fraction: return fraction(node, style);
    case Node::Kind::Root: return root(node, style);
    case Node::Kind::Scripts: return scripts(node, style);
    case Node::Kind::Fenced: return fenced(node, style);
    case Node::Kind::Table: return table(node, style);
    case Node::Kind::Accent: return accent(node, style);
    case Node::Kind::Style: return row(node.row, scaled(style, node.scale));
    case Node::Kind::Brace: return embraced(node, style);
    case Node::Kind::Arrow: return arrow(node, style);
    case Node::Kind::Space: return {};
    case Node::Kind::Line: {
      Picture picture = row(node.row, style);
      const double t = thickness(style);
      const double y = node.over ? -picture.ascent - 3 * t : picture.descent + 2 * t;
      picture.rules.push_back({0, y, picture.width, t});
      (node.over ? picture.ascent : picture.descent) += 4 * t;
      return picture;
    }
    case Node::Kind::Box: {
      const Picture inner = row(node.row, style);
      const double pad = em(style) * 0.25;
      const double t = thickness(style);
      Picture picture;
      picture.place(inner, {pad + t, 0});
      picture.width += pad + t;
      picture.ascent += pad + t;
      picture.descent += pad + t;
      QPainterPath frame;
      frame.addRect(QRectF(t / 2, -picture.ascent + t / 2, picture.width - t, picture.height() - t));
      picture.strokes.push_back({frame, t});
      return picture;
    }
    case Node::Kind::Phantom: {
      const Picture inner = row(node.row, style);
      Picture picture;
      picture.width = inner.width;
      picture.ascent = inner.ascent;
      picture.descent = inner.descent;
      return picture;
    }
    case Node::Kind::Cross: {
      Picture picture = row(node.row, style);
      QPainterPath stroke;
      const double in = picture.width * 0.2;
      stroke.moveTo(in, picture.descent + em(style) * 0.08);
      stroke.lineTo(picture.width - in, -picture.ascent - em(style) * 0.08);
      picture.strokes.push_back({stroke, thickness(style)});
      return picture;
    }
  }
  return {};
}

Picture Typesetter::fraction(const Node& node, Style style) const {
  const Style own = scaled(style, node.scale);
  const Picture top = row(node.row, partOf(own));
  const Picture bottom = row(node.below, partOf(own));
  const double t = thickness(own);
  const double gap = (own == Style::Display ? 0.2 : 0.1) * em(own);
  const double side = node.plain ? 0 : em(own) * 0.08;
  const double width = std::max(top.width, bottom.width) + 2 * side;
  const double middle = -axis(own);
  Picture picture;
  // Low letters stand as high over the line as capitals would: fractions beside each other keep their lines.
  const double low = std::max(bottom.ascent, em(partOf(own)) * 0.62);
  picture.place(top, {(width - top.width) / 2, middle - t / 2 - gap - top.descent});
  picture.place(bottom, {(width - bottom.width) / 2, middle + t / 2 + gap + low});
  picture.width = width;
  if (!node.plain) picture.rules.push_back({side / 2, middle - t / 2, width - side, t});
  if (!node.left.isEmpty() || !node.right.isEmpty()) return between(node.left, picture, node.right, own);
  picture.width += em(own) * 0.04;
  return picture;
}

Picture Typesetter::root(const Node& node, Style style) const {
  const Picture inner = row(node.row, style);
  const double t = thickness(style);
  const double gap = (style == Style::Display ? 0.18 : 0.12) * em(style);
  const double ascent = std::max(inner.ascent, em(style) * 0.5);
  const Radical sign = radical(inner.width + em(style) * 0.08, ascent + gap + t, std::max(inner.descent, em(style) * 0.04) + gap * 0.3, em(style), t);
  Picture picture;
  double x = 0;
  if (!node.below.empty()) {
    const Picture index = row(node.below, Style::ScriptScript);
    const double y = sign.picture.descent - sign.picture.height() * 0.55 - index.descent;
    x = std::max(0.0, index.width - sign.signWidth * 0.45);
    picture.place(index, {std::max(0.0, sign.signWidth * 0.45 - index.width), y});
  }
  picture.place(sign.picture, {x, 0});
  picture.place(inner, {x + sign.signWidth, 0});
  picture.width = x + sign.picture.width + em(style) * 0.05;
  return picture;
}

Picture Typesetter::scripts(const Node& node, Style style) const {
  const bool stacked = node.limits == Node::Limits::Always || (node.limits == Node::Limits::ByStyle && style == Style::Display);
  if (stacked) return limits(node, style);
  const Picture base = row(node.row, style);
  const Style small = scriptOf(style);
  const Picture above = row(node.above, small);
  const Picture below = row(node.below, small);
  const double e = em(style);
  const bool single = node.row.size() == 1 && node.row.front()->kind == Node::Kind::Symbol;
  const bool integral = single && node.row.front()->large && node.row.front()->limits == Node::Limits::Never;
  const bool letter = single && !node.row.front()->large;
  double up = letter ? e * 0.36 : std::max(e * 0.36, base.ascent - e * 0.28);
  up = std::max(up, above.descent + e * 0.12);
  double down = letter ? e * 0.16 : std::max(e * 0.16, base.descent + e * 0.04);
  if (integral) {
    up = base.ascent - above.ascent * 0.6;
    down = base.descent - below.descent;
  }
  down = std::max(down, below.ascent - e * 0.36);
  if (!node.above.empty() && !node.below.empty()) {
    const double gap = (up - above.descent) - (below.ascent - down);
    if (gap < 4 * thickness(style)) down += 4 * thickness(style) - gap;
  }
  Picture picture;
  picture.place(base, {0, 0});
  double width = base.width;
  // The upper one of an integral stands to the right of its hook, the lower one below it.
  const double lean = letter && node.row.front()->face == Node::Face::Italic ? e * 0.02 : integral ? e * 0.1 : 0;
  if (!node.above.empty()) {
    picture.place(above, {base.width + lean, -up});
    width = std::max(width, base.width + lean + above.width);
  }
  if (!node.below.empty()) {
    const double x = base.width - (integral ? e * 0.2 : 0);
    picture.place(below, {x, down});
    width = std::max(width, x + below.width);
  }
  picture.width = width + e * 0.05;
  return picture;
}

Picture Typesetter::limits(const Node& node, Style style) const {
  const Picture base = row(node.row, style);
  const Picture above = row(node.above, scriptOf(style));
  const Picture below = row(node.below, scriptOf(style));
  const double gap = em(style) * 0.14;
  const double width = std::max({base.width, above.width, below.width});
  Picture picture;
  picture.place(base, {(width - base.width) / 2, 0});
  if (!node.above.empty()) picture.place(above, {(width - above.width) / 2, -base.ascent - gap - above.descent});
  if (!node.below.empty()) picture.place(below, {(width - below.width) / 2, base.descent + gap + below.ascent});
  picture.width = width;
  return picture;
}

Picture Typesetter::delimiter(const QString& text, double height, Style style) const {
  if (text.isEmpty()) {
    Picture none;
    none.width = em(style) * 0.1;
    return none;
  }
  const Picture glyph = this->text(text, Node::Face::Upright, em(style));
  if (height <= std::max(glyph.height(), em(style)) * 1.15) {
    Picture picture;
    picture.place(glyph, {0, (glyph.ascent - glyph.descent) / 2 - axis(style)});
    return picture;
  }
  return stretchedDelimiter(text, height, axis(style), em(style), thickness(style));
}

Picture Typesetter::between(const QString& left, const Picture& body, const QString& right, Style style) const {
  const double half = std::max(body.ascent - axis(style), body.descent + axis(style));
  const double height = 2 * half * 0.97 + em(style) * 0.1;
  const Picture a = delimiter(left, height, style);
  const Picture b = delimiter(right, height, style);
  Picture picture;
  picture.place(a, {0, 0});
  picture.place(body, {a.width, 0});
  picture.place(b, {a.width + body.width, 0});
  return picture;
}

Picture Typesetter::fenced(const Node& node, Style style) const {
  if (node.size > 0) return stretchedDelimiter(node.left, node.size * em(style), axis(style), em(style), thickness(style));
  return between(node.left, row(node.row, style), node.right, style);
}

Picture Typesetter::table(const Node& node, Style style) const {
  const Style own = node.small ? scriptOf(style) : node.scale == Node::Scale::None ? (style == Style::Display ? Style::Text : style) : scaled(style, node.scale);
  const double e = em(own);
  std::vector<std::vector<Picture>> cells;
  std::vector<double> widths, ascents, descents;
  for (const std::vector<Row>& line : node.cells) {
    double ascent = e * 0.7;
    double descent = e * 0.25;
    cells.emplace_back();
    for (std::size_t c = 0; c < line.size(); ++c) {
      Picture cell = row(line[c], own, node.tight && c % 2 == 1);
      if (widths.size() <= c) widths.resize(c + 1, 0);
      widths[c] = std::max(widths[c], cell.width);
      ascent = std::max(ascent, cell.ascent);
      descent = std::max(descent, cell.descent);
      cells.back().push_back(std::move(cell));
    }
    ascents.push_back(ascent);
    descents.push_back(descent);
  }
  const double lineGap = node.tight ? e * 0.35 : e * 0.28;
  double height = 0;
  for (std::size_t r = 0; r < cells.size(); ++r) height += ascents[r] + descents[r] + (r > 0 ? lineGap : 0);
  Picture picture;
  double y = -axis(style) - height / 2;
  for (std::size_t r = 0; r < cells.size(); ++r) {
    y += ascents[r];
    double x = 0;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      if (c > 0) x += !node.tight ? e * 0.9 : node.columns == "rcl"_L1 ? e * 0.2 : c % 2 == 1 ? 0 : e * 2;
      if (c < cells[r].size()) {
        const QChar column = node.tight && node.columns == "rl"_L1 ? (c % 2 == 0 ? u'r' : u'l') : node.columns.isEmpty() ? u'c' : node.columns[std::min<qsizetype>(static_cast<qsizetype>(c), node.columns.size() - 1)];
        const double free = widths[c] - cells[r][c].width;
        picture.draw(cells[r][c], {x + (column == u'l' ? 0 : column == u'r' ? free : free / 2), y});
      }
      x += widths[c];
    }
    picture.width = std::max(picture.width, x);
    y += descents[r] + lineGap;
  }
  picture.ascent = axis(style) + height / 2;
  picture.descent = std::max(0.0, height / 2 - axis(style));
  if (node.left.isEmpty() && node.right.isEmpty()) return picture;
  Picture padded;
  padded.place(picture, {e * 0.12, 0});
  padded.width += e * 0.12;
  return between(node.left, padded, node.right, style);
}

Picture Typesetter::accent(const Node& node, Style style) const {
  const Picture base = row(node.row, style);
  const double e = em(style);
  const double t = thickness(style);
  const bool single = node.row.size() == 1 && node.row.front()->kind == Node::Kind::Symbol && node.row.front()->text.size() <= 2;
  const bool leans = single && node.row.front()->face == Node::Face::Italic;
  Picture picture;
  picture.place(base, {0, 0});
  Picture mark;
  double gap = e * 0.08;
  if (node.text == "¯"_L1) {
    const double width = std::max(e * 0.35, base.width * (single ? 0.75 : 1));
    mark.width = width;
    mark.rules.push_back({0, -t, width, t});
    mark.ascent = t;
    gap = e * 0.1;
  } else {
    mark = wideMark(node.text, node.wide ? std::max(base.width, e * 0.4) : node.text == "→"_L1 ? e * 0.45 : e * 0.34, e, t);
  }
  picture.place(mark, {(base.width - mark.width) / 2 + (leans ? e * 0.06 : 0), -base.ascent - gap});
  picture.width = base.width;
  return picture;
}

Picture Typesetter::embraced(const Node& node, Style style) const {
  const Picture base = row(node.row, style);
  const Picture brace = lyingBrace(std::max(base.width, em(style)), node.over, em(style), thickness(style));
  const double gap = em(style) * 0.1;
  Picture picture;
  picture.place(base, {(brace.width - base.width) / 2, 0});
  picture.place(brace, {0, node.over ? -base.ascent - gap : base.descent + gap});
  picture.width = brace.width;
  return picture;
}

Picture Typesetter::arrow(const Node& node, Style style) const {
  const Picture above = row(node.above, scriptOf(style));
  const Picture below = row(node.below, scriptOf(style));
  const double e = em(style);
  const double width = std::max({e * 1.2, above.width + e * 0.8, below.width + e * 0.8});
  const Picture shaft = longArrow(node.text == "←"_L1, width, axis(style), e, thickness(style));
  Picture picture;
  picture.place(shaft, {0, 0});
  if (!node.above.empty()) picture.place(above, {(width - above.width) / 2, -shaft.ascent - e * 0.08 - above.descent});
  if (!node.below.empty()) picture.place(below, {(width - below.width) / 2, shaft.descent + e * 0.1 + below.ascent});
  picture.width = width;
  return picture;
}

}  // namespace hearth::ui::math
