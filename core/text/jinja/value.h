#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/text/jinja/meter.h"

namespace hearth::jinja {

/// A Python string with its provenance. Immutable once shared.
struct Text {
  std::string bytes;             ///< UTF-8; invalid bytes count as one character each
  std::vector<TextRange> input;  ///< parts that came from the context: sorted, merged, not empty
  bool markup = false;           ///< result of |safe or |e: `+` escapes its other operand, as markupsafe does
};
using TextPtr = std::shared_ptr<const Text>;

/// Builds a Text piece by piece and charges the meter for it.
class TextBuilder {
 public:
  explicit TextBuilder(Meter& meter) : m_meter(meter) {}
  void append(std::string_view bytes, bool isInput = false);
  void append(const Text& text) { append(text, 0, text.bytes.size()); }
  void append(const Text& text, std::size_t begin, std::size_t end);  ///< the byte range [begin, end) of text
  [[nodiscard]] std::size_t size() const noexcept { return m_text.bytes.size(); }
  [[nodiscard]] Text take() && { return std::move(m_text); }
  [[nodiscard]] TextPtr finish(bool markup = false) &&;

 private:
  void mark(std::size_t begin, std::size_t end);
  Meter& m_meter;
  Text m_text;
};

class Value;
struct List;
struct Dict;
struct Namespace;
struct Macro;
struct Bound;
struct LoopState;
using ListPtr = std::shared_ptr<const List>;
using DictPtr = std::shared_ptr<const Dict>;
using BoundPtr = std::shared_ptr<const Bound>;
using LoopPtr = std::shared_ptr<const LoopState>;

struct Undefined {
  std::shared_ptr<const std::string> hint;  ///< what was asked for, for the error on use
};
struct None {};
enum class Global : std::uint8_t { Range, Dict, Namespace, RaiseException, StrftimeNow };

template <class T, class Variant>
inline constexpr bool kIsAlternative = false;
template <class T, class... Alternatives>
inline constexpr bool kIsAlternative<T, std::variant<Alternatives...>> = (std::is_same_v<T, Alternatives> || ...);

/// What a template computes with: Python's value kinds, as far as chat templates see them. Cheap to copy; containers are
/// immutable (the sandbox forbids append, update and the like) but namespaces, which the interpreter owns.
class Value {
 public:
  using Data = std::variant<Undefined, None, bool, std::int64_t, double, TextPtr, ListPtr, DictPtr, BoundPtr, LoopPtr,
                            Namespace*, const Macro*, Global>;
  Value() = default;
  template <class T>
    requires kIsAlternative<T, Data>
  Value(T data) : m_data(std::in_place_type<T>, std::move(data)) {}

  template <class T>
  [[nodiscard]] const T* get() const noexcept { return std::get_if<T>(&m_data); }
  template <class T>
  [[nodiscard]] bool is() const noexcept { return std::holds_alternative<T>(m_data); }

  [[nodiscard]] const Text* text() const noexcept { return is<TextPtr>() ? get<TextPtr>()->get() : nullptr; }
  [[nodiscard]] const List* list() const noexcept { return is<ListPtr>() ? get<ListPtr>()->get() : nullptr; }
  [[nodiscard]] const Dict* dict() const noexcept { return is<DictPtr>() ? get<DictPtr>()->get() : nullptr; }
  [[nodiscard]] bool isUndefined() const noexcept { return is<Undefined>(); }
  [[nodiscard]] bool isNumber() const noexcept { return is<bool>() || is<std::int64_t>() || is<double>(); }
  [[nodiscard]] bool isIntegral() const noexcept { return is<bool>() || is<std::int64_t>(); }
  [[nodiscard]] bool isCallable() const noexcept { return is<const Macro*>() || is<BoundPtr>() || is<Global>(); }
  /// bool and int as an integer; anything else: nothing.
  [[nodiscard]] std::int64_t integer() const noexcept;
  [[nodiscard]] double number() const noexcept;
  [[nodiscard]] bool truthy() const noexcept;
  [[nodiscard]] std::string_view typeName() const noexcept;  ///< Python's name: "str", "NoneType"
  /// How deep this value's containers nest; bounded when containers are built, so that destruction cannot overflow the stack.
  [[nodiscard]] std::size_t nesting() const noexcept;

 private:
  Data m_data;
};

/// Generators (map, select, …) and views print and count differently in Python, so the kind is kept.
enum class ListKind : std::uint8_t { List, Tuple, Generator, View, Range };
struct List {
  std::vector<Value> items;
  ListKind kind = ListKind::List;
  std::size_t nesting = 1;
};

/// An insertion-ordered map with Python's key equality (1 == 1.0 == True).
struct Dict {
  std::vector<std::pair<Value, Value>> entries;
  std::size_t nesting = 1;

  /// Null when absent. Unhashable keys raise.
  [[nodiscard]] const Value* find(const Value& key, Meter& meter) const;
  [[nodiscard]] const Value* find(std::string_view key) const;
  void set(Value key, Value value, Meter& meter);

 private:
  [[nodiscard]] std::size_t slot(std::string_view canonical) const;
  std::unordered_map<std::string, std::size_t> m_index;  // canonical key → entry; kept from kIndexFrom entries on
};

/// Owned by the interpreter that made it, so that cycles through it cannot leak.
struct Namespace {
  std::map<std::string, Value, std::less<>> attributes;
};

/// A method not yet called: `text.strip`, `loop.cycle`.
struct Bound {
  Value self;
  std::string method;
};

struct LoopState {
  ListPtr items;
  std::size_t index = 0;
  mutable std::string lastChanged;  // loop.changed()'s memory, as repr, so that a loop never holds itself
};

[[nodiscard]] Value makeText(std::string bytes, bool isInput = false);
/// Charges one step per item and bounds nesting.
[[nodiscard]] Value makeList(std::vector<Value> items, Meter& meter, ListKind kind = ListKind::List);
[[nodiscard]] Value makeDict(Dict dict, Meter& meter);
[[nodiscard]] Value makeUndefined(std::string hint);

/// Raises "'x' is undefined" when the value is undefined.
void requireDefined(const Value& value);

[[nodiscard]] bool equal(const Value& a, const Value& b, Meter& meter);
/// <0, 0, >0 by Python's ordering of numbers, strings, lists, tuples; raises TypeError's text for others.
[[nodiscard]] int compare(const Value& a, const Value& b, std::string_view op, Meter& meter);
/// `item in container`.
[[nodiscard]] bool contains(const Value& container, const Value& item, Meter& meter);
/// The items Python's iter() would give: list elements, dict keys, a string's characters, nothing for undefined.
[[nodiscard]] ListPtr iterate(const Value& value, Meter& meter);

/// The same for a range-for: it keeps the list alive while the loop runs.
struct Iteration {
  ListPtr list;
  [[nodiscard]] auto begin() const noexcept { return list->items.begin(); }
  [[nodiscard]] auto end() const noexcept { return list->items.end(); }
};
[[nodiscard]] inline Iteration each(const Value& value, Meter& meter) { return {iterate(value, meter)}; }

}  // namespace hearth::jinja
