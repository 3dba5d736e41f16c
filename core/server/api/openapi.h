#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/server/api/field_table.h"
#include "core/server/api/router.h"

namespace hearth::api {

/// The bodies that are read by tables, and on which routes.
struct BodyOfRoute {
  std::string_view method, path;
  const BodySchema* schema = nullptr;
};
[[nodiscard]] const std::vector<BodyOfRoute>& bodiesOfRoutes();

/// The OpenAPI 3.1 document of these routes, as JSON: written from the same tables that requests are read by.
[[nodiscard]] std::string openApiDocument(std::span<const Route> table, const std::string& version);

}  // namespace hearth::api
