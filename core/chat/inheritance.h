#pragma once

#include <string>
#include <vector>

#include "core/store/organiser.h"

/// What holds for a chat: the model's own values, before them the persona's, before these the chat's. Pure.
namespace hearth::chat {

enum class Origin : std::uint8_t { Model, Persona, Chat };

/// Parameters by the names of parametersJson ("temperature", …); a name that stands nowhere is the model's.
struct EffectiveSettings {
  std::string model;           ///< the chat's, else the persona's; empty = none of them says
  std::string systemPrompt;
  Origin promptOrigin = Origin::Model;  ///< Model: there is none
  std::string parametersJson = "{}";    ///< the persona's members under the chat's
  std::vector<std::string> ofPersona, ofChat;  ///< whose members those are
  [[nodiscard]] Origin originOf(std::string_view parameter) const;
};

/// `persona` may be null. JSON that cannot be read counts as empty.
[[nodiscard]] EffectiveSettings effectiveSettings(const Conversation& conversation, const store::Persona* persona);

/// The conversation without its own value of one field, which is inherited again: a parameter's name or "system_prompt".
[[nodiscard]] Conversation withoutOwn(Conversation conversation, std::string_view field);

/// The system prompt that is in force for a stored conversation. Errors: the store's.
[[nodiscard]] Result<std::string> effectivePrompt(Store& store, const Conversation& conversation);

}  // namespace hearth::chat
