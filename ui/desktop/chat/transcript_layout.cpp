#include "ui/desktop/chat/transcript_layout.h"

#include <algorithm>

namespace hearth::ui {

void TranscriptLayout::resize(std::size_t count) {
  m_summed = std::min(m_summed, count);
  m_heights.resize(count, 0);
  m_measured.resize(count, false);
  m_tops.resize(count);
}

void TranscriptLayout::changed(std::size_t index) { m_summed = std::min(m_summed, index + 1); }

void TranscriptLayout::setEstimate(std::size_t index, int height) {
  m_measured[index] = false;
  if (m_heights[index] == height) return;
  m_heights[index] = height;
  changed(index);
}

void TranscriptLayout::setMeasured(std::size_t index, int height) {
  m_measured[index] = true;
  if (m_heights[index] == height) return;
  m_heights[index] = height;
  changed(index);
}

void TranscriptLayout::sumUpTo(std::size_t index) const {
  for (; m_summed <= index; ++m_summed) {
    m_tops[m_summed] = m_summed == 0 ? kMargin : m_tops[m_summed - 1] + m_heights[m_summed - 1];
  }
}

int TranscriptLayout::top(std::size_t index) const {
  sumUpTo(index);
  return m_tops[index];
}

int TranscriptLayout::total() const {
  if (m_heights.empty()) return 2 * kMargin;
  return top(m_heights.size() - 1) + m_heights.back() + kMargin;
}

std::size_t TranscriptLayout::indexAt(int y) const {
  sumUpTo(m_heights.size() - 1);
  const auto after = std::ranges::upper_bound(m_tops, y);
  return after == m_tops.begin() ? 0 : static_cast<std::size_t>(after - m_tops.begin()) - 1;
}

int estimatedHeight(std::size_t bytes, std::size_t lines, int width, int fontPixels) {
  constexpr int kAround = 56;  // actions below the text, and the gap to the next message
  const double lettersInLine = std::max(8.0, width / (fontPixels * 0.5));
  const double wrapped = static_cast<double>(bytes) / lettersInLine;
  // Half of a line's end is empty on average, also where the text has few ends of lines.
  const double shown = std::max(1.0, wrapped + static_cast<double>(lines) * 0.6);
  return static_cast<int>(std::min(shown * fontPixels * 1.6, 1e6)) + kAround;
}

}  // namespace hearth::ui
