#include "core/chat/tool_prompt.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <utility>

namespace hearth::chat {
namespace {

namespace json = boost::json;

std::string textOf(const json::object& turn, std::string_view key) {
  const json::value* value = turn.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// As the model is asked to write it.
std::string writtenCall(const json::value& call) {
  const json::object* body = call.if_object();
  if (body == nullptr) return {};
  if (const json::value* function = body->if_contains("function"); function != nullptr && function->is_object())
    body = &function->get_object();
  json::object written;
  written["name"] = textOf(*body, "name");
  written["arguments"] = body->contains("arguments") ? body->at("arguments") : json::value(json::object());
  return json::serialize(written);
}

void toPlainTurn(json::object& turn) {
  const std::string role = textOf(turn, "role");
  std::string text = textOf(turn, "content");
  if (role == "tool") {
    const std::string name = textOf(turn, "name");
    text.insert(0, name.empty() ? std::string("Result of the function:\n") : "Result of " + name + ":\n");
    turn["role"] = "user";
  } else if (const json::value* calls = turn.if_contains("tool_calls"); calls != nullptr && calls->is_array()) {
    for (const json::value& call : calls->get_array()) {
      if (!text.empty()) text += '\n';
      text += writtenCall(call);
    }
    turn.erase("tool_calls");
  } else {
    return;
  }
  turn["content"] = text;
}

std::string description(const json::array& tools) {
  std::string text = "You can call these functions:\n";
  for (const json::value& tool : tools) {
    text += json::serialize(tool);
    text += '\n';
  }
  text +=
      "To call one, answer with nothing but a JSON object that holds its name and its arguments:\n"
      "{\"name\": \"FUNCTION\", \"arguments\": {…}}\nYou then get its result. Call a function only when it is needed.";
  return text;
}

}  // namespace

bool templateShowsTools(std::string_view templateSource) { return templateSource.find("tool") != std::string_view::npos; }

void describeTools(json::array& messages, const json::value& tools, std::string_view templateSource) {
  json::array turns;
  for (json::value& message : messages) {
    toPlainTurn(message.get_object());
    // Many templates insist on turns that alternate.
    json::object* last = turns.empty() ? nullptr : turns.back().if_object();
    if (last != nullptr && textOf(*last, "role") == "user" && textOf(message.get_object(), "role") == "user") {
      (*last)["content"] = textOf(*last, "content") + "\n\n" + textOf(message.get_object(), "content");
    } else {
      turns.push_back(std::move(message));
    }
  }
  messages = std::move(turns);
  if (!tools.is_array()) return;
  const bool system = templateSource.find("ystem role not supported") == std::string_view::npos;
  json::object* host = nullptr;
  for (json::value& message : messages) {
    const std::string role = textOf(message.get_object(), "role");
    if (host == nullptr && role == (system ? "system" : "user")) host = &message.get_object();
  }
  std::string text = description(tools.get_array());
  if (host != nullptr) {
    const std::string own = textOf(*host, "content");
    (*host)["content"] = system ? own + "\n\n" + text : text + "\n\n" + own;
    return;
  }
  json::object turn;
  turn["role"] = system ? "system" : "user";
  turn["content"] = std::move(text);
  messages.insert(messages.begin(), std::move(turn));
}

}  // namespace hearth::chat
