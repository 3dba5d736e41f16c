#pragma once

#include <memory>
#include <string_view>

#include "core/server/api/answer_writer.h"
#include "core/server/api/field_table.h"

namespace hearth::api {

/// POST /tokenize (llama-server's `content`, vLLM's `prompt` or `messages`), /detokenize and /infill.
[[nodiscard]] const BodySchema& tokenizeSchema();
[[nodiscard]] const BodySchema& detokenizeSchema();
[[nodiscard]] const BodySchema& infillSchema();
[[nodiscard]] ApiResult<Call> parseTokenizeCall(std::string_view body);
[[nodiscard]] ApiResult<Call> parseDetokenizeCall(std::string_view body);
[[nodiscard]] ApiResult<Call> parseInfillCall(std::string_view body);

/// llama-server's form of a completion: {"content":…,"stop":…}.
[[nodiscard]] std::unique_ptr<AnswerWriter> makeInfillWriter(const Call& call, const std::string& model);

}  // namespace hearth::api
