#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "core/server/api/controllers.h"
#include "core/server/api/openai/responses_schema.h"
#include "core/server/api/openai/responses_writer.h"
#include "core/server/api/start_call.h"
#include "core/server/json_text.h"

namespace hearth::api {
namespace {

ApiError noSuchResponse(const std::string& id, std::string param) {
  ApiError error;
  error.status = 404;
  error.code = "response_not_found";
  error.param = std::move(param);
  error.message =
      fmt::format("There is no response \"{}\": it was not stored, is too old, or was deleted.", id.substr(0, 64));
  return error;
}

}  // namespace

std::shared_ptr<ResponseStore> makeResponseStore() { return std::make_shared<ResponseStore>(); }

void postResponses(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  auto parsed = parseResponsesCall(exchange->takeBody());
  if (!parsed) return refuse(exchange, parsed.error());
  ResponseKeeper keeper;
  keeper.principal = principalOf(exchange);
  std::vector<ChatMessage>& conversation = keeper.conversation;
  if (!parsed->previous.empty()) {
    auto previous = context.responses->find(parsed->previous, keeper.principal);
    if (!previous) return refuse(exchange, noSuchResponse(parsed->previous, "previous_response_id"));
    conversation = std::move(previous->messages);
  }
  Call& call = parsed->call;
  std::move(call.request.messages.begin(), call.request.messages.end(), std::back_inserter(conversation));
  call.request.messages.clear();
  // Instructions hold for this call alone: those of an earlier one are not carried on.
  if (!parsed->instructions.empty()) {
    ChatMessage system;
    system.role = Role::System;
    system.text = parsed->instructions;
    call.request.messages.push_back(std::move(system));
  }
  call.request.messages.insert(call.request.messages.end(), conversation.begin(), conversation.end());
  if (parsed->store) keeper.store = context.responses;
  startCall(context, exchange, std::move(call),
            [echo = std::move(parsed->echo), shared = std::make_shared<ResponseKeeper>(std::move(keeper))](
                const Call&, const std::string& model) { return makeResponsesWriter(echo, model, std::move(*shared)); });
}

void getResponse(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments) {
  auto stored = context.responses->find(arguments.front(), principalOf(exchange));
  if (!stored) return refuse(exchange, noSuchResponse(arguments.front(), {}));
  http::Response response;
  response.body = std::move(stored->json);
  exchange->respond(std::move(response));
}

void deleteResponse(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments) {
  if (!context.responses->erase(arguments.front(), principalOf(exchange)))
    return refuse(exchange, noSuchResponse(arguments.front(), {}));
  http::Response response;
  response.body = fmt::format(R"({{"id":{},"object":"response","deleted":true}})", jsonString(arguments.front()));
  exchange->respond(std::move(response));
}

}  // namespace hearth::api
