#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/chat/chat_service.h"

namespace hearth::chat {

/// What a model without a chat template (a base model) gets:
///
///     SYSTEM TEXT\n\nUser: …\n\nAssistant: …\n\nUser: …\n\nAssistant:
///
/// A system text stands at its place without a label, so that it reads as an introduction; a tool's answer is labelled
/// "Tool:", a named speaker by name. The blank that the model writes after "Assistant:" is not part of the reply. The reply
/// ends where the model begins a new turn: the stop strings are the labels used, each after a line break.
struct PlainPrompt {
  std::string text;
  std::vector<std::string> stop;
};
[[nodiscard]] PlainPrompt plainFormat(std::span<const ChatMessage> messages);

}  // namespace hearth::chat
