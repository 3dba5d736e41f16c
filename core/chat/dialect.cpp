#include "core/chat/dialect.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "core/chat/json_input.h"
#include "core/text/grammar/grammar.h"

namespace hearth::chat {

namespace json = boost::json;

output::Dialect dialectOf(const LoadedModel& model) {
  const Tokenizer& tokenizer = model.engine->tokenizer();
  return output::dialectFor({model.templateSource, [&](std::string_view text) { return tokenizer.find(text) >= 0; }});
}

std::vector<std::string> toolNames(const ChatRequest& request) {
  std::vector<std::string> names;
  const auto tools = parseTools(request.toolsJson);
  if (!tools || !tools->is_array() || request.toolChoice.kind == ToolChoice::Kind::None) return names;
  for (const json::value& tool : tools->get_array()) {
    const json::object* object = tool.if_object();
    if (object == nullptr) continue;
    if (const json::value* function = object->if_contains("function"); function != nullptr && function->is_object()) {
      object = &function->get_object();
    }
    const json::value* name = object->if_contains("name");
    if (name != nullptr && name->is_string()) names.emplace_back(name->get_string());
  }
  return names;
}

std::vector<std::string> reasoningEnd(const LoadedModel& model, const ChatRequest& request, const std::string& prompt) {
  if (request.messages.empty() || !model.chatTemplate) return {};
  const output::Dialect dialect = dialectOf(model);
  if (dialect.reasoning == nullptr || !dialect.beginsReasoning(prompt)) return {};
  const Tokenizer& tokenizer = model.engine->tokenizer();
  std::vector<std::string> ends{std::string(dialect.reasoning->close)};
  if (tokenizer.isControl(tokenizer.find(ends[0]))) ends.push_back(GrammarBuilder::control(ends[0]));
  return ends;
}

ReplyReading readingOf(const LoadedModel& model, const ChatRequest& request, const std::string& prompt) {
  if (request.messages.empty() || !model.chatTemplate) return {};
  const output::Dialect dialect = dialectOf(model);
  output::OutputOptions options;
  // An answer in a shape of its own may look like a call; it is the answer all the same.
  if (request.shape.kind == OutputShape::Kind::Any) options.tools = toolNames(request);
  if (options.tools.empty() && !dialect.reasons()) return {};
  options.oneCall = !request.parallelToolCalls;
  options.reasoningBegun = dialect.beginsReasoning(prompt);
  ReplyReading reading;
  const Tokenizer& tokenizer = model.engine->tokenizer();
  for (const std::string_view text : dialect.tokens(!options.tools.empty())) {
    const TokenId token = tokenizer.find(text);
    if (token >= 0 && tokenizer.isControl(token)) reading.shownTokens.push_back(token);
  }
  reading.parser = output::OutputParser::create(dialect, std::move(options));
  return reading;
}

}  // namespace hearth::chat
