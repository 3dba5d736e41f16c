#include "ui/desktop/chat/math/symbols.h"

#include <QHash>

namespace hearth::ui::math {

using namespace Qt::StringLiterals;

namespace {

struct Line {
  const char* names;  // separated by blanks
  const char16_t* texts;  // the same number of words
  Atom atom;
};

// One line for each class of symbols.
const Line kLines[] = {
    {"alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu nu xi omicron pi varpi rho varrho "
     "sigma varsigma tau upsilon phi varphi chi psi omega digamma",
     u"α β γ δ ϵ ε ζ η θ ϑ ι κ ϰ λ μ ν ξ ο π ϖ ρ ϱ σ ς τ υ ϕ φ χ ψ ω ϝ", Atom::Ordinary},
    {"Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega", u"Γ Δ Θ Λ Ξ Π Σ Υ Φ Ψ Ω", Atom::Ordinary},
    {"infty partial nabla forall exists nexists emptyset varnothing hbar ell Re Im aleph beth wp angle measuredangle triangle square Box "
     "blacksquare bigstar star prime degree top bot checkmark dagger ddagger S P copyright pounds clubsuit diamondsuit heartsuit spadesuit "
     "flat natural sharp surd complement mho eth imath jmath backslash neg lnot diamond Diamond lozenge triangledown QED qed dots ldots "
     "cdots vdots ddots dotsc dotsb dotsm dotsi dotso lbrace rbrace vert Vert",
     u"∞ ∂ ∇ ∀ ∃ ∄ ∅ ∅ ℏ ℓ ℜ ℑ ℵ ℶ ℘ ∠ ∡ △ □ □ ■ ★ ⋆ ′ ° ⊤ ⊥ ✓ † ‡ § ¶ © £ ♣ ♦ ♥ ♠ ♭ ♮ ♯ √ ∁ ℧ ð ı ȷ \\ ¬ ¬ ⋄ ◇ ◊ ▽ ∎ ∎ … … ⋯ ⋮ ⋱ … ⋯ ⋯ ⋯ … { } | ‖",
     Atom::Ordinary},
    {"pm mp times div cdot ast circ bullet cap cup sqcap sqcup vee lor wedge land setminus smallsetminus oplus ominus otimes oslash odot "
     "bigcirc uplus amalg wr ltimes rtimes boxplus boxminus boxtimes triangleleft triangleright intercal barwedge veebar",
     u"± ∓ × ÷ ⋅ ∗ ∘ ∙ ∩ ∪ ⊓ ⊔ ∨ ∨ ∧ ∧ ∖ ∖ ⊕ ⊖ ⊗ ⊘ ⊙ ◯ ⊎ ⨿ ≀ ⋉ ⋊ ⊞ ⊟ ⊠ ◁ ▷ ⊺ ⊼ ⊻", Atom::Binary},
    {"leq le geq ge neq ne equiv sim simeq approx cong propto ll gg prec succ preceq succeq subset supset subseteq supseteq nsubseteq "
     "subsetneq supsetneq sqsubseteq sqsupseteq in ni notin mid nmid parallel nparallel perp models vdash dashv Vdash vDash asymp doteq "
     "triangleq coloneqq lesssim gtrsim leqslant geqslant nleq ngeq nless ngtr lll ggg trianglelefteq trianglerighteq bowtie smile frown "
     "between pitchfork because therefore colon approxeq backsim eqsim varpropto owns",
     u"≤ ≤ ≥ ≥ ≠ ≠ ≡ ∼ ≃ ≈ ≅ ∝ ≪ ≫ ≺ ≻ ⪯ ⪰ ⊂ ⊃ ⊆ ⊇ ⊈ ⊊ ⊋ ⊑ ⊒ ∈ ∋ ∉ ∣ ∤ ∥ ∦ ⊥ ⊨ ⊢ ⊣ ⊩ ⊨ ≍ ≐ ≜ ≔ ≲ ≳ ⩽ ⩾ ≰ ≱ ≮ ≯ ⋘ ⋙ ⊴ ⊵ ⋈ ⌣ ⌢ ≬ ⋔ ∵ ∴ : ≊ ∽ ≂ ∝ ∋",
     Atom::Relation},
    {"to gets leftarrow rightarrow uparrow downarrow leftrightarrow updownarrow Leftarrow Rightarrow Uparrow Downarrow Leftrightarrow "
     "Updownarrow mapsto longmapsto longleftarrow longrightarrow longleftrightarrow Longleftarrow Longrightarrow Longleftrightarrow iff "
     "implies impliedby hookleftarrow hookrightarrow leftharpoonup rightharpoonup leftharpoondown rightharpoondown rightleftharpoons "
     "leftrightharpoons nearrow searrow swarrow nwarrow rightsquigarrow leadsto nrightarrow nleftarrow nRightarrow twoheadrightarrow "
     "rightrightarrows leftleftarrows circlearrowleft circlearrowright dashrightarrow multimap",
     u"→ ← ← → ↑ ↓ ↔ ↕ ⇐ ⇒ ⇑ ⇓ ⇔ ⇕ ↦ ⟼ ⟵ ⟶ ⟷ ⟸ ⟹ ⟺ ⟺ ⟹ ⟸ ↩ ↪ ↼ ⇀ ↽ ⇁ ⇌ ⇋ ↗ ↘ ↙ ↖ ⇝ ⇝ ↛ ↚ ⇏ ↠ ⇉ ⇇ ↺ ↻ ⇢ ⊸", Atom::Relation},
    {"langle lceil lfloor lbrack lvert lVert llbracket lgroup lparen", u"⟨ ⌈ ⌊ [ | ‖ ⟦ ( (", Atom::Open},
    {"rangle rceil rfloor rbrack rvert rVert rrbracket rgroup rparen", u"⟩ ⌉ ⌋ ] | ‖ ⟧ ) )", Atom::Close},
};

const Line kLarge[] = {
    // With their limits over and under them in a display.
    {"sum prod coprod bigcup bigcap bigvee bigwedge bigoplus bigotimes bigodot biguplus bigsqcup", u"∑ ∏ ∐ ⋃ ⋂ ⋁ ⋀ ⨁ ⨂ ⨀ ⨄ ⨆", Atom::Operator},
};
const Line kIntegrals[] = {{"int iint iiint oint oiint", u"∫ ∬ ∭ ∮ ∯", Atom::Operator}};

const char* const kWords =
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth log ln lg exp deg dim hom ker arg";
const char* const kWordsWithLimits = "lim limsup liminf max min sup inf det gcd Pr argmax argmin";

void fill(QHash<QString, Symbol>& table, const Line& line, Node::Limits limits, bool large) {
  const QStringList names = QString::fromLatin1(line.names).split(u' ', Qt::SkipEmptyParts);
  const QStringList texts = QString::fromUtf16(line.texts).split(u' ', Qt::SkipEmptyParts);
  Q_ASSERT(names.size() == texts.size());
  for (qsizetype i = 0; i < std::min(names.size(), texts.size()); ++i) {
    // Small Greek letters lean, as letters do.
    const bool leans = !large && texts[i].size() == 1 && texts[i][0] >= u'α' && texts[i][0] <= u'ϵ';
    table.insert(names[i], {texts[i], line.atom, limits, large, !leans});
  }
}

const QHash<QString, Symbol>& table() {
  static const QHash<QString, Symbol> all = [] {
    QHash<QString, Symbol> made;
    for (const Line& line : kLines) fill(made, line, Node::Limits::Never, false);
    for (const Line& line : kLarge) fill(made, line, Node::Limits::ByStyle, true);
    for (const Line& line : kIntegrals) fill(made, line, Node::Limits::Never, true);
    for (const QString& word : QString::fromLatin1(kWords).split(u' ')) made.insert(word, {word, Atom::Operator, Node::Limits::Never, false, true});
    for (const QString& word : QString::fromLatin1(kWordsWithLimits).split(u' ')) {
      QString shown = word;
      if (word == "limsup"_L1) shown = u"lim\u2009sup"_s;
      if (word == "liminf"_L1) shown = u"lim\u2009inf"_s;
      if (word.startsWith("arg"_L1)) shown = u"arg\u2009"_s + word.mid(3);
      made.insert(word, {shown, Atom::Operator, Node::Limits::ByStyle, false, true});
    }
    return made;
  }();
  return all;
}

}  // namespace

std::optional<Symbol> symbolNamed(const QString& command) {
  const auto at = table().constFind(command);
  if (at == table().constEnd()) return std::nullopt;
  return *at;
}

Symbol symbolOf(char32_t character) {
  const QString text = QString::fromUcs4(&character, 1);
  const QChar c = text[0];
  if (text.size() == 1) {
    if (c == u'-') return {u"−"_s, Atom::Binary};
    if (c == u'*') return {u"∗"_s, Atom::Binary};
    if (u"+±×÷⋅∘∩∪∧∨⊕⊗"_s.contains(c)) return {text, Atom::Binary};
    if (u"=<>:≤≥≠≈≡∼∈∉⊂⊆→←↔⇒⇔↦∝"_s.contains(c)) return {text, Atom::Relation};
    if (u"([⟨⌈⌊"_s.contains(c)) return {text, Atom::Open};
    if (u")]⟩⌉⌋!?"_s.contains(c)) return {text, Atom::Close};
    if (u",;"_s.contains(c)) return {text, Atom::Punctuation};
    if (u"∑∏"_s.contains(c)) return {text, Atom::Operator, Node::Limits::ByStyle, true};
    if (u"∫∮"_s.contains(c)) return {text, Atom::Operator, Node::Limits::Never, true};
    const bool leans = (c.isLetter() && c.unicode() < 0x250 && c.script() == QChar::Script_Latin) || (c >= u'α' && c <= u'ω');
    return {text, Atom::Ordinary, Node::Limits::Never, false, !leans};
  }
  return {text};
}

std::optional<AccentMark> accentNamed(const QString& command) {
  static const QHash<QString, AccentMark> marks{
      {u"hat"_s, {u"ˆ"_s}},        {u"widehat"_s, {u"ˆ"_s, true}},   {u"check"_s, {u"ˇ"_s}},           {u"tilde"_s, {u"˜"_s}},
      {u"widetilde"_s, {u"˜"_s, true}}, {u"acute"_s, {u"´"_s}},      {u"grave"_s, {u"`"_s}},           {u"dot"_s, {u"˙"_s}},
      {u"ddot"_s, {u"¨"_s}},       {u"breve"_s, {u"˘"_s}},           {u"bar"_s, {u"¯"_s}},             {u"vec"_s, {u"→"_s}},
      {u"overrightarrow"_s, {u"→"_s, true}}, {u"overleftarrow"_s, {u"←"_s, true}}, {u"mathring"_s, {u"˚"_s}}, {u"dddot"_s, {u"⃛"_s}}};
  const auto at = marks.constFind(command);
  if (at == marks.constEnd()) return std::nullopt;
  return *at;
}

QString inAlphabet(const QString& alphabet, const QString& letters) {
  struct Range {
    char32_t upper, lower, digit;
  };
  static const QHash<QString, Range> ranges{{u"mathbb"_s, {0x1D538, 0x1D552, 0x1D7D8}},
                                            {u"mathcal"_s, {0x1D49C, 0x1D4B6, 0}},
                                            {u"mathscr"_s, {0x1D49C, 0x1D4B6, 0}},
                                            {u"mathfrak"_s, {0x1D504, 0x1D51E, 0}}};
  // Letters that had a place before the blocks were made.
  static const QHash<QString, QHash<char32_t, char32_t>> older{
      {u"mathbb"_s, {{U'C', U'ℂ'}, {U'H', U'ℍ'}, {U'N', U'ℕ'}, {U'P', U'ℙ'}, {U'Q', U'ℚ'}, {U'R', U'ℝ'}, {U'Z', U'ℤ'}}},
      {u"mathcal"_s, {{U'B', U'ℬ'}, {U'E', U'ℰ'}, {U'F', U'ℱ'}, {U'H', U'ℋ'}, {U'I', U'ℐ'}, {U'L', U'ℒ'}, {U'M', U'ℳ'}, {U'R', U'ℛ'}, {U'e', U'ℯ'}, {U'g', U'ℊ'}, {U'o', U'ℴ'}}},
      {u"mathfrak"_s, {{U'C', U'ℭ'}, {U'H', U'ℌ'}, {U'I', U'ℑ'}, {U'R', U'ℜ'}, {U'Z', U'ℨ'}}}};
  const auto range = ranges.constFind(alphabet);
  if (range == ranges.constEnd()) return letters;
  const QHash<char32_t, char32_t> odd = older.value(alphabet == "mathscr"_L1 ? u"mathcal"_s : alphabet);
  QString out;
  for (const uint c : letters.toUcs4()) {
    char32_t made = c;
    if (const auto at = odd.constFind(c); at != odd.constEnd()) {
      made = *at;
    } else if (c >= 'A' && c <= 'Z') {
      made = range->upper + (c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      made = range->lower + (c - 'a');
    } else if (c >= '0' && c <= '9' && range->digit != 0) {
      made = range->digit + (c - '0');
    }
    out += QString::fromUcs4(&made, 1);
  }
  return out;
}

std::optional<QString> delimiterNamed(const QString& token) {
  if (token == "."_L1) return QString();
  static const QString plain = u"()[]|/<>⟨⟩"_s;
  if (token.size() == 1 && plain.contains(token[0])) return token == "<"_L1 ? u"⟨"_s : token == ">"_L1 ? u"⟩"_s : token;
  if (token == "\\{"_L1) return u"{"_s;
  if (token == "\\}"_L1) return u"}"_s;
  if (token == "\\|"_L1) return u"‖"_s;
  if (!token.startsWith(u'\\')) return std::nullopt;
  static const QStringList names = u"langle rangle lceil rceil lfloor rfloor lbrack rbrack lvert rvert lVert rVert vert Vert lbrace rbrace "
                                   "backslash uparrow downarrow updownarrow Uparrow Downarrow lgroup rgroup llbracket rrbracket"_s.split(u' ');
  if (!names.contains(token.mid(1))) return std::nullopt;
  return symbolNamed(token.mid(1))->text;
}

}  // namespace hearth::ui::math
