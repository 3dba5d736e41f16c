#include "core/text/jinja/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text/jinja/text_ops.h"

namespace hearth::jinja {
namespace {

// \r\n and \r become \n, and one newline at the very end goes (keep_trailing_newline is off).
std::string normalise(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      text += source[i];
      continue;
    }
    text += '\n';
    if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
  }
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

bool isNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool isDecimal(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : m_owned(normalise(source)), m_text(m_owned) {}

  std::vector<Token> run() {
    while (m_at < m_text.size()) data();
    push(TokenKind::End, {});
    return std::move(m_tokens);
  }

 private:
  [[noreturn]] void fail(std::string message) const { throw Failure{std::move(message), m_line}; }
  [[nodiscard]] bool starts(std::string_view what) const { return m_text.substr(m_at).starts_with(what); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const { return m_at + ahead < m_text.size() ? m_text[m_at + ahead] : '\0'; }
  void push(TokenKind kind, std::string text) { m_tokens.push_back({kind, std::move(text), m_line}); }
  void advance(std::size_t end) {
    m_line += static_cast<int>(std::count(m_text.begin() + static_cast<std::ptrdiff_t>(m_at),
                                          m_text.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    m_at = end;
    m_lineStarts = end > 0 && m_text[end - 1] == '\n';
  }
  void skipSpace() {
    std::size_t end = m_at;
    while (end < m_text.size() && isSpace(codePoint(m_text, end))) end += characterBytes(m_text, end);
    advance(end);
  }

  // The text before a tag: `mark` is the sign after the tag's opening, `block` false for {{.
  void emitData(std::size_t begin, std::size_t end, char mark, bool block) {
    const std::string_view text = m_text.substr(begin, end - begin);
    std::size_t keep = text.size();
    if (mark == '-') {
      while (keep > 0) {
        std::size_t at = keep - 1;
        while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U) --at;
        if (!isSpace(codePoint(text, at))) break;
        keep = at;
      }
    } else if (mark != '+' && block) {
      const std::size_t newline = text.rfind('\n');
      const std::size_t lineStart = newline == std::string_view::npos ? 0 : newline + 1;
      if (lineStart > 0 || m_lineStarts) {
        bool blank = true;
        for (std::size_t at = lineStart; at < text.size() && blank; at += characterBytes(text, at))
          blank = isSpace(codePoint(text, at));
        if (blank) keep = lineStart;
      }
    }
    if (keep > 0) push(TokenKind::Data, std::string(text.substr(0, keep)));
    advance(end);
  }

  void data() {
    const std::size_t begin = m_at;
    std::size_t open = m_at;
    for (;; ++open) {
      open = m_text.find('{', open);
      if (open == std::string_view::npos || open + 1 >= m_text.size()) {
        push(TokenKind::Data, std::string(m_text.substr(begin)));
        advance(m_text.size());
        return;
      }
      const char next = m_text[open + 1];
      if (next == '{' || next == '%' || next == '#') break;
    }
    const char kind = m_text[open + 1];
    const char mark = open + 2 < m_text.size() && (m_text[open + 2] == '-' || m_text[open + 2] == '+') ? m_text[open + 2] : '\0';
    emitData(begin, open, mark, kind != '{');
    const std::size_t inside = open + 2 + (mark != '\0' ? 1 : 0);
    if (kind == '#') return comment(open + 2);
    if (kind == '%' && raw(inside)) return;
    advance(inside);
    push(kind == '{' ? TokenKind::VariableBegin : TokenKind::BlockBegin, {});
    expression(kind == '{');
  }

  void comment(std::size_t from) {
    const std::size_t close = m_text.find("#}", from);
    if (close == std::string_view::npos) fail("Missing end of comment tag");
    const char before = close > from ? m_text[close - 1] : '\0';
    closeTag(close + 2, before, true);
  }

  // After a tag's end: `-` eats all white space, otherwise one newline goes (trim_blocks), unless `+`.
  void closeTag(std::size_t end, char mark, bool trims) {
    advance(end);
    if (mark == '-') {
      skipSpace();
    } else if (trims && mark != '+' && peek() == '\n') {
      advance(m_at + 1);
    }
  }

  // `{% raw %}` … `{% endraw %}`: true when this tag was one.
  bool raw(std::size_t inside) {
    std::size_t at = inside;
    const auto spaces = [&] {
      while (at < m_text.size() && isSpace(codePoint(m_text, at))) at += characterBytes(m_text, at);
    };
    spaces();
    if (!m_text.substr(at).starts_with("raw")) return false;
    at += 3;
    spaces();
    const bool strips = m_text.substr(at).starts_with("-%}");
    if (!strips && !m_text.substr(at).starts_with("%}")) return false;
    advance(at + (strips ? 3 : 2));
    if (strips) skipSpace();
    const std::size_t begin = m_at;
    for (std::size_t open = begin;; open += 2) {
      open = m_text.find("{%", open);
      if (open == std::string_view::npos) fail("Missing end of raw directive");
      at = open + 2;
      char mark = '\0';
      if (at < m_text.size() && (m_text[at] == '-' || m_text[at] == '+')) mark = m_text[at++];
      spaces();
      if (!m_text.substr(at).starts_with("endraw")) continue;
      at += 6;
      spaces();
      char endMark = '\0';
      if (at < m_text.size() && (m_text[at] == '-' || m_text[at] == '+')) endMark = m_text[at++];
      if (!m_text.substr(at).starts_with("%}")) continue;
      emitData(begin, open, mark, true);
      closeTag(at + 2, endMark, true);
      return true;
    }
  }

  void expression(bool variable) {
    const std::string_view closing = variable ? "}}" : "%}";
    std::vector<char> open;
    for (;;) {
      skipSpace();
      if (m_at >= m_text.size()) fail(variable ? "unexpected end of template, expected '}}'" : "unexpected end of template, expected '%}'");
      if (open.empty()) {
        const char mark = peek() == '-' || peek() == '+' ? peek() : '\0';
        const std::size_t at = m_at + (mark != '\0' ? 1 : 0);
        if (m_text.substr(at).starts_with(closing) && !(variable && mark == '+')) {
          push(variable ? TokenKind::VariableEnd : TokenKind::BlockEnd, {});
          closeTag(at + 2, mark, !variable);
          return;
        }
      }
      one(open);
    }
  }

  void one(std::vector<char>& open) {
    const char c = peek();
    if (c == '\'' || c == '"') return string(c);
    if (isDecimal(c)) return number();
    if (isNameByte(c)) {
      std::size_t end = m_at;
      while (end < m_text.size() && isNameByte(m_text[end])) ++end;
      push(TokenKind::Name, std::string(m_text.substr(m_at, end - m_at)));
      return advance(end);
    }
    constexpr std::array<std::string_view, 7> kDouble{"==", "!=", ">=", "<=", "//", "**", "=="};
    for (const std::string_view op : kDouble) {
      if (!starts(op)) continue;
      push(TokenKind::Operator, std::string(op));
      return advance(m_at + 2);
    }
    constexpr std::string_view kSingle = "+-/*%~[](){}><=.:|,;";
    if (kSingle.find(c) == std::string_view::npos || c == '\0') fail(fmt::format("unexpected char '{}'", std::string(1, c)));
    if (c == '(' || c == '[' || c == '{') {
      open.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
    } else if (c == ')' || c == ']' || c == '}') {
      if (open.empty()) fail(fmt::format("unexpected '{}'", c));
      if (open.back() != c) fail(fmt::format("unexpected '{}', expected '{}'", c, open.back()));
      open.pop_back();
    }
    push(TokenKind::Operator, std::string(1, c));
    advance(m_at + 1);
  }

  void number() {
    std::size_t end = m_at;
    std::string digits;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X' || peek(1) == 'b' || peek(1) == 'B' || peek(1) == 'o' || peek(1) == 'O')) {
      digits = std::string(m_text.substr(m_at, 2));
      for (end = m_at + 2; end < m_text.size() && (std::isxdigit(static_cast<unsigned char>(m_text[end])) != 0 || m_text[end] == '_'); ++end) {
        if (m_text[end] != '_') digits += m_text[end];
      }
      push(TokenKind::Integer, std::move(digits));
      return advance(end);
    }
    const auto run = [&] {
      while (end < m_text.size() && (isDecimal(m_text[end]) || (m_text[end] == '_' && end + 1 < m_text.size() && isDecimal(m_text[end + 1])))) {
        if (m_text[end] != '_') digits += m_text[end];
        ++end;
      }
    };
    run();
    bool real = false;
    // "1.5" but not "items.0.name": after a dot, digits name an item.
    const bool afterDot = !m_tokens.empty() && m_tokens.back().kind == TokenKind::Operator && m_tokens.back().text == ".";
    if (!afterDot && end + 1 < m_text.size() && m_text[end] == '.' && isDecimal(m_text[end + 1])) {
      real = true;
      digits += '.';
      ++end;
      run();
    }
    if (!afterDot && end < m_text.size() && (m_text[end] == 'e' || m_text[end] == 'E')) {
      const std::size_t sign = end + 1 < m_text.size() && (m_text[end + 1] == '+' || m_text[end + 1] == '-') ? 1 : 0;
      if (end + 1 + sign < m_text.size() && isDecimal(m_text[end + 1 + sign])) {
        real = true;
        digits += m_text.substr(end, 1 + sign);
        end += 1 + sign;
        run();
      }
    }
    push(real ? TokenKind::Float : TokenKind::Integer, std::move(digits));
    advance(end);
  }

  void string(char quote) {
    std::string value;
    std::size_t at = m_at + 1;
    for (;; ++at) {
      if (at >= m_text.size()) fail("unterminated string");
      const char c = m_text[at];
      if (c == quote) break;
      if (c != '\\') {
        value += c;
        continue;
      }
      if (++at >= m_text.size()) fail("unterminated string");
      at = escape(at, value);
    }
    push(TokenKind::String, std::move(value));
    advance(at + 1);
  }

  // Decodes the escape whose letter is at `at`; returns the place of its last byte.
  std::size_t escape(std::size_t at, std::string& value) const {
    const char c = m_text[at];
    const auto hex = [&](std::size_t digits) {
      std::int32_t point = 0;
      for (std::size_t i = 1; i <= digits; ++i) {
        const char d = at + i < m_text.size() ? m_text[at + i] : '\0';
        if (std::isxdigit(static_cast<unsigned char>(d)) == 0) fail("truncated escape in string");
        point = (point << 4) | (isDecimal(d) ? d - '0' : (d | 0x20) - 'a' + 10);
        if (point > 0x10ffff) fail("illegal character in escape");
      }
      if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;  // a lone surrogate has no UTF-8 form
      appendCodePoint(value, point);
      return at + digits;
    };
    switch (c) {
      case 'n': value += '\n'; return at;
      case 't': value += '\t'; return at;
      case 'r': value += '\r'; return at;
      case 'a': value += '\a'; return at;
      case 'b': value += '\b'; return at;
      case 'f': value += '\f'; return at;
      case 'v': value += '\v'; return at;
      case '\\':
      case '\'':
      case '"': value += c; return at;
      case '\n': return at;
      case 'x': return hex(2);
      case 'u': return hex(4);
      case 'U': return hex(8);
      default: break;
    }
    if (c >= '0' && c <= '7') {
      std::int32_t point = 0;
      std::size_t last = at;
      for (; last < at + 3 && last < m_text.size() && m_text[last] >= '0' && m_text[last] <= '7'; ++last)
        point = point * 8 + (m_text[last] - '0');
      appendCodePoint(value, point);
      return last - 1;
    }
    value += '\\';
    value += c;
    return at;
  }

  std::string m_owned;
  std::string_view m_text;
  std::vector<Token> m_tokens;
  std::size_t m_at = 0;
  int m_line = 1;
  bool m_lineStarts = true;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

}  // namespace hearth::jinja
