#include <array>

#include "core/server/api/controllers.h"
#include "core/server/api/router.h"

namespace hearth::api {
namespace {

constexpr std::array kRoutes{
    // The server itself.
    Route{"GET", "/", Access::Public, getFrontDoor},
    Route{"GET", "/health", Access::Public, getHealth},
    Route{"GET", "/openapi.json", Access::Public, getOpenApi},
    Route{"GET", "/metrics", Access::Metrics, getMetrics},
    Route{"GET", "/hearth/ca.pem", Access::Public, getAuthority},
    Route{"GET", "/v1/queue/{id}", Access::Chat, getQueueEntry},

    // The browser page's files.
    Route{"GET", "/ui", Access::Public, getPage},
    Route{"GET", "/ui/", Access::Public, getPage},
    Route{"GET", "/ui/{rest}", Access::Public, getPageFile},

    // OpenAI's dialect.
    Route{"GET", "/v1/models", Access::Chat, listModels},
    Route{"GET", "/v1/models/{id}", Access::Chat, getModel},
    Route{"POST", "/v1/chat/completions", Access::Chat, postChatCompletions},
    Route{"POST", "/v1/completions", Access::Chat, postCompletions},
    Route{"POST", "/v1/responses", Access::Chat, postResponses},
    Route{"GET", "/v1/responses/{id}", Access::Chat, getResponse},
    Route{"DELETE", "/v1/responses/{id}", Access::Chat, deleteResponse},
    Route{"POST", "/v1/embeddings", Access::Chat, postEmbeddings},

    // Jina's and Cohere's.
    Route{"POST", "/rerank", Access::Chat, postRerank},
    Route{"POST", "/v1/rerank", Access::Chat, postRerank},
    Route{"POST", "/v2/rerank", Access::Chat, postRerank},

    // Anthropic's dialect.
    Route{"POST", "/v1/messages", Access::Chat, postMessages},
    Route{"POST", "/v1/messages/count_tokens", Access::Chat, postCountTokens},

    // llama-server's and vLLM's small resources.
    Route{"POST", "/tokenize", Access::Chat, postTokenize},
    Route{"POST", "/detokenize", Access::Chat, postDetokenize},
    Route{"POST", "/apply-template", Access::Chat, postApplyTemplate},
    Route{"POST", "/infill", Access::Chat, postInfill},
    Route{"GET", "/props", Access::Chat, getProps},
    Route{"GET", "/slots", Access::Chat, getSlots},
    Route{"GET", "/load", Access::Chat, getLoad},
    Route{"GET", "/version", Access::Public, getVersion},
    Route{"GET", "/ping", Access::Public, getPing},

    // Ollama's dialect.
    Route{"POST", "/api/chat", Access::Chat, postOllamaChat, Body::LooseJson},
    Route{"POST", "/api/generate", Access::Chat, postOllamaGenerate, Body::LooseJson},
    Route{"POST", "/api/embed", Access::Chat, postOllamaEmbed, Body::LooseJson},
    Route{"POST", "/api/embeddings", Access::Chat, postOllamaEmbeddings, Body::LooseJson},
    Route{"GET", "/api/version", Access::Public, getOllamaVersion},
    Route{"GET", "/api/tags", Access::Chat, getOllamaTags},
    Route{"GET", "/api/ps", Access::Chat, getOllamaPs},
    Route{"POST", "/api/show", Access::Chat, postOllamaShow, Body::LooseJson},
    Route{"POST", "/api/pull", Access::Admin, postOllamaPull, Body::LooseJson},
    Route{"POST", "/api/push", Access::Admin, postOllamaPush, Body::LooseJson},
    Route{"POST", "/api/create", Access::Admin, postOllamaCreate, Body::LooseJson},
    Route{"POST", "/api/copy", Access::Admin, postOllamaCopy, Body::LooseJson},
    Route{"DELETE", "/api/delete", Access::Admin, deleteOllamaModel, Body::LooseJson},
    Route{"HEAD", "/api/blobs/{digest}", Access::Admin, headOllamaBlob},
    Route{"POST", "/api/blobs/{digest}", Access::Admin, postOllamaBlob, Body::Binary},
};

}  // namespace

std::span<const Route> routes() noexcept { return kRoutes; }

}  // namespace hearth::api
