#pragma once

#include <span>
#include <string_view>

#include "core/server/transport/http_types.h"

/// What the page's answers say to browsers, and what browsers say to us; pure functions.
namespace hearth::api {

/// Headers of the page and all its files: nothing but our own scripts, styles, fonts and requests; no inline code, no frames,
/// no plugins, no strings made into markup (trusted types: DOMPurify alone may).
[[nodiscard]] std::span<const http::Header> pageHeaders();

/// True when an Accept header names text/html (not with q=0): people's browsers do, API clients send */* or JSON.
[[nodiscard]] bool prefersHtml(std::string_view accept) noexcept;

/// True when an Accept-Encoding header allows gzip.
[[nodiscard]] bool acceptsGzip(std::string_view acceptEncoding) noexcept;

}  // namespace hearth::api
