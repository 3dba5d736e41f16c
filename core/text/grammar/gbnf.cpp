#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "core/text/grammar/front_ends.h"
#include "core/text/unicode.h"

namespace hearth::grammar {
namespace {

/// GGML's BNF (the format that grammars/README.md of llama.cpp describes): rules `name ::= …`, strings, classes, groups,
/// alternatives, * + ? {m,n}, comments. `root` is where it begins.
class GbnfParser {
 public:
  GbnfParser(GrammarBuilder& builder, std::string_view text, std::string_view path)
      : m_builder(builder), m_text(text), m_path(path) {}

  Result<Part> run() {
    if (m_text.size() > kMostSource) return refuse(m_path, "the grammar is too long");
    if (!unicode::isValid(m_text)) return refuse(m_path, "the grammar is not UTF-8");
    for (space(true); more(); space(true)) {
      HEARTH_TRY(const std::string name, word());
      space(false);
      if (!next("::=")) return wrong("no ::= behind a rule's name");
      space(true);
      Rule& rule = ruleOf(name);
      if (rule.defined) return wrong(fmt::format("a second definition of \"{}\"", name));
      rule.defined = true;
      const Part head = rule.part;
      HEARTH_TRY(const Part body, alternatives(0));
      m_builder.define(head, body);
      if (more() && !atLineEnd()) return wrong("something that does not belong there");
    }
    for (const auto& [name, rule] : m_rules) {
      if (!rule.defined)
        return refuse(m_path, fmt::format("the grammar uses the rule \"{}\" and does not define it", name),
                      {{"rule", name}});
    }
    const auto root = m_rules.find("root");
    if (root == m_rules.end()) return refuse(m_path, "the grammar has no rule \"root\"");
    return root->second.part;
  }

 private:
  struct Rule {
    Part part;
    bool defined = false;
  };
  std::unexpected<Error> wrong(std::string_view what) const {
    const auto line =
        1 + std::count(m_text.begin(), m_text.begin() + static_cast<std::ptrdiff_t>(std::min(m_at, m_text.size())), '\n');
    return refuse(m_path, fmt::format("the grammar has {} in line {}", what, line), {{"line", std::to_string(line)}});
  }
  Rule& ruleOf(const std::string& name) {
    const auto it = m_rules.find(name);
    if (it != m_rules.end()) return it->second;
    return m_rules.emplace(name, Rule{m_builder.rule(name), false}).first->second;
  }
  [[nodiscard]] bool more() const { return m_at < m_text.size(); }
  [[nodiscard]] char peek() const { return more() ? m_text[m_at] : '\0'; }
  [[nodiscard]] bool atLineEnd() const { return peek() == '\n' || peek() == '\r'; }
  [[nodiscard]] bool next(std::string_view text) {
    if (!m_text.substr(m_at).starts_with(text)) return false;
    m_at += text.size();
    return true;
  }
  /// Blanks and comments; line ends too when they mean nothing here.
  void space(bool lines) {
    while (more()) {
      const char c = peek();
      if (c == '#') {
        while (more() && !atLineEnd()) ++m_at;
      } else if (c == ' ' || c == '\t' || (lines && atLineEnd())) {
        ++m_at;
      } else {
        return;
      }
    }
  }
  /// A line that begins with | goes on with the rule before it.
  void spaceBeforeBar() {
    space(false);
    const std::size_t at = m_at;
    space(true);
    if (peek() != '|') m_at = at;
  }
  [[nodiscard]] static bool isWord(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  }
  Result<std::string> word() {
    const std::size_t begin = m_at;
    while (more() && isWord(peek())) ++m_at;
    if (begin == m_at) return wrong("no rule's name where one should be");
    return std::string(m_text.substr(begin, m_at - begin));
  }

  Result<Part> alternatives(int depth) {
    if (depth > kMostNesting)
      return refuse(m_path, "the grammar is nested too deeply", {{"limit", std::to_string(kMostNesting)}});
    std::vector<Part> ways;
    for (;;) {
      std::vector<Part> parts;
      for (;;) {
        space(depth > 0);
        if (!more() || peek() == '|' || peek() == ')' || atLineEnd()) break;
        HEARTH_TRY(const Part one, repeated(depth));
        parts.push_back(one);
      }
      ways.push_back(m_builder.sequence(parts));
      spaceBeforeBar();
      if (!next("|")) return m_builder.choice(ways);
      space(true);
    }
  }

  Result<Part> repeated(int depth) {
    HEARTH_TRY(Part part, element(depth));
    for (;;) {
      space(depth > 0);
      if (next("*")) {
        part = m_builder.repeat(part, 0);
      } else if (next("+")) {
        part = m_builder.repeat(part, 1);
      } else if (next("?")) {
        part = m_builder.optional(part);
      } else if (next("{")) {
        int least = 0, most = GrammarBuilder::kUnlimited;
        space(false);
        const bool given = number(least);
        space(false);
        if (!next(",")) {
          if (!given) return wrong("braces without a number");
          most = least;
        } else {
          space(false);
          (void)number(most);
          space(false);
        }
        if (!next("}")) return wrong("an unmatched {");
        if (least > kMostRepeats || most > kMostRepeats) return wrong("a repetition beyond the limit");
        if (most != GrammarBuilder::kUnlimited && most < least)
          return wrong("a repetition whose bounds are in the wrong order");
        part = m_builder.repeat(part, least, most);
      } else {
        return part;
      }
    }
  }

  [[nodiscard]] bool number(int& value) {
    if (peek() < '0' || peek() > '9') return false;
    const auto [end, code] = std::from_chars(m_text.data() + m_at, m_text.data() + m_text.size(), value);
    if (code != std::errc()) value = kMostRepeats + 1;
    m_at = static_cast<std::size_t>(end - m_text.data());
    return true;
  }

  Result<Part> element(int depth) {
    const char c = peek();
    if (c == '"') {
      ++m_at;
      std::string text;
      while (more() && peek() != '"') {
        if (atLineEnd()) return wrong("a string without end");
        HEARTH_TRY(const char32_t one, character());
        unicode::append(text, one);
      }
      if (!next("\"")) return wrong("a string without end");
      return m_builder.literal(text);
    }
    if (c == '[') {
      ++m_at;
      const bool inverted = next("^");
      CodePointSet set;
      while (more() && peek() != ']') {
        HEARTH_TRY(const char32_t first, character());
        char32_t last = first;
        if (peek() == '-' && m_at + 1 < m_text.size() && m_text[m_at + 1] != ']') {
          ++m_at;
          HEARTH_TRY(last, character());
          if (last < first) return wrong("a range in the wrong order");
        }
        set.add(first, last);
      }
      if (!next("]")) return wrong("an unmatched [");
      return m_builder.characters(inverted ? set.inverted() : set);
    }
    if (c == '.') {
      ++m_at;
      return m_builder.characters(CodePointSet::all());
    }
    if (c == '(') {
      ++m_at;
      HEARTH_TRY(const Part inside, alternatives(depth + 1));
      space(true);
      if (!next(")")) return wrong("an unmatched (");
      return inside;
    }
    if (c == '<' || (c == '!' && m_text.substr(m_at).starts_with("!<")))
      return wrong("a token in angle brackets, which is not supported,");
    if (isWord(c)) {
      HEARTH_TRY(const std::string name, word());
      return ruleOf(name).part;
    }
    return wrong("something that does not belong there");
  }

  Result<char32_t> character() {
    if (peek() != '\\') {
      const auto decoded = unicode::decodeAt(m_text, m_at);
      m_at += decoded.length;
      return decoded.codePoint;
    }
    ++m_at;
    if (!more()) return wrong("a \\ at its end");
    const char c = m_text[m_at++];
    switch (c) {
      case 'n': return U'\n';
      case 'r': return U'\r';
      case 't': return U'\t';
      case 'x': return hexadecimal(2);
      case 'u': return hexadecimal(4);
      case 'U': return hexadecimal(8);
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '^': return static_cast<char32_t>(c);
      default: return wrong(fmt::format("the unknown escape \\{}", c));
    }
  }
  Result<char32_t> hexadecimal(std::size_t digits) {
    unsigned value = 0;
    const char* begin = m_text.data() + m_at;
    if (m_at + digits > m_text.size()) return wrong("a broken hexadecimal escape");
    const auto [end, code] = std::from_chars(begin, begin + digits, value, 16);
    if (code != std::errc() || end != begin + digits || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
      return wrong("a broken hexadecimal escape");
    m_at += digits;
    return static_cast<char32_t>(value);
  }

  GrammarBuilder& m_builder;
  std::string_view m_text, m_path;
  std::size_t m_at = 0;
  std::map<std::string, Rule, std::less<>> m_rules;
};

}  // namespace
}  // namespace hearth::grammar

namespace hearth {

Result<GrammarBuilder::Part> GrammarBuilder::gbnf(std::string_view text, std::string_view path) {
  return grammar::GbnfParser(*this, text, path).run();
}

}  // namespace hearth
