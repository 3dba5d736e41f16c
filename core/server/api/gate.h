#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/server/api/api_error.h"
#include "core/server/api/router.h"
#include "core/server/transport/http_policy.h"
#include "core/server/transport/http_types.h"
#include "core/team/principal.h"

namespace hearth {
class Team;
}

namespace hearth::api {

/// Who a request is from, as the gate found out. Constant.
struct Caller final : http::Identity {
  enum class Kind : std::uint8_t {
    Nobody,   ///< on public routes only
    Machine,  ///< this machine's own user, let in without a credential
    Key,
    Session,
  } kind = Kind::Nobody;
  Principal who;
  std::string session;  ///< the session's token, for signing out and for its CSRF token; empty otherwise
};

/// The caller of a request that has come through the gate; one that never did (in tests) is the machine's own user.
[[nodiscard]] const Caller& callerOf(const http::Exchange& exchange);
/// For team functions that want to know who acts, and for ChatRequest::principal (queueName).
[[nodiscard]] inline const Principal& principalOf(const http::Exchange& exchange) { return callerOf(exchange).who; }

/// The name of the session's cookie. Behind TLS browsers hold "__Host-" to its promise (Secure, no Domain, Path=/).
[[nodiscard]] std::string_view sessionCookieName(bool secure) noexcept;
/// The Set-Cookie value that signs a browser in (`token` empty: out). HttpOnly, SameSite=Strict.
[[nodiscard]] std::string sessionCookie(std::string_view token, bool secure);

/// What the gate goes by. Constant while the server runs; the team outlives it.
struct GateRules {
  Team* team = nullptr;        ///< null: there is only the machine's own user
  bool requireSignIn = false;  ///< nobody is let in without a credential, also on loopback
  std::function<std::shared_ptr<const http::HostNames>()> hostNames;  ///< besides loopback's; any thread; empty = none
};

/// The one place that decides who may come in: Host and Origin, then who it is (Authorization: Bearer, x-api-key, api-key or
/// the session's cookie; one and the same check for all, several different ones refused), then whether the route's access
/// allows it, and a changing request by cookie carries the CSRF token (X-Hearth-CSRF). Default deny: only routes that are
/// written down as Public are answered without a credential. Answers from memory: may run on an io thread.
[[nodiscard]] http::Verdict judge(const GateRules& rules, const http::Request& head);

/// … for a route that has been found already (null: none): what judge() does after Host and Origin. For tests of rules that
/// no route has yet.
[[nodiscard]] http::Verdict judgeRoute(const GateRules& rules, const http::Request& head, const Route* route);

/// Whether this caller may use this model: 403 otherwise. Any thread.
[[nodiscard]] ApiResult<void> mayUseModel(const http::Exchange& exchange, std::string_view model);
/// Whether the request may run now; counts it against the caller's limits, and has what it took charged at its end (by the
/// tokens in its notes). Once for each request that generates or embeds, just before it starts. Errors: 403, 429.
[[nodiscard]] ApiResult<void> admit(const ApiContext& context, const http::ExchangePtr& exchange, const std::string& model);

}  // namespace hearth::api
