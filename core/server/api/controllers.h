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
void postEmbeddings(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postOllamaEmbed(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postOllamaEmbeddings(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postRerank(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
/// This installation's certificate authority, for clients to trust.
void getAuthority(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
/// Where a request of the caller's stands: "{id}" is its X-Request-Id.
void getQueueEntry(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postChatCompletions(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postCompletions(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);

void postMessages(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postCountTokens(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);

void postOllamaChat(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postOllamaGenerate(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getOllamaVersion(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getOllamaTags(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getOllamaPs(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postOllamaShow(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postOllamaPull(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postOllamaPush(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postOllamaCreate(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postOllamaCopy(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void deleteOllamaModel(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void headOllamaBlob(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postOllamaBlob(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);

void postResponses(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getResponse(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void deleteResponse(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postTokenize(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postDetokenize(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postApplyTemplate(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void postInfill(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getProps(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getSlots(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getLoad(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getVersion(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getPing(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);
void getOpenApi(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments);

}  // namespace hearth::api
