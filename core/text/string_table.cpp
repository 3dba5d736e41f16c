#include "core/text/string_table.h"

#include <bit>
#include <cstring>
#include <random>

namespace hearth {
namespace {

std::uint64_t mix(std::uint64_t value) noexcept {
  // The finaliser of MurmurHash3 (public domain): every input bit reaches every output bit.
  value ^= value >> 33U;
  value *= 0xff51afd7ed558ccdULL;
  value ^= value >> 33U;
  value *= 0xc4ceb9fe1a85ec53ULL;
  return value ^ value >> 33U;
}

std::size_t slotsFor(std::size_t count) { return std::bit_ceil(count * 2 + 2); }

}  // namespace

std::uint64_t randomSeed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32U | device();
}

StringTable::StringTable(std::size_t count) : m_slots(slotsFor(count)), m_seed(randomSeed()) {}

std::uint64_t StringTable::hash(std::string_view key) const noexcept {
  std::uint64_t state = m_seed ^ key.size();
  std::size_t at = 0;
  for (; at + 8 <= key.size(); at += 8) {
    std::uint64_t chunk = 0;
    std::memcpy(&chunk, key.data() + at, 8);
    state = mix(state ^ chunk);
  }
  std::uint64_t rest = 0;
  if (at < key.size()) std::memcpy(&rest, key.data() + at, key.size() - at);
  return mix(state ^ rest);
}

bool StringTable::insert(std::string_view key, std::int32_t value) {
  const std::uint64_t full = hash(key);
  const auto tag = static_cast<std::uint32_t>(full >> 32U);
  for (std::size_t i = full & (m_slots.size() - 1);; i = (i + 1) & (m_slots.size() - 1)) {
    Slot& slot = m_slots[i];
    if (slot.value < 0) {
      slot = {tag, value, key};
      return true;
    }
    if (slot.hash == tag && slot.key == key) return false;
  }
}

std::int32_t StringTable::find(std::string_view key) const noexcept {
  if (m_slots.empty()) return -1;
  const std::uint64_t full = hash(key);
  const auto tag = static_cast<std::uint32_t>(full >> 32U);
  for (std::size_t i = full & (m_slots.size() - 1);; i = (i + 1) & (m_slots.size() - 1)) {
    const Slot& slot = m_slots[i];
    if (slot.value < 0) return -1;
    if (slot.hash == tag && slot.key == key) return slot.value;
  }
}

MergeTable::MergeTable(std::size_t count) : m_slots(slotsFor(count)), m_seed(randomSeed()) {}

std::size_t MergeTable::start(std::int32_t left, std::int32_t right) const noexcept {
  const auto key = static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32U | static_cast<std::uint32_t>(right);
  return mix(key ^ m_seed) & (m_slots.size() - 1);
}

bool MergeTable::insert(std::int32_t left, std::int32_t right, Merge merge) {
  for (std::size_t i = start(left, right);; i = (i + 1) & (m_slots.size() - 1)) {
    Slot& slot = m_slots[i];
    if (slot.left < 0) {
      slot = {left, right, merge};
      return true;
    }
    if (slot.left == left && slot.right == right) return false;
  }
}

MergeTable::Merge MergeTable::find(std::int32_t left, std::int32_t right) const noexcept {
  if (m_slots.empty()) return {};
  for (std::size_t i = start(left, right);; i = (i + 1) & (m_slots.size() - 1)) {
    const Slot& slot = m_slots[i];
    if (slot.left < 0) return {};
    if (slot.left == left && slot.right == right) return slot.merge;
  }
}

}  // namespace hearth
