#include "core/server/api/controllers.h"
#include "core/server/api/openai/chat_schema.h"
#include "core/server/api/openai/chat_writer.h"
#include "core/server/api/start_call.h"

namespace hearth::api {

void postChatCompletions(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  auto call = parseChatCall(exchange->takeBody());
  if (!call) return refuse(exchange, call.error());
  startCall(context, exchange, std::move(*call), makeChatWriter);
}

}  // namespace hearth::api
