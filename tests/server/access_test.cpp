#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/server/api/gate.h"
#include "core/server/api/router.h"
#include "tests/server/access_rules.h"
#include "tests/team/team_fixture.h"

namespace hearth::api {
namespace {

using http::Header;

/// "200" stands for: let in.
struct Cell {
  int status = 200;
  std::string code;
  friend bool operator==(const Cell&, const Cell&) = default;
};
void PrintTo(const Cell& cell, std::ostream* out) { *out << cell.status << " " << cell.code; }

Scope neededScope(Access access) {
  switch (access) {
    case Access::Public:
    case Access::Chat: return Scope::Inference;
    case Access::Own: return Scope::Account;
    case Access::Library: return Scope::Library;
    case Access::Metrics: return Scope::Metrics;
    case Access::Admin: return Scope::Admin;
  }
  return Scope::Admin;
}

/// One column of the matrix: what a request carries, and what the rules say about it.
struct Credential {
  std::string name;
  std::vector<Header> headers;
  std::string host = "hearth.example:11435";
  /// Before the route counts at all; also on public ones.
  Cell everywhere;
  /// On routes that are not public; 200 = it depends on the scopes.
  Cell otherwise;
  Scopes scopes = 0;
  bool badCsrf = false;
};

class AccessMatrix : public test::TeamTest {
 protected:
  Credential& add(std::string name, std::vector<Header> headers = {}, Cell otherwise = {}, Scopes scopes = 0) {
    Credential& column = m_columns.emplace_back();
    column.name = std::move(name);
    column.headers = std::move(headers);
    column.otherwise = std::move(otherwise);
    column.scopes = scopes;
    return column;
  }
  void SetUp() override {
    TeamTest::SetUp();
    const UserId admin = addUser("ada", TeamRole::Admin);
    const UserId member = addUser("mo", TeamRole::Member);
    addUser("gus", TeamRole::Guest);
    const UserId gone = addUser("dan", TeamRole::Admin);
    const Cell bad{401, "invalid_api_key"};
    const Cell unsigned_{401, "unauthenticated"};
    const auto bearer = [](const std::string& secret) { return Header{"Authorization", "Bearer " + secret}; };

    add("none", {}, unsigned_, 0);
    // Every way to send a key is one and the same.
    const auto everyForm = [&](const std::string& name, const std::string& secret, Cell otherwise, Scopes scopes) {
      for (const auto& header : {bearer(secret), Header{"x-api-key", secret}, Header{"api-key", secret},
                                 Header{"AUTHORIZATION", "bearer  " + secret}})
        m_columns.push_back(
            {.name = name + " by " + header.name, .headers = {header}, .otherwise = otherwise, .scopes = scopes});
    };
    const std::string adminKey = addKey(admin, kAllScopes).secret;
    everyForm("member's key", addKey(member).secret, {}, bit(Scope::Inference));
    everyForm("member's widest key", addKey(member, scopesOf(TeamRole::Member)).secret, {}, scopesOf(TeamRole::Member));
    everyForm("admin's key", adminKey, {}, kAllScopes);
    everyForm("admin's key for metrics", addKey(admin, bit(Scope::Metrics)).secret, {}, bit(Scope::Metrics));
    everyForm("admin's key for the account", addKey(admin, bit(Scope::Account)).secret, {}, bit(Scope::Account));
    auto expiring =
        m_team->createKey(m_machine, {.userId = admin, .scopes = kAllScopes, .lifetime = std::chrono::seconds(60)});
    ASSERT_TRUE(expiring.has_value());
    const MadeKey revoked = addKey(admin, kAllScopes);
    ASSERT_TRUE(m_team->revokeKey(m_machine, revoked.key.id).has_value());
    const std::string disabledKey = addKey(gone, kAllScopes).secret;
    const auto disabledSession = m_team->login("dan", test::kPassword, test::kHere);
    ASSERT_TRUE(disabledSession.has_value());
    ASSERT_TRUE(m_team->setDisabled(m_machine, gone, true).has_value());
    m_now += 61'000;
    everyForm("expired key", expiring->secret, bad, 0);
    everyForm("revoked key", revoked.secret, bad, 0);
    everyForm("disabled user's key", disabledKey, bad, 0);
    everyForm("wrong key", adminKey.substr(0, adminKey.size() - 1) + (adminKey.back() == 'A' ? 'B' : 'A'), bad, 0);
    everyForm("part of a key", adminKey.substr(0, 20), bad, 0);
    everyForm("any word", "sk-no-key-required", bad, 0);
    everyForm("empty key", "", bad, 0);
    add("another scheme", {{"Authorization", "Basic " + adminKey}}, bad, 0);

    const auto session = [&](const std::string& user, TeamRole role) {
      const auto signedIn = m_team->login(user, test::kPassword, test::kHere);
      EXPECT_TRUE(signedIn.has_value());
      const std::string cookie = "other=1; __Host-hearth=" + signedIn->token + "; more=x";
      const std::string csrf = Team::csrfToken(signedIn->token);
      m_columns.push_back(
          {.name = user + "'s session", .headers = {{"Cookie", cookie}, {"X-Hearth-CSRF", csrf}}, .scopes = scopesOf(role)});
      add(user + "'s session without CSRF token", {{"Cookie", cookie}}, {}, scopesOf(role)).badCsrf = true;
      add(user + "'s session with an empty CSRF token", {{"Cookie", cookie}, {"X-Hearth-CSRF", ""}}, {}, scopesOf(role))
          .badCsrf = true;
      add(user + "'s session with the cookie as CSRF token", {{"Cookie", cookie}, {"X-Hearth-CSRF", signedIn->token}}, {},
          scopesOf(role))
          .badCsrf = true;
      return *signedIn;
    };
    const SignedIn adminSession = session("ada", TeamRole::Admin);
    const SignedIn memberSession = session("mo", TeamRole::Member);
    (void)session("gus", TeamRole::Guest);
    add("session with another's CSRF token",
        {{"Cookie", "__Host-hearth=" + adminSession.token}, {"X-Hearth-CSRF", Team::csrfToken(memberSession.token)}}, {},
        kAllScopes)
        .badCsrf = true;
    add("cookie of a plain connection", {{"Cookie", "hearth=" + adminSession.token}}, unsigned_, 0);
    add("disabled user's session", {{"Cookie", "__Host-hearth=" + disabledSession->token}}, unsigned_, 0);
    const auto ended = m_team->login("gus", test::kPassword, test::kHere);
    ASSERT_TRUE(m_team->logout(ended->token, test::kHere).has_value());
    m_columns.push_back(
        {.name = "ended session", .headers = {{"Cookie", "__Host-hearth=" + ended->token}}, .otherwise = unsigned_});
    add("session token as a key", {bearer(adminSession.token)}, bad, 0);
    m_columns.push_back(
        {.name = "key as a cookie", .headers = {{"Cookie", "__Host-hearth=" + adminKey}}, .otherwise = unsigned_});

    const Cell conflict{400, "conflicting_credentials"};
    m_columns.push_back(
        {.name = "two keys", .headers = {bearer(adminKey), {"x-api-key", "hk_other"}}, .otherwise = conflict});
    m_columns.push_back(
        {.name = "the same key twice", .headers = {bearer(adminKey), {"x-api-key", adminKey}}, .scopes = kAllScopes});
    m_columns.push_back(
        {.name = "two Authorization headers", .headers = {bearer(adminKey), bearer("hk_other")}, .otherwise = conflict});
    add("key and session", {bearer(adminKey), {"Cookie", "__Host-hearth=" + adminSession.token}}, conflict, 0);
    m_columns.push_back(
        {.name = "two sessions",
         .headers = {{"Cookie", "__Host-hearth=" + adminSession.token + "; __Host-hearth=" + memberSession.token}},
         .otherwise = conflict});

    const Cell foreignHost{403, "host_not_allowed"};
    const Cell foreignOrigin{403, "origin_not_allowed"};
    for (const char* host : {"evil.example", "hearth.example.evil.example", "192.168.9.9", "0.0.0.0"})
      m_columns.push_back(
          {.name = std::string("Host ") + host, .headers = {bearer(adminKey)}, .host = host, .everywhere = foreignHost});
    for (const char* origin : {"https://evil.example", "http://hearth.example:11435", "https://hearth.example",
                               "https://localhost:11435", "null"})
      add(std::string("Origin ") + origin, {bearer(adminKey), {"Origin", origin}}, {}, 0).everywhere = foreignOrigin;
    add("own Origin", {bearer(adminKey), {"Origin", "https://hearth.example:11435"}}, {}, kAllScopes);
    // What a proxy might say about a client is only what the client says itself.
    add("spoofed address",
        {{"X-Forwarded-For", "127.0.0.1"},
         {"X-Real-IP", "127.0.0.1"},
         {"Forwarded", "for=127.0.0.1"},
         {"X-Forwarded-Host", "localhost"}},
        unsigned_, 0);
  }

  static http::Request request(const Route& route, const Credential& column, bool secure = true) {
    http::Request head;
    head.method = route.method;
    head.path = route.path;
    head.target = head.path;
    head.secure = secure;
    head.client = "192.168.1.7:5000";
    head.clientAddress = "192.168.1.7";
    head.headers.push_back({"Host", column.host});
    head.headers.insert(head.headers.end(), column.headers.begin(), column.headers.end());
    return head;
  }
  GateRules rules(bool requireSignIn) {
    const auto names = std::make_shared<const http::HostNames>(http::HostNames{"hearth.example", "192.168.1.5"});
    return {m_team.get(), requireSignIn, [names] { return names; }};
  }
  static Cell verdictOf(const http::Verdict& verdict) {
    return verdict.refusal ? Cell{verdict.refusal->status, verdict.notes.errorCode} : Cell{};
  }
  static Cell expected(Access access, std::string_view method, const Credential& column) {
    if (column.everywhere.status != 200) return column.everywhere;
    if (access == Access::Public) return {};
    if (column.otherwise.status != 200) return column.otherwise;
    if ((column.scopes & bit(neededScope(access))) == 0) return {403, "permission_denied"};
    const bool changing = method != "GET" && method != "HEAD";
    return column.badCsrf && changing ? Cell{403, "csrf_failed"} : Cell{};
  }

  std::vector<Credential> m_columns;
};

TEST_F(AccessMatrix, EveryRouteIsDecided) {
  for (const Route& route : routes()) {
    const std::string name = std::string(route.method) + " " + std::string(route.path);
    const auto rule = test::accessRules().find(name);
    ASSERT_NE(rule, test::accessRules().end()) << name << " has no line in access_rules.h: who may use it?";
    EXPECT_EQ(accessName(rule->second), accessName(route.access)) << name;
  }
  EXPECT_EQ(test::accessRules().size(), routes().size()) << "a rule for a route that is gone";
}

TEST_F(AccessMatrix, EveryCellIsAsTheRulesSay) {
  ASSERT_GT(m_columns.size(), 70U);
  int cells = 0;
  for (const Route& route : routes()) {
    const Access access = test::accessRules().at(std::string(route.method) + " " + std::string(route.path));
    for (const Credential& column : m_columns) {
      const http::Verdict verdict = judge(rules(true), request(route, column));
      EXPECT_EQ(verdictOf(verdict), expected(access, route.method, column))
          << route.method << " " << route.path << ", " << column.name;
      ++cells;
      if (!verdict.refusal) continue;
      EXPECT_FALSE(verdict.refusal->body.empty());
      for (const Header& header : column.headers) {
        if (header.value.size() > 8 && header.name != "Origin") {
          EXPECT_EQ(verdict.refusal->body.find(header.value), std::string::npos) << "a credential in an answer";
        }
      }
      if (verdict.refusal->status == 401) {
        const auto& headers = verdict.refusal->headers;
        EXPECT_TRUE(std::ranges::any_of(headers, [](const Header& h) { return h.name == "WWW-Authenticate"; }))
            << column.name;
      }
    }
  }
  EXPECT_EQ(cells, static_cast<int>(routes().size() * m_columns.size()));
}

TEST_F(AccessMatrix, EveryAccessClassIsTried) {
  // Also those that no route has today.
  constexpr std::array kAll{Access::Public, Access::Chat, Access::Own, Access::Library, Access::Metrics, Access::Admin};
  for (const Access access : kAll) {
    for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
      const Route route{method, "/x", access, nullptr};
      for (const Credential& column : m_columns) {
        const http::Verdict verdict = judgeRoute(rules(true), request(route, column), &route);
        EXPECT_EQ(verdictOf(verdict), expected(access, method, column))
            << method << " " << accessName(access) << ", " << column.name;
      }
    }
  }
}

TEST_F(AccessMatrix, TheMachinesOwnUserIsLetInUnlessToldOtherwise) {
  const auto open = [&](const Route& route, std::vector<Header> headers) {
    Credential column;
    column.host = "localhost:11435";
    column.headers = std::move(headers);
    return verdictOf(judge(rules(false), request(route, column, false)));
  };
  const std::string good = addKey(m_team->userNamed(m_machine, "mo")->id).secret;
  for (const Route& route : routes()) {
    EXPECT_EQ(open(route, {}), Cell{}) << route.path;
    EXPECT_EQ(open(route, {{"Authorization", "Bearer sk-any-word"}}), Cell{}) << "clients that cannot do without a key";
    EXPECT_EQ(open(route, {{"x-api-key", ""}}), Cell{});
    EXPECT_EQ(open(route, {{"Cookie", "hearth=stale"}}), Cell{});
    const bool isPublic = route.access == Access::Public;
    const Cell wrong = isPublic ? Cell{} : Cell{401, "invalid_api_key"};
    EXPECT_EQ(open(route, {{"Authorization", "Bearer hk_wrong"}}), wrong) << "who shows a key of ours is held to it";
    const bool inference = isPublic || route.access == Access::Chat;
    EXPECT_EQ(open(route, {{"Authorization", "Bearer " + good}}), inference ? Cell{} : (Cell{403, "permission_denied"}));
    EXPECT_EQ(open(route, {{"Origin", "https://evil.example"}}), (Cell{403, "origin_not_allowed"}));
  }
}

TEST_F(AccessMatrix, WhoIsKnownToTheControllers) {
  const auto caller = [&](std::vector<Header> headers, bool requireSignIn) {
    Credential column;
    column.headers = std::move(headers);
    column.host = "localhost";
    const Route route{"GET", "/v1/models", Access::Chat, nullptr};
    const http::Verdict verdict = judge(rules(requireSignIn), request(route, column));
    EXPECT_FALSE(verdict.refusal.has_value());
    return *static_cast<const Caller*>(verdict.identity.get());
  };
  const std::string key = addKey(m_team->userNamed(m_machine, "mo")->id).secret;
  const Caller byKey = caller({{"api-key", key}}, true);
  EXPECT_EQ(byKey.kind, Caller::Kind::Key);
  EXPECT_EQ(byKey.who.name, "mo");
  const auto signedIn = m_team->login("mo", test::kPassword, test::kHere);
  const Caller bySession = caller({{"Cookie", "__Host-hearth=" + signedIn->token}}, true);
  EXPECT_EQ(bySession.kind, Caller::Kind::Session);
  EXPECT_EQ(bySession.session, signedIn->token);
  EXPECT_EQ(bySession.who.queueName(), byKey.who.queueName()) << "one share of the queue for each user, however they come";
  EXPECT_EQ(caller({}, false).kind, Caller::Kind::Machine);
}

TEST_F(AccessMatrix, RefusalsSpeakTheCallersDialect) {
  const auto body = [&](const char* method, const char* path) {
    http::Request head;
    head.method = method;
    head.path = path;
    head.secure = true;
    head.headers = {{"Host", "hearth.example"}, {"Origin", "https://evil.example"}};
    return judge(rules(true), head).refusal->body;
  };
  EXPECT_TRUE(body("POST", "/v1/chat/completions").starts_with(R"({"error":{"message":)"));
  EXPECT_TRUE(body("POST", "/api/chat").starts_with(R"({"error":")"));
  EXPECT_TRUE(body("POST", "/v1/messages").starts_with(R"({"type":"error","error":{"type":"permission_error")"));
}

TEST_F(AccessMatrix, StrayRequestsMayNotFillMemory) {
  http::Request head;
  head.method = "POST";
  head.path = "/no/such/route";
  head.headers = {{"Host", "localhost"}};
  const http::Verdict verdict = judge(rules(true), head);
  EXPECT_FALSE(verdict.refusal.has_value()) << "the router's 404 says more";
  EXPECT_GT(verdict.bodyBytes, 0U);
  EXPECT_LE(verdict.bodyBytes, 64U * 1024);
}

TEST(SessionCookie, HoldsWhatBrowsersMustNotDo) {
  EXPECT_EQ(sessionCookie("abc", true), "__Host-hearth=abc; Path=/; HttpOnly; SameSite=Strict; Secure");
  EXPECT_EQ(sessionCookie("abc", false), "hearth=abc; Path=/; HttpOnly; SameSite=Strict");
  EXPECT_NE(sessionCookie("", true).find("Max-Age=0"), std::string::npos);
}

TEST(TeamErrors, SayWhetherTryingAgainHelps) {
  const ApiError minute =
      fromError(Error{ErrorCode::QuotaExceeded, "too fast", {}}.with("retry_after_seconds", std::string("12.2")));
  EXPECT_EQ(minute.status, 429);
  EXPECT_EQ(minute.code, "rate_limit_exceeded");
  EXPECT_EQ(minute.retryAfterSeconds, 13);
  EXPECT_FALSE(minute.retryUseless);
  const ApiError month = fromError(Error{ErrorCode::QuotaExceeded, "spent", {}});
  EXPECT_EQ(month.code, "insufficient_quota");
  const http::Response response = errorResponse(month);
  EXPECT_TRUE(std::ranges::any_of(response.headers,
                                  [](const Header& h) { return h.name == "x-should-retry" && h.value == "false"; }));
  EXPECT_FALSE(std::ranges::any_of(response.headers, [](const Header& h) { return h.name == "Retry-After"; }));
  EXPECT_EQ(fromError(Error{ErrorCode::TooManyAttempts, "slow down", {}}).retryAfterSeconds, 1);
  EXPECT_EQ(fromError(Error{ErrorCode::Forbidden, "no", {}}).status, 403);
  EXPECT_EQ(fromError(Error{ErrorCode::Unauthenticated, "who?", {}}).status, 401);
}

}  // namespace
}  // namespace hearth::api
