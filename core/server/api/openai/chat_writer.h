#pragma once

#include <memory>
#include <string>

#include "core/server/api/answer_writer.h"
#include "core/server/api/call.h"

namespace hearth::api {

/// Chat completions as OpenAI writes them; reasoning stands as `reasoning` and `reasoning_content`, for clients know one or
/// the other.
[[nodiscard]] std::unique_ptr<AnswerWriter> makeChatWriter(const Call& call, const std::string& model);

}  // namespace hearth::api
