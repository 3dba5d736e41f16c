#include <array>

#include "core/server/api/controllers.h"
#include "core/server/api/router.h"

namespace hearth::api {
namespace {

constexpr std::array kRoutes{
    // The server itself.
    Route{"GET", "/", Access::Public, getFrontDoor},
    Route{"GET", "/health", Access::Public, getHealth},
    Route{"GET", "/metrics", Access::Metrics, getMetrics},

    // The browser page's files.
    Route{"GET", "/ui", Access::Public, getPage},
    Route{"GET", "/ui/", Access::Public, getPage},
    Route{"GET", "/ui/{rest}", Access::Public, getPageFile},

    // OpenAI's dialect.
    Route{"GET", "/v1/models", Access::Chat, listModels},
    Route{"GET", "/v1/models/{id}", Access::Chat, getModel},
    Route{"POST", "/v1/chat/completions", Access::Chat, postChatCompletions},
};

}  // namespace

std::span<const Route> routes() noexcept { return kRoutes; }

}  // namespace hearth::api
