#include "core/server/api/gate.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "core/server/api/dialect.h"
#include "core/team/team.h"

namespace hearth::api {
namespace {

/// For requests without a route: they have no business with a body, but get their 404 all the same.
constexpr std::size_t kStrayBodyBytes = 64 * 1024;
constexpr std::string_view kKeyPrefix = "hk_";
constexpr std::string_view kBearer = "Bearer";

struct Credentials {
  std::optional<std::string> key;  ///< of whichever header
  std::optional<std::string> session;
  std::optional<ApiError> problem;
};

ApiError denied(int status, std::string code, std::string message) {
  ApiError error;
  error.status = status;
  error.code = std::move(code);
  error.message = std::move(message);
  return error;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// RFC 6265 §4.2.1: "a=b; c=d". Two cookies of our name contradict each other.
void findCookie(std::string_view header, std::string_view name, Credentials& out) {
  while (!header.empty()) {
    const std::size_t end = header.find(';');
    const std::string_view pair = trimmed(header.substr(0, end));
    header = end == std::string_view::npos ? std::string_view{} : header.substr(end + 1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    const std::string value(pair.substr(equals + 1));
    if (out.session && *out.session != value)
      out.problem = denied(400, "conflicting_credentials", "The request has two different session cookies.");
    if (!value.empty()) out.session = value;
  }
}

void addKey(std::string value, Credentials& out) {
  if (out.key && *out.key != value)
    out.problem = denied(400, "conflicting_credentials",
                         "The request's Authorization, x-api-key and api-key headers do not agree. Send one of them.");
  out.key = std::move(value);
}

Credentials credentialsOf(const http::Request& request) {
  Credentials out;
  const std::string_view cookie = sessionCookieName(request.secure);
  for (const http::Header& header : request.headers) {
    if (http::equalsIgnoringCase(header.name, "authorization")) {
      const std::string_view value = trimmed(header.value);
      const std::size_t space = value.find(' ');
      if (http::equalsIgnoringCase(value.substr(0, space), kBearer)) {
        addKey(std::string(space == std::string_view::npos ? std::string_view{} : trimmed(value.substr(space))), out);
      } else {
        addKey(std::string(value), out);  // another scheme: never a key of ours
      }
    } else if (http::equalsIgnoringCase(header.name, "x-api-key") || http::equalsIgnoringCase(header.name, "api-key")) {
      addKey(std::string(trimmed(header.value)), out);
    } else if (http::equalsIgnoringCase(header.name, "cookie")) {
      findCookie(header.value, cookie, out);
    }
  }
  return out;
}

Scope scopeOf(Access access) noexcept {
  switch (access) {
    case Access::Public:
    case Access::Chat: return Scope::Inference;
    case Access::Own: return Scope::Account;
    case Access::Metrics: return Scope::Metrics;
    case Access::Library: return Scope::Library;
    case Access::Admin: return Scope::Admin;
  }
  return Scope::Admin;
}

bool changes(std::string_view method) noexcept { return method != "GET" && method != "HEAD" && method != "OPTIONS"; }

std::shared_ptr<const Caller> callerWith(Caller::Kind kind, Principal who, std::string session = {}) {
  auto caller = std::make_shared<Caller>();
  caller->kind = kind;
  caller->who = std::move(who);
  caller->session = std::move(session);
  return caller;
}

using Found = std::expected<std::shared_ptr<const Caller>, ApiError>;

/// Who it is, whatever they want. Nobody is an answer as well.
Found identify(const GateRules& rules, const http::Request& request) {
  Credentials given = credentialsOf(request);
  if (!rules.requireSignIn) {
    // Clients that cannot do without a key send any word here; only what looks like one of ours is held to be good.
    if (given.key && !given.key->starts_with(kKeyPrefix)) given.key.reset();
    if (rules.team == nullptr) given = {};
    if (given.problem && !given.key) given.problem.reset();
  }
  if (given.problem) return std::unexpected(std::move(*given.problem));
  if (given.key && given.session)
    return std::unexpected(
        denied(400, "conflicting_credentials", "The request has a key and a session cookie. Send one of them."));
  if (given.key) {
    auto who = rules.team != nullptr ? rules.team->authenticateKey(*given.key)
                                     : Result<Principal>(fail(ErrorCode::Unauthenticated, ""));
    if (!who) return std::unexpected(denied(401, "invalid_api_key", "The API key is wrong, expired or revoked."));
    return callerWith(Caller::Kind::Key, std::move(*who));
  }
  if (given.session && rules.team != nullptr) {
    auto who = rules.team->authenticateSession(*given.session);
    if (who) return callerWith(Caller::Kind::Session, std::move(*who), std::move(*given.session));
    if (rules.requireSignIn) return std::unexpected(denied(401, "unauthenticated", "The session has ended. Sign in again."));
  }
  if (rules.requireSignIn) return callerWith(Caller::Kind::Nobody, Principal{});
  return callerWith(Caller::Kind::Machine, machinePrincipal());
}

std::optional<ApiError> authorise(const Route& route, const http::Request& request, const Caller& caller) {
  if (caller.kind == Caller::Kind::Nobody)
    return denied(401, "unauthenticated", "This server needs an API key (Authorization: Bearer …) or a signed-in session.");
  if (!caller.who.may(scopeOf(route.access)))
    return denied(403, "permission_denied",
                  fmt::format("This {} may not do that: it needs the scope \"{}\".",
                              caller.kind == Caller::Kind::Key ? "key" : "account", scopeName(scopeOf(route.access))));
  if (caller.kind == Caller::Kind::Session && changes(request.method)) {
    const std::string* token = request.header("x-hearth-csrf");
    if (token == nullptr || !Team::csrfMatches(caller.session, *token))
      return denied(403, "csrf_failed", "The X-Hearth-CSRF header is missing or not this session's.");
  }
  return std::nullopt;
}

http::Verdict refusal(http::Verdict verdict, const http::Request& request, const ApiError& error) {
  verdict.notes.errorCode = error.code;
  verdict.notes.error = error.message;
  verdict.refusal = errorResponse(error, dialectOf(request.path));
  if (error.status == 401) verdict.refusal->headers.push_back({"WWW-Authenticate", "Bearer realm=\"hearth\""});
  return verdict;
}

}  // namespace

const Caller& callerOf(const http::Exchange& exchange) {
  static const Caller machine = [] {
    Caller caller;
    caller.kind = Caller::Kind::Machine;
    caller.who = machinePrincipal();
    return caller;
  }();
  const auto* found = static_cast<const Caller*>(exchange.request().identity.get());
  return found != nullptr ? *found : machine;
}

std::string_view sessionCookieName(bool secure) noexcept { return secure ? "__Host-hearth" : "hearth"; }

std::string sessionCookie(std::string_view token, bool secure) {
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict{}{}", sessionCookieName(secure), token,
                     secure ? "; Secure" : "", token.empty() ? "; Max-Age=0" : "");
}

http::Verdict judge(const GateRules& rules, const http::Request& request) {
  const RouteMatch found = matchRoute(routes(), request.method, request.path);
  http::Verdict verdict = judgeRoute(rules, request, found.route);
  verdict.notes.route = found.pattern;
  return verdict;
}

http::Verdict judgeRoute(const GateRules& rules, const http::Request& request, const Route* route) {
  http::Verdict verdict;
  const auto names = rules.hostNames ? rules.hostNames() : nullptr;
  if (const auto problem = names ? http::checkHostAndOrigin(request, *names) : http::checkHostAndOrigin(request)) {
    verdict.hangUp = true;
    return refusal(std::move(verdict), request, denied(problem->status, problem->code, problem->message));
  }
  if (route == nullptr) {  // the router says what is wrong; nothing is done for anybody
    verdict.bodyBytes = kStrayBodyBytes;
    verdict.identity = callerWith(Caller::Kind::Nobody, Principal{});
    return verdict;
  }
  verdict.bodyBytes = route->bodyBytes;
  verdict.spool = route->body == Body::Spool;
  auto caller = identify(rules, request);
  if (route->access == Access::Public) {
    verdict.identity = caller ? std::move(*caller) : callerWith(Caller::Kind::Nobody, Principal{});
    return verdict;
  }
  if (!caller) return refusal(std::move(verdict), request, caller.error());
  verdict.notes.user = (*caller)->who.name;
  if (const auto problem = authorise(*route, request, **caller)) return refusal(std::move(verdict), request, *problem);
  verdict.identity = std::move(*caller);
  return verdict;
}

ApiResult<void> mayUseModel(const http::Exchange& exchange, std::string_view model) {
  if (principalOf(exchange).mayUseModel(model)) return {};
  auto error = denied(403, "model_not_allowed", fmt::format("You may not use the model \"{}\".", model));
  error.param = "model";
  return std::unexpected(std::move(error));
}

ApiResult<void> admit(const ApiContext& context, const http::ExchangePtr& exchange, const std::string& model) {
  if (const auto allowed = mayUseModel(*exchange, model); !allowed) return std::unexpected(allowed.error());
  if (context.team == nullptr) return {};
  if (const auto admitted = context.team->admit(principalOf(*exchange), model); !admitted)
    return std::unexpected(fromError(admitted.error()));
  exchange->note([](http::ExchangeNotes& notes) { notes.admitted = true; });
  return {};
}

}  // namespace hearth::api
