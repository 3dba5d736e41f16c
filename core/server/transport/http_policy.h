#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <vector>

#include "core/server/transport/http_types.h"

/// By which names this server answers, and to which web pages; pure functions.
namespace hearth::http {

/// True for "localhost" (and names below it), 127.0.0.0/8 in plain dotted form, and ::1, without port or brackets.
[[nodiscard]] bool isLoopbackName(std::string_view host) noexcept;

/// The host of "host", "host:port", "[v6]" or "[v6]:port"; none when it is not one of these.
[[nodiscard]] std::optional<std::string_view> hostOfAuthority(std::string_view authority) noexcept;

/// Sets path and query from the target (origin form, absolute form, "*"). In absolute form the target's authority takes
/// the place of the Host header, as RFC 9112 §3.2.2 wants. Problem: 400.
[[nodiscard]] std::optional<HttpProblem> splitTarget(Request& request);

/// The names besides loopback ones: addresses and host names, without ports or brackets, lower case. Exact: no patterns.
using HostNames = std::vector<std::string>;

/// The answer to DNS rebinding and to foreign web pages. Host must be a loopback name or one of `names` (else 403; missing,
/// doubled or malformed 400). Where a browser sends an Origin it must be this server itself, by the very name that Host has;
/// without TLS, any loopback one (else 403).
[[nodiscard]] std::optional<HttpProblem> checkHostAndOrigin(const Request& request, const HostNames& names = {});

/// "%41" → 'A'. None on a broken escape or NUL.
[[nodiscard]] std::optional<std::string> percentDecode(std::string_view text);

}  // namespace hearth::http
