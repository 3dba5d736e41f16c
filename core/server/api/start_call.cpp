#include "core/server/api/start_call.h"

#include <utility>

namespace hearth::api {
namespace {

void start(const ApiContext& context, const http::ExchangePtr& exchange, Call call, const MakeWriter& makeWriter) {
  AnswerPlan plan;
  plan.stream = call.stream;
  plan.logprobs = call.logprobs;
  plan.choicesPerPrompt = call.choices;
  plan.writer = makeWriter(call, call.request.model);
  const auto seed = call.request.sampling.seed;
  for (int choice = 0; choice < call.choices; ++choice) {
    ChatRequest request = choice + 1 < call.choices ? call.request : std::move(call.request);
    if (seed) request.sampling.seed = *seed + static_cast<std::uint64_t>(choice);
    plan.requests.push_back(std::move(request));
  }
  startAnswer(context, exchange, std::move(plan));
}

}  // namespace

std::optional<InstalledModel> findModel(const ApiContext& context, const http::ExchangePtr& exchange,
                                        const std::string& name) {
  auto model = resolveModel(context, name);
  if (!model) {
    refuse(exchange, model.error());
    return std::nullopt;
  }
  exchange->note([&](http::ExchangeNotes& notes) { notes.model = model->id; });
  return std::move(*model);
}

void startCall(const ApiContext& context, const http::ExchangePtr& exchange, Call call, const MakeWriter& makeWriter) {
  const auto model = findModel(context, exchange, call.request.model);
  if (!model) return;
  call.request.model = model->id;
  start(context, exchange, std::move(call), makeWriter);
}

}  // namespace hearth::api
