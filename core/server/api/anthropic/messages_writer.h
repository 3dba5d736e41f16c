#pragma once

#include <memory>
#include <string>

#include "core/server/api/answer_writer.h"
#include "core/server/api/call.h"

namespace hearth::api {

/// Anthropic's messages: an answer is a list of blocks, each opened, filled and closed.
[[nodiscard]] std::unique_ptr<AnswerWriter> makeMessagesWriter(const Call& call, const std::string& model);

}  // namespace hearth::api
