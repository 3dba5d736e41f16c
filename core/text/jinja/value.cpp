#include "core/text/jinja/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text/jinja/text_ops.h"

namespace hearth::jinja {
namespace {

constexpr std::size_t kIndexFrom = 12;  // smaller dicts are searched faster than they are hashed

// One text per equal key. Only hashable kinds; tuples hold their items' forms.
std::string canonicalKey(const Value& key, Meter& meter) {
  if (const Text* text = key.text()) {
    meter.chargeBytes(text->bytes.size());
    std::string canonical(1, 's');
    canonical += text->bytes;
    return canonical;
  }
  if (key.isIntegral()) return fmt::format("i{}", key.integer());
  if (const double* number = key.get<double>()) {
    if (std::floor(*number) == *number && std::abs(*number) < 9.0e18)
      return fmt::format("i{}", static_cast<std::int64_t>(*number));
    return fmt::format("f{}", *number);
  }
  if (key.is<None>()) return "n";
  if (key.isUndefined()) return "u";
  if (const List* list = key.list(); list != nullptr && list->kind == ListKind::Tuple) {
    const DepthGuard guard(meter);
    std::string canonical = "t";
    for (const Value& item : list->items) {
      const std::string part = canonicalKey(item, meter);
      canonical += fmt::format("{}:", part.size());
      canonical += part;
      meter.charge(1);
      meter.checkOutput(canonical.size());
    }
    return canonical;
  }
  raise(fmt::format("unhashable type: '{}'", key.typeName()));
}

}  // namespace

void TextBuilder::append(std::string_view bytes, bool isInput) {
  if (bytes.empty()) return;
  m_meter.checkOutput(m_text.bytes.size() + bytes.size());
  m_meter.chargeBytes(bytes.size());
  const std::size_t begin = m_text.bytes.size();
  m_text.bytes += bytes;
  if (isInput) mark(begin, m_text.bytes.size());
}

void TextBuilder::append(const Text& text, std::size_t begin, std::size_t end) {
  if (begin >= end) return;
  m_meter.checkOutput(m_text.bytes.size() + (end - begin));
  m_meter.chargeBytes(end - begin);
  const std::size_t base = m_text.bytes.size();
  m_text.bytes.append(text.bytes, begin, end - begin);
  auto range = std::upper_bound(text.input.begin(), text.input.end(), begin,
                                [](std::size_t at, const TextRange& r) { return at < r.end; });
  for (; range != text.input.end() && range->begin < end; ++range) {
    mark(base + std::max(range->begin, begin) - begin, base + std::min(range->end, end) - begin);
  }
}

void TextBuilder::mark(std::size_t begin, std::size_t end) {
  if (!m_text.input.empty() && m_text.input.back().end >= begin) {
    m_text.input.back().end = std::max(m_text.input.back().end, end);
  } else {
    m_meter.charge(1);
    m_text.input.push_back({begin, end});
  }
}

TextPtr TextBuilder::finish(bool markup) && {
  m_text.markup = markup;
  return std::make_shared<const Text>(std::move(m_text));
}

std::int64_t Value::integer() const noexcept {
  if (const bool* flag = get<bool>()) return *flag ? 1 : 0;
  if (const std::int64_t* number = get<std::int64_t>()) return *number;
  return 0;
}

double Value::number() const noexcept {
  if (const double* number = get<double>()) return *number;
  return static_cast<double>(integer());
}

bool Value::truthy() const noexcept {
  if (isUndefined() || is<None>()) return false;
  if (isIntegral()) return integer() != 0;
  if (const double* number = get<double>()) return *number != 0.0;
  if (const Text* string = text()) return !string->bytes.empty();
  if (const List* sequence = list()) return sequence->kind == ListKind::Generator || !sequence->items.empty();
  if (const Dict* mapping = dict()) return !mapping->entries.empty();
  return true;
}

std::string_view Value::typeName() const noexcept {
  if (isUndefined()) return "Undefined";
  if (is<None>()) return "NoneType";
  if (is<bool>()) return "bool";
  if (is<std::int64_t>()) return "int";
  if (is<double>()) return "float";
  if (is<TextPtr>()) return "str";
  if (is<DictPtr>()) return "dict";
  if (const List* sequence = list()) {
    switch (sequence->kind) {
      case ListKind::List: return "list";
      case ListKind::Tuple: return "tuple";
      case ListKind::Generator: return "generator";
      case ListKind::View: return "dict_items";
      case ListKind::Range: return "range";
    }
  }
  if (is<Namespace*>()) return "Namespace";
  if (is<const Macro*>()) return "Macro";
  if (is<LoopPtr>()) return "LoopContext";
  return "function";
}

std::size_t Value::nesting() const noexcept {
  if (const List* sequence = list()) return sequence->nesting;
  if (const Dict* mapping = dict()) return mapping->nesting;
  if (const BoundPtr* bound = get<BoundPtr>()) return (*bound)->self.nesting() + 1;
  if (const LoopPtr* loop = get<LoopPtr>()) return (*loop)->items->nesting + 1;
  return 0;
}

std::size_t Dict::slot(std::string_view canonical) const {
  const auto found = m_index.find(std::string(canonical));
  return found == m_index.end() ? entries.size() : found->second;
}

const Value* Dict::find(const Value& key, Meter& meter) const {
  const std::string canonical = canonicalKey(key, meter);
  if (entries.size() >= kIndexFrom) {
    const std::size_t at = slot(canonical);
    return at < entries.size() ? &entries[at].second : nullptr;
  }
  for (const auto& [have, value] : entries) {
    if (canonicalKey(have, meter) == canonical) return &value;
  }
  return nullptr;
}

const Value* Dict::find(std::string_view key) const {
  if (entries.size() >= kIndexFrom) {
    const std::size_t at = slot(fmt::format("s{}", key));
    return at < entries.size() ? &entries[at].second : nullptr;
  }
  for (const auto& [have, value] : entries) {
    if (const Text* text = have.text(); text != nullptr && text->bytes == key) return &value;
  }
  return nullptr;
}

void Dict::set(Value key, Value value, Meter& meter) {
  meter.charge(1);
  const std::string canonical = canonicalKey(key, meter);
  if (const Value* have = find(key, meter)) {
    entries[static_cast<std::size_t>(std::distance(
                entries.begin(), std::find_if(entries.begin(), entries.end(),
                                              [&](const auto& entry) { return &entry.second == have; })))]
        .second = std::move(value);
    return;
  }
  entries.emplace_back(std::move(key), std::move(value));
  if (entries.size() == kIndexFrom) {
    for (std::size_t i = 0; i < entries.size(); ++i) m_index.emplace(canonicalKey(entries[i].first, meter), i);
  } else if (entries.size() > kIndexFrom) {
    m_index.emplace(canonical, entries.size() - 1);
  }
}

Value makeText(std::string bytes, bool isInput) {
  auto text = std::make_shared<Text>();
  text->bytes = std::move(bytes);
  if (isInput && !text->bytes.empty()) text->input.push_back({0, text->bytes.size()});
  return TextPtr(std::move(text));
}

Value makeList(std::vector<Value> items, Meter& meter, ListKind kind) {
  meter.charge(items.size());
  auto list = std::make_shared<List>();
  for (const Value& item : items) list->nesting = std::max(list->nesting, item.nesting() + 1);
  meter.checkDepth(list->nesting);
  list->items = std::move(items);
  list->kind = kind;
  return ListPtr(std::move(list));
}

Value makeDict(Dict dict, Meter& meter) {
  for (const auto& [key, value] : dict.entries) {
    dict.nesting = std::max({dict.nesting, key.nesting() + 1, value.nesting() + 1});
  }
  meter.checkDepth(dict.nesting);
  return DictPtr(std::make_shared<const Dict>(std::move(dict)));
}

Value makeUndefined(std::string hint) { return Undefined{std::make_shared<const std::string>(std::move(hint))}; }

void requireDefined(const Value& value) {
  const Undefined* undefined = value.get<Undefined>();
  if (undefined == nullptr) return;
  raise(undefined->hint != nullptr ? *undefined->hint : std::string("a value is undefined"));
}

bool equal(const Value& a, const Value& b, Meter& meter) {
  meter.charge(1);
  if (a.isNumber() && b.isNumber()) {
    if (a.isIntegral() && b.isIntegral()) return a.integer() == b.integer();
    return a.number() == b.number();
  }
  if (const Text* left = a.text()) {
    const Text* right = b.text();
    if (right == nullptr || left->bytes.size() != right->bytes.size()) return false;
    meter.chargeBytes(left->bytes.size());
    return left->bytes == right->bytes;
  }
  if (a.isUndefined() || b.isUndefined()) return a.isUndefined() && b.isUndefined();
  if (a.is<None>() || b.is<None>()) return a.is<None>() && b.is<None>();
  if (const List* left = a.list()) {
    const List* right = b.list();
    if (right == nullptr || left->kind != right->kind || left->items.size() != right->items.size()) return false;
    if (left->kind == ListKind::Generator) return left == right;
    const DepthGuard guard(meter);
    for (std::size_t i = 0; i < left->items.size(); ++i) {
      if (!equal(left->items[i], right->items[i], meter)) return false;
    }
    return true;
  }
  if (const Dict* left = a.dict()) {
    const Dict* right = b.dict();
    if (right == nullptr || left->entries.size() != right->entries.size()) return false;
    const DepthGuard guard(meter);
    for (const auto& [key, value] : left->entries) {
      const Value* other = right->find(key, meter);
      if (other == nullptr || !equal(value, *other, meter)) return false;
    }
    return true;
  }
  if (a.is<Namespace*>() && b.is<Namespace*>()) return *a.get<Namespace*>() == *b.get<Namespace*>();
  if (a.is<const Macro*>() && b.is<const Macro*>()) return *a.get<const Macro*>() == *b.get<const Macro*>();
  if (a.is<LoopPtr>() && b.is<LoopPtr>()) return *a.get<LoopPtr>() == *b.get<LoopPtr>();
  if (a.is<Global>() && b.is<Global>()) return *a.get<Global>() == *b.get<Global>();
  return false;
}

int compare(const Value& a, const Value& b, std::string_view op, Meter& meter) {
  meter.charge(1);
  requireDefined(a);
  requireDefined(b);
  if (a.isNumber() && b.isNumber()) {
    if (a.isIntegral() && b.isIntegral()) return a.integer() < b.integer() ? -1 : a.integer() > b.integer() ? 1 : 0;
    // NaN compares false with everything; 2 says "neither".
    const double x = a.number();
    const double y = b.number();
    return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;
  }
  if (a.text() != nullptr && b.text() != nullptr) {
    meter.chargeBytes(std::min(a.text()->bytes.size(), b.text()->bytes.size()));
    const int order = a.text()->bytes.compare(b.text()->bytes);  // UTF-8 bytes order as code points do
    return order < 0 ? -1 : order > 0 ? 1 : 0;
  }
  const List* left = a.list();
  const List* right = b.list();
  if (left != nullptr && right != nullptr && left->kind == right->kind &&
      (left->kind == ListKind::List || left->kind == ListKind::Tuple)) {
    const DepthGuard guard(meter);
    for (std::size_t i = 0; i < std::min(left->items.size(), right->items.size()); ++i) {
      if (!equal(left->items[i], right->items[i], meter)) return compare(left->items[i], right->items[i], op, meter);
    }
    return left->items.size() < right->items.size() ? -1 : left->items.size() > right->items.size() ? 1 : 0;
  }
  raise(fmt::format("'{}' not supported between instances of '{}' and '{}'", op, a.typeName(), b.typeName()));
}

bool contains(const Value& container, const Value& item, Meter& meter) {
  if (const Text* hay = container.text()) {
    const Text* needle = item.text();
    if (needle == nullptr) {
      requireDefined(item);
      raise(fmt::format("'in <string>' requires string as left operand, not {}", item.typeName()));
    }
    return findBytes(hay->bytes, needle->bytes, 0, meter) != std::string::npos;
  }
  if (const List* list = container.list()) {
    return std::any_of(list->items.begin(), list->items.end(),
                       [&](const Value& have) { return equal(have, item, meter); });
  }
  if (const Dict* dict = container.dict()) return dict->find(item, meter) != nullptr;
  if (container.isUndefined()) return false;
  raise(fmt::format("argument of type '{}' is not iterable", container.typeName()));
}

ListPtr iterate(const Value& value, Meter& meter) {
  if (const ListPtr* list = value.get<ListPtr>()) return *list;
  std::vector<Value> items;
  if (const Text* text = value.text()) {
    meter.charge(text->bytes.size() / 4);
    for (std::size_t at = 0; at < text->bytes.size();) {
      const std::size_t next = at + characterBytes(text->bytes, at);
      items.push_back(slice(*text, at, next, meter));
      at = next;
    }
  } else if (const Dict* dict = value.dict()) {
    items.reserve(dict->entries.size());
    for (const auto& entry : dict->entries) items.push_back(entry.first);
  } else if (const LoopPtr* loop = value.get<LoopPtr>()) {
    return (*loop)->items;
  } else if (!value.isUndefined()) {
    raise(fmt::format("'{}' object is not iterable", value.typeName()));
  }
  const Value list = makeList(std::move(items), meter);
  return *list.get<ListPtr>();
}

}  // namespace hearth::jinja
