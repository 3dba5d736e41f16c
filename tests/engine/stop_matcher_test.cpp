#include "core/engine/stop_matcher.h"

#include <gtest/gtest.h>

#include <random>

namespace hearth {
namespace {

struct Outcome {
  std::string text;
  std::optional<std::string> stop;
  bool operator==(const Outcome&) const = default;
};

Outcome feed(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
  StopMatcher matcher(stops);
  Outcome outcome;
  for (const auto& piece : pieces) {
    auto output = matcher.push(piece);
    outcome.text += output.text;
    if (output.stop) {
      outcome.stop = output.stop;
      return outcome;
    }
  }
  outcome.text += matcher.flush();
  return outcome;
}

TEST(StopMatcher, PassesEverythingWithoutStops) { EXPECT_EQ(feed({}, {"ab", "c"}), (Outcome{"abc", std::nullopt})); }

TEST(StopMatcher, FindsAStopSplitOverPieces) {
  EXPECT_EQ(feed({"\n\nUser:"}, {"hi\n", "\nUs", "er", ": x"}), (Outcome{"hi", "\n\nUser:"}));
}

TEST(StopMatcher, HoldsBackOnlyWhatMayBeAStop) {
  StopMatcher matcher({"END"});
  EXPECT_EQ(matcher.push("the E").text, "the ");
  EXPECT_EQ(matcher.push("gg EN").text, "Egg ");
  EXPECT_EQ(matcher.flush(), "EN");
}

TEST(StopMatcher, FallsBackWithinAPartialMatch) { EXPECT_EQ(feed({"aab"}, {"a", "a", "a", "b"}), (Outcome{"a", "aab"})); }

TEST(StopMatcher, FirstCompleteWinsThenTheLongest) {
  EXPECT_EQ(feed({"abcd", "bc"}, {"abcd"}), (Outcome{"a", "bc"}));
  EXPECT_EQ(feed({"c", "bc", "abc"}, {"xabc"}), (Outcome{"x", "abc"}));
}

/// However the text is cut, the outcome is that of the text as a whole, found by brute force.
TEST(StopMatcher, DoesNotDependOnTheCuts) {
  std::mt19937 random(1);
  const auto text = [&](std::size_t size) {
    std::string result;
    while (result.size() < size) result += static_cast<char>('a' + random() % 2);
    return result;
  };
  int matched = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> stops;
    for (std::size_t i = 0; i < 1 + random() % 3; ++i) stops.push_back(text(1 + random() % 5));
    const std::string whole = text(random() % 20);
    Outcome expected{whole, std::nullopt};
    for (std::size_t end = 1; end <= whole.size() && !expected.stop; ++end) {
      for (const auto& stop : stops) {
        if (!std::string_view(whole).substr(0, end).ends_with(stop)) continue;
        if (!expected.stop || stop.size() > expected.stop->size()) expected = {whole.substr(0, end - stop.size()), stop};
      }
    }
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < whole.size();) {
      const std::size_t size = random() % 4;
      pieces.push_back(whole.substr(at, size));
      at += size;
    }
    ASSERT_EQ(feed(stops, pieces), expected) << whole;
    matched += expected.stop.has_value() ? 1 : 0;
  }
  EXPECT_GT(matched, 500);
}

}  // namespace
}  // namespace hearth
