#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/text_ops.h"

namespace hearth::jinja {
namespace {

using TextMethod = Value (*)(Interpreter&, const Text&, const Arguments&);

const Text& needText(const std::optional<Value>& value, std::string_view method) {
  if (!value) raise(fmt::format("{}() misses an argument", method));
  const Text* text = textOrNull(value, method);
  if (text == nullptr) raise(fmt::format("{}() wants a string, not {}", method, value->typeName()));
  return *text;
}

template <bool kLeft, bool kRight>
Value stripMethod(Interpreter& in, const Text& self, const Arguments& a) {
  const auto bound = a.bind("strip", {"chars"});
  return strip(self, textOrNull(bound[0], "chars"), kLeft, kRight, in.meter());
}

template <bool kFromRight>
Value splitMethod(Interpreter& in, const Text& self, const Arguments& a) {
  const auto bound = a.bind("split", {"sep", "maxsplit"});
  return makeList(split(self, textOrNull(bound[0], "sep"), integerOr(bound[1], -1, "maxsplit"), kFromRight, in.meter()), in.meter());
}

template <Case kTo>
Value caseMethod(Interpreter& in, const Text& self, const Arguments& a) {
  (void)a.bind("case", {});
  return changeCase(self, kTo, in.meter());
}

// Python's optional start and end, in characters, as a byte range of self.
TextRange window(const Text& self, const std::optional<Value>& begin, const std::optional<Value>& end, Meter& meter) {
  if ((!begin || begin->is<None>()) && (!end || end->is<None>())) return {0, self.bytes.size()};
  const auto size = static_cast<std::int64_t>(countCharacters(self.bytes, meter));
  const auto place = [&](const std::optional<Value>& value, std::int64_t fallback) {
    std::int64_t at = integerOr(value, fallback, "start");
    if (at < 0) at = std::max<std::int64_t>(at + size, 0);
    return byteOffset(self.bytes, static_cast<std::size_t>(std::min(at, size)), meter);
  };
  const std::size_t from = place(begin, 0);
  return {from, std::max(from, place(end, size))};
}

template <bool kStart>
Value affixMethod(Interpreter& in, const Text& self, const Arguments& a) {
  const auto bound = a.bind(kStart ? "startswith" : "endswith", {"prefix", "start", "end"});
  const TextRange range = window(self, bound[1], bound[2], in.meter());
  const std::string_view text = std::string_view(self.bytes).substr(range.begin, range.end - range.begin);
  const auto matches = [&](const Text& affix) {
    in.meter().chargeBytes(affix.bytes.size());
    return kStart ? text.starts_with(affix.bytes) : text.ends_with(affix.bytes);
  };
  if (bound[0] && bound[0]->list() != nullptr && bound[0]->list()->kind == ListKind::Tuple) {
    for (const Value& affix : bound[0]->list()->items) {
      if (matches(needText(affix, "startswith"))) return true;
    }
    return false;
  }
  return matches(needText(bound[0], kStart ? "startswith" : "endswith"));
}

template <bool kFromRight, bool kRaises>
Value findMethod(Interpreter& in, const Text& self, const Arguments& a) {
  const auto bound = a.bind("find", {"sub", "start", "end"});
  const Text& needle = needText(bound[0], "find");
  const TextRange range = window(self, bound[1], bound[2], in.meter());
  const std::string_view text = std::string_view(self.bytes).substr(range.begin, range.end - range.begin);
  const std::size_t found = kFromRight ? rfindBytes(text, needle.bytes, in.meter()) : findBytes(text, needle.bytes, 0, in.meter());
  if (found == std::string_view::npos) {
    if (kRaises) raise("substring not found");
    return std::int64_t{-1};
  }
  return static_cast<std::int64_t>(countCharacters(std::string_view(self.bytes).substr(0, range.begin + found), in.meter()));
}

Value countMethod(Interpreter& in, const Text& self, const Arguments& a) {
  const auto bound = a.bind("count", {"sub", "start", "end"});
  const Text& needle = needText(bound[0], "count");
  const TextRange range = window(self, bound[1], bound[2], in.meter());
  const std::string_view text = std::string_view(self.bytes).substr(range.begin, range.end - range.begin);
  if (needle.bytes.empty()) return static_cast<std::int64_t>(countCharacters(text, in.meter())) + 1;
  std::int64_t count = 0;
  for (std::size_t at = 0; (at = findBytes(text, needle.bytes, at, in.meter())) != std::string_view::npos; at += needle.bytes.size()) {
    in.meter().charge(1);
    ++count;
  }
  return count;
}

Value replaceMethod(Interpreter& in, const Text& self, const Arguments& a) {
  const auto bound = a.bind("replace", {"old", "new", "count"});
  return replace(self, needText(bound[0], "replace"), needText(bound[1], "replace"), integerOr(bound[2], -1, "count"), in.meter());
}

Value joinMethod(Interpreter& in, const Text& self, const Arguments& a) {
  const auto bound = a.bind("join", {"iterable"});
  if (!bound[0]) raise("join() wants an iterable");
  TextBuilder out(in.meter());
  bool first = true;
  for (const Value& item : each(*bound[0], in.meter())) {
    in.meter().charge(1);
    if (!first) out.append(self);
    first = false;
    out.append(needText(item, "join"));
  }
  return std::move(out).finish(self.markup);
}

template <char kAlign>
Value justifyMethod(Interpreter& in, const Text& self, const Arguments& a) {
  const auto bound = a.bind("just", {"width", "fillchar"});
  Meter& meter = in.meter();
  const Text* given = textOrNull(bound[1], "fillchar");
  const std::string_view fill = given == nullptr ? (kAlign == '0' ? "0" : " ") : std::string_view(given->bytes);
  if (fill.empty() || characterBytes(fill, 0) != fill.size()) raise("The fill character must be exactly one character long");
  const std::int64_t width = integerOr(bound[0], 0, "width");
  const auto size = static_cast<std::int64_t>(countCharacters(self.bytes, meter));
  const std::int64_t missing = std::max<std::int64_t>(width - size, 0);
  meter.checkOutput(static_cast<std::size_t>(missing));
  meter.charge(static_cast<std::size_t>(missing));
  // str.center puts the odd blank on the left only when the width is odd.
  const std::int64_t before = kAlign == '<' ? 0 : kAlign == '^' ? missing / 2 + (missing & width & 1) : missing;
  TextBuilder out(meter);
  const bool sign = kAlign == '0' && !self.bytes.empty() && (self.bytes[0] == '+' || self.bytes[0] == '-');
  if (sign) out.append(self, 0, 1);
  for (std::int64_t i = 0; i < before; ++i) out.append(fill);
  out.append(self, sign ? 1 : 0, self.bytes.size());
  for (std::int64_t i = before; i < missing; ++i) out.append(fill);
  return std::move(out).finish(self.markup);
}

template <bool kFromRight>
Value partitionMethod(Interpreter& in, const Text& self, const Arguments& a) {
  const auto bound = a.bind("partition", {"sep"});
  const Text& needle = needText(bound[0], "partition");
  if (needle.bytes.empty()) raise("empty separator");
  Meter& meter = in.meter();
  const std::size_t found = kFromRight ? rfindBytes(self.bytes, needle.bytes, meter) : findBytes(self.bytes, needle.bytes, 0, meter);
  const std::size_t size = self.bytes.size();
  if (found == std::string::npos) {
    if (kFromRight) return makeList({makeText({}), makeText({}), slice(self, 0, size, meter)}, meter, ListKind::Tuple);
    return makeList({slice(self, 0, size, meter), makeText({}), makeText({})}, meter, ListKind::Tuple);
  }
  const std::size_t end = found + needle.bytes.size();
  return makeList({slice(self, 0, found, meter), slice(self, found, end, meter), slice(self, end, size, meter)}, meter, ListKind::Tuple);
}

// True when the text is not empty and every character passes.
template <bool (*kPasses)(std::int32_t)>
Value allMethod(Interpreter& in, const Text& self, const Arguments& a) {
  (void)a.bind("is", {});
  in.meter().charge(self.bytes.size() / 16);
  for (std::size_t at = 0; at < self.bytes.size(); at += characterBytes(self.bytes, at)) {
    if (!kPasses(codePoint(self.bytes, at))) return false;
  }
  return !self.bytes.empty();
}
bool alnum(std::int32_t point) { return isLetter(point) || isDigit(point); }
bool ascii(std::int32_t point) { return point >= 0 && point < 0x80; }

const std::map<std::string_view, TextMethod>& textMethods() {
  static const std::map<std::string_view, TextMethod> methods{
      {"strip", stripMethod<true, true>}, {"lstrip", stripMethod<true, false>}, {"rstrip", stripMethod<false, true>},
      {"split", splitMethod<false>}, {"rsplit", splitMethod<true>},
      {"upper", caseMethod<Case::Upper>}, {"lower", caseMethod<Case::Lower>}, {"title", caseMethod<Case::Title>},
      {"capitalize", caseMethod<Case::Capitalize>}, {"swapcase", caseMethod<Case::Swap>}, {"casefold", caseMethod<Case::Lower>},
      {"startswith", affixMethod<true>}, {"endswith", affixMethod<false>},
      {"find", findMethod<false, false>}, {"rfind", findMethod<true, false>},
      {"index", findMethod<false, true>}, {"rindex", findMethod<true, true>},
      {"count", countMethod}, {"replace", replaceMethod}, {"join", joinMethod},
      {"ljust", justifyMethod<'<'>}, {"rjust", justifyMethod<'>'>}, {"center", justifyMethod<'^'>}, {"zfill", justifyMethod<'0'>},
      {"partition", partitionMethod<false>}, {"rpartition", partitionMethod<true>},
      {"isspace", allMethod<isSpace>}, {"isalpha", allMethod<isLetter>}, {"isalnum", allMethod<alnum>},
      {"isdigit", allMethod<isDigit>}, {"isdecimal", allMethod<isDigit>}, {"isnumeric", allMethod<isDigit>},
      {"isprintable", allMethod<isPrintable>}, {"isascii", allMethod<ascii>},
      {"isupper", [](Interpreter& in, const Text& self, const Arguments&) { return Value(in.test("upper", makeText(self.bytes), {})); }},
      {"islower", [](Interpreter& in, const Text& self, const Arguments&) { return Value(in.test("lower", makeText(self.bytes), {})); }},
      {"splitlines",
       [](Interpreter& in, const Text& self, const Arguments& a) {
         const auto bound = a.bind("splitlines", {"keepends"});
         return makeList(splitLines(self, bound[0] && bound[0]->truthy(), in.meter()), in.meter());
       }},
      {"removeprefix",
       [](Interpreter& in, const Text& self, const Arguments& a) {
         const auto bound = a.bind("removeprefix", {"prefix"});
         const std::string& prefix = needText(bound[0], "removeprefix").bytes;
         return slice(self, self.bytes.starts_with(prefix) ? prefix.size() : 0, self.bytes.size(), in.meter());
       }},
      {"removesuffix",
       [](Interpreter& in, const Text& self, const Arguments& a) {
         const auto bound = a.bind("removesuffix", {"suffix"});
         const std::string& suffix = needText(bound[0], "removesuffix").bytes;
         return slice(self, 0, self.bytes.size() - (self.bytes.ends_with(suffix) ? suffix.size() : 0), in.meter());
       }},
      {"format", [](Interpreter& in, const Text& self, const Arguments& a) { return Value(formatBraces(self, a.positional, a.keywords, in.meter())); }},
  };
  return methods;
}

template <std::size_t kCount>
bool among(std::string_view name, const std::array<std::string_view, kCount>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::array<std::string_view, 5> kDictMethods{"items", "keys", "values", "get", "copy"};
constexpr std::array<std::string_view, 6> kDictRefused{"clear", "pop", "popitem", "setdefault", "update", "fromkeys"};
constexpr std::array<std::string_view, 3> kListMethods{"index", "count", "copy"};
constexpr std::array<std::string_view, 8> kListRefused{"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"};
constexpr std::array<std::string_view, 2> kLoopMethods{"cycle", "changed"};

Value callDict(Interpreter& in, const Dict& dict, const Value& self, std::string_view method, const Arguments& a) {
  Meter& meter = in.meter();
  if (method == "get") {
    const auto bound = a.bind("get", {"key", "default"});
    if (!bound[0]) raise("get expected at least 1 argument, got 0");
    const Value* value = dict.find(*bound[0], meter);
    return value != nullptr ? *value : bound[1] ? *bound[1] : Value(None{});
  }
  (void)a.bind(method, {});
  if (method == "copy") return self;
  std::vector<Value> items;
  items.reserve(dict.entries.size());
  for (const auto& [key, value] : dict.entries) {
    items.push_back(method == "keys" ? key : method == "values" ? value : makeList({key, value}, meter, ListKind::Tuple));
  }
  return makeList(std::move(items), meter, ListKind::View);
}

Value callList(Interpreter& in, const List& list, const Value& self, std::string_view method, const Arguments& a) {
  if (method == "copy") return self;
  const auto bound = a.bind(method, {"value"});
  if (!bound[0]) raise(fmt::format("{}() wants a value", method));
  std::int64_t count = 0;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    if (!equal(list.items[i], *bound[0], in.meter())) continue;
    if (method == "index") return static_cast<std::int64_t>(i);
    ++count;
  }
  if (method == "index") raise("the value is not in the list");
  return count;
}

Value callLoop(Interpreter& in, const LoopState& loop, std::string_view method, const Arguments& a) {
  if (method == "cycle") {
    if (a.positional.empty()) raise("no items for cycling given");
    return a.positional[loop.index % a.positional.size()];
  }
  std::string now = repr(makeList(a.positional, in.meter(), ListKind::Tuple), in.meter())->bytes;
  const bool same = now == loop.lastChanged;
  loop.lastChanged = std::move(now);
  return !same;
}

}  // namespace

MethodState methodState(const Value& object, std::string_view name) {
  if (object.text() != nullptr) return textMethods().contains(name) ? MethodState::Allowed : MethodState::Absent;
  if (object.dict() != nullptr)
    return among(name, kDictMethods) ? MethodState::Allowed : among(name, kDictRefused) ? MethodState::Refused : MethodState::Absent;
  if (const List* list = object.list()) {
    const bool plain = list->kind == ListKind::List || list->kind == ListKind::Tuple;
    if (plain && among(name, kListMethods)) return MethodState::Allowed;
    return list->kind == ListKind::List && among(name, kListRefused) ? MethodState::Refused : MethodState::Absent;
  }
  if (object.is<LoopPtr>()) return among(name, kLoopMethods) ? MethodState::Allowed : MethodState::Absent;
  return MethodState::Absent;
}

Value callMethod(Interpreter& interpreter, const Bound& bound, const Arguments& arguments) {
  if (const Text* text = bound.self.text()) return textMethods().at(bound.method)(interpreter, *text, arguments);
  if (const Dict* dict = bound.self.dict()) return callDict(interpreter, *dict, bound.self, bound.method, arguments);
  if (const List* list = bound.self.list()) return callList(interpreter, *list, bound.self, bound.method, arguments);
  if (const LoopPtr* loop = bound.self.get<LoopPtr>()) return callLoop(interpreter, **loop, bound.method, arguments);
  raise(fmt::format("'{}' object has no method '{}'", bound.self.typeName(), bound.method));
}

}  // namespace hearth::jinja
