#include <boost/json/array.hpp>

#include "core/server/api/team/team_controllers.h"
#include "core/server/api/team/team_json.h"

namespace hearth::api {

namespace json = boost::json;

namespace {

constexpr std::int64_t kTenYears = 3660LL * 24 * 3600;
constexpr std::int64_t kNinetyDays = 90LL * 24 * 3600;

/// 404 for what cannot be a number of ours.
std::optional<std::int64_t> idOf(http::Exchange& exchange, const Arguments& arguments) {
  const auto id = numberIn(arguments.front());
  if (!id) sendError(exchange, Error{ErrorCode::NotFound, "there is nothing of this number", {}});
  return id;
}

void sendKey(http::Exchange& exchange, const Result<MadeKey>& made) {
  if (!made) return sendError(exchange, made.error());
  sendJson(exchange, {{"key", toJson(made->key)}, {"secret", made->secret}});
}

}  // namespace

void listKeys(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  Team* team = teamOf(context, *exchange);
  if (team == nullptr) return;
  const Actor actor = actorOf(*exchange);
  const bool all = queryValue(exchange->request(), "all").value_or("0") == "1";
  const auto keys = team->keys(actor, all ? std::nullopt : std::optional(actor.who.userId));
  if (!keys) return sendError(*exchange, keys.error());
  json::array list;
  for (const TeamKey& key : *keys) list.push_back(toJson(key));
  sendJson(*exchange, {{"keys", std::move(list)}});
}

void postKey(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  Team* team = teamOf(context, *exchange);
  if (team == nullptr) return;
  const Actor actor = actorOf(*exchange);
  BodyReader body(*exchange);
  NewKey wanted;
  wanted.label = body.text("label").value_or("");
  wanted.lifetime = std::chrono::seconds(body.integer("lifetime_seconds", 0, kTenYears).value_or(0));
  wanted.models = body.texts("models").value_or(std::vector<std::string>{});
  wanted.userId = body.integer("user_id", 1, std::int64_t{1} << 53).value_or(actor.who.userId);
  if (const auto scopes = body.texts("scopes")) {
    wanted.scopes = 0;
    for (const std::string& name : *scopes) {
      const auto scope = scopeNamed(name);
      if (!scope)
        body.wrong("scopes", "There is no scope of this name.");
      else
        wanted.scopes |= bit(*scope);
    }
  }
  if (const auto good = body.done(); !good) return sendError(*exchange, good.error());
  sendKey(*exchange, team->createKey(actor, wanted));
}

void rotateKey(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments) {
  Team* team = teamOf(context, *exchange);
  const auto id = team == nullptr ? std::nullopt : idOf(*exchange, arguments);
  if (!id) return;
  BodyReader body(*exchange);
  const auto overlap = body.integer("overlap_seconds", 0, kNinetyDays).value_or(0);
  if (const auto good = body.done(); !good) return sendError(*exchange, good.error());
  sendKey(*exchange, team->rotateKey(actorOf(*exchange), *id, std::chrono::seconds(overlap)));
}

void deleteKey(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments) {
  Team* team = teamOf(context, *exchange);
  const auto id = team == nullptr ? std::nullopt : idOf(*exchange, arguments);
  if (id) sendDone(*exchange, team->revokeKey(actorOf(*exchange), *id));
}

}  // namespace hearth::api
