#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/text/jinja/value.h"

namespace hearth::jinja {

struct Expr;
using ExprPtr = std::unique_ptr<const Expr>;

enum class ExprKind : std::uint8_t {
  Constant,   ///< value
  Name,       ///< name
  List,       ///< items
  Tuple,      ///< items
  Dict,       ///< items: key, value, key, value …
  Attribute,  ///< items[0].name
  Item,       ///< items[0][items[1]]
  Slice,      ///< items[0][items[1]:items[2]:items[3]]; absent parts are null
  Call,       ///< items[0](arguments)
  Filter,     ///< items[0] | name(arguments); items[0] is null at the head of a filter block
  Test,       ///< items[0] is name(arguments), `negated` for "is not"
  Negate, Plus, Not,  ///< items[0]
  Chain,      ///< items[0] op[0] items[1] op[1] …, left to right: + - * / // % **
  Concat,     ///< items joined as text: ~
  Compare,    ///< items[0] op[0] items[1] …, as Python chains them
  And, Or,    ///< items, any number
  Condition,  ///< items[1] if items[0] else items[2] (may be null)
};

struct Argument {
  enum class Kind : std::uint8_t { Positional, Keyword, Spread, SpreadKeywords };
  Kind kind = Kind::Positional;
  std::string name;
  ExprPtr value;
};

struct Expr {
  ExprKind kind = ExprKind::Constant;
  int line = 0;
  bool negated = false;
  std::string name{};
  Value value{};
  std::vector<ExprPtr> items{};
  std::vector<std::string> operators{};
  std::vector<Argument> arguments{};
};

struct Stmt;
using Body = std::vector<std::unique_ptr<const Stmt>>;

/// What a `set`, `for` or `with` writes to: a name, namespace.attribute, or a tuple of them.
struct Target {
  std::string name;
  std::string attribute;      ///< not empty: name.attribute
  std::vector<Target> items;  ///< not empty: unpack
};

struct Parameter {
  std::string name;
  ExprPtr fallback;  ///< null = required
};

enum class StmtKind : std::uint8_t {
  Data,         ///< data
  Output,       ///< expression
  If,           ///< branches, otherwise
  For,          ///< target, expression, condition (may be null), body, otherwise
  Set,          ///< target, expression
  SetBlock,     ///< target, filter (may be null), body
  With,         ///< targets with values in branches-like lists, body
  Macro,        ///< name, parameters, body
  CallBlock,    ///< expression (a Call), parameters, body
  FilterBlock,  ///< filter, body
  Scope,        ///< body in its own scope ({% generation %})
  Break, Continue,
};

struct Branch {
  ExprPtr condition;
  Body body;
};

struct Stmt {
  StmtKind kind = StmtKind::Data;
  int line = 0;
  TextPtr data{};
  std::string name{};
  Target target{};
  ExprPtr expression{};
  ExprPtr condition{};
  ExprPtr filter{};
  std::vector<Branch> branches{};
  std::vector<std::pair<Target, ExprPtr>> assignments{};
  std::vector<Parameter> parameters{};
  bool takesVarargs = false;  ///< a macro's body names varargs, kwargs, caller: only then may they be passed
  bool takesKwargs = false;
  bool takesCaller = false;
  Body body{};
  Body otherwise{};
};

}  // namespace hearth::jinja
