#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/text_ops.h"

namespace hearth::jinja {
namespace {

// "a.b.0" or an integer, followed from an item; absent steps give `fallback` where there is one.
Value dotted(Interpreter& in, const Value& from, const Value& path, const std::optional<Value>& fallback = {}) {
  Value value = from;
  const auto step = [&](const Value& key) {
    value = in.item(value, key);
    if (value.isUndefined() && fallback) value = *fallback;
  };
  if (path.isIntegral()) {
    step(path);
    return value;
  }
  const Text* text = path.text();
  if (text == nullptr) raise(fmt::format("an attribute is a string or an integer, not {}", path.typeName()));
  std::string_view rest = text->bytes;
  for (;;) {
    const std::size_t dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    std::int64_t index = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), index);
    in.meter().charge(1);
    if (!part.empty() && read.ec == std::errc{} && read.ptr == part.data() + part.size()) {
      step(index);
    } else {
      step(makeText(std::string(part)));
    }
    if (dot == std::string_view::npos) return value;
    rest.remove_prefix(dot + 1);
  }
}

Value lowered(const Value& value, Meter& meter) {
  return value.text() != nullptr ? changeCase(*value.text(), Case::Lower, meter) : value;
}

struct Keyed {
  Value key;
  Value item;
};

// Merge sort by an order that may throw and need not be strict; std::stable_sort would trust it.
template <class Less>
void sortKeyed(std::vector<Keyed>& items, Less&& less) {
  std::vector<Keyed> other(items.size());
  for (std::size_t width = 1; width < items.size(); width *= 2) {
    for (std::size_t low = 0; low < items.size(); low += 2 * width) {
      const std::size_t middle = std::min(low + width, items.size());
      const std::size_t high = std::min(low + 2 * width, items.size());
      std::size_t left = low;
      std::size_t right = middle;
      for (std::size_t to = low; to < high; ++to) {
        const bool takeRight = left == middle || (right < high && less(items[right].key, items[left].key));
        other[to] = std::move(takeRight ? items[right++] : items[left++]);
      }
    }
    items.swap(other);
  }
}

std::vector<Keyed> keyed(Interpreter& in, const Value& v, const std::optional<Value>& attribute, bool caseSensitive,
                         const std::optional<Value>& fallback = {}) {
  std::vector<Keyed> items;
  for (const Value& item : each(v, in.meter())) {
    Value key = item;
    if (attribute && !attribute->is<None>()) {
      const Text* text = attribute->text();
      if (text != nullptr && text->bytes.find(',') != std::string::npos) {  // "a,b": by a, then by b
        std::vector<Value> parts;
        for (const Value& part : split(*text, makeText(",").text(), -1, false, in.meter())) {
          Value one = dotted(in, item, part, fallback);
          parts.push_back(caseSensitive ? one : lowered(one, in.meter()));
        }
        key = makeList(std::move(parts), in.meter());
      } else {
        key = dotted(in, item, *attribute, fallback);
      }
    }
    items.push_back({caseSensitive ? key : lowered(key, in.meter()), item});
  }
  return items;
}

Value filterSort(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("sort", {"reverse", "case_sensitive", "attribute"});
  const bool reverse = bound[0] && bound[0]->truthy();
  std::vector<Keyed> items = keyed(in, v, bound[2], bound[1] && bound[1]->truthy());
  sortKeyed(items, [&](const Value& x, const Value& y) {
    return reverse ? compare(y, x, "<", in.meter()) == -1 : compare(x, y, "<", in.meter()) == -1;
  });
  std::vector<Value> sorted;
  for (Keyed& entry : items) sorted.push_back(std::move(entry.item));
  return makeList(std::move(sorted), in.meter());
}

Value filterDictSort(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("dictsort", {"case_sensitive", "by", "reverse"});
  const Text* by = textOrNull(bound[1], "by");
  const bool byValue = by != nullptr && by->bytes == "value";
  if (by != nullptr && !byValue && by->bytes != "key") raise("You can only sort by either \"key\" or \"value\"");
  requireDefined(v);
  if (v.dict() == nullptr) raise(fmt::format("dictsort() wants a mapping, not {}", v.typeName()));
  const bool caseSensitive = bound[0] && bound[0]->truthy();
  const bool reverse = bound[2] && bound[2]->truthy();
  std::vector<Keyed> items;
  for (const auto& [key, value] : v.dict()->entries) {
    const Value& sortBy = byValue ? value : key;
    items.push_back({caseSensitive ? sortBy : lowered(sortBy, in.meter()), makeList({key, value}, in.meter(), ListKind::Tuple)});
  }
  sortKeyed(items, [&](const Value& x, const Value& y) {
    return reverse ? compare(y, x, "<", in.meter()) == -1 : compare(x, y, "<", in.meter()) == -1;
  });
  std::vector<Value> sorted;
  for (Keyed& entry : items) sorted.push_back(std::move(entry.item));
  return makeList(std::move(sorted), in.meter());
}

Value filterUnique(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("unique", {"case_sensitive", "attribute"});
  Dict seen;
  std::vector<Value> kept;
  for (Keyed& entry : keyed(in, v, bound[1], bound[0] && bound[0]->truthy())) {
    if (seen.find(entry.key, in.meter()) != nullptr) continue;
    seen.set(entry.key, Value(true), in.meter());
    kept.push_back(std::move(entry.item));
  }
  return makeList(std::move(kept), in.meter(), ListKind::Generator);
}

Value extreme(Interpreter& in, const Value& v, const Arguments& a, std::string_view name, int wanted) {
  const auto bound = a.bind(name, {"case_sensitive", "attribute"});
  std::vector<Keyed> items = keyed(in, v, bound[1], bound[0] && bound[0]->truthy());
  if (items.empty()) return makeUndefined("No aggregated item, sequence was empty.");
  std::size_t best = 0;
  for (std::size_t i = 1; i < items.size(); ++i) {
    if (compare(items[i].key, items[best].key, wanted < 0 ? "<" : ">", in.meter()) == wanted) best = i;
  }
  return items[best].item;
}

Value filterSum(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("sum", {"attribute", "start"});
  Value total = bound[1] ? *bound[1] : Value(std::int64_t{0});
  if (total.text() != nullptr) raise("sum() can't sum strings [use ''.join(seq) instead]");
  for (const Value& item : each(v, in.meter()))
    total = in.add(total, bound[0] && !bound[0]->is<None>() ? dotted(in, item, *bound[0]) : item);
  return total;
}

Value filterJoin(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("join", {"d", "attribute"});
  Meter& meter = in.meter();
  const TextPtr between = bound[0] ? toText(*bound[0], meter) : std::make_shared<const Text>();
  TextBuilder out(meter);
  bool first = true;
  for (const Value& item : each(v, meter)) {
    meter.charge(1);
    if (!first) out.append(*between);
    first = false;
    out.append(*toText(bound[1] && !bound[1]->is<None>() ? dotted(in, item, *bound[1]) : item, meter));
  }
  return std::move(out).finish();
}

Value filterLength(Interpreter& in, const Value& v, const Arguments&) {
  if (const Text* text = v.text()) return static_cast<std::int64_t>(countCharacters(text->bytes, in.meter()));
  if (const List* list = v.list(); list != nullptr && list->kind != ListKind::Generator) return static_cast<std::int64_t>(list->items.size());
  if (const Dict* dict = v.dict()) return static_cast<std::int64_t>(dict->entries.size());
  if (const LoopPtr* loop = v.get<LoopPtr>()) return static_cast<std::int64_t>((*loop)->items->items.size());
  if (v.isUndefined()) return std::int64_t{0};
  raise(fmt::format("object of type '{}' has no len()", v.typeName()));
}

Value filterFirst(Interpreter& in, const Value& v, const Arguments&) {
  if (const Text* text = v.text(); text != nullptr && !text->bytes.empty())
    return slice(*text, 0, characterBytes(text->bytes, 0), in.meter());
  const ListPtr items = iterate(v, in.meter());
  return items->items.empty() ? makeUndefined("No first item, sequence was empty.") : items->items.front();
}

Value filterLast(Interpreter& in, const Value& v, const Arguments&) {
  const ListPtr items = iterate(v, in.meter());
  return items->items.empty() ? makeUndefined("No last item, sequence was empty.") : items->items.back();
}

Value filterReverse(Interpreter& in, const Value& v, const Arguments&) {
  requireDefined(v);
  std::vector<Value> items = iterate(v, in.meter())->items;
  in.meter().charge(items.size());
  std::reverse(items.begin(), items.end());
  if (v.text() == nullptr) return makeList(std::move(items), in.meter(), ListKind::Generator);
  TextBuilder out(in.meter());
  for (const Value& character : items) out.append(*character.text());
  return std::move(out).finish(v.text()->markup);
}

Value filterItems(Interpreter& in, const Value& v, const Arguments&) {
  std::vector<Value> items;
  if (!v.isUndefined()) {
    if (v.dict() == nullptr) raise("Can only get item pairs from a mapping.");
    for (const auto& [key, value] : v.dict()->entries) items.push_back(makeList({key, value}, in.meter(), ListKind::Tuple));
  }
  return makeList(std::move(items), in.meter(), ListKind::Generator);
}

Value filterMap(Interpreter& in, const Value& v, const Arguments& a) {
  std::vector<Value> mapped;
  const ListPtr items = iterate(v, in.meter());
  if (a.positional.empty()) {
    const auto bound = Arguments{{}, a.keywords}.bind("map", {"attribute", "default"});
    if (!bound[0]) raise("map requires a filter argument");
    for (const Value& item : items->items) mapped.push_back(dotted(in, item, *bound[0], bound[1]));
  } else {
    const Text* name = a.positional[0].text();
    if (name == nullptr) raise("map wants a filter's name");
    const Arguments rest{{a.positional.begin() + 1, a.positional.end()}, a.keywords};
    for (const Value& item : items->items) mapped.push_back(in.filter(name->bytes, item, rest));
  }
  return makeList(std::move(mapped), in.meter(), ListKind::Generator);
}

Value pick(Interpreter& in, const Value& v, const Arguments& a, bool byAttribute, bool wanted) {
  std::size_t used = 0;
  std::optional<Value> attribute;
  if (byAttribute) {
    if (a.positional.empty()) raise("Missing parameter for attribute name");
    attribute = a.positional[used++];
  }
  const Text* name = used < a.positional.size() ? a.positional[used++].text() : nullptr;
  if (used > (byAttribute ? 1U : 0U) && name == nullptr) raise("a test's name is a string");
  const Arguments rest{{a.positional.begin() + static_cast<std::ptrdiff_t>(used), a.positional.end()}, a.keywords};
  std::vector<Value> kept;
  for (const Value& item : each(v, in.meter())) {
    in.meter().charge(1);
    const Value subject = attribute ? dotted(in, item, *attribute) : item;
    if ((name == nullptr ? subject.truthy() : in.test(name->bytes, subject, rest)) == wanted) kept.push_back(item);
  }
  return makeList(std::move(kept), in.meter(), ListKind::Generator);
}

Value filterBatch(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("batch", {"linecount", "fill_with"});
  const std::int64_t size = integerOr(bound[0], 0, "linecount");
  if (size < 1) raise("batch() wants a positive line count");
  const bool fills = bound[1] && !bound[1]->is<None>();
  std::vector<Value> batches;
  std::vector<Value> row;
  for (const Value& item : each(v, in.meter())) {
    if (static_cast<std::int64_t>(row.size()) == size) batches.push_back(makeList(std::exchange(row, {}), in.meter()));
    row.push_back(item);
  }
  if (!row.empty()) {
    for (; fills && static_cast<std::int64_t>(row.size()) < size; in.meter().charge(1)) row.push_back(*bound[1]);
    batches.push_back(makeList(std::move(row), in.meter()));
  }
  return makeList(std::move(batches), in.meter(), ListKind::Generator);
}

Value filterSlice(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("slice", {"slices", "fill_with"});
  const std::int64_t count = integerOr(bound[0], 0, "slices");
  if (count < 1) raise("slice() wants a positive number of slices");
  const ListPtr items = iterate(v, in.meter());
  const auto slices = static_cast<std::size_t>(count);
  const std::size_t each = items->items.size() / slices;
  const std::size_t larger = items->items.size() % slices;
  std::vector<Value> columns;
  std::size_t at = 0;
  for (std::size_t i = 0; i < slices; ++i) {
    in.meter().charge(1);
    const std::size_t size = each + (i < larger ? 1 : 0);
    const auto begin = items->items.begin() + static_cast<std::ptrdiff_t>(at);
    std::vector<Value> column(begin, begin + static_cast<std::ptrdiff_t>(size));
    if (bound[1] && !bound[1]->is<None>() && i >= larger && larger > 0) column.push_back(*bound[1]);
    at += size;
    columns.push_back(makeList(std::move(column), in.meter()));
  }
  return makeList(std::move(columns), in.meter(), ListKind::Generator);
}

Value filterGroupBy(Interpreter& in, const Value& v, const Arguments& a) {
  const auto bound = a.bind("groupby", {"attribute", "default", "case_sensitive"});
  if (!bound[0]) raise("groupby() wants an attribute");
  const bool caseSensitive = bound[2] && bound[2]->truthy();
  std::vector<Keyed> items = keyed(in, v, bound[0], caseSensitive, bound[1]);
  sortKeyed(items, [&](const Value& x, const Value& y) { return compare(x, y, "<", in.meter()) == -1; });
  std::vector<Value> groups;
  for (std::size_t at = 0; at < items.size();) {
    std::vector<Value> group;
    const std::size_t first = at;
    for (; at < items.size() && equal(items[at].key, items[first].key, in.meter()); ++at) group.push_back(items[at].item);
    const Value grouper = dotted(in, group.front(), *bound[0], bound[1]);
    groups.push_back(makeList({grouper, makeList(std::move(group), in.meter())}, in.meter(), ListKind::Tuple));
  }
  return makeList(std::move(groups), in.meter());
}

const FilterTable& table() {
  static const FilterTable filters{
      {"sort", filterSort}, {"dictsort", filterDictSort}, {"unique", filterUnique}, {"sum", filterSum}, {"join", filterJoin},
      {"length", filterLength}, {"count", filterLength}, {"first", filterFirst}, {"last", filterLast},
      {"reverse", filterReverse}, {"items", filterItems}, {"map", filterMap}, {"batch", filterBatch},
      {"slice", filterSlice}, {"groupby", filterGroupBy},
      {"min", [](Interpreter& in, const Value& v, const Arguments& a) { return extreme(in, v, a, "min", -1); }},
      {"max", [](Interpreter& in, const Value& v, const Arguments& a) { return extreme(in, v, a, "max", 1); }},
      {"list", [](Interpreter& in, const Value& v, const Arguments&) { return makeList(iterate(v, in.meter())->items, in.meter()); }},
      {"select", [](Interpreter& in, const Value& v, const Arguments& a) { return pick(in, v, a, false, true); }},
      {"reject", [](Interpreter& in, const Value& v, const Arguments& a) { return pick(in, v, a, false, false); }},
      {"selectattr", [](Interpreter& in, const Value& v, const Arguments& a) { return pick(in, v, a, true, true); }},
      {"rejectattr", [](Interpreter& in, const Value& v, const Arguments& a) { return pick(in, v, a, true, false); }},
      {"attr",
       [](Interpreter& in, const Value& v, const Arguments& a) {
         const auto bound = a.bind("attr", {"name"});
         const Text* name = bound[0] ? bound[0]->text() : nullptr;
         if (name == nullptr) raise("attr() wants a name");
         // Only a true attribute, never an item of a mapping.
         if (v.dict() != nullptr && methodState(v, name->bytes) != MethodState::Allowed)
           return makeUndefined(fmt::format("'dict object' has no attribute '{}'", name->bytes));
         return in.attribute(v, name->bytes);
       }},
  };
  return filters;
}

}  // namespace

FilterFunction findSequenceFilter(std::string_view name) {
  const auto found = table().find(name);
  return found == table().end() ? nullptr : found->second;
}

}  // namespace hearth::jinja
