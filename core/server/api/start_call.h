#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/server/api/answer_job.h"
#include "core/server/api/call.h"

namespace hearth::api {

/// Makes the writer of a call's answer, once the model is known by its id in the library.
using MakeWriter = std::function<std::unique_ptr<AnswerWriter>(const Call& call, const std::string& model)>;

/// From a checked call to a running answer: finds the model, keeps it in memory as long as was asked for, does what needs
/// its tokenizer, and starts the choices.
void startCall(const ApiContext& context, const http::ExchangePtr& exchange, Call call, const MakeWriter& makeWriter);

/// The installed model of `name` (see resolveModel), noted for the log. None: the exchange is answered.
[[nodiscard]] std::optional<InstalledModel> findModel(const ApiContext& context, const http::ExchangePtr& exchange,
                                                      const std::string& name);

}  // namespace hearth::api
