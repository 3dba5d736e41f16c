#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "kernels/cpu/kernel_table.h"

namespace hearth::kernels::testing {

/// 64-byte aligned bytes, filled with a pattern that makes reads of unwritten memory show.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::int64_t size) : m_size(static_cast<std::size_t>(size)) {
    m_data.reset(static_cast<std::byte*>(std::aligned_alloc(64, (m_size + 64) / 64 * 64)));
    std::memset(m_data.get(), 0xFB, (m_size + 64) / 64 * 64);
  }
  [[nodiscard]] std::byte* data() { return m_data.get(); }
  [[nodiscard]] const std::byte* data() const { return m_data.get(); }
  [[nodiscard]] std::size_t size() const { return m_size; }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::size_t m_size;
  std::unique_ptr<std::byte, Free> m_data;
};

inline std::vector<float> randomFloats(std::size_t count, std::uint32_t seed, float deviation = 1.0F) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, deviation);
  std::vector<float> x(count);
  for (float& v : x) v = normal(random);
  return x;
}

}  // namespace hearth::kernels::testing
