#include "core/chat/call_grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <span>
#include <vector>

#include "core/chat/json_input.h"

namespace hearth::chat {
namespace {

namespace json = boost::json;
using Part = GrammarBuilder::Part;

struct Tool {
  std::string name, schema, path;
  bool strict = false;
};

std::vector<Tool> toolsOf(const json::value& given) {
  std::vector<Tool> tools;
  if (!given.is_array()) return tools;
  for (std::size_t i = 0; i < given.get_array().size(); ++i) {
    const json::object* object = given.get_array()[i].if_object();
    if (object == nullptr) continue;
    Tool tool;
    tool.path = fmt::format("tools[{}].parameters", i);
    if (const json::value* function = object->if_contains("function"); function != nullptr && function->is_object()) {
      object = &function->get_object();
      tool.path = fmt::format("tools[{}].function.parameters", i);
    }
    const json::value* name = object->if_contains("name");
    if (name == nullptr || !name->is_string()) continue;
    tool.name = name->get_string();
    if (const json::value* schema = object->if_contains("parameters"); schema != nullptr && schema->is_object()) {
      tool.schema = json::serialize(*schema);
    }
    const json::value* strict = object->if_contains("strict");
    tool.strict = strict != nullptr && strict->is_bool() && strict->get_bool();
    tools.push_back(std::move(tool));
  }
  return tools;
}

class CallGrammar {
 public:
  CallGrammar(const Tokenizer& tokenizer, const output::Dialect& dialect) : m_tokenizer(tokenizer), m_dialect(dialect) {}

  Result<GrammarPtr> demanded(std::span<const Tool> tools, bool several, bool reasoningBegun, bool mayReason) {
    const auto& written = m_dialect.written();
    HEARTH_TRY(const Part call, anyCall(tools, true));
    std::vector<Part> parts{literal(written.begin), call};
    if (several && !m_dialect.harmony)
      parts.push_back(m_builder.repeat(m_builder.sequence({literal(written.between), call}), 0));
    parts.push_back(literal(written.end));
    return m_builder.build(m_builder.sequence({reasoning(reasoningBegun, mayReason), m_builder.sequence(parts)}), "tools");
  }

  // Free text, but what follows the mark of a call is a call.
  Result<GrammarPtr> offered(std::span<const Tool> tools, bool reasoningBegun) {
    const auto& written = m_dialect.written();
    HEARTH_TRY(const Part call, anyCall(tools, false));
    std::vector<Part> body{call};
    const std::string trigger = marked(written.begin.empty() ? m_dialect.calls->marks.front().open : written.begin);
    if (!written.begin.empty()) {
      body.push_back(m_builder.repeat(m_builder.sequence({literal(written.between), call}), 0));
      body.push_back(literal(written.end));
    }
    const Part answer = m_builder.tagged({{trigger, m_builder.sequence(body)}});
    return m_builder.build(m_builder.sequence({reasoning(reasoningBegun, true), answer}), "tools");
  }

 private:
  // Marks that are control tokens stand for these tokens alone.
  std::string marked(std::string_view text) const {
    std::string out(text);
    for (const std::string_view mark : m_dialect.tokens(true)) {
      const TokenId token = m_tokenizer.find(mark);
      if (token < 0 || !m_tokenizer.isControl(token)) continue;
      const std::string control = GrammarBuilder::control(mark);
      for (std::size_t at = 0; (at = out.find(mark, at)) != std::string::npos; at += control.size())
        out.replace(at, mark.size(), control);
    }
    return out;
  }
  Part literal(std::string_view text) { return m_builder.literal(marked(text)); }

  Result<Part> arguments(const Tool& tool) {
    if (tool.schema.empty()) return m_builder.jsonObject();
    if (!tool.strict) {
      // What a grammar cannot hold in a schema that need not be held leaves the arguments any object.
      GrammarBuilder trial;
      const auto part = trial.jsonSchema(tool.schema, tool.path);
      if (!part || !trial.build(*part, tool.path)) return m_builder.jsonObject();
    }
    return m_builder.jsonSchema(tool.schema, tool.path);
  }

  // `whole`: with the mark that begins a call; else what follows it.
  Result<Part> anyCall(std::span<const Tool> tools, bool whole) {
    const auto& written = m_dialect.written();
    std::string_view begin = written.callBegin;
    if (!whole && written.begin.empty()) begin.remove_prefix(m_dialect.calls->marks.front().open.size());
    std::vector<Part> calls;
    for (const Tool& tool : tools) {
      HEARTH_TRY(const Part given, whole || tool.strict ? arguments(tool) : Result<Part>(m_builder.jsonObject()));
      calls.push_back(m_builder.sequence(
          {literal(std::string(begin) + tool.name + std::string(written.nameEnd)), given, literal(written.callEnd)}));
    }
    return m_builder.shared("call", m_builder.choice(calls));
  }

  Part reasoning(bool begun, bool allowed) {
    const Part nothing = m_builder.literal("");
    if (m_dialect.harmony) {
      if (!allowed) return nothing;
      return m_builder.optional(
          m_builder.sequence({literal("<|channel|>analysis<|message|>"), m_builder.textUntil({marked("<|end|>")}),
                              literal("<|start|>assistant")}));
    }
    if (m_dialect.reasoning == nullptr) return nothing;
    const Part rest = m_builder.sequence(
        {m_builder.textUntil({marked(m_dialect.reasoning->close)}), m_builder.repeat(m_builder.bytes(" \n"), 0, 4)});
    if (begun) return rest;
    return allowed ? m_builder.optional(m_builder.sequence({literal(m_dialect.reasoning->open), rest})) : nothing;
  }

  const Tokenizer& m_tokenizer;
  const output::Dialect& m_dialect;
  GrammarBuilder m_builder;
};

}  // namespace

Result<GrammarPtr> callGrammar(const Tokenizer& tokenizer, const output::Dialect& dialect, const ChatRequest& request,
                               const std::string& prompt) {
  using Kind = ToolChoice::Kind;
  const Kind kind = request.toolChoice.kind;
  if (kind == Kind::None || request.toolsJson.empty()) return GrammarPtr();
  HEARTH_TRY(const json::value given, parseTools(request.toolsJson));
  std::vector<Tool> tools = toolsOf(given);
  if (kind == Kind::Named) std::erase_if(tools, [&](const Tool& tool) { return tool.name != request.toolChoice.name; });
  CallGrammar grammar(tokenizer, dialect);
  const bool begun = dialect.beginsReasoning(prompt);
  if (kind != Kind::Auto) return grammar.demanded(tools, request.parallelToolCalls, begun, request.think.value_or(true));
  const bool strict = std::ranges::any_of(tools, &Tool::strict);
  if (!strict || dialect.harmony || !dialect.marksCalls()) return GrammarPtr();
  return grammar.offered(tools, begun);
}

}  // namespace hearth::chat
