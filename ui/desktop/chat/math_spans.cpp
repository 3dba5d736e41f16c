#include "ui/desktop/chat/math_spans.h"

#include <algorithm>

#include "ui/desktop/chat/math/formula.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype kLongestInline = 1'000;
constexpr qsizetype kLongestDisplay = 6'000;

/// One pass over a text; see findMath().
class Scanner {
 public:
  explicit Scanner(const QString& source) : m_source(source) { m_out.text.reserve(source.size()); }

  MathText run() {
    while (m_at < m_source.size()) step();
    return std::move(m_out);
  }

 private:
  [[nodiscard]] static bool isMark(QChar c) { return c >= QChar(kMathDigit) && c <= kMathEnd; }
  [[nodiscard]] QChar at(qsizetype i) const { return i >= 0 && i < m_source.size() ? m_source[i] : QChar(); }
  [[nodiscard]] bool startsWith(QStringView words) const { return QStringView(m_source).mid(m_at).startsWith(words); }
  [[nodiscard]] bool lineStart() const {
    qsizetype i = m_at;
    while (i > 0 && m_source[i - 1] == u' ' && m_at - i < 4) --i;
    return i == 0 || m_source[i - 1] == u'\n';
  }
  [[nodiscard]] qsizetype paragraphEnd(qsizetype from) const {
    const qsizetype end = m_source.indexOf(u"\n\n"_s, from);
    return end < 0 ? m_source.size() : end;
  }

  void step() {
    const QChar c = m_source[m_at];
    if (c == u'`' || (c == u'~' && startsWith(u"~~~"))) return code(c);
    if (c == u'\\') return backslash();
    if (c == u'$') return dollar();
    m_out.text += isMark(c) ? QChar(QChar::ReplacementCharacter) : c;
    ++m_at;
  }

  void copy(qsizetype end) {
    for (; m_at < end; ++m_at) m_out.text += isMark(m_source[m_at]) ? QChar(QChar::ReplacementCharacter) : m_source[m_at];
  }

  // A fence goes to its closing fence, a span to as many backticks.
  void code(QChar mark) {
    qsizetype run = 0;
    while (at(m_at + run) == mark) ++run;
    if (run >= 3 && lineStart()) {
      qsizetype line = m_source.indexOf(u'\n', m_at);
      while (line >= 0) {
        qsizetype i = line + 1;
        while (at(i) == u' ') ++i;
        qsizetype closing = 0;
        while (at(i + closing) == mark) ++closing;
        line = m_source.indexOf(u'\n', i);
        if (closing >= run) return copy(line < 0 ? m_source.size() : line);
      }
      return copy(m_source.size());
    }
    if (mark == u'~') return copy(m_at + run);
    for (qsizetype i = m_at + run; i < m_source.size();) {
      i = m_source.indexOf(u'`', i);
      if (i < 0) break;
      qsizetype closing = 0;
      while (at(i + closing) == u'`') ++closing;
      if (closing == run) return copy(i + closing);
      i += closing;
    }
    copy(m_at + run);
  }

  void backslash() {
    if (startsWith(u"\\(")) return bracketed(u"\\)"_s, false);
    if (startsWith(u"\\[")) return bracketed(u"\\]"_s, true);
    if (startsWith(u"\\begin{")) return environment();
    copy(std::min(m_at + 2, m_source.size()));  // \$ and the like: Markdown's own
  }

  void bracketed(const QString& close, bool display) {
    const qsizetype limit = display ? m_at + kLongestDisplay : std::min(paragraphEnd(m_at), m_at + kLongestInline);
    const qsizetype end = m_source.indexOf(close, m_at + 2);
    if (end >= 0 && end <= limit) {
      // Brackets that Markdown escapes, as in \[link\], hold words; formulas are rarely such.
      return add(m_source.mid(m_at + 2, end - m_at - 2), end + 2, display);
    }
    literal(end < 0 ? paragraphEnd(m_at) : m_at + 2);
  }

  void environment() {
    const qsizetype brace = m_source.indexOf(u'}', m_at);
    if (brace < 0 || brace - m_at > 30) return literal(paragraphEnd(m_at));
    const QString name = m_source.mid(m_at + 7, brace - m_at - 7);
    const QString close = u"\\end{"_s + name + u'}';
    const qsizetype end = m_source.indexOf(close, brace);
    if (end < 0 || end - m_at > kLongestDisplay) return literal(paragraphEnd(m_at));
    const qsizetype after = end + close.size();
    add(m_source.mid(m_at, after - m_at), after, true);
  }

  void dollar() {
    if (at(m_at + 1) == u'$') {
      const qsizetype end = m_source.indexOf(u"$$"_s, m_at + 2);
      if (end == m_at + 2) return copy(m_at + 2);
      if (end > 0 && end - m_at <= kLongestDisplay) return add(m_source.mid(m_at + 2, end - m_at - 2), end + 2, true);
      // Only at the end of what is there can it be a formula that still grows.
      return end < 0 && lineStart() ? literal(m_source.size()) : copy(m_at + 2);
    }
    const qsizetype end = closingDollar();
    if (end < 0) return copy(m_at + 1);
    add(m_source.mid(m_at + 1, end - m_at - 1), end + 1, false);
  }

  /// The dollar that ends a formula which begins here; −1: none does, it is a sum of money or a shell's variable.
  [[nodiscard]] qsizetype closingDollar() const {
    const QChar first = at(m_at + 1);
    if (first.isNull() || first.isSpace() || at(m_at - 1).isLetterOrNumber()) return -1;
    const qsizetype limit = std::min(paragraphEnd(m_at), m_at + kLongestInline);
    for (qsizetype i = m_at + 1; i < limit; ++i) {
      if (m_source[i] == u'\\') {
        ++i;
      } else if (m_source[i] == u'`') {
        return -1;
      } else if (m_source[i] == u'$') {
        if (m_source[i - 1].isSpace() || at(i + 1).isLetterOrNumber()) return -1;
        return looksLikeMath(m_source.mid(m_at + 1, i - m_at - 1)) ? i : -1;
      }
    }
    return -1;
  }

  /// Words between two sums of money are none.
  [[nodiscard]] static bool looksLikeMath(const QString& inside) {
    if (inside.contains(u'\n') && inside.count(u'\n') > 1) return false;
    if (std::ranges::any_of(inside, [](QChar c) { return u"\\^_{}=<>+|"_s.contains(c); })) return true;
    if (inside.contains(u' ')) {
      // "a, b" and "x / 2" are; "5 to the bank and 6" is not.
      for (const QString& word : inside.split(u' ')) {
        if (std::ranges::count_if(word, [](QChar c) { return c.isLetter(); }) > 2) return false;
      }
      return !inside[0].isDigit();
    }
    // A number alone may be a formula ($5$), a price with its unit ($5/month$) hardly.
    return std::ranges::count_if(inside, [](QChar c) { return c.isLetter(); }) <= 3 || !inside[0].isDigit();
  }

  void add(const QString& inside, qsizetype end, bool display) {
    MathSpan span;
    span.source = inside.trimmed();
    span.written = m_source.mid(m_at, end - m_at);
    span.display = display;
    span.formula = math::isKnown(span.source);
    // A formula on lines of its own is a paragraph of its own.
    const bool alone = display && lineStart();
    if (alone && !m_out.text.isEmpty() && !m_out.text.endsWith(u"\n\n"_s) && unindented()) m_out.text += u'\n';
    push(std::move(span), end);
    if (alone && at(m_at) == u'\n' && at(m_at + 1) != u'\n' && unindented()) m_out.text += u'\n';
  }
  [[nodiscard]] bool unindented() const { return m_out.text.isEmpty() || m_out.text.endsWith(u'\n') || m_out.text.endsWith(kMathEnd); }

  void literal(qsizetype end) {
    MathSpan span;
    span.written = m_source.mid(m_at, end - m_at);
    span.formula = false;
    push(std::move(span), end);
  }

  void push(MathSpan span, qsizetype end) {
    m_out.text += kMathMark;
    for (const QChar digit : QString::number(m_out.spans.size())) m_out.text += QChar(static_cast<char16_t>(kMathDigit + digit.digitValue()));
    m_out.text += kMathEnd;
    m_out.spans.push_back(std::move(span));
    m_at = end;
  }

  const QString& m_source;
  qsizetype m_at = 0;
  MathText m_out;
};

}  // namespace

MathText findMath(const QString& markdown) { return Scanner(markdown).run(); }

const MathSpan* spanAt(const QString& text, qsizetype& at, const std::vector<MathSpan>& spans) {
  if (at >= text.size() || text[at] != kMathMark) return nullptr;
  std::size_t number = 0;
  qsizetype i = at + 1;
  for (; i < text.size() && text[i] != kMathEnd; ++i) {
    if (text[i].unicode() < kMathDigit || text[i].unicode() > kMathDigit + 9) return nullptr;
    number = number * 10 + (text[i].unicode() - kMathDigit);
  }
  if (i >= text.size() || number >= spans.size()) return nullptr;
  at = i + 1;
  return &spans[number];
}

QString withoutMarks(const QString& text, const std::vector<MathSpan>& spans) {
  if (!text.contains(kMathMark)) return text;
  QString out;
  for (qsizetype i = 0; i < text.size();) {
    if (const MathSpan* span = spanAt(text, i, spans)) {
      out += span->written;
    } else {
      out += text[i++];
    }
  }
  return out;
}

}  // namespace hearth::ui
