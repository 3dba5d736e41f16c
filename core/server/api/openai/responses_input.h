#pragma once

#include <boost/json/fwd.hpp>

#include <string>
#include <vector>

#include "core/server/api/field_table.h"

namespace hearth::api {

/// The items of `input`: messages, function calls, their outputs, and reasoning; as turns that templates know. Calls in a
/// row are one turn of the assistant, with the reasoning before them.
[[nodiscard]] ApiResult<std::vector<ChatMessage>> parseInputItems(const boost::json::value& items, const std::string& at);

}  // namespace hearth::api
