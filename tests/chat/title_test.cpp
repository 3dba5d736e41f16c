#include "core/chat/title.h"

#include <gtest/gtest.h>

namespace hearth::chat {
namespace {

TEST(Title, IsTheFirstLineThatSaysSomething) {
  EXPECT_EQ(titleFrom("How are you?"), "How are you?");
  EXPECT_EQ(titleFrom("\n\r\n  ## Plan for Monday  \nmore"), "Plan for Monday");
  EXPECT_EQ(titleFrom("---\n- first"), "first");
  EXPECT_EQ(titleFrom(""), "");
  EXPECT_EQ(titleFrom(" \n\n\t"), "");
}

TEST(Title, IsAtMostSixtyCharactersAndNeverHalfOfOne) {
  EXPECT_EQ(titleFrom(std::string(60, 'x')), std::string(60, 'x'));
  EXPECT_EQ(titleFrom(std::string(61, 'x')), std::string(59, 'x') + "…");
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "ü";
  EXPECT_EQ(titleFrom(umlauts), umlauts.substr(0, 59 * 2) + "…");
  EXPECT_EQ(titleFrom("The quick brown fox jumps over the lazy dog and then sleeps for a very long time"),
            "The quick brown fox jumps over the lazy dog and then sleeps…");
}

}  // namespace
}  // namespace hearth::chat
