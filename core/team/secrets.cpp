#include "core/team/secrets.h"

#include <fmt/format.h>
#include <sodium.h>

#include <array>

namespace hearth::team {
namespace {

constexpr unsigned long long kPasses = 3;
constexpr std::size_t kMemoryBytes = std::size_t{64} << 20;
constexpr std::size_t kSecretLength = 43;  // 62^43 > 2^256

// Of a password that nobody knows: to spend the same time on a name that is not there.
constexpr const char* kNobody =
    "$argon2id$v=19$m=65536,t=3,p=1$IvAW54GZ7doGHItrGmAbbw$wvEemBARhZzBUPXAQKCSlLbMlOSlVZW1V8FGNHPRqfo";

}  // namespace

Result<void> initialiseSecrets() {
  if (sodium_init() < 0) return fail(ErrorCode::Internal, "the system has no source of randomness");
  return {};
}

std::string randomSecret() {
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string secret;
  for (std::size_t i = 0; i < kSecretLength; ++i) secret += kAlphabet[randombytes_uniform(kAlphabet.size())];
  return secret;
}

store::Digest digestOf(std::string_view text) {
  store::Digest digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  return digest;
}

bool sameDigest(const store::Digest& a, const store::Digest& b) noexcept {
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool sameText(std::string_view a, std::string_view b) { return sameDigest(digestOf(a), digestOf(b)); }

std::string hex(const store::Digest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

Result<std::string> hashPassword(std::string_view password) {
  std::array<char, crypto_pwhash_STRBYTES> encoded{};
  if (crypto_pwhash_str_alg(encoded.data(), password.data(), password.size(), kPasses, kMemoryBytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail(ErrorCode::OutOfMemory, "no memory to protect a password", {{"needed_bytes", std::to_string(kMemoryBytes)}});
  }
  return std::string(encoded.data());
}

bool passwordMatches(std::string_view hash, std::string_view password) {
  const bool real = !hash.empty();
  const std::string encoded(real ? hash : std::string_view(kNobody));
  const bool matches = crypto_pwhash_str_verify(encoded.c_str(), password.data(), password.size()) == 0;
  return matches && real;
}

}  // namespace hearth::team
