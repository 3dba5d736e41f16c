#pragma once

#include <array>
#include <cstdint>

namespace hearth {

/// How long a decoding step takes by the number of its rows (tokens), learnt from the steps themselves: the curve is flat
/// while weights are streamed from memory and climbs once the step is bound by arithmetic, and where that turns depends on
/// the machine and the model. One thread.
class StepTimes {
 public:
  static constexpr int kMostRows = 64;  ///< wider steps are not recorded

  void record(int rows, double seconds) noexcept;
  /// Expected seconds of a step of `rows` ≥ 1 rows; 0 while nothing is known. Between measured widths a straight line;
  /// beyond the widest, hopefully little more, so that it is tried and becomes known.
  [[nodiscard]] double at(int rows) const noexcept;
  /// The widest step that is known, 0 = none.
  [[nodiscard]] int widest() const noexcept;

 private:
  struct Bin {
    double seconds = 0;
    int count = 0;
    std::int64_t last = 0;  // number of the record that changed it last
  };
  /// What was measured long ago was measured in other circumstances (longer contexts, another load): it is forgotten.
  [[nodiscard]] bool known(int rows) const noexcept;

  std::array<Bin, kMostRows + 1> m_bins{};
  std::int64_t m_records = 0;
};

}  // namespace hearth
