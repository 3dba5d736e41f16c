#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

/// Of a team member. The numbers are stored.
enum class TeamRole : std::uint8_t {
  Guest = 0,   ///< uses models; no keys
  Member = 1,  ///< and makes keys of their own
  Admin = 2,   ///< everything
};

/// What a request may be for. A key carries some of them, a session all; the role says which of them count.
enum class Scope : std::uint32_t {
  Inference = 1,  ///< chat, completions, embeddings, lists of models, tokenize
  Account = 2,    ///< own conversations, keys, password, usage
  Metrics = 4,    ///< /metrics, load, slots
  Library = 8,    ///< pull, import, create, copy, delete models; load and unload
  Admin = 16,     ///< users, groups, keys of others, quotas, audit, server
};
using Scopes = std::uint32_t;  ///< bits of Scope
inline constexpr Scopes kAllScopes = 31;
[[nodiscard]] constexpr Scopes bit(Scope scope) noexcept { return static_cast<Scopes>(scope); }

[[nodiscard]] std::string_view roleName(TeamRole role) noexcept;  ///< "member"
[[nodiscard]] std::optional<TeamRole> roleNamed(std::string_view name) noexcept;
[[nodiscard]] std::string_view scopeName(Scope scope) noexcept;  ///< "inference"
[[nodiscard]] std::optional<Scope> scopeNamed(std::string_view name) noexcept;
[[nodiscard]] std::vector<std::string_view> scopeNames(Scopes scopes);
/// What a role allows at most. Metrics is for members too: a key for a monitoring program needs no administrator.
[[nodiscard]] Scopes scopesOf(TeamRole role) noexcept;

/// True when `pattern` is the model's id, or ends in '*' and the id begins with what is before it.
[[nodiscard]] bool modelMatches(std::string_view pattern, std::string_view model) noexcept;

/// Who a request comes from. A value: stays what it was when the account changes later.
struct Principal {
  std::int64_t userId = 0;  ///< 0 = the machine's own user
  std::string name;         ///< "" for the machine's own user
  TeamRole role = TeamRole::Guest;
  std::vector<std::int64_t> groupIds;
  std::vector<std::string> groups;  ///< names, in the order of groupIds
  std::int64_t keyId = 0;           ///< 0 = not by key
  std::int64_t sessionId = 0;       ///< 0 = not by session
  Scopes scopes = 0;                ///< already cut down to what the role allows
  /// Both lists must allow a model; an empty one does not limit. Administrators' groups do not limit them.
  std::vector<std::string> groupModels, keyModels;

  [[nodiscard]] bool may(Scope scope) const noexcept { return (scopes & bit(scope)) != 0; }
  [[nodiscard]] bool mayUseModel(std::string_view model) const noexcept;
  /// For fairness in the engine's queue (ChatRequest::principal): one for each user, whatever key they use.
  [[nodiscard]] std::string queueName() const;
};

/// Who sits at the machine itself: may do everything.
[[nodiscard]] Principal machinePrincipal();

}  // namespace hearth
