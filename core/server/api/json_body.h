#pragma once

#include <boost/json/fwd.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/server/api/api_error.h"

namespace hearth::api {

struct JsonLimits {
  std::size_t depth = 64;           ///< of nested arrays and objects
  std::size_t values = 1'000'000;   ///< in the whole document: an array of zeros costs twelve times its text in memory
};

/// A request body as JSON, strictly: one document, no duplicated keys (two readers would see two requests), valid UTF-8,
/// bounded. Pure. Error: 400 with the reason and, for syntax, the byte offset.
[[nodiscard]] ApiResult<boost::json::value> parseJsonBody(std::string_view body, const JsonLimits& limits = {});

}  // namespace hearth::api
