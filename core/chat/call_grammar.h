#pragma once

#include <string>

#include "core/chat/chat_service.h"
#include "core/text/grammar/grammar.h"
#include "core/text/output/output_parser.h"

namespace hearth::chat {

/// The grammar that holds a reply to the calls which the request demands, in the model's own format: required, any of the
/// tools; named, that one; after its reasoning, if it reasons. For choice "auto": once the model has written its mark of a
/// call, a tool with `strict` gets arguments of its schema. Null when the reply is free. Errors: InvalidArgument, `field`
/// the place of what a grammar cannot hold in a strict tool ("tools[0].function.parameters.…"), `tool_choice` (no such
/// tool).
[[nodiscard]] Result<GrammarPtr> callGrammar(const Tokenizer& tokenizer, const output::Dialect& dialect,
                                             const ChatRequest& request, const std::string& prompt);

}  // namespace hearth::chat
