#pragma once

#include <boost/json/fwd.hpp>

#include <string>

#include "core/base/error.h"

namespace hearth::chat {

/// JSON that came from outside; the parser's own depth limit (32) holds. Error: InvalidArgument with `field`.
[[nodiscard]] Result<boost::json::value> parseJson(const std::string& text, const std::string& field);
/// An empty text is an empty object.
[[nodiscard]] Result<boost::json::object> parseObject(const std::string& text, const std::string& field);
/// Null when there are none: templates ask "is tools none", so it must be defined.
[[nodiscard]] Result<boost::json::value> parseTools(const std::string& text);

}  // namespace hearth::chat
