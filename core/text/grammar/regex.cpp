#include <fmt/format.h>
#include <utf8proc.h>

#include <array>
#include <charconv>

#include "core/text/grammar/front_ends.h"
#include "core/text/unicode.h"

namespace hearth::grammar {
namespace {

const CodePointSet kDigits{{'0', '9'}};
const CodePointSet kWord{{'0', '9'}, {'A', 'Z'}, {'a', 'z'}, {'_', '_'}};
const CodePointSet kSpaces{{'\t', '\r'},     {' ', ' '},       {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
                           {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}};
const CodePointSet kLineEnds{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

/// ECMA 262's syntax without what takes more than linear time. What is not done is refused by name.
class Parser {
 public:
  Parser(GrammarBuilder& builder, std::string_view text, std::string_view path, const RegexOptions& options)
      : m_builder(builder), m_text(text), m_path(path), m_options(options) {}

  Result<Part> run() {
    if (m_text.size() > kMostSource) return refuse(m_path, "the pattern is too long");
    if (!unicode::isValid(m_text)) return refuse(m_path, "the pattern is not UTF-8");
    HEARTH_TRY(const Part whole, alternatives(0, true));
    if (m_at < m_text.size()) return wrong("an unmatched )");
    return whole;
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    return refuse(m_path, fmt::format("the pattern has {} at byte {}", what, m_at), {{"position", std::to_string(m_at)}});
  }
  [[nodiscard]] bool next(std::string_view text) {
    if (!m_text.substr(m_at).starts_with(text)) return false;
    m_at += text.size();
    return true;
  }
  [[nodiscard]] char peek() const { return m_at < m_text.size() ? m_text[m_at] : '\0'; }
  [[nodiscard]] bool more() const { return m_at < m_text.size(); }
  char32_t take() {
    const auto decoded = unicode::decodeAt(m_text, m_at);
    m_at += decoded.length;
    return decoded.codePoint;
  }
  Part character(const CodePointSet& set) {
    return m_options.character ? m_options.character(set) : m_builder.characters(set);
  }
  Part anything() {
    if (!m_anything) m_anything = m_builder.repeat(character(CodePointSet::all()), 0);
    return *m_anything;
  }

  Result<Part> alternatives(int depth, bool top) {
    if (depth > kMostNesting)
      return refuse(m_path, "the pattern is nested too deeply", {{"limit", std::to_string(kMostNesting)}});
    std::vector<Part> ways;
    do {
      std::vector<Part> parts;
      bool end = false;
      const bool begin = top && next("^");
      if (top && m_options.search && !begin) parts.push_back(anything());
      while (more() && peek() != '|' && peek() != ')') {
        if (top && peek() == '$' && (m_at + 1 == m_text.size() || m_text[m_at + 1] == '|')) {
          ++m_at;
          end = true;
          break;
        }
        HEARTH_TRY(const Part one, repeated(depth));
        parts.push_back(one);
      }
      if (top && m_options.search && !end) parts.push_back(anything());
      ways.push_back(m_builder.sequence(parts));
    } while (next("|"));
    return m_builder.choice(ways);
  }

  Result<Part> repeated(int depth) {
    HEARTH_TRY(Part part, atom(depth));
    for (bool first = true;; first = false) {
      int least = 0, most = GrammarBuilder::kUnlimited;
      if (next("*")) {
      } else if (next("+")) {
        least = 1;
      } else if (next("?")) {
        most = 1;
      } else if (peek() == '{') {
        const std::size_t begin = m_at;
        HEARTH_TRY(const bool is, counts(least, most));
        if (!is) {
          m_at = begin;
          return part;
        }
      } else {
        return part;
      }
      if (!first) return wrong("a repetition of a repetition");
      if (next("+")) return wrong("a possessive repetition, which is not supported,");
      (void)next("?");  // lazy or not is the same set of texts
      part = m_builder.repeat(part, least, most);
    }
  }

  [[nodiscard]] bool number(int& value) {
    const auto [end, code] = std::from_chars(m_text.data() + m_at, m_text.data() + m_text.size(), value);
    if (end == m_text.data() + m_at) return false;
    if (code != std::errc()) value = kMostRepeats + 1;
    m_at = static_cast<std::size_t>(end - m_text.data());
    return value >= 0;
  }

  /// {n}, {n,}, {n,m}; false when it is none of these (then the brace stands for itself).
  Result<bool> counts(int& least, int& most) {
    ++m_at;
    if (!number(least)) return false;
    most = least;
    if (next(",")) {
      most = GrammarBuilder::kUnlimited;
      if (peek() != '}' && !number(most)) return false;
    }
    if (!next("}")) return false;
    if (least > kMostRepeats || most > kMostRepeats) return wrong("a repetition beyond the limit");
    if (most != GrammarBuilder::kUnlimited && most < least) return wrong("a repetition whose bounds are in the wrong order");
    return true;
  }

  Result<Part> atom(int depth) {
    const char c = peek();
    switch (c) {
      case '(': {
        ++m_at;
        if (next("?=") || next("?!") || next("?<=") || next("?<!")) return wrong("a lookaround, which is not supported,");
        if (next("?>")) return wrong("an atomic group, which is not supported,");
        if (next("?<") || next("?P<")) {
          const auto close = m_text.find('>', m_at);
          if (close == std::string_view::npos) return wrong("a group name without end");
          m_at = close + 1;
        } else if (peek() == '?' && !next("?:")) {
          return wrong("a kind of group that is not supported");
        }
        HEARTH_TRY(const Part inside, alternatives(depth + 1, false));
        if (!next(")")) return wrong("an unmatched (");
        return inside;
      }
      case '[': {
        ++m_at;
        HEARTH_TRY(const CodePointSet set, klass());
        return character(set);
      }
      case '.': ++m_at; return character(kLineEnds.inverted());
      case '^':
      case '$': return wrong(fmt::format("the anchor {} inside, which is not supported,", c));
      case '*':
      case '+':
      case '?': return wrong("a repetition of nothing");
      case '\\': {
        HEARTH_TRY(const CodePointSet set, escape(false));
        return character(set);
      }
      default: {
        const char32_t one = take();
        return character({{one, one}});
      }
    }
  }

  Result<CodePointSet> escape(bool inClass) {
    ++m_at;
    if (!more()) return wrong("a \\ at its end");
    const char32_t c = take();
    const auto one = [](char32_t value) { return CodePointSet{{value, value}}; };
    switch (c) {
      case 'd': return kDigits;
      case 'D': return kDigits.inverted();
      case 'w': return kWord;
      case 'W': return kWord.inverted();
      case 's': return kSpaces;
      case 'S': return kSpaces.inverted();
      case 'n': return one('\n');
      case 'r': return one('\r');
      case 't': return one('\t');
      case 'f': return one('\f');
      case 'v': return one('\v');
      case '0': return one(0);
      case 'b':
        if (inClass) return one('\b');
        return wrong("a word boundary, which is not supported,");
      case 'B': return wrong("a word boundary, which is not supported,");
      case 'x': return hexadecimal(2);
      case 'u':
        if (next("{")) {
          const auto close = m_text.find('}', m_at);
          if (close == std::string_view::npos || close - m_at > 6 || close == m_at) return wrong("a broken \\u{…}");
          HEARTH_TRY(auto set, hexadecimal(static_cast<int>(close - m_at)));
          ++m_at;
          return set;
        }
        return hexadecimal(4);
      case 'c':
        if (more() && ((peek() | 0x20) >= 'a' && (peek() | 0x20) <= 'z'))
          return one(static_cast<char32_t>(m_text[m_at++] & 31));
        return wrong("a broken \\c");
      case 'p':
      case 'P': {
        if (!next("{")) return wrong("a \\p without braces");
        const auto close = m_text.find('}', m_at);
        if (close == std::string_view::npos) return wrong("a \\p without end");
        auto set = unicodeCategory(m_text.substr(m_at, close - m_at));
        if (!set) return wrong("an unknown Unicode class");
        m_at = close + 1;
        return c == 'p' ? *set : set->inverted();
      }
      default: break;
    }
    if (c >= '1' && c <= '9') return wrong("a backreference, which is not supported,");
    if (c == 'k') return wrong("a backreference, which is not supported,");
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
      return wrong(fmt::format("the unknown escape \\{}", static_cast<char>(c)));
    return one(c);
  }

  Result<CodePointSet> hexadecimal(int digits) {
    unsigned value = 0;
    const char* begin = m_text.data() + m_at;
    if (m_at + static_cast<std::size_t>(digits) > m_text.size()) return wrong("a broken hexadecimal escape");
    const auto [end, code] = std::from_chars(begin, begin + digits, value, 16);
    if (code != std::errc() || end != begin + digits) return wrong("a broken hexadecimal escape");
    m_at += static_cast<std::size_t>(digits);
    if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
      return wrong("half a surrogate pair, which is not supported,");
    return CodePointSet{{value, value}};
  }

  Result<CodePointSet> klass() {
    const bool inverted = next("^");
    CodePointSet set;
    while (more() && peek() != ']') {
      HEARTH_TRY(const CodePointSet from, member());
      if (peek() == '-' && m_at + 1 < m_text.size() && m_text[m_at + 1] != ']' && single(from)) {
        ++m_at;
        HEARTH_TRY(const CodePointSet to, member());
        if (!single(to) || to.ranges()[0].first < from.ranges()[0].first) return wrong("a range in the wrong order");
        set.add(from.ranges()[0].first, to.ranges()[0].first);
      } else {
        set.add(from);
      }
    }
    if (!next("]")) return wrong("an unmatched [");
    return inverted ? set.inverted() : set;
  }
  [[nodiscard]] static bool single(const CodePointSet& set) {
    return set.ranges().size() == 1 && set.ranges()[0].first == set.ranges()[0].last;
  }
  Result<CodePointSet> member() {
    if (peek() == '\\') return escape(true);
    if (m_text.substr(m_at).starts_with("[:")) return wrong("a POSIX class, which is not supported,");
    const char32_t c = take();
    return CodePointSet{{c, c}};
  }

  GrammarBuilder& m_builder;
  std::string_view m_text, m_path;
  const RegexOptions& m_options;
  std::size_t m_at = 0;
  std::optional<Part> m_anything;
};

/// All characters by general category, made once: 0.1 s would be too much for every pattern.
const std::array<CodePointSet, 30>& categories() {
  static const auto sets = [] {
    std::array<CodePointSet, 30> made;
    char32_t begin = 0;
    int current = utf8proc_category(0);
    for (char32_t c = 1; c <= 0x110000; ++c) {
      const int category = c > 0x10ffff ? -1 : utf8proc_category(static_cast<utf8proc_int32_t>(c));
      if (category == current) continue;
      made[static_cast<std::size_t>(current)].add(begin, c - 1);
      begin = c;
      current = category;
    }
    for (auto& set : made) (void)set.ranges();  // sorted now, so that any thread may read it
    return made;
  }();
  return sets;
}

}  // namespace

std::optional<CodePointSet> unicodeCategory(std::string_view name) {
  static constexpr std::array<std::string_view, 30> kNames{"Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd",
                                                           "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm",
                                                           "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co"};
  CodePointSet set;
  bool found = name == "Any";
  if (found) return CodePointSet::all();
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (name.empty() || (kNames[i] != name && (name.size() != 1 || kNames[i][0] != name[0]))) continue;
    set.add(categories()[i]);
    found = true;
  }
  return found ? std::optional(set) : std::nullopt;
}

Result<Part> regexPart(GrammarBuilder& builder, std::string_view pattern, std::string_view path,
                       const RegexOptions& options) {
  return Parser(builder, pattern, path, options).run();
}

}  // namespace hearth::grammar

namespace hearth {

Result<GrammarBuilder::Part> GrammarBuilder::regex(std::string_view pattern, std::string_view path) {
  return grammar::regexPart(*this, pattern, path, {});
}

}  // namespace hearth
