#include "core/server/api/controllers.h"
#include "core/server/api/openai/completions_schema.h"
#include "core/server/api/openai/completions_writer.h"
#include "core/server/api/start_call.h"

namespace hearth::api {

void postCompletions(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  auto call = parseCompletionsCall(exchange->takeBody());
  if (!call) return refuse(exchange, call.error());
  startCall(context, exchange, std::move(*call), makeCompletionsWriter);
}

}  // namespace hearth::api
