#pragma once

#include <string>

#include "core/server/api/api_context.h"
#include "core/server/transport/http_types.h"

/// One function for each method of a resource. Called on worker threads, several at a time. `argument` is the path's
/// "{id}", decoded, or empty.
namespace hearth::api {

void getBanner(const ApiContext& context, http::ExchangePtr exchange, const std::string& argument);
void getHealth(const ApiContext& context, http::ExchangePtr exchange, const std::string& argument);
void getMetrics(const ApiContext& context, http::ExchangePtr exchange, const std::string& argument);
void listModels(const ApiContext& context, http::ExchangePtr exchange, const std::string& argument);
void getModel(const ApiContext& context, http::ExchangePtr exchange, const std::string& argument);
void postChatCompletions(const ApiContext& context, http::ExchangePtr exchange, const std::string& argument);

}  // namespace hearth::api
