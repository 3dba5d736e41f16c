#include "core/text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/text/small_vocabulary.h"

namespace hearth {
namespace {

using test::byteLevel;
using test::sentencePiece;
using test::SmallVocabulary;
using testing::ElementsAre;
using testing::IsEmpty;

std::unique_ptr<Tokenizer> opened(const SmallVocabulary& vocabulary) {
  auto tokenizer = vocabulary.open();
  EXPECT_TRUE(tokenizer) << tokenizer.error().describe();
  return tokenizer ? std::move(*tokenizer) : nullptr;
}

TEST(BpeTokenizer, MergesByRank) {
  const auto t = opened(byteLevel());
  EXPECT_THAT(t->encode("hello"), ElementsAre(259));
  EXPECT_THAT(t->encode("hell"), ElementsAre(258));
  EXPECT_THAT(t->encode("hel"), ElementsAre(256, 'l'));
  EXPECT_THAT(t->encode("hello w"), ElementsAre(259, 260));
  EXPECT_THAT(t->encode("lll"), ElementsAre(257, 'l')) << "the leftmost of equals";
  EXPECT_THAT(t->encode(""), IsEmpty());
}

// Short words are merged by looking through them, long ones by a heap: both must do the same.
TEST(BpeTokenizer, LongWordsMergeAsShortOnes) {
  const auto t = opened(byteLevel());
  for (const int repeats : {1, 6, 7, 50, 1000}) {
    std::string word;
    std::vector<TokenId> expected;
    for (int i = 0; i < repeats; ++i) {
      word += "hellolle";
      expected.insert(expected.end(), {259, 257, 'e'});
    }
    EXPECT_EQ(t->encode(word), expected) << repeats;
  }
}

TEST(BpeTokenizer, LongRunsTakeNoLongerThanProse) {
  const auto t = opened(byteLevel());
  const std::string run(std::size_t{2} << 20U, 'l');
  EXPECT_EQ(t->encode(run).size(), run.size() / 2) << "a quadratic merge would not end within the test's time";
}

TEST(BpeTokenizer, EveryByteSurvivesTheRoundTrip) {
  const auto t = opened(byteLevel());
  std::string ascii;
  for (int c = 0; c < 128; ++c) ascii += static_cast<char>(c);
  for (const std::string& text : {ascii, std::string("Grüße, 世界! 👩‍🚀 e\u0301"), std::string("a\r\n\n \t b")}) {
    EXPECT_EQ(t->decode(t->encode(text)), text);
  }
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(t->bytes(byte), std::string(1, static_cast<char>(byte))) << byte;
  }
}

TEST(BpeTokenizer, BrokenUtf8BecomesReplacementCharacters) {
  const auto t = opened(byteLevel());
  EXPECT_EQ(t->decode(t->encode("a\xff\xfe" "b\xe4\xb8" "c\xed\xa0\x80\xf0\x9f\x98")),
            "a\ufffd\ufffd" "b\ufffd" "c\ufffd\ufffd\ufffd\ufffd");
}

TEST(BpeTokenizer, ControlTokensInTheText) {
  const auto t = opened(byteLevel());
  EXPECT_THAT(t->encode("<|im_start|>he<|im_end|>"), ElementsAre(261, 256, 262));
  const EncodeOptions literal{.parseSpecial = false};
  EXPECT_EQ(t->encode("<|im_end|>", literal).size(), 10U);
  EXPECT_THAT(t->encode("<tool>", literal), ElementsAre(263)) << "user-defined tokens are text";
  EXPECT_THAT(t->encode("<|im_end|", {}), testing::Not(testing::Contains(262)));
}

TEST(BpeTokenizer, TypedTextNeverBecomesAControlToken) {
  const auto t = opened(byteLevel());
  const std::string text = "<|im_start|><|im_end|><|im_end|>";  // the one in the middle was typed
  const auto count = [&](std::vector<TextRange> plain) {
    const auto tokens = t->encode(text, {.plain = plain});
    return std::ranges::count(tokens, 262) * 10 + std::ranges::count(tokens, 261);
  };
  EXPECT_EQ(count({}), 21);
  EXPECT_EQ(count({{12, 22}}), 11);
  EXPECT_EQ(count({{13, 14}}), 11) << "one typed byte within is enough";
  EXPECT_EQ(count({{11, 13}}), 10) << "a range across two spoils both";
  EXPECT_EQ(count({{21, 22}}), 11) << "the last byte";
  EXPECT_EQ(count({{22, 23}}), 11) << "the first byte of the next";
  EXPECT_EQ(count({{12, 12}, {22, 22}}), 21) << "empty ranges protect nothing";
  EXPECT_EQ(count({{0, text.size()}}), 0);
  EXPECT_EQ(count({{0, 5000}}), 0) << "a range may end behind the text";
  EXPECT_EQ(count({{0, 1}, {31, 32}}), 10);
  const std::vector<TextRange> all{{0, 6}};
  EXPECT_THAT(t->encode("<tool>", {.plain = all}), ElementsAre(263));
}

TEST(BpeTokenizer, LongestTokenFirst) {
  auto v = byteLevel();
  const int shorter = v.add("<|im", TokenKind::Control);
  const int longer = v.add("<|im_end|><|im_end|>", TokenKind::Control);
  const auto t = opened(v);
  EXPECT_THAT(t->encode("<|im_end|><|im_end|>"), ElementsAre(longer));
  EXPECT_THAT(t->encode("<|im_end|>"), ElementsAre(262));
  EXPECT_THAT(t->encode("<|imx"), ElementsAre(shorter, 'x'));
}

TEST(BpeTokenizer, BosAndEosAreAddedWhereAsked) {
  auto v = byteLevel();
  v.set("tokenizer.ggml.add_bos_token", true);
  v.set("tokenizer.ggml.add_eos_token", true);
  const auto t = opened(v);
  EXPECT_TRUE(t->addsBos());
  EXPECT_THAT(t->encode("he"), ElementsAre(261, 256, 262));
  EXPECT_THAT(t->encode("", {}), ElementsAre(261, 262));
  EXPECT_THAT(t->encode("he", {.addSpecial = false}), ElementsAre(256));
  EXPECT_FALSE(opened(byteLevel())->addsBos());
}

TEST(BpeTokenizer, ControlTokensDecodeOnlyWhenAskedFor) {
  const auto t = opened(byteLevel());
  const std::vector<TokenId> tokens{261, 259, 263, 262};
  EXPECT_EQ(t->decode(tokens), "hello<tool>");
  EXPECT_EQ(t->decode(tokens, true), "<|im_start|>hello<tool><|im_end|>");
  EXPECT_EQ(t->bytes(262), "");
  EXPECT_EQ(t->bytes(262, true), "<|im_end|>");
  EXPECT_TRUE(t->isControl(262));
  EXPECT_FALSE(t->isControl(263));
}

TEST(BpeTokenizer, IdsOutsideTheVocabularyAreNothing) {
  const auto t = opened(byteLevel());
  for (const TokenId token : {-1, -1000000, 264, 1 << 30}) {
    EXPECT_EQ(t->bytes(token, true), "");
    EXPECT_FALSE(t->isControl(token));
    EXPECT_FALSE(t->isEndOfGeneration(token));
  }
  EXPECT_EQ(t->decode(std::vector<TokenId>{-1, 259, 99999}), "hello");
}

TEST(BpeTokenizer, EndsOfGeneration) {
  auto v = byteLevel();
  const int eot = v.add("<|eot_id|>", TokenKind::Control);
  const int typed = v.add("<|endoftext|>", TokenKind::Normal);
  const int own = v.add("<my_end>", TokenKind::Control);
  const int end = v.add("<|end|>", TokenKind::Control);
  v.set("tokenizer.ggml.eot_token_id", static_cast<std::uint32_t>(own));
  const auto t = opened(v);
  EXPECT_TRUE(t->isEndOfGeneration(262)) << "eos";
  EXPECT_TRUE(t->isEndOfGeneration(eot)) << "known by name";
  EXPECT_TRUE(t->isEndOfGeneration(own)) << "named by the file";
  EXPECT_TRUE(t->isEndOfGeneration(end));
  EXPECT_FALSE(t->isEndOfGeneration(typed)) << "the name alone does not do";
  EXPECT_FALSE(t->isEndOfGeneration(261));
  v.add("<|return|>", TokenKind::Control);
  v.add("<|call|>", TokenKind::Control);
  EXPECT_FALSE(opened(v)->isEndOfGeneration(end)) << "in Harmony it ends a message, not the answer";
}

TEST(BpeTokenizer, LlamaTakesWholeWordsWithoutMerging) {
  auto v = byteLevel();
  const int whole = v.add("\u0120world");  // no merge leads to it
  EXPECT_EQ(opened(v)->encode(" world").size(), 5U);
  v.set("tokenizer.ggml.pre", std::string("llama-bpe"));
  EXPECT_THAT(opened(v)->encode(" world", {.addSpecial = false}), ElementsAre(whole));
  EXPECT_TRUE(opened(v)->addsBos());
}

TEST(BpeTokenizer, Qwen2ComposesTheText) {
  auto v = byteLevel();
  v.set("tokenizer.ggml.pre", std::string("qwen2"));
  const auto t = opened(v);
  EXPECT_EQ(t->decode(t->encode("e\u0301")), "\u00e9");
  EXPECT_EQ(t->encode("e\u0301"), t->encode("\u00e9"));
}

TEST(SpmTokenizer, MergesByScoreAndFallsBackToBytes) {
  auto v = sentencePiece();
  const int a = v.add("a", TokenKind::Normal, -3);
  const int b = v.add("b", TokenKind::Normal, -4);
  const int ab = v.add("ab", TokenKind::Normal, -2);
  const int ba = v.add("ba", TokenKind::Normal, -1);
  const int mark = v.add("\u2581", TokenKind::Normal, -9);
  v.set("tokenizer.ggml.add_space_prefix", false);
  const auto t = opened(v);
  const EncodeOptions bare{.addSpecial = false};
  EXPECT_THAT(t->encode("ab", bare), ElementsAre(ab));
  EXPECT_THAT(t->encode("aba", bare), ElementsAre(a, ba)) << "the better score first";
  EXPECT_THAT(t->encode("b a", bare), ElementsAre(b, mark, a));
  EXPECT_THAT(t->encode("\u00e9", bare), ElementsAre(3 + 0xc3, 3 + 0xa9));
  EXPECT_EQ(t->decode(t->encode("b a\u00e9 \n ab")), "b a\u00e9 \n ab");
  EXPECT_THAT(t->encode("a"), ElementsAre(1, a)) << "BOS is the default";
}

TEST(SpmTokenizer, ThePrefixedSpaceIsAddedAndTakenAway) {
  auto v = sentencePiece();
  const int a = v.add("a", TokenKind::Normal, -3);
  const int marked = v.add("\u2581a", TokenKind::Normal, -1);
  v.add("\u2581", TokenKind::Normal, -9);
  const auto t = opened(v);
  const EncodeOptions bare{.addSpecial = false};
  EXPECT_THAT(t->encode("a", bare), ElementsAre(marked));
  EXPECT_THAT(t->encode("aa", bare), ElementsAre(marked, a));
  EXPECT_EQ(t->decode(t->encode("a a")), "a a");
  EXPECT_EQ(t->decode(t->encode(" a")), " a") << "a space of the text's own stays";
  EXPECT_THAT(t->encode("", bare), IsEmpty());
}

TEST(SpmTokenizer, UserDefinedPiecesMatchWithEitherSpace) {
  auto v = sentencePiece();
  v.add("\u2581", TokenKind::Normal, -9);
  const int two = v.add("  ", TokenKind::UserDefined, 0);
  const int three = v.add("\u2581\u2581\u2581", TokenKind::UserDefined, 0);
  const int newline = v.add("\n", TokenKind::UserDefined, 0);
  v.set("tokenizer.ggml.add_space_prefix", false);
  const auto t = opened(v);
  const EncodeOptions bare{.addSpecial = false, .parseSpecial = false};
  EXPECT_THAT(t->encode("  ", bare), ElementsAre(two));
  EXPECT_THAT(t->encode("\u2581 ", bare), ElementsAre(two));
  EXPECT_THAT(t->encode("     \n", bare), ElementsAre(three, two, newline));
  EXPECT_EQ(t->decode(std::vector<TokenId>{three, two, newline}), "     \n");
}

TEST(SpmTokenizer, WithoutByteTokensUnknownCharactersBecomeOneUnknown) {
  auto v = sentencePiece(false);
  const int a = v.add("a", TokenKind::Normal, -3);
  v.set("tokenizer.ggml.add_space_prefix", false);
  const auto t = opened(v);
  const EncodeOptions bare{.addSpecial = false};
  EXPECT_THAT(t->encode("axyza", bare), ElementsAre(a, 0, a));
  EXPECT_THAT(t->encode("x y" + std::string(5000, 'z'), bare), ElementsAre(0));
}

TEST(SpmTokenizer, UnusedPiecesAreOnlyStepsOnTheWay) {
  auto v = sentencePiece();
  const int a = v.add("a", TokenKind::Normal, -5);
  const int b = v.add("b", TokenKind::Normal, -5);
  v.add("ab", TokenKind::Unused, -2);
  const int abc = v.add("abc", TokenKind::Normal, -1);
  v.add("c", TokenKind::Normal, -5);
  v.set("tokenizer.ggml.add_space_prefix", false);
  const auto t = opened(v);
  const EncodeOptions bare{.addSpecial = false};
  EXPECT_THAT(t->encode("abc", bare), ElementsAre(abc));
  EXPECT_THAT(t->encode("ab", bare), ElementsAre(a, b)) << "taken apart again";
}

TEST(SpmTokenizer, PiecesThatReachAcrossSpacesStillMerge) {
  auto v = sentencePiece();
  v.add("a", TokenKind::Normal, -5);
  v.add("b", TokenKind::Normal, -5);
  v.add("\u2581", TokenKind::Normal, -6);
  v.add("a\u2581", TokenKind::Normal, -2);
  const int across = v.add("a\u2581" "b", TokenKind::Normal, -1);
  v.set("tokenizer.ggml.add_space_prefix", false);
  EXPECT_THAT(opened(v)->encode("a b", {.addSpecial = false}), ElementsAre(across));
}

TEST(StreamDecoder, HoldsBackHalfCharacters) {
  const auto t = opened(byteLevel());
  StreamDecoder stream(*t);
  EXPECT_EQ(stream.push(0xf0), "");
  EXPECT_EQ(stream.push(0x9f), "");
  EXPECT_EQ(stream.push(0x98), "");
  EXPECT_EQ(stream.push(0x80), "😀");
  EXPECT_EQ(stream.push(259), "hello");
  EXPECT_EQ(stream.push(0xc3), "");
  EXPECT_EQ(stream.push('x'), "\ufffdx") << "it will never be completed";
  EXPECT_EQ(stream.push(262), "") << "a control token is no text";
  EXPECT_EQ(stream.push(0x80), "\ufffd");
  EXPECT_EQ(stream.push(0xe4), "");
  EXPECT_EQ(stream.push(0xb8), "");
  EXPECT_EQ(stream.flush(), "\ufffd");
  EXPECT_EQ(stream.flush(), "");
}

TEST(StreamDecoder, ShowsTheControlTokensThatAreAskedFor) {
  const auto t = opened(byteLevel());
  StreamDecoder stream(*t, {261});
  EXPECT_EQ(stream.push(261), "<|im_start|>");
  EXPECT_EQ(stream.push(259), "hello");
  EXPECT_EQ(stream.push(262), "") << "this one was not";
}

TEST(StreamDecoder, GivesWhatDecodeGives) {
  const auto t = opened(byteLevel());
  std::string text = "Grüße 世界 👩‍🚀 hello\n";
  text += "\xff\xe4\xb8 end";
  // Each byte as its own token, broken ones included.
  std::vector<TokenId> tokens;
  for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
  StreamDecoder stream(*t);
  std::string streamed;
  for (const TokenId token : tokens) streamed += stream.push(token);
  streamed += stream.flush();
  EXPECT_EQ(streamed, t->decode(tokens));
}

}  // namespace
}  // namespace hearth
