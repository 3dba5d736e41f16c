#include <fmt/format.h>

#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/text_ops.h"

namespace hearth::jinja {
namespace {

const Value& only(const Arguments& arguments, std::string_view name) {
  if (arguments.positional.size() != 1 || !arguments.keywords.empty())
    raise(fmt::format("the test '{}' takes one argument", name));
  return arguments.positional[0];
}

std::int64_t integral(const Value& value, std::string_view name) {
  requireDefined(value);
  if (!value.isIntegral()) raise(fmt::format("the test '{}' wants an integer, not {}", name, value.typeName()));
  return value.integer();
}

int order(Interpreter& in, const Value& a, const Arguments& arguments, std::string_view op) {
  return compare(a, only(arguments, op), op, in.meter());
}

bool testEqual(Interpreter& in, const Value& v, const Arguments& a) { return equal(v, only(a, "eq"), in.meter()); }
bool testNotEqual(Interpreter& in, const Value& v, const Arguments& a) { return !equal(v, only(a, "ne"), in.meter()); }
bool testLess(Interpreter& in, const Value& v, const Arguments& a) { return order(in, v, a, "<") == -1; }
bool testGreater(Interpreter& in, const Value& v, const Arguments& a) { return order(in, v, a, ">") == 1; }
bool testLessEqual(Interpreter& in, const Value& v, const Arguments& a) { const int o = order(in, v, a, "<="); return o == -1 || o == 0; }
bool testGreaterEqual(Interpreter& in, const Value& v, const Arguments& a) { const int o = order(in, v, a, ">="); return o == 1 || o == 0; }
bool testIn(Interpreter& in, const Value& v, const Arguments& a) { return contains(only(a, "in"), v, in.meter()); }

bool testIterable(Interpreter&, const Value& v, const Arguments&) {
  return v.text() != nullptr || v.list() != nullptr || v.dict() != nullptr || v.isUndefined() || v.is<LoopPtr>();
}
bool testSequence(Interpreter&, const Value& v, const Arguments&) {
  if (const List* list = v.list()) return list->kind != ListKind::Generator && list->kind != ListKind::View;
  return v.text() != nullptr || v.dict() != nullptr || v.isUndefined();
}
bool testSame(Interpreter& in, const Value& v, const Arguments& a) {
  const Value& other = only(a, "sameas");
  if (v.list() != nullptr || v.dict() != nullptr) return v.list() == other.list() && v.dict() == other.dict();
  return v.typeName() == other.typeName() && equal(v, other, in.meter());
}

// All cased letters are of one case, and there is one.
bool hasCase(const Value& v, bool upper, Meter& meter) {
  const TextPtr text = toText(v, meter);
  meter.charge(text->bytes.size() / 16);
  bool found = false;
  for (std::size_t at = 0; at < text->bytes.size(); at += characterBytes(text->bytes, at)) {
    const std::int32_t point = codePoint(text->bytes, at);
    if (upper ? isLower(point) : isUpper(point)) return false;
    found = found || (upper ? isUpper(point) : isLower(point));
  }
  return found;
}

const TestTable& table() {
  static const TestTable tests{
      {"defined", [](Interpreter&, const Value& v, const Arguments&) { return !v.isUndefined(); }},
      {"undefined", [](Interpreter&, const Value& v, const Arguments&) { return v.isUndefined(); }},
      {"none", [](Interpreter&, const Value& v, const Arguments&) { return v.is<None>(); }},
      {"string", [](Interpreter&, const Value& v, const Arguments&) { return v.text() != nullptr; }},
      {"mapping", [](Interpreter&, const Value& v, const Arguments&) { return v.dict() != nullptr; }},
      {"number", [](Interpreter&, const Value& v, const Arguments&) { return v.isNumber(); }},
      {"integer", [](Interpreter&, const Value& v, const Arguments&) { return v.is<std::int64_t>(); }},
      {"float", [](Interpreter&, const Value& v, const Arguments&) { return v.is<double>(); }},
      {"boolean", [](Interpreter&, const Value& v, const Arguments&) { return v.is<bool>(); }},
      {"true", [](Interpreter&, const Value& v, const Arguments&) { return v.is<bool>() && *v.get<bool>(); }},
      {"false", [](Interpreter&, const Value& v, const Arguments&) { return v.is<bool>() && !*v.get<bool>(); }},
      {"callable", [](Interpreter&, const Value& v, const Arguments&) { return v.isCallable(); }},
      {"escaped", [](Interpreter&, const Value& v, const Arguments&) { return v.text() != nullptr && v.text()->markup; }},
      {"odd", [](Interpreter&, const Value& v, const Arguments&) { return integral(v, "odd") % 2 != 0; }},
      {"even", [](Interpreter&, const Value& v, const Arguments&) { return integral(v, "even") % 2 == 0; }},
      {"divisibleby",
       [](Interpreter&, const Value& v, const Arguments& a) {
         const std::int64_t by = integral(only(a, "divisibleby"), "divisibleby");
         if (by == 0) raise("integer modulo by zero");
         return by == -1 || integral(v, "divisibleby") % by == 0;
       }},
      {"filter",
       [](Interpreter&, const Value& v, const Arguments&) {
         return v.text() != nullptr && (findValueFilter(v.text()->bytes) != nullptr || findSequenceFilter(v.text()->bytes) != nullptr);
       }},
      {"test", [](Interpreter&, const Value& v, const Arguments&) { return v.text() != nullptr && findTest(v.text()->bytes) != nullptr; }},
      {"upper", [](Interpreter& in, const Value& v, const Arguments&) { return hasCase(v, true, in.meter()); }},
      {"lower", [](Interpreter& in, const Value& v, const Arguments&) { return hasCase(v, false, in.meter()); }},
      {"iterable", testIterable}, {"sequence", testSequence}, {"sameas", testSame}, {"in", testIn},
      {"eq", testEqual}, {"equalto", testEqual}, {"==", testEqual}, {"ne", testNotEqual}, {"!=", testNotEqual},
      {"lt", testLess}, {"lessthan", testLess}, {"<", testLess}, {"le", testLessEqual}, {"<=", testLessEqual},
      {"gt", testGreater}, {"greaterthan", testGreater}, {">", testGreater}, {"ge", testGreaterEqual}, {">=", testGreaterEqual},
  };
  return tests;
}

}  // namespace

TestFunction findTest(std::string_view name) {
  const auto found = table().find(name);
  return found == table().end() ? nullptr : found->second;
}

}  // namespace hearth::jinja
