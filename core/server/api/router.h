#pragma once

#include "core/server/api/api_context.h"
#include "core/server/transport/http_types.h"

namespace hearth::api {

/// Finds the controller of a request and calls it. HEAD is answered as GET (the transport drops the body), OPTIONS with
/// Allow; unknown paths 404, wrong methods 405 with Allow, POST bodies that are not JSON 415. Any thread.
void route(const ApiContext& context, const http::ExchangePtr& exchange);

}  // namespace hearth::api
