#include "core/text/unicode.h"

#include <gtest/gtest.h>

#include <string>

#include "core/text/pretokenizer.h"

namespace hearth {
namespace {

TEST(Unicode, BrokenPartsAreReplacedAsPythonDoes) {
  // b"...".decode("utf-8", "replace")
  EXPECT_EQ(unicode::replaceInvalid("\x80"), "\ufffd");
  EXPECT_EQ(unicode::replaceInvalid("\xc0\x80"), "\ufffd\ufffd");
  EXPECT_EQ(unicode::replaceInvalid("\xe0\x80\x80"), "\ufffd\ufffd\ufffd");
  EXPECT_EQ(unicode::replaceInvalid("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");
  EXPECT_EQ(unicode::replaceInvalid("\xe4\xb8" "a"), "\ufffd" "a");
  EXPECT_EQ(unicode::replaceInvalid("\xf0\x9f\x98"), "\ufffd");
  EXPECT_EQ(unicode::replaceInvalid("\xf0\x9f\x98\xf0\x9f\x98\x80"), "\ufffd😀");
  EXPECT_EQ(unicode::replaceInvalid("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd");
  EXPECT_EQ(unicode::replaceInvalid("ok"), "ok");
}

TEST(Unicode, ValidityAndTails) {
  EXPECT_TRUE(unicode::isValid(""));
  EXPECT_TRUE(unicode::isValid("plain ascii, longer than eight"));
  EXPECT_TRUE(unicode::isValid("aaaaaaaaé"));
  EXPECT_FALSE(unicode::isValid("aaaaaaaa\xc3"));
  EXPECT_EQ(unicode::incompleteTail(""), 0U);
  EXPECT_EQ(unicode::incompleteTail("a"), 0U);
  EXPECT_EQ(unicode::incompleteTail("a\xc3"), 1U);
  EXPECT_EQ(unicode::incompleteTail("a\xe4\xb8"), 2U);
  EXPECT_EQ(unicode::incompleteTail("a\xf0\x9f\x98"), 3U);
  EXPECT_EQ(unicode::incompleteTail("😀"), 0U);
  EXPECT_EQ(unicode::incompleteTail("\xff"), 0U);
  EXPECT_EQ(unicode::incompleteTail("\x80\x80\x80"), 0U);
  EXPECT_EQ(unicode::incompleteTail("\xe0\x80"), 0U) << "no byte can complete it";
}

TEST(Unicode, EveryCodePointSurvives) {
  for (char32_t c = 0; c < 0x110000; c += c < 0x3000 ? 1 : 37) {
    if (c >= 0xd800 && c < 0xe000) continue;
    std::string text;
    unicode::append(text, c);
    const auto decoded = unicode::decodeAt(text, 0);
    ASSERT_TRUE(decoded.valid) << static_cast<std::uint32_t>(c);
    ASSERT_EQ(decoded.codePoint, c);
    ASSERT_EQ(decoded.length, text.size());
  }
}

TEST(Unicode, Nfc) {
  EXPECT_EQ(unicode::toNfc("abc"), "abc");
  EXPECT_EQ(unicode::toNfc("e\u0301"), "é");
  EXPECT_EQ(unicode::toNfc("a\u0301\u0323"), "ạ\u0301") << "marks are ordered before composing";
  EXPECT_EQ(unicode::toNfc("\u1100\u1161\u11a8"), "각");
  EXPECT_EQ(unicode::toNfc("\u2126"), "\u03a9") << "singletons";
  EXPECT_EQ(unicode::toNfc("\u0958"), "\u0915\u093c") << "composition exclusions";
  EXPECT_EQ(unicode::toNfc("ﬁ"), "ﬁ") << "no compatibility forms";
}

TEST(Unicode, LongRunsOfMarksAreNotQuadratic) {
  std::string marks = "a";
  for (int i = 0; i < 300000; ++i) marks += "\u0301\u0316";
  EXPECT_EQ(unicode::toNfc(marks).size(), marks.size() - 1) << "one acute joins the a";
}

std::string words(std::string_view text, WordPattern pattern) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = firstWord(text, pattern);
    if (length == 0 || length > text.size()) return "stuck";
    out += out.empty() ? "" : "|";
    out += text.substr(0, length);
    text.remove_prefix(length);
  }
  return out;
}

TEST(PreTokenizer, Gpt2) {
  EXPECT_EQ(words("Hello world's 123", WordPattern::Gpt2), "Hello| world|'s| 123");
  EXPECT_EQ(words("a  b", WordPattern::Gpt2), "a| | b");
  EXPECT_EQ(words("a \n b", WordPattern::Gpt2), "a| \n| b");
  EXPECT_EQ(words("a  ", WordPattern::Gpt2), "a|  ");
  EXPECT_EQ(words("a  1", WordPattern::Gpt2), "a| | 1");
  EXPECT_EQ(words("it'S 'll", WordPattern::Gpt2), "it|'|S| '|ll");
  EXPECT_EQ(words("!? ...x", WordPattern::Gpt2), "!?| ...|x");
  EXPECT_EQ(words("\u3000\u3000x", WordPattern::Gpt2), "\u3000|\u3000|x");
}

TEST(PreTokenizer, DigitsApart) {
  EXPECT_EQ(words("a  12", WordPattern::DigitsThenGpt2), "a|  |1|2");
  EXPECT_EQ(words("x1y 2", WordPattern::DigitsThenGpt2), "x|1|y| |2");
  EXPECT_EQ(words("½٣", WordPattern::DigitsThenGpt2), "½|٣");
}

TEST(PreTokenizer, Qwen2AndLlama) {
  EXPECT_EQ(words("I'LL go\n\n  x", WordPattern::Qwen2), "I|'LL| go|\n\n| | x");
  EXPECT_EQ(words("a'ſ", WordPattern::Qwen2), "a|'ſ");
  EXPECT_EQ(words("f(x)=1234;\r\n", WordPattern::Qwen2), "f|(x|)=|1|2|3|4|;\r\n");
  EXPECT_EQ(words("12345 6", WordPattern::Llama3), "123|45| |6");
  EXPECT_EQ(words("\tx\n\ty", WordPattern::Qwen2), "\tx|\n|\ty");
  EXPECT_EQ(words("  \n \n  z", WordPattern::Qwen2), "  \n \n| | z");
  EXPECT_EQ(words("\nx", WordPattern::Qwen2), "\n|x");
  EXPECT_EQ(words(" !\n", WordPattern::Qwen2), " !\n");
  EXPECT_EQ(words("世界。你", WordPattern::Qwen2), "世界|。你");
}

}  // namespace
}  // namespace hearth
