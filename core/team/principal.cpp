#include "core/team/principal.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hearth {
namespace {

constexpr std::array kRoles{std::pair{TeamRole::Guest, std::string_view("guest")},
                            std::pair{TeamRole::Member, std::string_view("member")},
                            std::pair{TeamRole::Admin, std::string_view("admin")}};
constexpr std::array kScopes{
    std::pair{Scope::Inference, std::string_view("inference")}, std::pair{Scope::Account, std::string_view("account")},
    std::pair{Scope::Metrics, std::string_view("metrics")}, std::pair{Scope::Library, std::string_view("library")},
    std::pair{Scope::Admin, std::string_view("admin")}};

bool allows(const std::vector<std::string>& patterns, std::string_view model) noexcept {
  return patterns.empty() ||
         std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) { return modelMatches(p, model); });
}

}  // namespace

std::string_view roleName(TeamRole role) noexcept {
  for (const auto& [value, name] : kRoles) {
    if (value == role) return name;
  }
  return "guest";
}

std::optional<TeamRole> roleNamed(std::string_view wanted) noexcept {
  for (const auto& [value, name] : kRoles) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

std::string_view scopeName(Scope scope) noexcept {
  for (const auto& [value, name] : kScopes) {
    if (value == scope) return name;
  }
  return "";
}

std::optional<Scope> scopeNamed(std::string_view wanted) noexcept {
  for (const auto& [value, name] : kScopes) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> scopeNames(Scopes scopes) {
  std::vector<std::string_view> names;
  for (const auto& [value, name] : kScopes) {
    if ((scopes & bit(value)) != 0) names.push_back(name);
  }
  return names;
}

Scopes scopesOf(TeamRole role) noexcept {
  switch (role) {
    case TeamRole::Guest: return bit(Scope::Inference) | bit(Scope::Account);
    case TeamRole::Member: return bit(Scope::Inference) | bit(Scope::Account) | bit(Scope::Metrics);
    case TeamRole::Admin: return kAllScopes;
  }
  return 0;
}

bool modelMatches(std::string_view pattern, std::string_view model) noexcept {
  if (pattern.ends_with('*')) return model.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == model;
}

bool Principal::mayUseModel(std::string_view model) const noexcept {
  return allows(groupModels, model) && allows(keyModels, model);
}

std::string Principal::queueName() const { return userId == 0 ? std::string() : "user:" + std::to_string(userId); }

Principal machinePrincipal() {
  Principal self;
  self.role = TeamRole::Admin;
  self.scopes = kAllScopes;
  return self;
}

}  // namespace hearth
