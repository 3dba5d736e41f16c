#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/store/team_store.h"

/// Random secrets, their digests and passwords, through libsodium. Pure or thread-safe.
namespace hearth::team {

/// Prepares libsodium; every function here needs it once. Error: Internal (no source of randomness).
[[nodiscard]] Result<void> initialiseSecrets();

/// 256 random bits as 43 characters of [0-9A-Za-z].
[[nodiscard]] std::string randomSecret();
[[nodiscard]] store::Digest digestOf(std::string_view text);
/// In a time that does not depend on what differs.
[[nodiscard]] bool sameDigest(const store::Digest& a, const store::Digest& b) noexcept;
[[nodiscard]] bool sameText(std::string_view a, std::string_view b);
[[nodiscard]] std::string hex(const store::Digest& digest);

/// argon2id with a salt of its own: 64 MiB, 3 passes, about 0.1 s. Error: OutOfMemory.
[[nodiscard]] Result<std::string> hashPassword(std::string_view password);
/// Takes the same time for an empty `hash` (nobody, or somebody without a password) and says false.
[[nodiscard]] bool passwordMatches(std::string_view hash, std::string_view password);

}  // namespace hearth::team
