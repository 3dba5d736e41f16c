#pragma once

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <span>
#include <string_view>

#include "core/chat/chat_service.h"

namespace hearth::chat {

/// How the arguments of earlier calls are handed to a template: some print them as JSON, some paste them as text.
enum class ArgumentsAs : std::uint8_t {
  Value,   ///< the JSON value; text that is no JSON stays text
  Text,    ///< JSON text
  Object,  ///< always an object: text that is no object becomes {"arguments": text}
};

/// What a template gets as `messages`: role, content, name, and the further fields of each message. Reasoning that a client
/// sent back under any of its names (reasoning_content, reasoning, thinking) becomes `reasoning_content`. Arguments that are
/// no JSON never make a conversation unusable: they go on as text. `idLength` > 0: ids of calls become that many letters and
/// digits, the same for the same id. Error: InvalidArgument with `field`.
[[nodiscard]] Result<boost::json::array> templateMessages(std::span<const ChatMessage> messages, ArgumentsAs as,
                                                          int idLength);

[[nodiscard]] bool hasCalls(const boost::json::array& messages);

/// Which way to try first, from what the template does with them.
[[nodiscard]] ArgumentsAs argumentsFor(std::string_view templateSource);

}  // namespace hearth::chat
