#pragma once

#include "core/server/api/api_context.h"
#include "core/server/api/router.h"
#include "core/server/transport/http_types.h"

/// One function for each method of a resource; see Controller in router.h.
namespace hearth::api {

void getBanner(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getFrontDoor(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);  ///< the page for browsers, the banner for clients
void getPage(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getPageFile(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getHealth(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getMetrics(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void listModels(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getModel(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postChatCompletions(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);

}  // namespace hearth::api
