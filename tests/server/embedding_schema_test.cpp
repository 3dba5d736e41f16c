#include "core/server/api/embeddings/embedding_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearth::api {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using TooLong = EmbeddingRequest::TooLong;

std::string refusal(const ApiResult<EmbeddingCall>& call) {
  if (call) return "taken";
  EXPECT_EQ(call.error().status, 400);
  EXPECT_FALSE(call.error().message.empty());
  return call.error().param;
}

TEST(EmbeddingSchema, EveryKindOfInput) {
  using Tokens = std::vector<TokenId>;
  const auto inputs = [](std::string_view body) { return parseEmbeddingCall(body)->request.inputs; };
  EXPECT_THAT(inputs(R"({"input":"a"})"), ElementsAre("a"));
  EXPECT_THAT(inputs(R"({"input":["a","","c"]})"), ElementsAre("a", "", "c"));
  EXPECT_THAT(inputs(R"({"input":[1,2]})"), ElementsAre(Tokens{1, 2}));
  EXPECT_THAT(inputs(R"({"input":[[1,2],[2147483647]]})"), ElementsAre(Tokens{1, 2}, Tokens{2147483647}));
}

TEST(EmbeddingSchema, FieldsAndDefaults) {
  const auto plain = parseEmbeddingCall(R"({"input":"a"})");
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->base64);
  EXPECT_EQ(plain->request.dimensions, 0);
  EXPECT_EQ(plain->request.tooLong, TooLong::Refuse);
  EXPECT_FALSE(plain->keepAlive);
  const auto all = parseEmbeddingCall(
      R"({"model":"m","input":"a","encoding_format":"base64","dimensions":7,"too_long":"split","keep_alive":"5m","user":"u"})");
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->model, "m");
  EXPECT_TRUE(all->base64);
  EXPECT_EQ(all->request.dimensions, 7);
  EXPECT_EQ(all->request.tooLong, TooLong::Split);
  EXPECT_EQ(all->keepAlive, std::chrono::minutes(5));
}

TEST(EmbeddingSchema, BadInputIsRefusedByName) {
  for (const char* value : {"[]", "5", "{}", "true", "[[]]", "[null]", "[1,\"a\"]", "[\"a\",1]", "[[1,\"a\"]]", "[1.5]", "[-1]", "[2147483648]",
                            "[9223372036854775808]", "[[1],[-1]]", "[{}]"})
    EXPECT_TRUE(refusal(parseEmbeddingCall(std::string(R"({"input":)") + value + "}")).starts_with("input")) << value;
  for (const char* value : {"0", "-1", "1.5", "2147483648", "9223372036854775808", "1e400", "\"7\"", "[7]"})
    EXPECT_NE(refusal(parseEmbeddingCall(std::string(R"({"input":"a","dimensions":)") + value + "}")), "taken") << value;
  EXPECT_EQ(refusal(parseEmbeddingCall("{}")), "input");
  EXPECT_EQ(refusal(parseEmbeddingCall(R"({"input":null})")), "input");
  EXPECT_EQ(refusal(parseEmbeddingCall(R"({"input":"a","encoding_format":"int8"})")), "encoding_format");
  EXPECT_EQ(refusal(parseEmbeddingCall(R"({"input":"a","too_long":"maybe"})")), "too_long");
  EXPECT_EQ(refusal(parseEmbeddingCall(R"({"input":"a","temperature":1})")), "temperature");
  EXPECT_NE(refusal(parseEmbeddingCall("")), "taken");
  EXPECT_NE(refusal(parseEmbeddingCall("[]")), "taken");
  std::string many = R"({"input":["a")";
  for (int i = 0; i < 2048; ++i) many += R"(,"a")";
  EXPECT_EQ(refusal(parseEmbeddingCall(many + "]}")), "input");
}

TEST(EmbeddingSchema, OllamaTruncatesUnlessToldOtherwiseAndMayAskForNothing) {
  const auto call = parseOllamaEmbedCall(R"({"model":"m","input":["a","b"],"options":{"num_ctx":99},"dimensions":3})");
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_THAT(call->request.inputs, SizeIs(2));
  EXPECT_EQ(call->request.tooLong, TooLong::Truncate);
  EXPECT_EQ(call->request.dimensions, 3);
  EXPECT_EQ(parseOllamaEmbedCall(R"({"input":"a","truncate":false})")->request.tooLong, TooLong::Refuse);
  for (const char* body : {R"({"model":"m"})", R"({"model":"m","input":""})", R"({"model":"m","input":[]})"})
    EXPECT_THAT(parseOllamaEmbedCall(body)->request.inputs, SizeIs(0)) << body;
  EXPECT_EQ(refusal(parseOllamaEmbedCall(R"({"input":[1]})")), "input[0]");
  EXPECT_EQ(refusal(parseOllamaEmbedCall(R"({"input":"a","truncate":1})")), "truncate");
  EXPECT_EQ(refusal(parseOllamaEmbedCall(R"({"input":"a","options":[]})")), "options");
  EXPECT_THAT(parseOllamaEmbeddingCall(R"({"model":"m","prompt":"a"})")->request.inputs, ElementsAre("a"));
  EXPECT_EQ(refusal(parseOllamaEmbeddingCall(R"({"model":"m","prompt":["a"]})")), "prompt");
}

TEST(EmbeddingSchema, Rerank) {
  const auto call = parseRerankCall(R"({"query":"q","documents":["a",{"text":"b"}],"top_n":1,"return_documents":true})");
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(call->query, "q");
  EXPECT_THAT(call->documents, ElementsAre("a", "b"));
  EXPECT_EQ(call->topN, 1);
  EXPECT_TRUE(call->returnDocuments);
  const auto bad = [](std::string_view body) {
    const auto refused = parseRerankCall(body);
    return refused ? std::string("taken") : refused.error().param;
  };
  EXPECT_EQ(bad(R"({"documents":["a"]})"), "query");
  EXPECT_EQ(bad(R"({"query":"q"})"), "documents");
  EXPECT_EQ(bad(R"({"query":"q","documents":[]})"), "documents");
  EXPECT_EQ(bad(R"({"query":"q","documents":[{}]})"), "documents[0]");
  EXPECT_EQ(bad(R"({"query":"q","documents":[1]})"), "documents[0]");
  EXPECT_EQ(bad(R"({"query":"q","documents":["a"],"top_n":-1})"), "top_n");
  EXPECT_EQ(bad(R"({"query":"q","documents":["a"],"rank_fields":["x"]})"), "rank_fields");
}

}  // namespace
}  // namespace hearth::api
