#pragma once

#include <array>
#include <cstdint>

namespace hearth {

/// Random numbers as a pure function of (seed, token index, draw): Philox 4×32-10 (Salmon, Moraes, Dror, Shaw: "Parallel
/// random numbers: as easy as 1, 2, 3", SC 2011). A request draws the same numbers alone, in a batch, and after it was
/// preempted, because there is no state that could drift. Any thread.
class CounterRandom {
 public:
  using Block = std::array<std::uint32_t, 4>;

  explicit CounterRandom(std::uint64_t seed) noexcept : m_seed(seed) {}

  /// Uniform in [0, 1), 53 bits. `draw` tells apart the draws made for one token.
  [[nodiscard]] double uniform(std::uint64_t token, std::uint32_t draw) const noexcept {
    const Block block = philox({static_cast<std::uint32_t>(token), static_cast<std::uint32_t>(token >> 32U), draw, 0},
                               {static_cast<std::uint32_t>(m_seed), static_cast<std::uint32_t>(m_seed >> 32U)});
    const std::uint64_t bits = (static_cast<std::uint64_t>(block[0]) << 32U) | block[1];
    return static_cast<double>(bits >> 11U) * 0x1.0p-53;
  }

  [[nodiscard]] static Block philox(Block counter, std::array<std::uint32_t, 2> key) noexcept {
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t left = 0xD2511F53ULL * counter[0];
      const std::uint64_t right = 0xCD9E8D57ULL * counter[2];
      counter = {static_cast<std::uint32_t>(right >> 32U) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(right),
                 static_cast<std::uint32_t>(left >> 32U) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(left)};
      key[0] += 0x9E3779B9U;
      key[1] += 0xBB67AE85U;
    }
    return counter;
  }

 private:
  std::uint64_t m_seed;
};

}  // namespace hearth
