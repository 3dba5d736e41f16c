#include "core/chat/inheritance.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace hearth::chat {

namespace json = boost::json;

namespace {

json::object read(const std::string& text) {
  if (text.empty()) return {};
  boost::system::error_code code;
  json::value value = json::parse(text, code);
  if (code || !value.is_object()) return {};
  return std::move(value.get_object());
}

bool hasOwnPrompt(const Conversation& conversation) { return conversation.ownPrompt || !conversation.systemPrompt.empty(); }

}  // namespace

Origin EffectiveSettings::originOf(std::string_view parameter) const {
  if (std::ranges::find(ofChat, parameter) != ofChat.end()) return Origin::Chat;
  if (std::ranges::find(ofPersona, parameter) != ofPersona.end()) return Origin::Persona;
  return Origin::Model;
}

EffectiveSettings effectiveSettings(const Conversation& conversation, const store::Persona* persona) {
  EffectiveSettings out;
  out.model = conversation.model;
  json::object merged;
  if (persona != nullptr) {
    if (out.model.empty()) out.model = persona->model;
    for (auto& [key, value] : read(persona->parametersJson)) {
      out.ofPersona.emplace_back(key);
      merged[key] = value;
    }
  }
  for (auto& [key, value] : read(conversation.parametersJson)) {
    out.ofChat.emplace_back(key);
    merged[key] = value;
  }
  out.parametersJson = json::serialize(merged);
  if (hasOwnPrompt(conversation)) {
    out.systemPrompt = conversation.systemPrompt;
    out.promptOrigin = Origin::Chat;
  } else if (persona != nullptr && !persona->systemPrompt.empty()) {
    out.systemPrompt = persona->systemPrompt;
    out.promptOrigin = Origin::Persona;
  }
  return out;
}

Conversation withoutOwn(Conversation conversation, std::string_view field) {
  if (field == "system_prompt") {
    conversation.systemPrompt.clear();
    conversation.ownPrompt = false;
    return conversation;
  }
  json::object own = read(conversation.parametersJson);
  own.erase({field.data(), field.size()});
  conversation.parametersJson = json::serialize(own);
  return conversation;
}

Result<std::string> effectivePrompt(Store& store, const Conversation& conversation) {
  if (hasOwnPrompt(conversation) || conversation.persona == 0 || store.organiser() == nullptr) return conversation.systemPrompt;
  HEARTH_TRY(const store::Persona persona, store.organiser()->persona(conversation.owner, conversation.persona));
  return effectiveSettings(conversation, &persona).systemPrompt;
}

}  // namespace hearth::chat
