#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "core/text/grammar/front_ends.h"
#include "core/text/grammar/schema_merge.h"
#include "core/text/grammar/source.h"
#include "core/text/unicode.h"

namespace hearth::grammar {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kMostCounted = 1'000'000;  ///< of lengths and numbers of items
constexpr std::size_t kMostObjectNodes = 20'000;

class SchemaCompiler {
 public:
  SchemaCompiler(GrammarBuilder& builder, const json::value& root, std::string_view path)
      : m_builder(builder), m_root(root), m_path(path) {}

  Result<Part> run() {
    HEARTH_TRY(const Part whole, schema(m_root, m_path, 0));
    // References are compiled one after the other, not within each other: a long chain of them needs no deep stack.
    while (!m_pending.empty()) {
      const Pending next = m_pending.front();
      m_pending.pop_front();
      HEARTH_TRY(const Part body, schema(*next.schema, next.path, 0));
      m_builder.define(next.rule, body);
      if (!m_budget.left()) return refuse(m_path, "the schema takes too long to compile", {{"limit_ms", "100"}});
    }
    return whole;
  }

 private:
  struct Pending {
    Part rule;
    const json::value* schema;
    std::string path;
  };

  Result<Part> schema(const json::value& value, const std::string& path, int depth) {
    if (depth > kMostNesting)
      return refuse(path, "the schema is nested too deeply", {{"limit", std::to_string(kMostNesting)}});
    if (!m_budget.left()) return refuse(path, "the schema takes too long to compile", {{"limit_ms", "100"}});
    if (value.is_bool()) return value.get_bool() ? m_builder.jsonValue() : m_builder.choice({});
    if (!value.is_object()) return refuse(path, "a schema is an object or a boolean");
    const json::object& object = value.get_object();
    for (const auto& member : object) {
      if (keywordKind(member.key()) == KeywordKind::Unknown)
        return refuse(below(path, member.key()),
                      fmt::format("the keyword \"{}\" is not supported", std::string_view(member.key())));
    }
    for (const char* never : {"patternProperties", "dependentRequired", "propertyNames", "unevaluatedItems"}) {
      if (object.contains(never))
        return refuse(below(path, never), fmt::format("the keyword \"{}\" is not supported", never));
    }
    if (const auto* unevaluated = object.if_contains("unevaluatedProperties");
        unevaluated != nullptr && !unevaluated->is_bool())
      return refuse(below(path, "unevaluatedProperties"), "only true and false are supported");
    if (const auto* unique = object.if_contains("uniqueItems");
        unique != nullptr && !(unique->is_bool() && !unique->get_bool()))
      return refuse(below(path, "uniqueItems"), "that items differ cannot be held");

    if (const auto* reference = object.if_contains("$ref"); reference != nullptr && constraints(object) == 1)
      return this->reference(*reference, path);
    if (object.contains("$ref") || object.contains("allOf")) {
      HEARTH_TRY(const json::value flat, flatten(m_root, value, path));
      if (flat.is_object() && (flat.get_object().contains("$ref") || flat.get_object().contains("allOf")))
        return refuse(path, "references lead back to themselves");
      return schema(flat, path, depth + 1);
    }
    for (const char* word : {"anyOf", "oneOf"}) {
      if (object.contains(word)) return alternatives(object, word, path, depth);
    }
    if (object.contains("const") || object.contains("enum")) return constants(object, path);
    if (constraints(object) == 0) return m_builder.jsonValue();
    return byType(object, path, depth);
  }

  [[nodiscard]] static int constraints(const json::object& object) {
    return static_cast<int>(std::count_if(object.begin(), object.end(), [](const auto& member) {
      return keywordKind(member.key()) != KeywordKind::Annotation;
    }));
  }

  Result<Part> reference(const json::value& value, const std::string& path) {
    if (!value.is_string()) return refuse(below(path, "$ref"), "a reference is a string");
    const std::string name(value.get_string());
    if (const auto it = m_references.find(name); it != m_references.end()) return it->second;
    HEARTH_TRY(const json::value* target, resolveReference(m_root, name, below(path, "$ref")));
    const Part rule = m_builder.rule(name);
    m_references.emplace(name, rule);
    std::string at = m_path;
    std::size_t begin = name.find('/');
    while (begin != std::string::npos) {
      const std::size_t end = name.find('/', begin + 1);
      at = below(at, std::string_view(name).substr(begin + 1, end == std::string::npos ? end : end - begin - 1));
      begin = end;
    }
    m_pending.push_back({rule, target, std::move(at)});
    return rule;
  }

  Result<Part> alternatives(const json::object& object, std::string_view word, const std::string& path, int depth) {
    if (word == "anyOf" && object.contains("oneOf"))
      return refuse(below(path, "oneOf"), "anyOf and oneOf together are not supported");
    const json::value& list = object.at(word);
    if (!list.is_array() || list.get_array().empty())
      return refuse(below(path, word), fmt::format("{} is a list of schemas", word));
    json::object base = object;
    base.erase(word);
    std::vector<Part> ways;
    std::vector<json::value> flats;
    for (std::size_t i = 0; i < list.get_array().size(); ++i) {
      const json::value& branch = list.get_array()[i];
      const std::string at = fmt::format("{}.{}[{}]", path, word, i);
      if (constraints(base) == 0 && word == "anyOf") {
        HEARTH_TRY(const Part way, schema(branch, at, depth + 1));
        ways.push_back(way);
        continue;
      }
      HEARTH_TRY(json::value flat, flatten(m_root, branch, at));
      if (flat.is_bool()) {
        if (!flat.get_bool()) continue;
        flat = json::object();
      }
      if (constraints(base) > 0) {
        HEARTH_TRY(json::object whole, merge(base, flat.get_object(), at));
        flat = std::move(whole);
      }
      // A branch that is a mere reference stays one: recursion goes through it.
      const bool kept = constraints(base) == 0 && branch.is_object() && branch.get_object().contains("$ref");
      HEARTH_TRY(const Part way, schema(kept ? branch : flat, at, depth + 1));
      ways.push_back(way);
      flats.push_back(std::move(flat));
    }
    for (std::size_t i = 0; word == "oneOf" && i < flats.size(); ++i) {
      for (std::size_t j = 0; j < flats.size(); ++j) {
        if (i == j || excludes(m_root, flats[i].get_object(), flats[j].get_object())) continue;
        return refuse(fmt::format("{}.oneOf[{}]", path, j),
                      fmt::format("a value for branch {} might be one for branch {} too; anyOf would allow that", i, j));
      }
    }
    return m_builder.choice(ways);
  }

  Result<Part> constants(const json::object& object, const std::string& path) {
    std::vector<json::value> values;
    if (const auto* one = object.if_contains("const")) values.push_back(*one);
    if (const auto* list = object.if_contains("enum")) {
      if (!list->is_array()) return refuse(below(path, "enum"), "enum is a list of values");
      if (!object.contains("const")) {
        values.assign(list->get_array().begin(), list->get_array().end());
      } else if (std::find(list->get_array().begin(), list->get_array().end(), values[0]) == list->get_array().end()) {
        values.clear();
      }
    }
    unsigned types = kEveryType;
    if (object.contains("type")) {
      HEARTH_TRY(types, typesOf(object, path));
    }
    for (const auto& member : object) {
      const std::string_view name = member.key();
      if (name == "const" || name == "enum" || name == "type" || name == "format" ||
          keywordKind(name) == KeywordKind::Annotation)
        continue;
      return refuse(below(path, name), "this keyword beside enum or const is not supported");
    }
    std::vector<Part> ways;
    for (const json::value& value : values) {
      const bool whole = value.is_int64() || value.is_uint64() ||
                         (value.is_double() && value.get_double() == static_cast<double>(static_cast<std::int64_t>(
                                                                         std::clamp(value.get_double(), -9e18, 9e18))));
      const unsigned type = value.is_null()     ? kNull
                            : value.is_bool()   ? kBoolean
                            : value.is_string() ? kString
                            : value.is_object() ? kObject
                            : value.is_array()  ? kArray
                            : whole             ? kInteger | kNumber
                                                : kNumber;
      if ((types & type) != 0) ways.push_back(jsonConstant(m_builder, value));
    }
    return m_builder.choice(ways);
  }

  Result<Part> byType(const json::object& object, const std::string& path, int depth) {
    HEARTH_TRY(const unsigned types, typesOf(object, path));
    std::vector<Part> ways;
    if ((types & kNull) != 0) ways.push_back(m_builder.literal("null"));
    if ((types & kBoolean) != 0) ways.push_back(m_builder.choice({m_builder.literal("true"), m_builder.literal("false")}));
    if ((types & (kInteger | kNumber)) != 0) {
      HEARTH_TRY(const Part part, number(object, path, (types & kNumber) == 0));
      ways.push_back(part);
    }
    if ((types & kString) != 0) {
      HEARTH_TRY(const Part part, string(object, path));
      ways.push_back(part);
    }
    if ((types & kObject) != 0) {
      HEARTH_TRY(const Part part, properties(object, path, depth));
      ways.push_back(part);
    }
    if ((types & kArray) != 0) {
      HEARTH_TRY(const Part part, array(object, path, depth));
      ways.push_back(part);
    }
    return m_builder.choice(ways);
  }

  /// A natural number like minItems; nothing when absent.
  Result<std::optional<int>> count(const json::object& object, std::string_view name, const std::string& path) {
    const auto* value = object.if_contains(name);
    if (value == nullptr) return std::nullopt;
    double number = -1;
    if (value->is_int64()) number = static_cast<double>(value->get_int64());
    if (value->is_uint64()) number = static_cast<double>(value->get_uint64());
    if (value->is_double()) number = value->get_double();
    const bool most = name.starts_with("max");
    if (number < 0 || number != static_cast<double>(static_cast<std::int64_t>(std::min(number, 9e15))))
      return refuse(below(path, name), fmt::format("{} is a whole number from 0 on", name));
    if (number > static_cast<double>(kMostCounted)) {
      if (most) return std::nullopt;  // as good as no bound
      return refuse(below(path, name), fmt::format("{} is too large", name), {{"limit", std::to_string(kMostCounted)}});
    }
    return static_cast<int>(number);
  }

  Result<Part> number(const json::object& object, const std::string& path, bool integer) {
    NumberBounds bounds;
    const auto bound = [&](std::string_view name, std::string_view exclusive, bool lower) -> Result<void> {
      const auto read = [&](std::string_view key) -> Result<std::optional<std::string>> {
        const auto* value = object.if_contains(key);
        if (value == nullptr) return std::nullopt;
        if (!value->is_number()) return refuse(below(path, key), fmt::format("{} is a number", key));
        auto text = plainDecimal(value->is_double() ? fmt::format("{}", value->get_double()) : json::serialize(*value));
        if (!text) return refuse(below(path, key), "this number is out of range");
        return text;
      };
      HEARTH_TRY(auto inclusive, read(name));
      // Draft 4 had a boolean here.
      const auto* strict = object.if_contains(exclusive);
      if (strict != nullptr && strict->is_bool()) {
        (lower ? bounds.aboveLeast : bounds.belowMost) = strict->get_bool();
        (lower ? bounds.least : bounds.most) = std::move(inclusive);
        return {};
      }
      HEARTH_TRY(auto excluded, read(exclusive));
      bool useExcluded = excluded.has_value();
      if (inclusive && excluded) {
        const double a = std::stod(*inclusive), b = std::stod(*excluded);
        useExcluded = lower ? b >= a : b <= a;
      }
      (lower ? bounds.least : bounds.most) = useExcluded ? excluded : inclusive;
      (lower ? bounds.aboveLeast : bounds.belowMost) = useExcluded;
      return {};
    };
    HEARTH_CHECK(bound("minimum", "exclusiveMinimum", true));
    HEARTH_CHECK(bound("maximum", "exclusiveMaximum", false));
    std::optional<std::int64_t> multiple;
    if (const auto* value = object.if_contains("multipleOf")) {
      const double number = value->is_double()  ? value->get_double()
                            : value->is_int64() ? static_cast<double>(value->get_int64())
                                                : 0;
      if (!(number > 0)) return refuse(below(path, "multipleOf"), "multipleOf is a number above 0");
      if (number > 1e15 || number != static_cast<double>(static_cast<std::int64_t>(number)))
        return refuse(below(path, "multipleOf"), "only multiples of whole numbers are supported");
      multiple = static_cast<std::int64_t>(number);
    }
    // Multiples of a whole number are whole.
    if (multiple) return integerBetween(m_builder, bounds, multiple, below(path, "multipleOf"));
    const bool bounded = bounds.least || bounds.most;
    if (integer)
      return bounded ? integerBetween(m_builder, bounds, std::nullopt, path)
                     : m_builder.shared("integer", jsonInteger(m_builder));
    if (bounded) return decimalBetween(m_builder, bounds, path);
    if (!m_number) m_number = jsonNumber(m_builder);
    return *m_number;
  }

  Result<Part> string(const json::object& object, const std::string& path) {
    HEARTH_TRY(const auto least, count(object, "minLength", path));
    HEARTH_TRY(const auto most, count(object, "maxLength", path));
    const Part quote = m_builder.literal("\"");
    const bool lengths = least.value_or(0) > 0 || most.has_value();
    if (const auto* pattern = object.if_contains("pattern")) {
      if (!pattern->is_string()) return refuse(below(path, "pattern"), "a pattern is a string");
      if (lengths)
        return refuse(below(path, least.value_or(0) > 0 ? "minLength" : "maxLength"),
                      "a length beside a pattern is not supported; the pattern can hold it");
      RegexOptions options;
      options.search = true;
      options.character = [this](const CodePointSet& set) { return jsonCharacter(m_builder, set); };
      HEARTH_TRY(const Part inside,
                 regexPart(m_builder, std::string_view(pattern->get_string()), below(path, "pattern"), options));
      return m_builder.shared("pattern", m_builder.sequence({quote, inside, quote}));
    }
    if (const auto* format = object.if_contains("format")) {
      if (!format->is_string()) return refuse(below(path, "format"), "a format is a string");
      const std::string name(format->get_string());
      const auto known = m_formats.find(name);
      const auto part =
          known != m_formats.end() ? known->second : m_formats.emplace(name, stringFormat(m_builder, name)).first->second;
      if (part) {
        const std::optional<int> length = name == "date" ? 10 : name == "uuid" ? std::optional(36) : std::nullopt;
        if (lengths && !length)
          return refuse(below(path, least.value_or(0) > 0 ? "minLength" : "maxLength"),
                        "a length beside this format is not supported");
        if (length && (*length < least.value_or(0) || *length > most.value_or(*length))) return m_builder.choice({});
        return m_builder.sequence({quote, *part, quote});
      }
    }
    if (!lengths) return m_builder.jsonString();
    if (least && most && *most < *least) return m_builder.choice({});
    if (!m_character) m_character = jsonCharacter(m_builder);
    return m_builder.shared(
        "string",
        m_builder.sequence(
            {quote, m_builder.repeat(*m_character, least.value_or(0), most.value_or(GrammarBuilder::kUnlimited)), quote}));
  }

  Part member(Part name, Part value) {
    return m_builder.sequence({name, m_builder.literal(":"), m_builder.optional(m_builder.literal(" ")), value});
  }

  // Nodes stand for (how many of the properties were passed, how many of them were written).
  Result<Part> properties(const json::object& object, const std::string& path, int depth) {
    HEARTH_TRY(const auto least, count(object, "minProperties", path));
    HEARTH_TRY(const auto most, count(object, "maxProperties", path));
    struct Property {
      std::string name;
      Part value;
      bool required = false;
    };
    std::vector<Property> list;
    std::vector<std::string> names;
    std::set<std::string, std::less<>> required;
    if (const auto* given = object.if_contains("required")) {
      if (!given->is_array()) return refuse(below(path, "required"), "required is a list of names");
      for (const auto& name : given->get_array()) {
        if (!name.is_string()) return refuse(below(path, "required"), "required is a list of names");
        required.emplace(name.get_string());
      }
    }
    std::optional<Part> additional;
    const auto* open = object.if_contains("additionalProperties");
    const auto* declared = object.if_contains("properties");
    if (declared != nullptr && !declared->is_object()) return refuse(below(path, "properties"), "properties is an object");
    if (open != nullptr) {
      HEARTH_TRY(const Part value, schema(*open, below(path, "additionalProperties"), depth + 1));
      if (!(open->is_bool() && !open->get_bool())) additional = value;
    } else if (declared == nullptr || declared->get_object().empty()) {
      additional = m_builder.jsonValue();
    }
    if (declared != nullptr) {
      for (const auto& [name, value] : declared->get_object()) {
        HEARTH_TRY(const Part part, schema(value, below(below(path, "properties"), name), depth + 1));
        names.emplace_back(name);
        const bool never = value.is_bool() && !value.get_bool();
        const bool wanted = required.erase(names.back()) > 0;
        if (!never || wanted) list.push_back({names.back(), part, wanted});
      }
    }
    for (const std::string& name : required) {
      // Asked for, but said nothing about.
      const Part value = additional ? *additional : open != nullptr ? m_builder.choice({}) : m_builder.jsonValue();
      names.push_back(name);
      list.push_back({name, value, true});
    }
    const std::size_t n = list.size();
    const auto limit = static_cast<std::size_t>(std::max(most.value_or(std::max(least.value_or(0), 1)), 1));
    if ((n + 1) * (limit + 1) * 2 > kMostObjectNodes)
      return refuse(below(path, most ? "maxProperties" : "minProperties"), "so many properties cannot be counted");
    const std::size_t counts = limit + 1;
    const auto node = [&](std::size_t i, std::size_t c) { return static_cast<std::uint32_t>(3 + (i * counts + c) * 2); };
    const auto more = [&](std::size_t c) -> std::optional<std::size_t> {
      if (c < limit) return c + 1;
      if (most) return std::nullopt;
      return limit;
    };
    const Part comma = m_builder.sequence({m_builder.literal(","), m_builder.jsonSpace()});
    std::vector<GrammarBuilder::Edge> edges{
        {GrammarBuilder::kStart, node(0, 0), m_builder.sequence({m_builder.literal("{"), m_builder.jsonSpace()})}};
    const auto write = [&](std::size_t i, std::size_t c, Part part, std::size_t to) {
      const auto next = more(c);
      if (!next || (most && *most == 0)) return;
      // The node beside (i, next) is where the property begins, behind the comma.
      const std::uint32_t begin = node(i, *next) + 1;
      edges.push_back({node(i, c), begin, c == 0 ? std::nullopt : std::optional(comma)});
      edges.push_back({begin, node(to, *next), part});
    };
    for (std::size_t i = 0; i < n; ++i) {
      const Part part = member(m_builder.literal(jsonQuoted(list[i].name)), list[i].value);
      std::vector<bool> begun(counts, false);
      for (std::size_t c = 0; c < counts && c <= i; ++c) {
        if (!list[i].required) edges.push_back({node(i, c), node(i + 1, c), std::nullopt});
        const auto next = more(c);
        if (!next) continue;
        if (begun[*next]) {
          edges.push_back({node(i, c), node(i, *next) + 1, c == 0 ? std::nullopt : std::optional(comma)});
        } else {
          write(i, c, part, i + 1);
          begun[*next] = true;
        }
      }
    }
    if (additional) {
      const Part part = member(jsonOtherString(m_builder, names), *additional);
      std::vector<bool> begun(counts, false);
      for (std::size_t c = 0; c < counts; ++c) {
        const auto next = more(c);
        if (!next) continue;
        if (begun[*next]) {
          edges.push_back({node(n, c), node(n, *next) + 1, c == 0 ? std::nullopt : std::optional(comma)});
        } else {
          write(n, c, part, n);
          begun[*next] = true;
        }
      }
    }
    const Part close = m_builder.literal("}");
    for (std::size_t c = 0; c < counts; ++c) {
      if (c < static_cast<std::size_t>(least.value_or(0)) || (most && c > static_cast<std::size_t>(*most))) continue;
      edges.push_back(
          {node(n, c), GrammarBuilder::kEnd, c == 0 ? close : m_builder.sequence({m_builder.jsonSpace(), close})});
    }
    return m_builder.shared("object", m_builder.graph(static_cast<std::uint32_t>(3 + (n + 1) * counts * 2), edges));
  }

  Result<Part> array(const json::object& object, const std::string& path, int depth) {
    HEARTH_TRY(const auto leastGiven, count(object, "minItems", path));
    HEARTH_TRY(const auto most, count(object, "maxItems", path));
    const int least = leastGiven.value_or(0);
    const auto* items = object.if_contains("items");
    const auto* prefix = object.if_contains("prefixItems");
    std::string_view prefixName = "prefixItems", itemsName = "items";
    if (items != nullptr && items->is_array()) {  // before draft 2020-12
      prefix = items;
      prefixName = "items";
      items = object.if_contains("additionalItems");
      itemsName = "additionalItems";
    }
    if (prefix != nullptr && !prefix->is_array()) return refuse(below(path, prefixName), "prefixItems is a list of schemas");
    std::vector<Part> first;
    for (std::size_t i = 0; prefix != nullptr && i < prefix->get_array().size(); ++i) {
      HEARTH_TRY(const Part part, schema(prefix->get_array()[i], fmt::format("{}.{}[{}]", path, prefixName, i), depth + 1));
      first.push_back(part);
    }
    std::optional<Part> rest;
    if (items != nullptr) {
      HEARTH_TRY(const Part part, schema(*items, below(path, itemsName), depth + 1));
      if (!(items->is_bool() && !items->get_bool())) rest = part;
    } else if (first.empty() || least > static_cast<int>(first.size())) {
      rest = m_builder.jsonValue();
    }
    const Part open = m_builder.sequence({m_builder.literal("["), m_builder.jsonSpace()}), close = m_builder.literal("]");
    const Part comma = m_builder.sequence({m_builder.literal(","), m_builder.jsonSpace()});
    // Nodes 2 + i: i items have been written.
    std::vector<GrammarBuilder::Edge> edges{{GrammarBuilder::kStart, 2, open}};
    const auto end = [&](std::uint32_t from, int written) {
      if (written < least || (most && written > *most)) return;
      edges.push_back(
          {from, GrammarBuilder::kEnd, written == 0 ? close : m_builder.sequence({m_builder.jsonSpace(), close})});
    };
    int written = 0;
    for (const Part& part : first) {
      if (most && written >= *most) break;
      end(static_cast<std::uint32_t>(2 + written), written);
      edges.push_back({static_cast<std::uint32_t>(2 + written), static_cast<std::uint32_t>(3 + written),
                       written == 0 ? part : m_builder.sequence({comma, part})});
      ++written;
    }
    if (rest && written == 0 && !(most && *most == 0)) {
      end(2, 0);
      edges.push_back({2, 3, *rest});
      written = 1;
    }
    const auto last = static_cast<std::uint32_t>(2 + written);
    if (written > 0 && rest && !(most && *most <= written)) {
      const int need = std::max(least - written, 0);
      const Part further = m_builder.repeat(m_builder.sequence({comma, *rest}), need,
                                            most ? std::max(*most - written, need) : GrammarBuilder::kUnlimited);
      if (!most || *most >= least)
        edges.push_back({last, GrammarBuilder::kEnd, m_builder.sequence({further, m_builder.jsonSpace(), close})});
    } else {
      end(last, written);
    }
    return m_builder.shared("array", m_builder.graph(last + 1, edges));
  }

  GrammarBuilder& m_builder;
  const json::value& m_root;
  std::string m_path;
  std::map<std::string, Part, std::less<>> m_references;
  std::map<std::string, std::optional<Part>, std::less<>> m_formats;
  std::deque<Pending> m_pending;
  std::optional<Part> m_number, m_character;
  Budget m_budget{kFrontEndTime};
};

}  // namespace
}  // namespace hearth::grammar

namespace hearth {

Result<GrammarBuilder::Part> GrammarBuilder::jsonSchema(std::string_view schema, std::string_view path) {
  if (schema.size() > grammar::kMostSource)
    return grammar::refuse(path, "the schema is too long", {{"limit_bytes", std::to_string(grammar::kMostSource)}});
  try {
    boost::system::error_code code;
    boost::json::parse_options options;
    options.max_depth = grammar::kMostNesting;
    const boost::json::value root =
        boost::json::parse(boost::json::string_view(schema.data(), schema.size()), code, {}, options);
    if (code) return grammar::refuse(path, fmt::format("the schema is not JSON: {}", code.message()));
    return grammar::SchemaCompiler(*this, root, path).run();
  } catch (const std::exception& problem) {
    return grammar::refuse(path, fmt::format("the schema cannot be read: {}", problem.what()));
  }
}

}  // namespace hearth
