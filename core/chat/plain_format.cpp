#include "core/chat/plain_format.h"

#include <fmt/format.h>

#include <algorithm>

namespace hearth::chat {
namespace {

constexpr std::size_t kMostStops = 4;  // the engine takes 16, and most are the caller's

// A name comes from outside: one line, and not so long that it is a text of its own.
std::string label(const ChatMessage& message) {
  if (!message.name.empty() && message.name.size() <= 64 && message.name.find_first_of("\r\n:") == std::string::npos) return message.name;
  switch (message.role) {
    case Role::System: return {};
    case Role::User: return "User";
    case Role::Assistant: return "Assistant";
    case Role::Tool: return "Tool";
  }
  return "User";
}

}  // namespace

PlainPrompt plainFormat(std::span<const ChatMessage> messages) {
  PlainPrompt prompt;
  prompt.stop = {"\nUser:", "\nAssistant:"};
  for (const ChatMessage& message : messages) {
    const std::string who = label(message);
    if (!who.empty()) {
      prompt.text += who + ": ";
      std::string stop = fmt::format("\n{}:", who);
      if (prompt.stop.size() < kMostStops && std::ranges::find(prompt.stop, stop) == prompt.stop.end()) prompt.stop.push_back(std::move(stop));
    }
    prompt.text += message.text;
    prompt.text += "\n\n";
  }
  prompt.text += "Assistant:";
  return prompt;
}

}  // namespace hearth::chat
