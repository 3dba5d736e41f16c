#include "core/text/jinja/parser.h"

#include "core/text/jinja/parser_base.h"

namespace hearth::jinja {
namespace {

using StmtPtr = std::unique_ptr<Stmt>;

class TemplateParser : public ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  Body run() {
    Body body = parseBody({});
    if (!is(TokenKind::End)) fail(fmt::format("unexpected '{}'", describe()));
    return body;
  }

 private:
  static StmtPtr make(StmtKind kind, int line) {
    auto stmt = std::make_unique<Stmt>();
    stmt->kind = kind;
    stmt->line = line;
    return stmt;
  }

  // Statements up to a block that begins with one of `ends`, whose name becomes the current token; all to the end when
  // `ends` is empty.
  Body parseBody(std::initializer_list<std::string_view> ends) {
    const Level level(*this);
    const int opened = current().line;
    Body body;
    for (;;) {
      if (is(TokenKind::Data)) {
        auto stmt = make(StmtKind::Data, current().line);
        auto data = std::make_shared<Text>();
        data->bytes = next().text;
        stmt->data = std::move(data);
        body.push_back(std::move(stmt));
      } else if (is(TokenKind::VariableBegin)) {
        auto stmt = make(StmtKind::Output, current().line);
        next();
        stmt->expression = parseTuple();
        expect(TokenKind::VariableEnd, "end of print statement");
        body.push_back(std::move(stmt));
      } else if (is(TokenKind::BlockBegin)) {
        next();
        if (!is(TokenKind::Name)) fail("tag name expected");
        if (std::find(ends.begin(), ends.end(), current().text) != ends.end()) return body;
        body.push_back(parseStatement());
        expect(TokenKind::BlockEnd, "end of statement block");
      } else {
        if (ends.size() == 0) return body;
        throw Failure{fmt::format("Unexpected end of template: the block opened at line {} wants '{}'", opened, *(ends.end() - 1)),
                      current().line};
      }
    }
  }

  void closeHead() { expect(TokenKind::BlockEnd, "end of statement block"); }

  Body parseBlock(std::string_view end) {
    closeHead();
    Body body = parseBody({end});
    next();
    return body;
  }

  StmtPtr parseStatement() {
    const int line = current().line;
    const std::string tag = next().text;
    if (tag == "if") return parseIf(line);
    if (tag == "for") return parseFor(line);
    if (tag == "set") return parseSet(line);
    if (tag == "macro") return parseMacro(line);
    if (tag == "call") return parseCallBlock(line);
    if (tag == "with") return parseWith(line);
    if (tag == "print") {
      auto stmt = make(StmtKind::Output, line);
      stmt->expression = parseTuple();
      return stmt;
    }
    if (tag == "filter") {
      auto stmt = make(StmtKind::FilterBlock, line);
      stmt->filter = parseFilters(nullptr);
      stmt->body = parseBlock("endfilter");
      return stmt;
    }
    if (tag == "generation") {  // Hugging Face's marker of the assistant's text; it prints its body
      auto stmt = make(StmtKind::Scope, line);
      stmt->body = parseBlock("endgeneration");
      return stmt;
    }
    if (tag == "break" || tag == "continue") {
      if (m_loops == 0) fail(fmt::format("'{}' outside a loop", tag));
      return make(tag == "break" ? StmtKind::Break : StmtKind::Continue, line);
    }
    throw Failure{fmt::format("Encountered unknown tag '{}'", tag.substr(0, 60)), line};
  }

  StmtPtr parseIf(int line) {
    auto stmt = make(StmtKind::If, line);
    for (;;) {
      Branch branch;
      branch.condition = parseTuple(false);
      closeHead();
      branch.body = parseBody({"elif", "else", "endif"});
      stmt->branches.push_back(std::move(branch));
      const bool again = isName("elif");
      const bool otherwise = isName("else");
      next();
      if (again) continue;
      if (otherwise) {
        closeHead();
        stmt->otherwise = parseBody({"endif"});
        next();
      }
      return stmt;
    }
  }

  StmtPtr parseFor(int line) {
    auto stmt = make(StmtKind::For, line);
    stmt->target = parseTarget(false);
    if (!skipName("in")) fail(fmt::format("expected 'in', got '{}'", describe()));
    stmt->expression = parseTuple(false);
    if (skipName("if")) stmt->condition = parseExpression();
    if (isName("recursive")) fail("recursive loops are not supported");
    closeHead();
    ++m_loops;
    stmt->body = parseBody({"else", "endfor"});
    --m_loops;
    const bool otherwise = isName("else");
    next();
    if (otherwise) {
      closeHead();
      stmt->otherwise = parseBody({"endfor"});
      next();
    }
    return stmt;
  }

  Target parseOneTarget(bool withNamespace) {
    Target target;
    if (skipOperator("(")) {
      target = parseTarget(withNamespace);
      expectOperator(")");
      return target;
    }
    target.name = expectIdentifier();
    for (const std::string_view reserved : {"true", "false", "none", "True", "False", "None"}) {
      if (target.name == reserved) fail(fmt::format("can't assign to '{}'", target.name));
    }
    if (withNamespace && skipOperator(".")) target.attribute = expectIdentifier();
    return target;
  }

  Target parseTarget(bool withNamespace) {
    const Level level(*this);
    Target first = parseOneTarget(withNamespace);
    if (!isOperator(",")) return first;
    Target tuple;
    tuple.items.push_back(std::move(first));
    while (skipOperator(",")) {
      if (isName("in") || isOperator("=") || isOperator(")")) break;
      tuple.items.push_back(parseOneTarget(withNamespace));
    }
    return tuple;
  }

  StmtPtr parseSet(int line) {
    auto stmt = make(StmtKind::Set, line);
    stmt->target = parseTarget(true);
    if (skipOperator("=")) {
      stmt->expression = parseTuple();
      return stmt;
    }
    stmt->kind = StmtKind::SetBlock;
    if (skipOperator("|")) stmt->filter = parseFilters(nullptr);
    stmt->body = parseBlock("endset");
    return stmt;
  }

  StmtPtr parseWith(int line) {
    auto stmt = make(StmtKind::With, line);
    while (!is(TokenKind::BlockEnd)) {
      if (!stmt->assignments.empty()) expectOperator(",");
      Target target = parseOneTarget(false);
      expectOperator("=");
      stmt->assignments.emplace_back(std::move(target), parseExpression());
    }
    stmt->body = parseBlock("endwith");
    return stmt;
  }

  std::vector<Parameter> parseParameters() {
    std::vector<Parameter> parameters;
    expectOperator("(");
    while (!isOperator(")")) {
      if (!parameters.empty()) expectOperator(",");
      Parameter parameter;
      parameter.name = expectIdentifier();
      if (skipOperator("=")) {
        parameter.fallback = parseExpression();
      } else if (!parameters.empty() && parameters.back().fallback != nullptr) {
        fail("non-default argument follows default argument");
      }
      parameters.push_back(std::move(parameter));
    }
    expectOperator(")");
    return parameters;
  }

  void parseMacroBody(Stmt& stmt, std::string_view end) {
    const std::size_t loops = std::exchange(m_loops, 0);
    const Specials outer = std::exchange(m_specials, {});
    stmt.body = parseBlock(end);
    stmt.takesVarargs = m_specials.varargs;
    stmt.takesKwargs = m_specials.kwargs;
    stmt.takesCaller = m_specials.caller;
    m_specials = outer;
    m_loops = loops;
  }

  StmtPtr parseMacro(int line) {
    auto stmt = make(StmtKind::Macro, line);
    stmt->name = expectIdentifier();
    stmt->parameters = parseParameters();
    parseMacroBody(*stmt, "endmacro");
    return stmt;
  }

  StmtPtr parseCallBlock(int line) {
    auto stmt = make(StmtKind::CallBlock, line);
    if (isOperator("(")) stmt->parameters = parseParameters();
    stmt->expression = parseExpression();
    if (stmt->expression->kind != ExprKind::Call) fail("expected call");
    parseMacroBody(*stmt, "endcall");
    return stmt;
  }

  std::size_t m_loops = 0;
};

}  // namespace

Body parseTemplate(std::string_view source) {
  if (source.size() > kMaxSourceBytes) raise(fmt::format("the template has {} bytes, more than {}", source.size(), kMaxSourceBytes));
  return TemplateParser(tokenize(source)).run();
}

}  // namespace hearth::jinja
