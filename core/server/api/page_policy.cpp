#include "core/server/api/page_policy.h"

#include <array>
#include <string>

namespace hearth::api {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// True when the comma-separated list has `wanted`, and not with a quality of zero.
bool lists(std::string_view list, std::string_view wanted) noexcept {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    const std::size_t semicolon = item.find(';');
    if (!http::equalsIgnoringCase(trimmed(item.substr(0, semicolon)), wanted)) continue;
    std::string_view quality = semicolon == std::string_view::npos ? std::string_view{} : trimmed(item.substr(semicolon + 1));
    if (!quality.starts_with("q=") && !quality.starts_with("Q=")) return true;
    return quality.find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

}  // namespace

std::span<const http::Header> pageHeaders() {
  static const std::array<http::Header, 6> headers{{
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
       "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types dompurify"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"X-Frame-Options", "DENY"},
      {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
  }};
  return headers;
}

bool prefersHtml(std::string_view accept) noexcept { return lists(accept, "text/html"); }

bool acceptsGzip(std::string_view acceptEncoding) noexcept { return lists(acceptEncoding, "gzip"); }

}  // namespace hearth::api
