#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/text/small_vocabulary.h"

// Vocabularies that lie: an error or a defined reading, never a crash.
namespace hearth {
namespace {

using test::byteLevel;
using test::sentencePiece;
using test::SmallVocabulary;
using testing::ElementsAre;

ErrorCode refusal(const SmallVocabulary& vocabulary) {
  const auto tokenizer = vocabulary.open();
  return tokenizer ? ErrorCode::Internal : tokenizer.error().code;
}

template <class Change>
ErrorCode refusal(SmallVocabulary vocabulary, const Change& change) {
  change(vocabulary);
  return refusal(vocabulary);
}

TEST(VocabularyHostile, TheBaseCasesAreGood) {
  EXPECT_TRUE(byteLevel().open());
  EXPECT_TRUE(sentencePiece().open());
}

TEST(VocabularyHostile, ByteTokensThatNameNoByte) {
  for (const char* name : {"<0x-1>", "<0x100>", "<0xG0>", "<0x>", "0x41", "", "<0x41", "<0X41>", "<0x 1>"}) {
    EXPECT_EQ(refusal(sentencePiece(), [&](SmallVocabulary& v) { v.add(name, TokenKind::Byte); }), ErrorCode::Corrupt) << name;
    EXPECT_EQ(refusal(byteLevel(), [&](SmallVocabulary& v) { v.add(name, TokenKind::Byte); }), ErrorCode::Corrupt) << name;
  }
}

TEST(VocabularyHostile, AByteTokenTwiceKeepsTheFirst) {
  auto v = sentencePiece();
  v.add("<0x41>", TokenKind::Byte);
  v.set("tokenizer.ggml.add_space_prefix", false);
  const auto t = v.open();
  ASSERT_TRUE(t);
  EXPECT_THAT((*t)->encode("A", {.addSpecial = false}), ElementsAre(3 + 0x41));
}

TEST(VocabularyHostile, ListsOfTheWrongLengthOrKind) {
  using V = SmallVocabulary;
  EXPECT_EQ(refusal(byteLevel(), [](V& v) { v.types.pop_back(); }), ErrorCode::Corrupt);
  EXPECT_EQ(refusal(byteLevel(), [](V& v) { v.types.push_back(1); }), ErrorCode::Corrupt);
  EXPECT_EQ(refusal(byteLevel(), [](V& v) { v.set("tokenizer.ggml.token_type", std::vector<float>(v.tokens.size())); }),
            ErrorCode::Corrupt);
  EXPECT_EQ(refusal(byteLevel(), [](V& v) { v.set("tokenizer.ggml.token_type", std::uint32_t{1}); }), ErrorCode::Corrupt);
  EXPECT_EQ(refusal(sentencePiece(), [](V& v) { v.scores.pop_back(); }), ErrorCode::Corrupt);
  EXPECT_EQ(refusal(sentencePiece(), [](V& v) { v.scores.clear(); }), ErrorCode::Corrupt);
  EXPECT_EQ(refusal(sentencePiece(), [](V& v) { v.set("tokenizer.ggml.scores", std::vector<std::int32_t>(v.tokens.size())); }),
            ErrorCode::Corrupt);
  EXPECT_EQ(refusal(sentencePiece(), [](V& v) { v.scores[7] = std::numeric_limits<float>::quiet_NaN(); }), ErrorCode::Corrupt);
  EXPECT_EQ(refusal(byteLevel(), [](V& v) { v.set("tokenizer.ggml.merges", std::uint32_t{1}); }), ErrorCode::Corrupt);
  EXPECT_EQ(refusal(byteLevel(), [](V& v) { v.set("tokenizer.ggml.tokens", std::string("x")); }), ErrorCode::Corrupt);
  EXPECT_EQ(refusal(byteLevel(), [](V& v) { v.tokens.clear(), v.types.clear(); }), ErrorCode::Corrupt);
}

TEST(VocabularyHostile, InfiniteScoresAreOrderedLikeOthers) {
  auto v = sentencePiece();
  v.add("a", TokenKind::Normal, std::numeric_limits<float>::infinity());
  v.add("b", TokenKind::Normal, -std::numeric_limits<float>::infinity());
  v.add("ab", TokenKind::Normal, std::numeric_limits<float>::infinity());
  v.set("tokenizer.ggml.add_space_prefix", false);
  const auto t = v.open();
  ASSERT_TRUE(t);
  EXPECT_EQ((*t)->decode((*t)->encode("abab")), "abab");
}

TEST(VocabularyHostile, KindsOutsideTheirRange) {
  for (const int kind : {-1, 7, 1 << 30, std::numeric_limits<int>::min()}) {
    EXPECT_EQ(refusal(byteLevel(), [&](SmallVocabulary& v) { v.types[5] = kind; }), ErrorCode::Corrupt) << kind;
  }
}

TEST(VocabularyHostile, SpecialIdsOutsideTheVocabulary) {
  for (const std::string key : {"bos", "eos", "unknown"}) {
    for (const std::int32_t id : {264, std::numeric_limits<std::int32_t>::max(), -2, std::numeric_limits<std::int32_t>::min()}) {
      EXPECT_EQ(refusal(byteLevel(), [&](SmallVocabulary& v) { v.set("tokenizer.ggml." + key + "_token_id", id); }),
                ErrorCode::Corrupt)
          << key << id;
    }
  }
  auto none = byteLevel();
  none.set("tokenizer.ggml.bos_token_id", std::int32_t{-1});
  none.set("tokenizer.ggml.eos_token_id", std::numeric_limits<std::uint32_t>::max());
  none.set("tokenizer.ggml.eot_token_id", std::uint32_t{5000});
  none.set("tokenizer.ggml.add_bos_token", true);
  const auto t = none.open();
  ASSERT_TRUE(t) << "converters write these for \"none\"";
  EXPECT_EQ((*t)->bos(), -1);
  EXPECT_EQ((*t)->eos(), -1);
  EXPECT_FALSE((*t)->addsBos());
}

TEST(VocabularyHostile, MergesThatCannotBe) {
  for (const char* merge : {"", " ", "h", "h ", " h", "h  e", "x nothere", "nothere x", "x y", "<|im_ end|>"}) {
    EXPECT_EQ(refusal(byteLevel(), [&](SmallVocabulary& v) { v.merges.emplace_back(merge); }), ErrorCode::Corrupt) << merge;
  }
  EXPECT_TRUE([] {
    auto v = byteLevel();
    v.merges.emplace_back("h e");  // twice
    return v.open().has_value();
  }());
}

TEST(VocabularyHostile, MergesCannotMakeControlTokens) {
  auto v = byteLevel();
  v.add("<|im_e");
  v.add("nd|>");
  v.merges.emplace_back("<|im_e nd|>");
  EXPECT_EQ(refusal(v), ErrorCode::Corrupt);
  // Nor may a single letter be one.
  auto letter = byteLevel();
  letter.types['h'] = static_cast<int>(TokenKind::Control);
  const auto t = letter.open();
  ASSERT_TRUE(t);
  EXPECT_THAT((*t)->encode("h", {.parseSpecial = false}), testing::IsEmpty());
  auto piece = sentencePiece();
  piece.add("Q", TokenKind::Control);
  piece.set("tokenizer.ggml.add_space_prefix", false);
  const auto s = piece.open();
  ASSERT_TRUE(s);
  EXPECT_THAT((*s)->encode("Q", {.addSpecial = false, .parseSpecial = false}), ElementsAre(3 + 'Q'));
}

TEST(VocabularyHostile, DuplicateAndEmptyTokens) {
  auto v = byteLevel();
  const int again = v.add("hello");
  const int empty = v.add("");
  v.add("", TokenKind::Control);
  v.add("<|im_end|>", TokenKind::Control);
  const auto t = v.open();
  ASSERT_TRUE(t) << t.error().describe();
  EXPECT_EQ((*t)->find("hello"), 259) << "the first keeps the text";
  EXPECT_EQ((*t)->bytes(again), "hello") << "the other still decodes";
  EXPECT_EQ((*t)->bytes(empty), "");
  EXPECT_EQ((*t)->find(""), -1);
  EXPECT_THAT((*t)->encode("hello<|im_end|>"), ElementsAre(259, 262));
}

TEST(VocabularyHostile, TokensThatAreNotUtf8OrNotOfTheAlphabet) {
  auto v = byteLevel();
  const int broken = v.add("\xff\xfe");
  const int foreign = v.add("世界");
  v.add("\xc3", TokenKind::UserDefined);
  const auto t = v.open();
  ASSERT_TRUE(t);
  EXPECT_EQ((*t)->bytes(broken), "\xff\xfe");
  EXPECT_EQ((*t)->bytes(foreign), "世界");
  EXPECT_EQ((*t)->decode(std::vector<TokenId>{broken}), "\ufffd\ufffd");
  (void)(*t)->encode("\xc3\xa9\xc3");
}

TEST(VocabularyHostile, TokensLongerThanAnyValidOne) {
  EXPECT_EQ(refusal(byteLevel(), [](SmallVocabulary& v) { v.add(std::string(70000, 'x')); }), ErrorCode::Corrupt);
  EXPECT_EQ(refusal(byteLevel(), [](SmallVocabulary& v) { v.add(std::string(2000, 'x'), TokenKind::Control); }),
            ErrorCode::Corrupt);
}

TEST(VocabularyHostile, BytesThatTheVocabularyLacksAreDropped) {
  auto v = byteLevel();
  v.tokens['q'] = "gone";
  const auto t = v.open();
  ASSERT_TRUE(t);
  EXPECT_THAT((*t)->encode("hqe"), ElementsAre(256)) << "as Hugging Face does";
  EXPECT_THAT((*t)->encode("q"), testing::IsEmpty());
  EXPECT_THAT((*t)->encode(std::string(100, 'q')), testing::IsEmpty());
}

TEST(VocabularyHostile, UnknownTokenizersAreNamed) {
  auto v = byteLevel();
  v.model = "mystery";
  const auto model = v.open();
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::UnsupportedFormat);
  EXPECT_EQ(model.error().find("value"), "mystery");
  v = byteLevel();
  v.set("tokenizer.ggml.pre", std::string("klingon"));
  const auto pre = v.open();
  ASSERT_FALSE(pre);
  EXPECT_EQ(pre.error().code, ErrorCode::UnsupportedFormat);
  EXPECT_EQ(pre.error().find("value"), "klingon");
}

}  // namespace
}  // namespace hearth
