#include "core/engine/speculation/step_times.h"

#include <algorithm>

namespace hearth {
namespace {

constexpr double kSmoothing = 0.125;
/// A step that took this much longer than usual was disturbed from outside: it counts as much and no more.
constexpr double kOutlier = 2;
/// Guess for widths beyond those measured: each row adds this part of the step.
constexpr double kHopedSlope = 0.03;
constexpr std::int64_t kMemory = 4096;

}  // namespace

void StepTimes::record(int rows, double seconds) noexcept {
  if (rows < 1 || rows > kMostRows || !(seconds > 0)) return;
  Bin& bin = m_bins[static_cast<std::size_t>(rows)];
  if (!known(rows)) bin.count = 0;
  bin.last = ++m_records;
  ++bin.count;
  // The first few as a plain mean, so that one slow start does not linger.
  const double weight = std::max(kSmoothing, 1.0 / bin.count);
  const double sample = bin.count > 1 ? std::min(seconds, kOutlier * bin.seconds) : seconds;
  bin.seconds += weight * (sample - bin.seconds);
}

bool StepTimes::known(int rows) const noexcept {
  const Bin& bin = m_bins[static_cast<std::size_t>(rows)];
  // What was seen once or twice may have been a hiccup: it is forgotten sooner, and tried again.
  return bin.count > 0 && m_records - bin.last < (bin.count < 6 ? std::int64_t{64} << bin.count : kMemory);
}

int StepTimes::widest() const noexcept {
  int rows = kMostRows;
  while (rows > 0 && !known(rows)) --rows;
  return rows;
}

double StepTimes::at(int rows) const noexcept {
  rows = std::max(rows, 1);
  int below = std::min(rows, kMostRows);
  while (below > 0 && !known(below)) --below;
  int above = rows;
  while (above <= kMostRows && !known(above)) ++above;
  const auto time = [&](int at) { return m_bins[static_cast<std::size_t>(at)].seconds; };
  if (below == rows) return time(below);
  if (below == 0) return above <= kMostRows ? time(above) : 0;
  if (above <= kMostRows) return time(below) + (time(above) - time(below)) * (rows - below) / (above - below);
  // Beyond the widest: at least as steep as between the last two that are known.
  int lower = below - 1;
  while (lower > 0 && !known(lower)) --lower;
  double slope = kHopedSlope * time(below) / below;
  if (lower > 0) slope = std::max(slope, (time(below) - time(lower)) / (below - lower));
  return time(below) + slope * (rows - below);
}

}  // namespace hearth
