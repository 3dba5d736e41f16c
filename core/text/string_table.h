#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace hearth {

/// A seed that differs from run to run: a vocabulary from outside cannot be built so that its keys collide.
[[nodiscard]] std::uint64_t randomSeed();

/// Strings to token ids, open addressing. Keys are not owned: they must outlive the table. Build first, then any thread.
class StringTable {
 public:
  StringTable() = default;
  /// Room for `count` keys; more must not be inserted.
  explicit StringTable(std::size_t count);
  /// False when the key is there already (the first one stays).
  bool insert(std::string_view key, std::int32_t value);
  [[nodiscard]] std::int32_t find(std::string_view key) const noexcept;  ///< -1 when absent

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::int32_t value = -1;
    std::string_view key;
  };
  [[nodiscard]] std::uint64_t hash(std::string_view key) const noexcept;
  std::vector<Slot> m_slots;  // a power of two, at most half full; empty = no key
  std::uint64_t m_seed = 0;
};

/// Pairs of token ids to what they merge to: rank (lower merges first) and result. As StringTable.
class MergeTable {
 public:
  struct Merge {
    std::uint32_t rank = kNone;
    std::int32_t result = -1;
  };
  static constexpr std::uint32_t kNone = 0xffffffff;

  MergeTable() = default;
  explicit MergeTable(std::size_t count);
  bool insert(std::int32_t left, std::int32_t right, Merge merge);
  [[nodiscard]] Merge find(std::int32_t left, std::int32_t right) const noexcept;  ///< rank kNone when absent

 private:
  struct Slot {
    std::int32_t left = -1;
    std::int32_t right = -1;
    Merge merge;
  };
  [[nodiscard]] std::size_t start(std::int32_t left, std::int32_t right) const noexcept;
  std::vector<Slot> m_slots;
  std::uint64_t m_seed = 0;
};

}  // namespace hearth
