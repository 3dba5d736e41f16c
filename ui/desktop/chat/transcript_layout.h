#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hearth::ui {

/// Where each message of a transcript stands: heights in pixels, measured where a widget has shown the message and estimated
/// elsewhere, and their sums. Knows nothing of widgets. One thread.
class TranscriptLayout {
 public:
  /// Space above the first message, and below the last.
  static constexpr int kMargin = 20;

  [[nodiscard]] std::size_t count() const noexcept { return m_heights.size(); }
  /// Keeps the first `count` messages; those that are added have a height of 0 until they are told.
  void resize(std::size_t count);
  void setEstimate(std::size_t index, int height);  ///< no longer counts as measured
  void setMeasured(std::size_t index, int height);
  [[nodiscard]] bool measured(std::size_t index) const { return m_measured[index]; }
  [[nodiscard]] int height(std::size_t index) const { return m_heights[index]; }
  /// The message's upper edge from the upper edge of the whole.
  [[nodiscard]] int top(std::size_t index) const;
  [[nodiscard]] int total() const;
  /// The message at this height: the first above all, the last below all. There must be one.
  [[nodiscard]] std::size_t indexAt(int y) const;

 private:
  void sumUpTo(std::size_t index) const;
  void changed(std::size_t index);
  std::vector<int> m_heights;
  std::vector<bool> m_measured;
  mutable std::vector<int> m_tops;   // of the first m_summed messages
  mutable std::size_t m_summed = 0;  // how many of m_tops are right
};

/// How high a message of so many bytes and lines will about be, at this width and type size.
[[nodiscard]] int estimatedHeight(std::size_t bytes, std::size_t lines, int width, int fontPixels);

}  // namespace hearth::ui
