#include <gumbo.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/documents/readers.h"

namespace hearth::documents {
namespace {

constexpr std::size_t kMostBytes = 16U << 20;
// Gumbo takes its tree down by recursion: a page that nests deeper would overflow the stack.
constexpr int kDeepest = 2000;

std::string_view nameAt(std::string_view html, std::size_t at) {
  std::size_t end = at;
  while (end < html.size() && end - at < 16 && ((html[end] | 0x20) >= 'a' && (html[end] | 0x20) <= 'z')) ++end;
  return html.substr(at, end - at);
}

bool is(std::string_view name, std::string_view other) {
  return std::ranges::equal(name, other, [](char a, char b) { return (a | 0x20) == b; });
}

// An upper bound of how deep elements nest: those that close themselves or their neighbours are not counted.
int depthOf(std::string_view html) {
  constexpr std::array<std::string_view, 24> kFlat{"br", "hr", "img", "meta", "link", "input", "p", "li", "td", "tr", "th", "dt",
                                                   "dd", "option", "area", "base", "col", "embed", "param", "source", "track", "wbr", "thead", "tbody"};
  int depth = 0;
  int deepest = 0;
  for (std::size_t at = html.find('<'); at != std::string_view::npos; at = html.find('<', at + 1)) {
    const bool closes = at + 1 < html.size() && html[at + 1] == '/';
    const std::string_view name = nameAt(html, at + (closes ? 2 : 1));
    if (name.empty() || std::ranges::any_of(kFlat, [&](std::string_view flat) { return is(name, flat); })) continue;
    depth = closes ? std::max(0, depth - 1) : depth + 1;
    deepest = std::max(deepest, depth);
  }
  return deepest;
}

bool isBlock(GumboTag tag) {
  switch (tag) {
    case GUMBO_TAG_P:
    case GUMBO_TAG_DIV:
    case GUMBO_TAG_SECTION:
    case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_HEADER:
    case GUMBO_TAG_FOOTER:
    case GUMBO_TAG_MAIN:
    case GUMBO_TAG_ASIDE:
    case GUMBO_TAG_NAV:
    case GUMBO_TAG_UL:
    case GUMBO_TAG_OL:
    case GUMBO_TAG_LI:
    case GUMBO_TAG_DL:
    case GUMBO_TAG_DT:
    case GUMBO_TAG_DD:
    case GUMBO_TAG_TABLE:
    case GUMBO_TAG_TR:
    case GUMBO_TAG_PRE:
    case GUMBO_TAG_BLOCKQUOTE:
    case GUMBO_TAG_FIGURE:
    case GUMBO_TAG_FORM:
    case GUMBO_TAG_HR:
    case GUMBO_TAG_TITLE:
    case GUMBO_TAG_H1:
    case GUMBO_TAG_H2:
    case GUMBO_TAG_H3:
    case GUMBO_TAG_H4:
    case GUMBO_TAG_H5:
    case GUMBO_TAG_H6: return true;
    default: return false;
  }
}

bool isSkipped(GumboTag tag) {
  return tag == GUMBO_TAG_SCRIPT || tag == GUMBO_TAG_STYLE || tag == GUMBO_TAG_NOSCRIPT || tag == GUMBO_TAG_TEMPLATE || tag == GUMBO_TAG_SVG ||
         tag == GUMBO_TAG_IFRAME || tag == GUMBO_TAG_OBJECT;
}

int headingLevel(GumboTag tag) {
  switch (tag) {
    case GUMBO_TAG_TITLE:
    case GUMBO_TAG_H1: return 1;
    case GUMBO_TAG_H2: return 2;
    case GUMBO_TAG_H3: return 3;
    case GUMBO_TAG_H4: return 4;
    case GUMBO_TAG_H5: return 5;
    case GUMBO_TAG_H6: return 6;
    default: return 0;
  }
}

/// Collects the text of a page as a reader would have it.
class Collector {
 public:
  void visit(const GumboNode& node, bool preformatted) {
    switch (node.type) {
      case GUMBO_NODE_TEXT:
      case GUMBO_NODE_CDATA: add(node.v.text.text, preformatted); return;
      case GUMBO_NODE_WHITESPACE: add(node.v.text.text, preformatted); return;
      case GUMBO_NODE_ELEMENT: break;
      case GUMBO_NODE_DOCUMENT: {
        children(node.v.document.children, false);
        return;
      }
      default: return;
    }
    const GumboElement& element = node.v.element;
    if (isSkipped(element.tag)) return;
    if (element.tag == GUMBO_TAG_BR) {
      m_out += '\n';
      return;
    }
    if (element.tag == GUMBO_TAG_IMG) {
      if (const GumboAttribute* alt = gumbo_get_attribute(&element.attributes, "alt"); alt != nullptr && *alt->value != '\0') add(alt->value, false);
      return;
    }
    const bool block = isBlock(element.tag);
    if (block) breakLine(element.tag != GUMBO_TAG_LI && element.tag != GUMBO_TAG_TR && element.tag != GUMBO_TAG_DT && element.tag != GUMBO_TAG_DD);
    if (const int level = headingLevel(element.tag); level > 0) m_out.append(static_cast<std::size_t>(level), '#').append(" ");
    if (element.tag == GUMBO_TAG_LI) m_out += "- ";
    if ((element.tag == GUMBO_TAG_TD || element.tag == GUMBO_TAG_TH) && !m_out.empty() && m_out.back() != '\n') m_out += '\t';
    children(element.children, preformatted || element.tag == GUMBO_TAG_PRE || element.tag == GUMBO_TAG_TEXTAREA);
    if (block) breakLine(element.tag != GUMBO_TAG_LI && element.tag != GUMBO_TAG_TR && element.tag != GUMBO_TAG_DT && element.tag != GUMBO_TAG_DD);
  }
  std::string take() {
    while (!m_out.empty() && (m_out.back() == '\n' || m_out.back() == ' ' || m_out.back() == '\t')) m_out.pop_back();
    if (!m_out.empty()) m_out += '\n';
    return std::move(m_out);
  }

 private:
  void children(const GumboVector& list, bool preformatted) {
    for (unsigned i = 0; i < list.length; ++i) visit(*static_cast<const GumboNode*>(list.data[i]), preformatted);
  }
  void add(const char* text, bool preformatted) {
    if (preformatted) {
      m_out += text;
      return;
    }
    for (const char* c = text; *c != '\0'; ++c) {
      const bool blank = *c == ' ' || *c == '\n' || *c == '\t' || *c == '\r' || *c == '\f';
      if (!blank) {
        m_out += *c;
      } else if (!m_out.empty() && m_out.back() != ' ' && m_out.back() != '\n' && m_out.back() != '\t') {
        m_out += ' ';
      }
    }
  }
  void breakLine(bool paragraph) {
    while (!m_out.empty() && (m_out.back() == ' ' || m_out.back() == '\t')) m_out.pop_back();
    if (m_out.empty() || m_out.ends_with("- ")) return;
    if (m_out.back() != '\n') m_out += '\n';
    if (paragraph && !m_out.ends_with("\n\n")) m_out += '\n';
  }
  std::string m_out;
};

// The encoding that a page names in its first kilobyte.
std::string namedEncoding(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, 2048);
  const std::size_t at = head.find("charset=");
  if (at == std::string_view::npos) return {};
  std::string name;
  for (std::size_t i = at + 8; i < head.size() && name.size() < 20; ++i) {
    const char c = head[i];
    if (c == '"' || c == '\'') {
      if (name.empty()) continue;
      break;
    }
    if (c == ' ' || c == '>' || c == ';' || c == '/') break;
    name += c;
  }
  return name;
}

}  // namespace

bool looksLikeHtml(std::string_view bytes) {
  std::string_view head = bytes.substr(0, 1024);
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  const std::size_t first = head.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || head[first] != '<') return false;
  std::string low(head.substr(first));
  std::ranges::transform(low, low.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return low.starts_with("<!doctype html") || low.starts_with("<html") || (low.starts_with("<!--") && low.find("<html") != std::string::npos);
}

Result<Decoded> textOfHtml(std::string_view bytes) {
  HEARTH_TRY(Decoded decoded, decodeText(bytes, namedEncoding(bytes)));
  if (decoded.text.size() > kMostBytes) {
    return fail(ErrorCode::InvalidArgument, "the page is too large",
                {{"bytes", std::to_string(decoded.text.size())}, {"limit_bytes", std::to_string(kMostBytes)}});
  }
  if (const int depth = depthOf(decoded.text); depth > kDeepest) {
    return fail(ErrorCode::Corrupt, "the page nests too deep", {{"levels", std::to_string(depth)}, {"limit", std::to_string(kDeepest)}});
  }
  GumboOptions options = kGumboDefaultOptions;
  options.max_errors = 0;
  const auto destroy = [&](GumboOutput* output) { gumbo_destroy_output(&options, output); };
  const std::unique_ptr<GumboOutput, decltype(destroy)> page(gumbo_parse_with_options(&options, decoded.text.data(), decoded.text.size()), destroy);
  if (!page) return refuse(ErrorCode::Corrupt, "the page cannot be read", "format");
  Collector collector;
  collector.visit(*page->document, false);
  decoded.text = collector.take();
  return decoded;
}

}  // namespace hearth::documents
