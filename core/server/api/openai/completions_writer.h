#pragma once

#include <memory>
#include <string>

#include "core/server/api/answer_writer.h"
#include "core/server/api/call.h"

namespace hearth::api {

/// /v1/completions as OpenAI writes them.
[[nodiscard]] std::unique_ptr<AnswerWriter> makeCompletionsWriter(const Call& call, const std::string& model);

}  // namespace hearth::api
