#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/server/api/answer_writer.h"
#include "core/server/api/openai/response_store.h"
#include "core/server/api/openai/responses_schema.h"

namespace hearth::api {

/// Where a complete answer goes: into the store, with the conversation before it.
struct ResponseKeeper {
  std::shared_ptr<ResponseStore> store;  ///< null = it is not kept
  std::string principal;
  std::vector<ChatMessage> conversation;
};

/// The Responses API: an answer is a list of items (reasoning, a message, function calls), each event numbered.
[[nodiscard]] std::unique_ptr<AnswerWriter> makeResponsesWriter(const std::string& echo, const std::string& model,
                                                                ResponseKeeper keeper);

}  // namespace hearth::api
