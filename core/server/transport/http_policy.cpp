#include "core/server/transport/http_policy.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace hearth::http {
namespace {

std::optional<int> hexDigit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

bool isPort(std::string_view text) noexcept {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return !text.empty() && error == std::errc{} && end == text.data() + text.size() && port <= 65535;
}

/// Four decimal parts without leading zeros, the first of them 127. Other spellings of addresses (octal, "127.1") are
/// no names that a client of ours uses, and are refused.
bool isLoopbackV4(std::string_view host) noexcept {
  std::array<unsigned, 4> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t dot = i < 3 ? host.find('.') : host.size();
    if (dot == std::string_view::npos || dot == 0 || dot > 3) return false;
    const std::string_view part = host.substr(0, dot);
    if (part.size() > 1 && part.front() == '0') return false;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), parts[i]);
    if (error != std::errc{} || end != part.data() + part.size() || parts[i] > 255) return false;
    host.remove_prefix(std::min(dot + 1, host.size()));
  }
  return parts[0] == 127;
}

HttpProblem badTarget() { return {400, "bad_request", "The request target is malformed."}; }

}  // namespace

bool isLoopbackName(std::string_view host) noexcept {
  if (host.ends_with('.')) host.remove_suffix(1);
  constexpr std::string_view kLocalhost = "localhost";
  if (equalsIgnoringCase(host, kLocalhost)) return true;
  // RFC 6761: everything below "localhost" resolves to the machine itself.
  if (host.size() > kLocalhost.size() + 1 && host[host.size() - kLocalhost.size() - 1] == '.' &&
      equalsIgnoringCase(host.substr(host.size() - kLocalhost.size()), kLocalhost))
    return true;
  return host == "::1" || isLoopbackV4(host);
}

std::optional<std::string_view> hostOfAuthority(std::string_view authority) noexcept {
  if (authority.empty() || authority.find_first_of("@/?#\\ \t") != std::string_view::npos) return std::nullopt;
  if (authority.front() == '[') {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = authority.substr(end + 1);
    if (!rest.empty() && (rest.front() != ':' || !isPort(rest.substr(1)))) return std::nullopt;
    return authority.substr(1, end - 1);
  }
  const std::size_t colon = authority.find(':');
  if (colon == std::string_view::npos) return authority;
  if (colon == 0 || !isPort(authority.substr(colon + 1))) return std::nullopt;
  return authority.substr(0, colon);
}

std::optional<HttpProblem> splitTarget(Request& request) {
  std::string_view target = request.target;
  if (target.find('#') != std::string_view::npos) return badTarget();
  if (target == "*") {
    if (request.method != "OPTIONS") return badTarget();
    request.path.assign(1, '*');
    return std::nullopt;
  }
  if (!target.starts_with('/')) {
    const std::string_view scheme = request.secure ? "https://" : "http://";
    if (target.size() <= scheme.size() || !equalsIgnoringCase(target.substr(0, scheme.size()), scheme)) return badTarget();
    target.remove_prefix(scheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    const std::string authority(target.substr(0, end));
    for (Header& header : request.headers) {
      if (equalsIgnoringCase(header.name, "host")) header.value = authority;
    }
    target.remove_prefix(end);
  }
  const std::size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  const std::string query(question == std::string_view::npos ? std::string_view{} : target.substr(question + 1));
  request.path = path.empty() ? "/" : std::string(path);
  request.query = query;
  return std::nullopt;
}

namespace {

bool isOneOf(std::string_view host, const HostNames& names) noexcept {
  if (host.ends_with('.')) host.remove_suffix(1);
  return std::ranges::any_of(names, [&](const std::string& name) { return equalsIgnoringCase(host, name); });
}

/// "https://host:port" of a browser, against the Host header of the same request.
bool isOwnOrigin(std::string_view origin, std::string_view host, bool secure, const HostNames& names) noexcept {
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view authority = origin.substr(scheme + 3);
  if (secure) return origin.substr(0, scheme) == "https" && equalsIgnoringCase(authority, host);
  if (origin.substr(0, scheme) != "http" && origin.substr(0, scheme) != "https") return false;
  const auto name = hostOfAuthority(authority);
  return name && (isLoopbackName(*name) || (equalsIgnoringCase(authority, host) && isOneOf(*name, names)));
}

}  // namespace

std::optional<HttpProblem> checkHostAndOrigin(const Request& request, const HostNames& names) {
  const std::string* host = nullptr;
  const std::string* origin = nullptr;
  for (const Header& header : request.headers) {
    const bool isHost = equalsIgnoringCase(header.name, "host");
    if (isHost && host != nullptr) return HttpProblem{400, "bad_request", "More than one Host header."};
    if (isHost) host = &header.value;
    const bool isOrigin = equalsIgnoringCase(header.name, "origin");
    if (isOrigin && origin != nullptr) return HttpProblem{400, "bad_request", "More than one Origin header."};
    if (isOrigin) origin = &header.value;
  }
  if (host == nullptr) return HttpProblem{400, "bad_request", "The Host header is missing."};
  const auto name = hostOfAuthority(*host);
  if (!name) return HttpProblem{400, "bad_request", "The Host header is malformed."};
  if (!isLoopbackName(*name) && !isOneOf(*name, names))
    return HttpProblem{403, "host_not_allowed",
                       names.empty() ? "This server answers only to loopback names (localhost, 127.0.0.1, [::1]), not to \"" + *host + "\"."
                                     : "This server does not answer to \"" + *host + "\". Its administrator can add the name."};
  if (origin != nullptr && !isOwnOrigin(*origin, *host, request.secure, names))
    return HttpProblem{403, "origin_not_allowed", "Web pages from \"" + *origin + "\" may not use this server."};
  return std::nullopt;
}

std::optional<std::string> percentDecode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const auto high = hexDigit(text[i + 1]);
      const auto low = hexDigit(text[i + 2]);
      if (!high || !low) return std::nullopt;
      c = static_cast<char>(*high * 16 + *low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    out.push_back(c);
  }
  return out;
}

}  // namespace hearth::http
