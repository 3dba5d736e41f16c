#pragma once

#include "core/chat/chat_service.h"

namespace hearth::chat {

/// What can be said of a request without its model: messages are there, JSON texts parse to the right kind, no sampling
/// parameter is out of its range. Error: InvalidArgument with `field`.
[[nodiscard]] Result<void> checkRequest(const ChatRequest& request);
/// Where errors in a shape say they are.
[[nodiscard]] inline std::string_view shapeField(const OutputShape& shape) {
  return shape.kind == OutputShape::Kind::JsonSchema ? "response_format.json_schema.schema" : "response_format";
}

/// Renders the messages with the model's template (or the plain format when it has none) and encodes them. Text that came
/// from outside never becomes a control token; BOS is added when the model asks for it and the template did not write it.
/// Errors: TemplateFailed (the template's own message, or why it does not parse), InvalidArgument (bad JSON).
[[nodiscard]] Result<ChatService::RenderedChat> renderChat(const LoadedModel& model, const ChatRequest& request);

}  // namespace hearth::chat
