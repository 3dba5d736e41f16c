#include "core/chat/prompt.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "core/chat/dialect.h"
#include "core/chat/history.h"
#include "core/chat/json_input.h"
#include "core/chat/plain_format.h"
#include "core/chat/tool_prompt.h"

namespace hearth::chat {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostStops = 16;

std::unexpected<Error> invalid(std::string message, std::string field) {
  return fail(ErrorCode::InvalidArgument, std::move(message), {{"field", std::move(field)}});
}

// Error: InvalidArgument, `think` (the model cannot).
Result<void> setThinking(const ChatRequest& request, const output::Dialect& dialect, json::object& context) {
  if (!request.think) return {};
  if (*request.think && !dialect.reasons()) return invalid("this model does not reason", "think");
  // Templates know it by one name or the other.
  context["enable_thinking"] = *request.think;
  context["thinking"] = *request.think;
  // Harmony cannot do without; it can be brief.
  if (dialect.harmony && !*request.think && !context.contains("reasoning_effort")) context["reasoning_effort"] = "low";
  return {};
}

Result<json::object> templateContext(const LoadedModel& model, const ChatRequest& request, const output::Dialect& dialect) {
  HEARTH_TRY(json::object context, parseObject(request.templateVariablesJson, "chat_template_kwargs"));
  // The template trusts what is named so: only the tokenizer may set it.
  std::vector<std::string> reserved;
  for (const auto& member : context) {
    if (std::string_view(member.key()).ends_with("_token")) reserved.emplace_back(member.key());
  }
  for (const std::string& key : reserved) context.erase(key);
  HEARTH_CHECK(setThinking(request, dialect, context));

  const Tokenizer& tokenizer = model.engine->tokenizer();
  const auto tokenText = [&](TokenId token) { return token >= 0 ? std::string(tokenizer.bytes(token, true)) : std::string(); };
  context["tools"] = nullptr;
  // A model that must not call sees no tools.
  if (request.toolChoice.kind != ToolChoice::Kind::None) {
    HEARTH_TRY(context["tools"], parseTools(request.toolsJson));
  }
  if (!context.contains("documents")) context["documents"] = nullptr;
  if (!context.contains("add_generation_prompt")) context["add_generation_prompt"] = true;
  context["bos_token"] = tokenText(tokenizer.bos());
  context["eos_token"] = tokenText(tokenizer.eos());
  return context;
}

bool hasToolTurns(const ChatRequest& request) {
  return std::ranges::any_of(request.messages, [](const ChatMessage& message) { return message.role == Role::Tool; });
}

// Templates differ in what they take as the arguments of earlier calls: what fails one way is tried the others.
Result<RenderedPrompt> renderMessages(const LoadedModel& model, const ChatRequest& request, const output::Dialect& dialect) {
  HEARTH_TRY(json::object context, templateContext(model, request, dialect));
  const bool describes = (context.at("tools").is_array() || hasToolTurns(request)) && !templateShowsTools(model.templateSource);
  std::optional<Error> first;
  std::vector<ArgumentsAs> ways{describes ? ArgumentsAs::Value : argumentsFor(model.templateSource)};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    HEARTH_TRY(json::array messages, templateMessages(request.messages, ways[i], dialect.calls->idLength));
    const bool calls = hasCalls(messages);
    if (describes) describeTools(messages, context.at("tools"), model.templateSource);
    context["messages"] = std::move(messages);
    auto prompt = model.chatTemplate->render(context);
    if (prompt) return prompt;
    if (!first) first = std::move(prompt).error();
    if (!calls) break;
    if (i > 0) continue;
    for (const ArgumentsAs other : {ArgumentsAs::Value, ArgumentsAs::Text, ArgumentsAs::Object}) {
      if (other != ways.front()) ways.push_back(other);
    }
  }
  return fail(std::move(*first));
}

// A model whose template cannot be told not to reason gets an empty block to go on from.
void forbidThinking(const LoadedModel& model, const ChatRequest& request, const output::Dialect& dialect, std::string& prompt) {
  if (request.think.value_or(true) || dialect.reasoning == nullptr || !dialect.reasoning->prefills) return;
  const bool begun = dialect.beginsReasoning(prompt);
  const bool switched = model.templateSource.find("enable_thinking") != std::string::npos;
  if (begun) {
    prompt += fmt::format("\n{}\n\n", dialect.reasoning->close);
  } else if (!switched) {
    prompt += fmt::format("{}\n\n{}\n\n", dialect.reasoning->open, dialect.reasoning->close);
  }
}

Result<ChatService::RenderedChat> renderTemplate(const LoadedModel& model, const ChatRequest& request) {
  const output::Dialect dialect = dialectOf(model);
  HEARTH_TRY(RenderedPrompt prompt, renderMessages(model, request, dialect));
  forbidThinking(model, request, dialect, prompt.text);
  const Tokenizer& tokenizer = model.engine->tokenizer();
  EncodeOptions options;
  options.plain = prompt.input;
  options.addSpecial = false;
  if (tokenizer.addsBos() && tokenizer.bos() >= 0) {
    const std::string_view bos = tokenizer.bytes(tokenizer.bos(), true);
    const bool typed = !prompt.input.empty() && prompt.input.front().begin < bos.size();  // someone wrote it, not the template
    options.addSpecial = bos.empty() || !prompt.text.starts_with(bos) || typed;
  }
  ChatService::RenderedChat rendered;
  rendered.tokens = tokenizer.encode(prompt.text, options);
  rendered.text = std::move(prompt.text);
  return rendered;
}

}  // namespace

namespace {
/// A prompt that is continued as it stands: control tokens that its text names count, for it is all the caller's own.
Result<ChatService::RenderedChat> continuePrompt(const LoadedModel& model, const ChatRequest& request) {
  const Tokenizer& tokenizer = model.engine->tokenizer();
  ChatService::RenderedChat rendered;
  if (request.promptTokens) {
    for (const TokenId token : *request.promptTokens) {
      if (token < 0 || token >= tokenizer.vocabularySize()) {
        return fail(ErrorCode::InvalidArgument, "a token of the prompt is not in the vocabulary",
                    {{"field", "prompt"}, {"token", std::to_string(token)}, {"vocabulary", std::to_string(tokenizer.vocabularySize())}});
      }
    }
    rendered.tokens = *request.promptTokens;
    return rendered;
  }
  try {
    EncodeOptions options;
    options.parseSpecial = true;
    options.addSpecial = tokenizer.addsBos();
    rendered.tokens = tokenizer.encode(*request.prompt, options);
    rendered.text = *request.prompt;
  } catch (const std::exception& problem) {
    return fail(ErrorCode::Internal, fmt::format("cannot encode the prompt: {}", problem.what()), {{"model", model.id}});
  }
  if (rendered.tokens.empty()) return invalid("the prompt has no tokens", "prompt");
  return rendered;
}
}  // namespace

Result<void> checkRequest(const ChatRequest& request) {
  const int prompts = (request.messages.empty() ? 0 : 1) + (request.prompt ? 1 : 0) + (request.promptTokens ? 1 : 0);
  if (prompts == 0) return invalid("there are no messages", "messages");
  if (prompts > 1) return invalid("either messages or one prompt", "prompt");
  if (request.promptTokens && request.promptTokens->empty()) return invalid("the prompt has no tokens", "prompt");
  if (request.toolChoice.kind == ToolChoice::Kind::Required || request.toolChoice.kind == ToolChoice::Kind::Named) {
    const std::vector<std::string> names = toolNames(request);
    if (names.empty()) return invalid("a tool call is demanded, and there are no tools", "tool_choice");
    if (request.toolChoice.kind == ToolChoice::Kind::Named && std::ranges::find(names, request.toolChoice.name) == names.end()) {
      return invalid("the tool that is demanded is none of the tools", "tool_choice");
    }
    if (request.shape.kind != OutputShape::Kind::Any) return invalid("either a tool call or a shape can be demanded", "tool_choice");
  }
  if (request.maxTokens < -1 || request.maxTokens == 0) return invalid("at least one token, or -1 for no limit", "max_tokens");
  if (request.stop.size() > kMostStops) return invalid(fmt::format("at most {} stop strings", kMostStops), "stop");
  for (const std::string& stop : request.stop) {
    if (stop.empty()) return invalid("a stop string is empty", "stop");
  }
  if (auto sampling = request.sampling.validate(std::numeric_limits<std::int32_t>::max()); !sampling) return sampling;
  try {
    for (std::size_t i = 0; i < request.messages.size(); ++i) {
      if (auto extra = parseObject(request.messages[i].extraJson, fmt::format("messages[{}]", i)); !extra) return fail(extra.error());
    }
    if (auto tools = parseTools(request.toolsJson); !tools) return fail(tools.error());
    if (auto variables = parseObject(request.templateVariablesJson, "chat_template_kwargs"); !variables) return fail(variables.error());
  } catch (const std::exception& problem) {
    return invalid(problem.what(), "messages");
  }
  return {};
}

Result<ChatService::RenderedChat> renderChat(const LoadedModel& model, const ChatRequest& request) {
  if (!model.engine) return fail(ErrorCode::ModelNotLoaded, "the model is not loaded", {{"model", model.id}});
  if (request.prompt || request.promptTokens) return continuePrompt(model, request);
  if (!model.chatTemplate && !model.templateProblem.empty()) {
    return fail(ErrorCode::TemplateFailed, fmt::format("the model's chat template cannot be used: {}", model.templateProblem), {{"model", model.id}});
  }
  try {
    if (model.chatTemplate) return renderTemplate(model, request);
    if (request.think.value_or(false)) return invalid("this model does not reason", "think");
    if (!toolNames(request).empty()) return invalid("this model has no chat template, and so takes no tools", "tools");
    PlainPrompt prompt = plainFormat(request.messages);
    ChatService::RenderedChat rendered;
    EncodeOptions options;
    options.parseSpecial = false;
    options.addSpecial = model.engine->tokenizer().addsBos();
    rendered.tokens = model.engine->tokenizer().encode(prompt.text, options);
    rendered.text = std::move(prompt.text);
    rendered.stop = std::move(prompt.stop);
    rendered.plainFormat = true;
    return rendered;
  } catch (const std::exception& problem) {
    return fail(ErrorCode::Internal, fmt::format("cannot render the prompt: {}", problem.what()), {{"model", model.id}});
  }
}

}  // namespace hearth::chat
