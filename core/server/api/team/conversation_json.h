#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string_view>

#include "core/server/api/api_context.h"
#include "core/server/transport/http_types.h"
#include "core/store/store.h"

/// What the controllers of conversations share.
namespace hearth::api {

[[nodiscard]] boost::json::object toJson(const Conversation& conversation);
[[nodiscard]] boost::json::object toJson(const Message& message);

/// The store, or null after a 404: this server keeps no conversations.
[[nodiscard]] Store* storeOf(const ApiContext& context, http::Exchange& exchange);
/// The conversation of this number when it is the caller's; another's is as unknown as one that never was: then the
/// exchange is answered.
[[nodiscard]] std::optional<Conversation> ownConversation(const ApiContext& context, http::Exchange& exchange,
                                                          std::string_view id);

}  // namespace hearth::api
