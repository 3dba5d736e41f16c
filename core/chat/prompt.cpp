#include "core/chat/prompt.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <limits>

#include "core/chat/plain_format.h"

namespace hearth::chat {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostStops = 16;

std::string_view roleName(Role role) {
  switch (role) {
    case Role::System: return "system";
    case Role::User: return "user";
    case Role::Assistant: return "assistant";
    case Role::Tool: return "tool";
  }
  return "user";
}

std::unexpected<Error> invalid(std::string message, std::string field) {
  return fail(ErrorCode::InvalidArgument, std::move(message), {{"field", std::move(field)}});
}

// Parses outside JSON; the parser's own depth limit (32) holds.
Result<json::value> parseJson(const std::string& text, const std::string& field) {
  boost::system::error_code code;
  json::value value = json::parse(text, code);
  if (code) return invalid(fmt::format("not JSON: {}", code.message()), field);
  return value;
}

Result<json::object> parseObject(const std::string& text, const std::string& field) {
  if (text.empty()) return json::object();
  HEARTH_TRY(json::value value, parseJson(text, field));
  if (!value.is_object()) return invalid("a JSON object is expected", field);
  return std::move(value.get_object());
}

Result<json::value> parseTools(const std::string& text) {
  if (text.empty()) return json::value(nullptr);  // templates ask "is tools none", so it must be defined
  HEARTH_TRY(json::value value, parseJson(text, "tools"));
  if (!value.is_array()) return invalid("a JSON array is expected", "tools");
  if (value.get_array().empty()) return json::value(nullptr);
  return value;
}

Result<json::object> templateContext(const LoadedModel& model, const ChatRequest& request) {
  HEARTH_TRY(json::object context, parseObject(request.templateVariablesJson, "chat_template_kwargs"));
  // The template trusts what is named so: only the tokenizer may set it.
  std::vector<std::string> reserved;
  for (const auto& member : context) {
    if (std::string_view(member.key()).ends_with("_token")) reserved.emplace_back(member.key());
  }
  for (const std::string& key : reserved) context.erase(key);

  json::array messages;
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    const ChatMessage& message = request.messages[i];
    json::object turn;
    turn["role"] = roleName(message.role);
    turn["content"] = message.text;
    if (!message.name.empty()) turn["name"] = message.name;
    HEARTH_TRY(const json::object extra, parseObject(message.extraJson, fmt::format("messages[{}]", i)));
    for (const auto& member : extra) {
      if (member.key() != "role") turn[member.key()] = member.value();
    }
    messages.push_back(std::move(turn));
  }
  const Tokenizer& tokenizer = model.engine->tokenizer();
  const auto tokenText = [&](TokenId token) { return token >= 0 ? std::string(tokenizer.bytes(token, true)) : std::string(); };
  context["messages"] = std::move(messages);
  HEARTH_TRY(context["tools"], parseTools(request.toolsJson));
  if (!context.contains("documents")) context["documents"] = nullptr;
  if (!context.contains("add_generation_prompt")) context["add_generation_prompt"] = true;
  context["bos_token"] = tokenText(tokenizer.bos());
  context["eos_token"] = tokenText(tokenizer.eos());
  return context;
}

Result<ChatService::RenderedChat> renderTemplate(const LoadedModel& model, const ChatRequest& request) {
  HEARTH_TRY(const json::object context, templateContext(model, request));
  HEARTH_TRY(RenderedPrompt prompt, model.chatTemplate->render(context));
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
  if (request.shape.kind != OutputShape::Kind::Any) return invalid("a shape for the answer is not supported yet", "response_format");
  if (request.toolChoice.kind == ToolChoice::Kind::Required || request.toolChoice.kind == ToolChoice::Kind::Named) {
    return invalid("forcing a tool call is not supported yet", "tool_choice");
  }
  if (!request.parallelToolCalls) return invalid("limiting a reply to one tool call is not supported yet", "parallel_tool_calls");
  if (request.think) return invalid("switching reasoning on or off is not supported yet", "think");
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
