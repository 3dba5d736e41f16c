#include "core/engine/stop_matcher.h"

#include <algorithm>
#include <utility>

namespace hearth {

StopMatcher::Output StopMatcher::push(std::string_view text) {
  if (m_stops.empty()) return {std::string(text), std::nullopt};
  m_held += text;
  std::size_t bestEnd = std::string::npos, bestBegin = 0;
  const std::string* best = nullptr;
  for (const auto& stop : m_stops) {
    const std::size_t begin = m_held.find(stop);
    if (begin == std::string::npos) continue;
    const std::size_t end = begin + stop.size();
    if (best == nullptr || end < bestEnd || (end == bestEnd && begin < bestBegin)) {
      best = &stop;
      bestEnd = end;
      bestBegin = begin;
    }
  }
  if (best != nullptr) {
    Output output{m_held.substr(0, bestBegin), *best};
    m_held.clear();
    return output;
  }
  // The longest tail that begins some stop string.
  std::size_t held = 0;
  for (const auto& stop : m_stops) {
    for (std::size_t length = std::min(stop.size() - 1, m_held.size()); length > held; --length) {
      if (m_held.ends_with(std::string_view(stop).substr(0, length))) {
        held = length;
        break;
      }
    }
  }
  Output output{m_held.substr(0, m_held.size() - held), std::nullopt};
  m_held.erase(0, m_held.size() - held);
  return output;
}

std::string StopMatcher::flush() {
  return std::exchange(m_held, {});
}

}  // namespace hearth
