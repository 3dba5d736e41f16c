#include <sodium.h>

#include <string_view>

#include "core/store/team_store.h"

namespace hearth::store {
namespace {

void addNumber(crypto_hash_sha256_state& state, std::uint64_t value) {
  std::array<unsigned char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(value >> (8 * i));
  crypto_hash_sha256_update(&state, bytes.data(), bytes.size());
}

// With its length, so that no two rows have the same bytes.
void addText(crypto_hash_sha256_state& state, std::string_view text) {
  addNumber(state, text.size());
  crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

}  // namespace

Digest auditHash(const Digest& before, const AuditRow& row) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, before.data(), before.size());
  addNumber(state, static_cast<std::uint64_t>(row.seq));
  addNumber(state, static_cast<std::uint64_t>(row.timeMs));
  addText(state, row.actor);
  addText(state, row.client);
  addText(state, row.action);
  addText(state, row.subject);
  addText(state, row.details);
  Digest hash;
  crypto_hash_sha256_final(&state, hash.data());
  return hash;
}

}  // namespace hearth::store
