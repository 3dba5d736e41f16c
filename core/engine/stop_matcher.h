#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

/// Finds stop strings in a stream of text and holds back what may be the beginning of one. The result does not depend on how
/// the text is cut into pieces: the string that is complete first wins, the longest of those that end together. One thread.
class StopMatcher {
 public:
  explicit StopMatcher(std::vector<std::string> stops) : m_stops(std::move(stops)) {}

  struct Output {
    std::string text;                 ///< safe to show; everything before the match
    std::optional<std::string> stop;  ///< set once: nothing may be pushed afterwards
  };
  [[nodiscard]] Output push(std::string_view text);
  /// What is held back when the stream ends without a match.
  [[nodiscard]] std::string flush();

 private:
  std::vector<std::string> m_stops;
  std::string m_held;
};

}  // namespace hearth
