#include "core/text/jinja/interpreter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "core/text/jinja/text_ops.h"

namespace hearth::jinja {

std::vector<std::optional<Value>> Arguments::bind(std::string_view function,
                                                  std::initializer_list<std::string_view> names) const {
  std::vector<std::optional<Value>> bound(names.size());
  if (positional.size() > names.size())
    raise(fmt::format("{}() takes at most {} arguments ({} given)", function, names.size(), positional.size()));
  std::copy(positional.begin(), positional.end(), bound.begin());
  for (const auto& [name, value] : keywords) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) raise(fmt::format("{}() got an unexpected keyword argument '{}'", function, name));
    std::optional<Value>& slot = bound[static_cast<std::size_t>(found - names.begin())];
    if (slot) raise(fmt::format("{}() got multiple values for argument '{}'", function, name));
    slot = value;
  }
  return bound;
}

std::int64_t integerOr(const std::optional<Value>& value, std::int64_t fallback, std::string_view name) {
  if (!value || value->is<None>()) return fallback;
  requireDefined(*value);
  if (!value->isIntegral()) raise(fmt::format("'{}' must be an integer, not {}", name, value->typeName()));
  return value->integer();
}

const Text* textOrNull(const std::optional<Value>& value, std::string_view name) {
  if (!value || value->is<None>()) return nullptr;
  requireDefined(*value);
  if (value->text() == nullptr) raise(fmt::format("'{}' must be a string, not {}", name, value->typeName()));
  return value->text();
}

/// A fresh innermost scope while it lives.
class Interpreter::ScopeGuard {
 public:
  ScopeGuard(Interpreter& interpreter, std::shared_ptr<Scope> parent)
      : m_interpreter(interpreter), m_saved(interpreter.m_scope) {
    m_interpreter.m_scope = std::make_shared<Scope>();
    m_interpreter.m_scope->parent = std::move(parent);
  }
  explicit ScopeGuard(Interpreter& interpreter) : ScopeGuard(interpreter, interpreter.m_scope) {}
  ~ScopeGuard() { m_interpreter.m_scope = std::move(m_saved); }
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;

 private:
  Interpreter& m_interpreter;
  std::shared_ptr<Scope> m_saved;
};

Interpreter::Interpreter(Meter& meter, std::map<std::string, Value, std::less<>> variables) : m_meter(meter) {
  auto globals = std::make_shared<Scope>();
  globals->variables = {{"range", Global::Range},
                        {"dict", Global::Dict},
                        {"namespace", Global::Namespace},
                        {"raise_exception", Global::RaiseException},
                        {"strftime_now", Global::StrftimeNow}};
  m_scope = std::make_shared<Scope>();
  m_scope->parent = std::move(globals);
  m_scope->variables = std::move(variables);
}

Text Interpreter::run(const Body& body) {
  TextBuilder out(m_meter);
  m_out = &out;
  execute(body);
  m_out = nullptr;
  return std::move(out).take();
}

Interpreter::Flow Interpreter::execute(const Body& body) {
  const DepthGuard guard(m_meter);
  for (const auto& stmt : body) {
    m_meter.charge(1);
    m_line = stmt->line;
    Flow flow = Flow::Normal;
    switch (stmt->kind) {
      case StmtKind::Data: m_out->append(*stmt->data); break;
      case StmtKind::Output: print(evaluate(*stmt->expression)); break;
      case StmtKind::If: flow = executeIf(*stmt); break;
      case StmtKind::For: flow = executeFor(*stmt); break;
      case StmtKind::Set: assign(stmt->target, evaluate(*stmt->expression)); break;
      case StmtKind::SetBlock: {
        Value text = capture(stmt->body, flow);
        assign(stmt->target, stmt->filter == nullptr ? text : evaluateFilter(*stmt->filter, &text));
        break;
      }
      case StmtKind::With: {
        std::vector<Value> values;  // all are evaluated in the outer scope
        for (const auto& assignment : stmt->assignments) values.push_back(evaluate(*assignment.second));
        const ScopeGuard scope(*this);
        for (std::size_t i = 0; i < values.size(); ++i) assign(stmt->assignments[i].first, values[i]);
        flow = execute(stmt->body);
        break;
      }
      case StmtKind::Macro:
        m_macros.push_back({stmt.get(), m_scope});
        m_scope->variables[stmt->name] = Value(static_cast<const Macro*>(&m_macros.back()));
        break;
      case StmtKind::CallBlock: {
        m_macros.push_back({stmt.get(), m_scope});
        const Value caller(static_cast<const Macro*>(&m_macros.back()));
        const Value callee = evaluate(*stmt->expression->items[0]);
        Arguments arguments = evaluateArguments(stmt->expression->arguments);
        arguments.keywords["caller"] = caller;
        print(call(callee, arguments));
        break;
      }
      case StmtKind::FilterBlock: {
        const Value text = capture(stmt->body, flow);
        print(evaluateFilter(*stmt->filter, &text));
        break;
      }
      case StmtKind::Scope: flow = executeScoped(stmt->body); break;
      case StmtKind::Break: return Flow::Break;
      case StmtKind::Continue: return Flow::Continue;
    }
    if (flow != Flow::Normal) return flow;
  }
  return Flow::Normal;
}

Interpreter::Flow Interpreter::executeIf(const Stmt& stmt) {
  for (const Branch& branch : stmt.branches) {
    if (evaluate(*branch.condition).truthy()) return execute(branch.body);
  }
  return execute(stmt.otherwise);
}

Interpreter::Flow Interpreter::executeScoped(const Body& body) {
  const ScopeGuard scope(*this);
  return execute(body);
}

Interpreter::Flow Interpreter::executeFor(const Stmt& stmt) {
  ListPtr items = iterate(evaluate(*stmt.expression), m_meter);
  if (stmt.condition != nullptr) {
    std::vector<Value> kept;
    for (const Value& value : items->items) {
      const ScopeGuard scope(*this);
      assign(stmt.target, value);
      if (evaluate(*stmt.condition).truthy()) kept.push_back(value);
    }
    items = *makeList(std::move(kept), m_meter).get<ListPtr>();
  }
  if (items->items.empty()) return executeScoped(stmt.otherwise);

  auto loop = std::make_shared<LoopState>();
  loop->items = items;
  for (std::size_t i = 0; i < items->items.size(); ++i) {
    m_meter.charge(1);
    loop->index = i;
    const ScopeGuard scope(*this);
    m_scope->variables.emplace("loop", Value(LoopPtr(loop)));
    assign(stmt.target, items->items[i]);
    if (execute(stmt.body) == Flow::Break) break;
  }
  return Flow::Normal;
}

void Interpreter::assign(const Target& target, const Value& value) {
  m_meter.charge(1);
  if (!target.items.empty()) {
    const ListPtr parts = iterate(value, m_meter);
    if (parts->items.size() != target.items.size())
      raise(fmt::format("cannot unpack {} values into {} names", parts->items.size(), target.items.size()));
    for (std::size_t i = 0; i < target.items.size(); ++i) assign(target.items[i], parts->items[i]);
    return;
  }
  if (target.attribute.empty()) {
    m_scope->variables[target.name] = value;
    return;
  }
  const Value object = evaluateName(target.name);
  if (!object.is<Namespace*>()) raise("cannot assign attribute on non-namespace object");
  if (target.attribute.starts_with('_')) raise("a namespace's attributes may not begin with an underscore");
  (*object.get<Namespace*>())->attributes[target.attribute] = value;
}

TextPtr Interpreter::capture(const Body& body, Flow& flow) {
  TextBuilder inner(m_meter);
  TextBuilder* const outer = std::exchange(m_out, &inner);
  flow = executeScoped(body);
  m_out = outer;
  return std::move(inner).finish();
}

void Interpreter::print(const Value& value) { m_out->append(*toText(value, m_meter)); }

Value Interpreter::filter(std::string_view name, const Value& subject, const Arguments& arguments) {
  m_meter.charge(1);
  FilterFunction function = findValueFilter(name);
  if (function == nullptr) function = findSequenceFilter(name);
  if (function == nullptr) raise(fmt::format("No filter named '{}'.", name));
  return function(*this, subject, arguments);
}

bool Interpreter::test(std::string_view name, const Value& subject, const Arguments& arguments) {
  m_meter.charge(1);
  const TestFunction function = findTest(name);
  if (function == nullptr) raise(fmt::format("No test named '{}'.", name));
  return function(*this, subject, arguments);
}

Value Interpreter::call(const Value& callee, const Arguments& arguments) {
  m_meter.charge(1);
  const DepthGuard guard(m_meter);
  requireDefined(callee);
  if (const BoundPtr* bound = callee.get<BoundPtr>()) return callMethod(*this, **bound, arguments);
  if (const Macro* const* macro = callee.get<const Macro*>()) return callMacro(**macro, arguments);
  if (const Global* global = callee.get<Global>()) return callGlobal(*global, arguments);
  raise(fmt::format("'{}' object is not callable", callee.typeName()));
}

Value Interpreter::callMacro(const Macro& macro, const Arguments& arguments) {
  const Stmt& definition = *macro.definition;
  const std::string_view name = definition.name.empty() ? "caller" : std::string_view(definition.name);
  const int line = m_line;
  const ScopeGuard scope(*this, macro.scope);
  auto& variables = m_scope->variables;
  for (std::size_t i = 0; i < definition.parameters.size(); ++i) {
    const Parameter& parameter = definition.parameters[i];
    const auto keyword = arguments.keywords.find(parameter.name);
    if (i < arguments.positional.size()) {
      if (keyword != arguments.keywords.end()) raise(fmt::format("macro '{}' got multiple values for argument '{}'", name, parameter.name));
      variables[parameter.name] = arguments.positional[i];
    } else if (keyword != arguments.keywords.end()) {
      variables[parameter.name] = keyword->second;
    } else if (parameter.fallback != nullptr) {
      variables[parameter.name] = evaluate(*parameter.fallback);
    } else {
      variables[parameter.name] = makeUndefined(fmt::format("parameter '{}' was not provided", parameter.name));
    }
  }
  if (arguments.positional.size() > definition.parameters.size()) {
    if (!definition.takesVarargs)
      raise(fmt::format("macro '{}' takes not more than {} argument(s)", name, definition.parameters.size()));
    const auto rest = arguments.positional.begin() + static_cast<std::ptrdiff_t>(definition.parameters.size());
    variables["varargs"] = makeList({rest, arguments.positional.end()}, m_meter, ListKind::Tuple);
  } else if (definition.takesVarargs) {
    variables["varargs"] = makeList({}, m_meter, ListKind::Tuple);
  }
  if (definition.takesCaller) variables["caller"] = makeUndefined("no caller defined");
  Dict others;
  for (const auto& [keyword, value] : arguments.keywords) {
    const bool known = std::any_of(definition.parameters.begin(), definition.parameters.end(),
                                   [&](const Parameter& parameter) { return parameter.name == keyword; });
    if (known) continue;
    if (keyword == "caller" && definition.takesCaller) {
      variables["caller"] = value;
    } else if (keyword == "caller" && !definition.takesKwargs) {
      raise(fmt::format("macro '{}' has no use for a call block: it never names caller", name));
    } else if (definition.takesKwargs) {
      others.set(makeText(keyword), value, m_meter);
    } else {
      raise(fmt::format("macro '{}' takes no keyword argument '{}'", name, keyword));
    }
  }
  if (definition.takesKwargs) variables["kwargs"] = makeDict(std::move(others), m_meter);

  TextBuilder inner(m_meter);
  TextBuilder* const outer = std::exchange(m_out, &inner);
  execute(definition.body);
  m_out = outer;
  m_line = line;
  return std::move(inner).finish();
}

Value Interpreter::callGlobal(Global global, const Arguments& arguments) {
  switch (global) {
    case Global::Range: return range(arguments);
    case Global::Dict: return makeDictionary(arguments);
    case Global::Namespace: return makeNamespace(arguments);
    case Global::RaiseException: {
      const auto bound = arguments.bind("raise_exception", {"message"});
      raise(bound[0] ? toText(*bound[0], m_meter)->bytes : std::string("the template raised an exception"));
    }
    case Global::StrftimeNow: {
      const auto bound = arguments.bind("strftime_now", {"format"});
      const Text* format = textOrNull(bound[0], "format");
      if (format == nullptr) raise("strftime_now() wants a format");
      if (format->bytes.size() > 256) raise("strftime_now()'s format is too long");
      const std::time_t now = std::time(nullptr);
      std::tm local{};
      localtime_r(&now, &local);
      std::array<char, 4096> buffer{};
      const std::string terminated = format->bytes + " ";  // so that an empty result is not mistaken for an overflow
      const std::size_t size = std::strftime(buffer.data(), buffer.size(), terminated.c_str(), &local);
      if (size == 0) raise("strftime_now()'s result is too long");
      return makeText(std::string(buffer.data(), size - 1), !format->input.empty());
    }
  }
  return {};
}

Value Interpreter::makeNamespace(const Arguments& arguments) {
  const Value initial = makeDictionary(arguments);
  Namespace& space = m_namespaces.emplace_back();
  for (const auto& [key, value] : initial.dict()->entries) {
    if (key.text() == nullptr) raise("a namespace's attributes are named by strings");
    if (key.text()->bytes.starts_with('_')) raise("a namespace's attributes may not begin with an underscore");
    space.attributes[key.text()->bytes] = value;
  }
  return &space;
}

Value Interpreter::makeDictionary(const Arguments& arguments) {
  if (arguments.positional.size() > 1) raise("dict expected at most 1 argument");
  Dict dict;
  if (!arguments.positional.empty()) {
    const Value& from = arguments.positional[0];
    if (const Dict* other = from.dict()) {
      for (const auto& [key, value] : other->entries) dict.set(key, value, m_meter);
    } else {
      for (const Value& pair : each(from, m_meter)) {
        const ListPtr parts = iterate(pair, m_meter);
        if (parts->items.size() != 2) raise("dictionary update sequence element is not a pair");
        dict.set(parts->items[0], parts->items[1], m_meter);
      }
    }
  }
  for (const auto& [key, value] : arguments.keywords) dict.set(makeText(key), value, m_meter);
  return makeDict(std::move(dict), m_meter);
}

Value Interpreter::range(const Arguments& arguments) {
  constexpr std::uint64_t kMaxRange = 100'000;  // the sandbox's own limit
  const auto bound = arguments.bind("range", {"start", "stop", "step"});
  if (!bound[0]) raise("range expected at least 1 argument, got 0");
  const std::int64_t begin = bound[1] ? integerOr(bound[0], 0, "start") : 0;
  const std::int64_t end = integerOr(bound[1] ? bound[1] : bound[0], 0, "stop");
  const std::int64_t step = integerOr(bound[2], 1, "step");
  if (step == 0) raise("range() arg 3 must not be zero");
  std::vector<Value> items;
  if (step > 0 ? begin < end : begin > end) {
    const std::uint64_t span = step > 0 ? static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(begin)
                                        : static_cast<std::uint64_t>(begin) - static_cast<std::uint64_t>(end);
    const std::uint64_t stride = step > 0 ? static_cast<std::uint64_t>(step) : ~static_cast<std::uint64_t>(step) + 1;
    const std::uint64_t count = (span - 1) / stride + 1;
    if (count > kMaxRange) raise(fmt::format("range too big: the sandbox allows {} items", kMaxRange));
    items.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i)
      items.emplace_back(static_cast<std::int64_t>(static_cast<std::uint64_t>(begin) + i * static_cast<std::uint64_t>(step)));
  }
  return makeList(std::move(items), m_meter, ListKind::Range);
}

}  // namespace hearth::jinja
