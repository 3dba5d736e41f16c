#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/server/api/answer_writer.h"
#include "core/server/api/call.h"

namespace hearth::api {

/// Ollama's lines of JSON: every line a whole object, the last with done, its reason and the figures (times in ns).
[[nodiscard]] std::unique_ptr<AnswerWriter> makeOllamaChatWriter(const Call& call, const std::string& model);
[[nodiscard]] std::unique_ptr<AnswerWriter> makeOllamaGenerateWriter(const Call& call, const std::string& model);

/// The one object that answers a call without messages or prompt; `reason` is "load" or "unload".
[[nodiscard]] std::string ollamaLoadAnswer(const std::string& model, std::string_view reason, bool chat);
/// "2026-01-31T09:05:07.012345678Z"
[[nodiscard]] std::string rfc3339(std::int64_t nanosecondsSinceEpoch);

}  // namespace hearth::api
