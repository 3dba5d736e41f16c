#include "ui/desktop/chat/math/parser.h"

#include <QHash>
#include <QSet>

#include "ui/desktop/chat/math/symbols.h"

namespace hearth::ui::math {

using namespace Qt::StringLiterals;

namespace {

constexpr int kMostDepth = 40;
constexpr qsizetype kLongest = 6'000;
constexpr std::size_t kMostCells = 1'000;

NodePtr make(Node::Kind kind) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  return node;
}

NodePtr makeSymbol(const Symbol& symbol) {
  NodePtr node = make(Node::Kind::Symbol);
  node->text = symbol.text;
  node->atom = symbol.atom;
  node->limits = symbol.limits;
  node->large = symbol.large;
  node->face = symbol.upright ? Node::Face::Upright : Node::Face::Italic;
  return node;
}

/// One formula. Throws nothing: the first thing it does not know sets m_failed, and all returns.
class Parser {
 public:
  explicit Parser(const QString& source) : m_source(source) {}

  std::optional<Row> run() {
    Row row = readRow({});
    if (m_failed || m_at < m_source.size()) return std::nullopt;
    return row;
  }

 private:
  // --- tokens ---
  void skipBlanks() {
    while (m_at < m_source.size() && (m_source[m_at].isSpace() || m_source[m_at] == u'%')) {
      if (m_source[m_at] == u'%') {
        while (m_at < m_source.size() && m_source[m_at] != u'\n') ++m_at;
      } else {
        ++m_at;
      }
    }
  }
  /// "\name", "\{", or one character; empty at the end. Blanks before it are skipped.
  QString peek() {
    skipBlanks();
    if (m_at >= m_source.size()) return {};
    if (m_source[m_at] != u'\\') {
      const bool pair = m_source[m_at].isHighSurrogate() && m_at + 1 < m_source.size() && m_source[m_at + 1].isLowSurrogate();
      return m_source.mid(m_at, pair ? 2 : 1);
    }
    qsizetype end = m_at + 1;
    while (end < m_source.size() && m_source[end].unicode() < 128 && m_source[end].isLetter()) ++end;
    if (end == m_at + 1) ++end;
    return m_source.mid(m_at, end - m_at);
  }
  QString next() {
    const QString token = peek();
    m_at += token.size();
    return token;
  }
  bool take(const QString& token) {
    if (peek() != token) return false;
    next();
    return true;
  }
  void fail() { m_failed = true; }

  // --- arguments ---
  Row argument() {
    Depth depth(*this);
    if (m_failed) return {};
    if (take(u"{"_s)) {
      Row row = readRow(u"}"_s);
      if (!take(u"}"_s)) fail();
      return row;
    }
    const QString token = peek();
    if (token.isEmpty() || token == "}"_L1 || token == "&"_L1) {
      fail();
      return {};
    }
    Row row;
    readAtom(row, false);
    return row;
  }
  /// {text} as it stands, balanced braces inside.
  QString rawArgument() {
    skipBlanks();
    if (m_at >= m_source.size() || m_source[m_at] != u'{') {
      fail();
      return {};
    }
    int depth = 0;
    for (qsizetype i = m_at; i < m_source.size(); ++i) {
      if (m_source[i] == u'\\') {
        ++i;
      } else if (m_source[i] == u'{') {
        ++depth;
      } else if (m_source[i] == u'}' && --depth == 0) {
        const QString text = m_source.mid(m_at + 1, i - m_at - 1);
        m_at = i + 1;
        return text;
      }
    }
    fail();
    return {};
  }
  std::optional<Row> optionalArgument() {
    if (peek() != "["_L1) return std::nullopt;
    next();
    Row row = readRow(u"]"_s);
    if (!take(u"]"_s)) fail();
    return row;
  }
  QString delimiter() {
    const std::optional<QString> found = delimiterNamed(next());
    if (!found) fail();
    return found.value_or(QString());
  }

  // --- rows ---
  bool endsRow(const QString& token, const QString& until) const {
    if (token.isEmpty() || token == until) return true;
    return token == "}"_L1 || token == "&"_L1 || token == "\\\\"_L1 || token == "\\right"_L1 || token == "\\end"_L1 || token == "\\cr"_L1;
  }

  Row readRow(const QString& until) {
    Row row;
    for (QString token = peek(); !m_failed && !endsRow(token, until); token = peek()) {
      if (token == "\\over"_L1 || token == "\\choose"_L1) {
        next();
        NodePtr fraction = make(Node::Kind::Fraction);
        if (token == "\\choose"_L1) {
          fraction->plain = true;
          fraction->left = u"("_s;
          fraction->right = u")"_s;
        }
        fraction->row = std::move(row);
        fraction->below = readRow(until);
        row.clear();
        row.push_back(std::move(fraction));
        return row;
      }
      if (token == "\\middle"_L1) {
        next();
        NodePtr bar = make(Node::Kind::Symbol);
        bar->text = delimiter();
        bar->atom = Atom::Relation;
        bar->face = Node::Face::Upright;
        row.push_back(std::move(bar));
        continue;
      }
      readAtom(row, true);
    }
    return row;
  }

  /// One atom, with the scripts that follow it.
  void readAtom(Row& row, bool withScripts) {
    Depth depth(*this);
    if (m_failed) return;
    const std::size_t before = row.size();
    const QString token = next();
    if (token == "^"_L1 || token == "_"_L1) {
      // Scripts of nothing.
      m_at -= 1;
      row.push_back(make(Node::Kind::Group));
    } else if (token == "'"_L1) {
      m_at -= 1;
      row.push_back(make(Node::Kind::Group));
    } else if (token == "{"_L1) {
      NodePtr group = make(Node::Kind::Group);
      group->row = readRow(u"}"_s);
      if (!take(u"}"_s)) fail();
      row.push_back(std::move(group));
    } else if (token.startsWith(u'\\')) {
      command(token.mid(1), row);
    } else if (token == "~"_L1) {
      space(row, 0.33);
    } else if (token == "#"_L1 || token == "$"_L1) {
      fail();
    } else {
      row.push_back(makeSymbol(symbolOf(token.toUcs4().value(0))));
    }
    if (!m_failed && withScripts && row.size() > before) scripts(row);
  }

  void scripts(Row& row) {
    Node::Limits limits = row.back()->limits;
    for (;;) {
      if (take(u"\\limits"_s)) {
        limits = Node::Limits::Always;
      } else if (take(u"\\nolimits"_s)) {
        limits = Node::Limits::Never;
      } else {
        break;
      }
    }
    Row above, below;
    bool any = false;
    for (QString token = peek(); !m_failed && (token == "^"_L1 || token == "_"_L1 || token == "'"_L1); token = peek()) {
      any = true;
      next();
      if (token == "'"_L1) {
        NodePtr prime = make(Node::Kind::Symbol);
        prime->text = u"′"_s;
        prime->face = Node::Face::Upright;
        above.push_back(std::move(prime));
        continue;
      }
      Row& into = token == "^"_L1 ? above : below;
      const bool onlyPrimes = token == "^"_L1 && std::ranges::all_of(above, [](const NodePtr& node) { return node->text == "′"_L1; });
      if (!into.empty() && !onlyPrimes) {
        fail();  // x^a^b
        return;
      }
      for (NodePtr& node : argument()) into.push_back(std::move(node));
    }
    if (!any) return;
    NodePtr node = make(Node::Kind::Scripts);
    node->limits = limits;
    node->atom = row.back()->atom;
    node->above = std::move(above);
    node->below = std::move(below);
    node->row.push_back(std::move(row.back()));
    row.back() = std::move(node);
  }

  void space(Row& row, double ems) {
    NodePtr node = make(Node::Kind::Space);
    node->size = ems;
    row.push_back(std::move(node));
  }

  void words(Row& row, const QString& text, Node::Face face, Atom atom = Atom::Ordinary) {
    NodePtr node = make(Node::Kind::Symbol);
    node->text = text;
    node->face = face;
    node->atom = atom;
    row.push_back(std::move(node));
  }

  // --- commands ---
  void command(const QString& name, Row& row) {
    using Handler = void (Parser::*)(const QString&, Row&);
    static const QHash<QString, Handler> handlers = [] {
      QHash<QString, Handler> all;
      const auto add = [&all](const char* names, Handler handler) {
        for (const QString& each : QString::fromLatin1(names).split(u' ')) all.insert(each, handler);
      };
      add("frac dfrac tfrac cfrac binom dbinom tbinom", &Parser::fraction);
      add("sqrt", &Parser::root);
      add("left", &Parser::fenced);
      add("big Big bigg Bigg bigl Bigl biggl Biggl bigr Bigr biggr Biggr bigm Bigm biggm Biggm", &Parser::big);
      add("begin", &Parser::environment);
      add("text textrm textnormal mbox textit textbf texttt textsf", &Parser::textOf);
      add("mathrm mathbf mathit mathsf mathtt mathbb mathcal mathscr mathfrak boldsymbol bm pmb mathnormal rm bf", &Parser::alphabet);
      add("operatorname operatorname*", &Parser::operatorName);
      add("overline underline", &Parser::line);
      add("overbrace underbrace", &Parser::brace);
      add("overset underset stackrel", &Parser::stacked);
      add("xrightarrow xleftarrow", &Parser::arrow);
      add("boxed fbox", &Parser::boxed);
      add("phantom hphantom vphantom", &Parser::phantom);
      add("displaystyle textstyle scriptstyle scriptscriptstyle", &Parser::style);
      add("substack", &Parser::substack);
      add("pmod bmod mod pod", &Parser::modulo);
      add("not cancel bcancel xcancel", &Parser::crossed);
      add("mathop mathbin mathrel mathord mathopen mathclose mathpunct mathinner", &Parser::classed);
      add("color textcolor", &Parser::coloured);
      add("tag tag* label", &Parser::tag);
      return all;
    }();
    static const QHash<QString, double> spaces{{u","_s, 0.167}, {u":"_s, 0.222}, {u">"_s, 0.222}, {u";"_s, 0.278}, {u"!"_s, -0.167}, {u" "_s, 0.33},
                                               {u"quad"_s, 1}, {u"qquad"_s, 2}, {u"enspace"_s, 0.5}, {u"thinspace"_s, 0.167}, {u"medspace"_s, 0.222}, {u"thickspace"_s, 0.278}, {u"negthinspace"_s, -0.167}};
    static const QSet<QString> nothing{u"nonumber"_s, u"notag"_s, u"limits"_s, u"nolimits"_s, u"allowbreak"_s, u"nobreak"_s, u"relax"_s, u"noindent"_s, u"/"_s};
    if (const auto handler = handlers.constFind(name); handler != handlers.constEnd()) {
      (this->**handler)(name, row);
    } else if (const auto width = spaces.constFind(name); width != spaces.constEnd()) {
      space(row, *width);
    } else if (nothing.contains(name)) {
      return;
    } else if (name.size() == 1 && u"{}%$#&_"_s.contains(name)) {
      words(row, name, Node::Face::Upright, name == "{"_L1 ? Atom::Open : name == "}"_L1 ? Atom::Close : Atom::Ordinary);
    } else if (name == "|"_L1) {
      words(row, u"‖"_s, Node::Face::Upright);
    } else if (const auto accent = accentNamed(name)) {
      NodePtr node = make(Node::Kind::Accent);
      node->text = accent->mark;
      node->wide = accent->wide;
      node->row = argument();
      row.push_back(std::move(node));
    } else if (const auto symbol = symbolNamed(name)) {
      row.push_back(makeSymbol(*symbol));
    } else {
      fail();
    }
  }

  void fraction(const QString& name, Row& row) {
    NodePtr node = make(Node::Kind::Fraction);
    if (name.endsWith("binom"_L1)) {
      node->plain = true;
      node->left = u"("_s;
      node->right = u")"_s;
    }
    node->scale = name[0] == u'd' || name == "cfrac"_L1 ? Node::Scale::Display : name[0] == u't' ? Node::Scale::Text : Node::Scale::None;
    node->row = argument();
    node->below = argument();
    row.push_back(std::move(node));
  }

  void root(const QString&, Row& row) {
    NodePtr node = make(Node::Kind::Root);
    if (auto index = optionalArgument()) node->below = std::move(*index);
    node->row = argument();
    row.push_back(std::move(node));
  }

  void fenced(const QString&, Row& row) {
    NodePtr node = make(Node::Kind::Fenced);
    node->atom = Atom::Inner;
    node->left = delimiter();
    node->row = readRow({});
    if (!take(u"\\right"_s)) return fail();
    node->right = delimiter();
    row.push_back(std::move(node));
  }

  void big(const QString& name, Row& row) {
    NodePtr node = make(Node::Kind::Fenced);
    const QString size = name.startsWith("big"_L1, Qt::CaseInsensitive) ? name : QString();
    node->size = size.startsWith("Bigg"_L1) ? 3.0 : size.startsWith("bigg"_L1) ? 2.4 : size.startsWith("Big"_L1) ? 1.8 : 1.2;
    node->left = delimiter();
    const QChar side = name.back();
    node->atom = side == u'l' ? Atom::Open : side == u'r' ? Atom::Close : side == u'm' ? Atom::Relation : Atom::Ordinary;
    row.push_back(std::move(node));
  }

  void environment(const QString&, Row& row) {
    Depth depth(*this);
    if (m_failed) return;
    const QString name = rawArgument().trimmed();
    static const QHash<QString, std::pair<QString, QString>> fences{
        {u"matrix"_s, {}},         {u"pmatrix"_s, {u"("_s, u")"_s}}, {u"bmatrix"_s, {u"["_s, u"]"_s}}, {u"Bmatrix"_s, {u"{"_s, u"}"_s}},
        {u"vmatrix"_s, {u"|"_s, u"|"_s}}, {u"Vmatrix"_s, {u"‖"_s, u"‖"_s}}, {u"smallmatrix"_s, {}},  {u"array"_s, {}},
        {u"cases"_s, {u"{"_s, {}}}, {u"rcases"_s, {{}, u"}"_s}},     {u"dcases"_s, {u"{"_s, {}}}};
    static const QSet<QString> pairs{u"aligned"_s, u"align"_s, u"align*"_s, u"alignat"_s, u"split"_s, u"alignedat"_s, u"eqnarray"_s, u"eqnarray*"_s, u"flalign"_s, u"flalign*"_s};
    static const QSet<QString> single{u"gathered"_s, u"gather"_s, u"gather*"_s, u"equation"_s, u"equation*"_s, u"multline"_s, u"multline*"_s, u"displaymath"_s, u"math"_s};
    NodePtr node = make(Node::Kind::Table);
    node->atom = Atom::Inner;
    if (const auto fence = fences.constFind(name); fence != fences.constEnd()) {
      node->left = fence->first;
      node->right = fence->second;
      node->columns = name.endsWith("cases"_L1) ? u"l"_s : u"c"_s;
      node->small = name == "smallmatrix"_L1;
      if (name == "dcases"_L1) node->scale = Node::Scale::Display;
      if (name == "array"_L1) {
        QString columns;
        for (const QChar c : rawArgument()) {
          if (u"lcr"_s.contains(c)) columns += c;
        }
        if (!columns.isEmpty()) node->columns = columns;
      }
    } else if (pairs.contains(name)) {
      if (name.startsWith("alignat"_L1) || name == "alignedat"_L1) (void)rawArgument();
      node->columns = name.startsWith("eqnarray"_L1) ? u"rcl"_s : u"rl"_s;
      node->tight = true;
      node->scale = Node::Scale::Display;
    } else if (single.contains(name)) {
      node->columns = u"c"_s;
      node->scale = Node::Scale::Display;
    } else {
      return fail();
    }
    node->cells = tableCells();
    if (m_failed || !take(u"\\end"_s) || rawArgument().trimmed() != name) return fail();
    row.push_back(std::move(node));
  }

  std::vector<std::vector<Row>> tableCells() {
    std::vector<std::vector<Row>> cells(1);
    std::size_t count = 0;
    for (;;) {
      while (take(u"\\hline"_s)) {
      }
      cells.back().push_back(readRow({}));
      if (m_failed || ++count > kMostCells) {
        fail();
        return {};
      }
      if (take(u"&"_s)) continue;
      if (take(u"\\\\"_s) || take(u"\\cr"_s)) {
        (void)take(u"*"_s);
        skipBlanks();
        if (m_at < m_source.size() && m_source[m_at] == u'[') {  // \\[2pt]
          const qsizetype end = m_source.indexOf(u']', m_at);
          if (end > 0 && end - m_at < 12) m_at = end + 1;
        }
        cells.emplace_back();
        continue;
      }
      break;
    }
    // An end of line after the last one begins nothing.
    if (cells.size() > 1 && cells.back().size() == 1 && cells.back().front().empty()) cells.pop_back();
    return cells;
  }

  void textOf(const QString& name, Row& row) {
    QString text = rawArgument();
    if (m_failed) return;
    // Formulas in the text, and commands, are more than words.
    if (text.contains(u'$')) return fail();
    for (const QString& escaped : {u"%"_s, u"&"_s, u"_"_s, u"#"_s, u"{"_s, u"}"_s, u" "_s}) text.replace(u'\\' + escaped, escaped);
    if (text.contains(u'\\')) return fail();
    text.replace(u'~', u' ');
    text.replace(u'\n', u' ');
    words(row, text, name == "textit"_L1 ? Node::Face::Italic : name == "textbf"_L1 ? Node::Face::Bold : name == "texttt"_L1 ? Node::Face::Mono : name == "textsf"_L1 ? Node::Face::Sans : Node::Face::Upright);
  }

  static void setFace(Row& row, const QString& name) {
    for (NodePtr& node : row) {
      if (node->kind == Node::Kind::Symbol) {
        if (name == "mathrm"_L1 || name == "rm"_L1) node->face = Node::Face::Upright;
        if (name == "mathbf"_L1 || name == "bf"_L1) node->face = Node::Face::Bold;
        if (name == "mathit"_L1 || name == "mathnormal"_L1) node->face = Node::Face::Italic;
        if (name == "mathsf"_L1) node->face = Node::Face::Sans;
        if (name == "mathtt"_L1) node->face = Node::Face::Mono;
        if (name == "boldsymbol"_L1 || name == "bm"_L1 || name == "pmb"_L1) node->face = node->face == Node::Face::Italic ? Node::Face::BoldItalic : Node::Face::Bold;
        const QString changed = inAlphabet(name, node->text);
        if (changed != node->text) {
          node->text = changed;
          node->face = Node::Face::Upright;
        }
      }
      setFace(node->row, name);
      setFace(node->above, name);
      setFace(node->below, name);
    }
  }

  void alphabet(const QString& name, Row& row) {
    NodePtr group = make(Node::Kind::Group);
    if (name == "rm"_L1 || name == "bf"_L1) {
      group->row = readRow(u"}"_s);  // to the end of the group that it stands in
    } else {
      group->row = argument();
    }
    setFace(group->row, name);
    row.push_back(std::move(group));
  }

  void operatorName(const QString&, Row& row) {
    const bool starred = take(u"*"_s);
    Row name = argument();
    QString text;
    for (const NodePtr& node : name) {
      if (node->kind == Node::Kind::Space) {
        text += u'\u2009';
      } else if (node->kind == Node::Kind::Symbol) {
        text += node->text == "−"_L1 ? u"-"_s : node->text;
      } else {
        return fail();
      }
    }
    words(row, text, Node::Face::Upright, Atom::Operator);
    if (starred) row.back()->limits = Node::Limits::ByStyle;
  }

  void line(const QString& name, Row& row) {
    NodePtr node = make(Node::Kind::Line);
    node->over = name == "overline"_L1;
    node->row = argument();
    row.push_back(std::move(node));
  }

  void brace(const QString& name, Row& row) {
    NodePtr node = make(Node::Kind::Brace);
    node->over = name == "overbrace"_L1;
    node->limits = Node::Limits::Always;
    node->row = argument();
    row.push_back(std::move(node));
  }

  void stacked(const QString& name, Row& row) {
    NodePtr node = make(Node::Kind::Scripts);
    node->limits = Node::Limits::Always;
    (name == "underset"_L1 ? node->below : node->above) = argument();
    node->row = argument();
    node->atom = name == "stackrel"_L1 || node->row.empty() ? Atom::Relation : node->row.front()->atom;
    row.push_back(std::move(node));
  }

  void arrow(const QString& name, Row& row) {
    NodePtr node = make(Node::Kind::Arrow);
    node->text = name == "xleftarrow"_L1 ? u"←"_s : u"→"_s;
    node->atom = Atom::Relation;
    if (auto under = optionalArgument()) node->below = std::move(*under);
    node->above = argument();
    row.push_back(std::move(node));
  }

  void boxed(const QString&, Row& row) { wrap(Node::Kind::Box, row); }
  void phantom(const QString&, Row& row) { wrap(Node::Kind::Phantom, row); }
  void crossed(const QString&, Row& row) { wrap(Node::Kind::Cross, row); }
  void wrap(Node::Kind kind, Row& row) {
    NodePtr node = make(kind);
    node->row = argument();
    if (kind == Node::Kind::Cross && !node->row.empty()) node->atom = node->row.front()->atom;
    row.push_back(std::move(node));
  }

  void style(const QString& name, Row& row) {
    NodePtr node = make(Node::Kind::Style);
    node->scale = name == "displaystyle"_L1 ? Node::Scale::Display : name == "textstyle"_L1 ? Node::Scale::Text : Node::Scale::Script;
    node->row = readRow(u"}"_s);
    row.push_back(std::move(node));
  }

  void substack(const QString&, Row& row) {
    if (!take(u"{"_s)) return fail();
    NodePtr node = make(Node::Kind::Table);
    node->columns = u"c"_s;
    node->tight = true;
    node->cells = tableCells();
    if (!take(u"}"_s)) return fail();
    row.push_back(std::move(node));
  }

  void modulo(const QString& name, Row& row) {
    if (name == "bmod"_L1) {
      words(row, u"mod"_s, Node::Face::Upright, Atom::Binary);
      return;
    }
    space(row, 0.8);
    if (name != "mod"_L1) words(row, u"("_s, Node::Face::Upright, Atom::Open);
    if (name != "pod"_L1) {
      words(row, u"mod"_s, Node::Face::Upright);
      space(row, 0.33);
    }
    for (NodePtr& node : argument()) row.push_back(std::move(node));
    if (name != "mod"_L1) words(row, u")"_s, Node::Face::Upright, Atom::Close);
  }

  void classed(const QString& name, Row& row) {
    static const QHash<QString, Atom> atoms{{u"mathop"_s, Atom::Operator}, {u"mathbin"_s, Atom::Binary}, {u"mathrel"_s, Atom::Relation}, {u"mathopen"_s, Atom::Open},
                                            {u"mathclose"_s, Atom::Close}, {u"mathpunct"_s, Atom::Punctuation}, {u"mathinner"_s, Atom::Inner}};
    NodePtr group = make(Node::Kind::Group);
    group->row = argument();
    group->atom = atoms.value(name, Atom::Ordinary);
    if (name == "mathop"_L1) group->limits = Node::Limits::ByStyle;
    row.push_back(std::move(group));
  }

  // The theme's colours are the only ones: what is written is kept, its colour is not.
  void coloured(const QString& name, Row& row) {
    (void)rawArgument();
    NodePtr group = make(Node::Kind::Group);
    group->row = name == "color"_L1 ? readRow(u"}"_s) : argument();
    row.push_back(std::move(group));
  }

  void tag(const QString& name, Row& row) {
    (void)take(u"*"_s);
    const QString text = rawArgument();
    if (name == "label"_L1) return;
    space(row, 2);
    words(row, u"("_s + text + u")"_s, Node::Face::Upright);
  }

  class Depth {
   public:
    explicit Depth(Parser& parser) : m_parser(parser) {
      if (++m_parser.m_depth > kMostDepth) m_parser.fail();
    }
    ~Depth() { --m_parser.m_depth; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;

   private:
    Parser& m_parser;
  };

  const QString& m_source;
  qsizetype m_at = 0;
  int m_depth = 0;
  bool m_failed = false;
};

}  // namespace

std::optional<Row> parse(const QString& source) {
  if (source.size() > kLongest || source.trimmed().isEmpty()) return std::nullopt;
  return Parser(source).run();
}

}  // namespace hearth::ui::math
