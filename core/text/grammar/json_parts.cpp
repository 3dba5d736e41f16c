#include <fmt/format.h>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <map>

#include "core/text/grammar/front_ends.h"
#include "core/text/unicode.h"

namespace hearth {
namespace {
constexpr int kMostIndent = 40;
}
}  // namespace hearth

namespace hearth::grammar {
namespace {

constexpr int kMostDigits = 15;  ///< so that a number is the same as a double
const CodePointSet kPlain = CodePointSet{{0, 0x1f}, {'"', '"'}, {'\\', '\\'}}.inverted();

Part hex(GrammarBuilder& b) { return b.characters({{'0', '9'}, {'a', 'f'}, {'A', 'F'}}); }

}  // namespace

std::unexpected<Error> refuse(std::string_view path, std::string message, std::vector<Evidence> evidence) {
  evidence.insert(evidence.begin(), {"field", std::string(path)});
  return fail(ErrorCode::InvalidArgument, std::move(message), std::move(evidence));
}

Part jsonCharacter(GrammarBuilder& b) {
  const Part digit = hex(b);
  const Part two = b.sequence({digit, digit});
  const Part unit =
      b.choice({b.sequence({b.characters({{'0', '9'}, {'a', 'c'}, {'e', 'f'}, {'A', 'C'}, {'E', 'F'}}), digit, two}),
                b.sequence({b.bytes("dD"), b.characters({{'0', '7'}}), two})});
  const Part pair =
      b.sequence({b.bytes("dD"), b.bytes("89abAB"), two, b.literal("\\u"), b.bytes("dD"), b.bytes("cdefCDEF"), two});
  const Part escape =
      b.sequence({b.literal("\\"), b.choice({b.bytes("\"\\/bfnrt"), b.sequence({b.literal("u"), b.choice({unit, pair})})})});
  return b.choice({b.characters(kPlain), escape});
}

Part jsonCharacter(GrammarBuilder& b, const CodePointSet& set) {
  std::vector<Part> parts;
  const CodePointSet plain = set.intersected(kPlain);
  if (!plain.empty()) parts.push_back(b.characters(plain));
  const CodePointSet escaped = set.without(kPlain);
  for (const auto& range : escaped.ranges()) {
    for (char32_t c = range.first; c <= range.last; ++c) {
      const std::string quoted = jsonQuoted(std::string(1, static_cast<char>(c)));
      parts.push_back(b.literal(std::string_view(quoted).substr(1, quoted.size() - 2)));
    }
  }
  return b.choice(parts);
}

std::string jsonQuoted(std::string_view text) {
  return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

Part jsonInteger(GrammarBuilder& b) {
  const Part digit = b.characters({{'0', '9'}});
  return b.sequence(
      {b.optional(b.literal("-")),
       b.choice({b.literal("0"), b.sequence({b.characters({{'1', '9'}}), b.repeat(digit, 0, kMostDigits - 1)})})});
}

Part jsonNumber(GrammarBuilder& b) {
  const Part digit = b.characters({{'0', '9'}});
  const Part fraction = b.sequence({b.literal("."), b.repeat(digit, 1, kMostDigits)});
  const Part exponent = b.sequence({b.bytes("eE"), b.optional(b.bytes("+-")), b.repeat(digit, 1, 2)});
  return b.shared("number", b.sequence({jsonInteger(b), b.optional(fraction), b.optional(exponent)}));
}

Part jsonConstant(GrammarBuilder& b, const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::object: {
      std::vector<Part> parts{b.literal("{"), b.jsonSpace()};
      bool first = true;
      for (const auto& member : value.get_object()) {
        if (!first) parts.insert(parts.end(), {b.literal(","), b.jsonSpace()});
        first = false;
        parts.insert(parts.end(), {b.literal(jsonQuoted(member.key()) + ":"), b.optional(b.literal(" ")),
                                   jsonConstant(b, member.value())});
      }
      if (!first) parts.push_back(b.jsonSpace());
      parts.push_back(b.literal("}"));
      return b.sequence(parts);
    }
    case boost::json::kind::array: {
      std::vector<Part> parts{b.literal("["), b.jsonSpace()};
      bool first = true;
      for (const auto& item : value.get_array()) {
        if (!first) parts.insert(parts.end(), {b.literal(","), b.jsonSpace()});
        first = false;
        parts.push_back(jsonConstant(b, item));
      }
      if (!first) parts.push_back(b.jsonSpace());
      parts.push_back(b.literal("]"));
      return b.sequence(parts);
    }
    case boost::json::kind::string: return b.literal(jsonQuoted(value.get_string()));
    case boost::json::kind::double_: return b.literal(fmt::format("{}", value.get_double()));
    default: return b.literal(boost::json::serialize(value));
  }
}

// A tree of the names; wherever the text leaves it, anything may follow.
Part jsonOtherString(GrammarBuilder& b, std::span<const std::string> names) {
  if (names.empty()) return b.jsonString();
  std::vector<std::map<char32_t, std::uint32_t>> tree(1);
  std::vector<bool> name(1, false);
  for (const std::string& one : names) {
    std::uint32_t at = 0;
    for (std::size_t i = 0; i < one.size();) {
      const auto decoded = unicode::decodeAt(one, i);
      const auto [it, fresh] = tree[at].try_emplace(decoded.codePoint, static_cast<std::uint32_t>(tree.size()));
      const std::uint32_t to = it->second;
      if (fresh) {
        tree.emplace_back();
        name.push_back(false);
      }
      at = to;
      i += decoded.length;
    }
    name[at] = true;
  }
  // Nodes: start, end, free, then the tree's.
  constexpr std::uint32_t kFree = 2, kTree = 3;
  std::vector<GrammarBuilder::Edge> edges{{GrammarBuilder::kStart, kTree, b.literal("\"")},
                                          {kFree, kFree, b.characters(kPlain)},
                                          {kFree, GrammarBuilder::kEnd, b.literal("\"")}};
  for (std::uint32_t node = 0; node < tree.size(); ++node) {
    CodePointSet other = kPlain;
    CodePointSet taken;
    for (const auto& [c, to] : tree[node]) {
      taken.add(c);
      if (kPlain.contains(c)) edges.push_back({kTree + node, kTree + to, b.characters({{c, c}})});
    }
    edges.push_back({kTree + node, kFree, b.characters(other.without(taken))});
    if (!name[node]) edges.push_back({kTree + node, GrammarBuilder::kEnd, b.literal("\"")});
  }
  return b.shared("key", b.graph(kTree + static_cast<std::uint32_t>(tree.size()), edges));
}

}  // namespace hearth::grammar

namespace hearth {

using grammar::Part;

Part GrammarBuilder::jsonString() {
  if (!m_jsonString)
    m_jsonString = shared("string", sequence({literal("\""), repeat(grammar::jsonCharacter(*this), 0), literal("\"")}));
  return *m_jsonString;
}

// Bounded: a model that likes white space must come to the point.
Part GrammarBuilder::jsonSpace() {
  if (!m_jsonSpace) {
    const Part indent = choice({repeat(literal(" "), 0, kMostIndent), repeat(literal("\t"), 1, kMostIndent / 4)});
    m_jsonSpace = shared("space", optional(choice({literal(" "), sequence({literal("\n"), indent})})));
  }
  return *m_jsonSpace;
}

Part GrammarBuilder::jsonObject() {
  (void)jsonValue();
  return *m_jsonObject;
}

Part GrammarBuilder::jsonValue() {
  if (m_jsonValue) return *m_jsonValue;
  m_jsonValue = rule("value");
  const Part space = jsonSpace(), comma = sequence({literal(","), space});
  const Part member = sequence({jsonString(), literal(":"), optional(literal(" ")), *m_jsonValue});
  const auto list = [&](std::string_view open, Part item, std::string_view close) {
    const Part items = sequence({item, repeat(sequence({comma, item}), 0), space});
    return sequence({literal(open), space, optional(items), literal(close)});
  };
  m_jsonObject = shared("object", list("{", member, "}"));
  m_jsonArray = shared("array", list("[", *m_jsonValue, "]"));
  define(*m_jsonValue, choice({jsonString(), grammar::jsonNumber(*this), *m_jsonObject, *m_jsonArray, literal("true"),
                               literal("false"), literal("null")}));
  return *m_jsonValue;
}

}  // namespace hearth
