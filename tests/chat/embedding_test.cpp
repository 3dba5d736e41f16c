#include "core/chat/embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>

#include "core/library/convert.h"
#include "core/monitor/monitor.h"
#include "tests/support/base64_floats.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::HasSubstr;
using TooLong = EmbeddingRequest::TooLong;

fs::path golden() { return fs::path(HEARTH_TEST_SOURCE_DIR) / "golden" / "bert"; }

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// The tiny BERT (64 tokens of context, 32 dimensions) through the real loader and pool.
class Embedding : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    s_pool = EnginePool::create({.threads = 2});
    s_model = load(golden(), kernels::FormatId::F32);
  }
  static void TearDownTestSuite() {
    s_model.reset();
    s_pool.reset();
  }
  static LoadedModelPtr load(const fs::path& source, kernels::FormatId type) {
    const ScratchFolder folder;  // of this process alone: tests run side by side
    const fs::path path = folder / "model.gguf";
    const auto converted = convertModel(source, path, {.type = type});
    EXPECT_TRUE(converted) << converted.error().describe();
    auto loaded = s_pool->load(source.filename().string(), path, {});
    EXPECT_TRUE(loaded) << loaded.error().describe();
    return loaded ? *loaded : nullptr;
  }
  static EmbeddingRequest texts(std::vector<std::string> inputs, TooLong tooLong = TooLong::Refuse) {
    EmbeddingRequest request;
    for (std::string& text : inputs) request.inputs.emplace_back(std::move(text));
    request.tooLong = tooLong;
    return request;
  }
  static std::vector<float> embed(const std::string& text) {
    auto reply = embedTexts(s_model, texts({text}));
    EXPECT_TRUE(reply) << reply.error().describe();
    return reply ? reply->embeddings.at(0) : std::vector<float>{};
  }
  static inline std::unique_ptr<EnginePool> s_pool;
  static inline LoadedModelPtr s_model;
};

TEST_F(Embedding, EveryTextIsTheSameAloneAndAmongHundreds) {
  std::vector<std::string> many;
  for (int i = 0; i < 300; ++i)
    many.push_back("text number " + std::to_string(i) + std::string(static_cast<std::size_t>(i % 30), 'x'));
  const auto reply = embedTexts(s_model, texts(many));
  ASSERT_TRUE(reply) << reply.error().describe();
  ASSERT_EQ(reply->embeddings.size(), many.size());
  int tokens = 0;
  for (std::size_t i = 0; i < many.size(); ++i) {
    ASSERT_EQ(reply->embeddings[i].size(), 32U);
    EXPECT_NEAR(cosine(reply->embeddings[i], reply->embeddings[i]), 1.0, 1e-5);
    EXPECT_EQ(reply->tokens[i], static_cast<int>(s_model->engine->tokenizer().encode(many[i]).size()));
    tokens += reply->tokens[i];
    if (i % 37 == 0) {
      EXPECT_EQ(reply->embeddings[i], embed(many[i])) << i;
    }
  }
  EXPECT_EQ(reply->promptTokens, tokens);
}

TEST_F(Embedding, TokensAreTakenAsTheyAre) {
  const std::string text = "hello world";
  EmbeddingRequest request;
  request.inputs.emplace_back(s_model->engine->tokenizer().encode(text));
  const auto reply = embedTexts(s_model, std::move(request));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->embeddings[0], embed(text));
}

TEST_F(Embedding, ALongTextIsRefusedWithBothNumbers) {
  const auto reply = embedTexts(s_model, texts({"short", std::string(63, 'a')}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::ContextOverflow);
  EXPECT_EQ(reply.error().find("prompt_tokens"), "65");
  EXPECT_EQ(reply.error().find("context_tokens"), "64");
  EXPECT_EQ(reply.error().find("index"), "1");
  EXPECT_TRUE(embedTexts(s_model, texts({std::string(62, 'a')}))) << "the context may be full";
}

TEST_F(Embedding, ALongTextIsTruncatedWhenAsked) {
  const auto reply = embedTexts(s_model, texts({std::string(90, 'a'), "b"}, TooLong::Truncate));
  ASSERT_TRUE(reply) << reply.error().describe();
  EXPECT_EQ(reply->truncated, 1);
  EXPECT_EQ(reply->tokens[0], 64);
  EXPECT_EQ(reply->embeddings[0], embed(std::string(62, 'a'))) << "with what stands around a text";
}

TEST_F(Embedding, ALongTextIsSplitWhenAsked) {
  const std::string first(62, 'a'), second(28, 'a');
  // The second part begins a word only for a reader of its text: its tokens are those of the whole.
  std::vector<TokenId> tail = s_model->engine->tokenizer().encode(std::string(90, 'a'));
  std::vector<TokenId> part{tail.front()};
  part.insert(part.end(), tail.end() - 29, tail.end());
  EmbeddingRequest parts = texts({first});
  parts.inputs.emplace_back(part);
  const auto separate = embedTexts(s_model, parts);
  ASSERT_TRUE(separate) << separate.error().describe();
  const auto reply = embedTexts(s_model, texts({std::string(90, 'a')}, TooLong::Split));
  ASSERT_TRUE(reply) << reply.error().describe();
  EXPECT_EQ(reply->truncated, 0);
  EXPECT_EQ(reply->tokens[0], 64 + 30);
  EXPECT_NEAR(cosine(reply->embeddings[0], reply->embeddings[0]), 1.0, 1e-5);
  // Between its parts, nearer to the longer one.
  EXPECT_GT(cosine(reply->embeddings[0], separate->embeddings[0]), cosine(separate->embeddings[0], separate->embeddings[1]));
  EXPECT_GT(cosine(reply->embeddings[0], separate->embeddings[1]), cosine(separate->embeddings[0], separate->embeddings[1]));
}

TEST_F(Embedding, FewerDimensionsAreTheFirstOnesNormalised) {
  auto request = texts({"hello"});
  request.dimensions = 5;
  const auto reply = embedTexts(s_model, request);
  ASSERT_TRUE(reply);
  const auto all = embed("hello");
  ASSERT_EQ(reply->embeddings[0].size(), 5U);
  EXPECT_NEAR(cosine(reply->embeddings[0], reply->embeddings[0]), 1.0, 1e-6);
  for (std::size_t i = 1; i < 5; ++i)
    EXPECT_NEAR(reply->embeddings[0][i] / reply->embeddings[0][0], all[i] / all[0], 1e-3 * std::fabs(all[i] / all[0]));
  for (const int wrong : {-1, 33, std::numeric_limits<int>::max()}) {
    request.dimensions = wrong;
    const auto refused = embedTexts(s_model, request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().find("field"), "dimensions");
  }
}

TEST_F(Embedding, BadInputIsRefused) {
  const auto refusal = [&](EmbeddingRequest request) {
    const auto reply = embedTexts(s_model, std::move(request));
    return reply ? std::string("taken")
                 : std::string(errorCodeName(reply.error().code)) + " " + std::string(reply.error().find("field"));
  };
  EXPECT_EQ(refusal({}), "invalid_argument input");
  for (const TokenId token : {-1, 160, std::numeric_limits<TokenId>::max(), std::numeric_limits<TokenId>::min()}) {
    EmbeddingRequest request;
    request.inputs.emplace_back(std::vector<TokenId>{5, token});
    EXPECT_EQ(refusal(std::move(request)), "invalid_argument input") << token;
  }
  EmbeddingRequest none;
  none.inputs.emplace_back(std::vector<TokenId>{});
  EXPECT_EQ(refusal(std::move(none)), "invalid_argument input");
  EXPECT_EQ(embedTexts(nullptr, texts({"x"})).error().code, ErrorCode::ModelNotLoaded);
  EXPECT_EQ(embed("").size(), 32U) << "an empty text still has its special tokens";
  EXPECT_EQ(embed("\xff\xfe broken \xc3").size(), 32U);
}

TEST_F(Embedding, CancellingEndsItOnce) {
  std::vector<std::string> many(2000, "the quick fox");
  std::promise<Result<EmbeddingReply>> promise;
  auto future = promise.get_future();
  const auto task =
      startEmbedding(s_model, texts(many), [&](Result<EmbeddingReply> reply) { promise.set_value(std::move(reply)); });
  ASSERT_TRUE(task) << task.error().describe();
  (*task)->cancel();
  (*task)->cancel();
  const auto reply = future.get();  // set twice, it would throw
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::Cancelled);
  EXPECT_EQ(embed("after").size(), 32U);
}

TEST_F(Embedding, AnEncoderAnswersNoQuestions) {
  EngineRequest request;
  request.prompt = {5, 6};
  request.sink = [](const EngineEvent&) { return true; };
  const auto submitted = s_model->engine->submit(std::move(request));
  ASSERT_FALSE(submitted);
  EXPECT_EQ(submitted.error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(submitted.error().find("field"), "model");
  EXPECT_FALSE(s_model->engine->logits(std::vector<TokenId>{5}));
}

TEST_F(Embedding, FiguresAreRecorded) {
  const auto metrics = MetricsRegistry::create();
  std::promise<void> promise;
  const auto task =
      startEmbedding(s_model, texts({"one", "two"}), [&](Result<EmbeddingReply>) { promise.set_value(); }, metrics.get());
  ASSERT_TRUE(task);
  promise.get_future().wait();
  EXPECT_THAT(metrics->text(), HasSubstr("hearth_requests_total"));
}

// make_embedding_golden.py wrote minilm.json.
TEST_F(Embedding, MiniLmIsSentenceTransformersFromTextToVector) {
  const char* models = std::getenv("HEARTH_TEST_MODELS");
  if (models == nullptr || !fs::exists(fs::path(models) / "all-minilm-l6-v2"))
    GTEST_SKIP() << "no all-minilm-l6-v2 in HEARTH_TEST_MODELS";
  const auto model = load(fs::path(models) / "all-minilm-l6-v2", kernels::FormatId::F16);
  ASSERT_NE(model, nullptr);
  std::ifstream in(golden() / "minilm.json");
  const json::value rows = json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  EmbeddingRequest request;
  for (const json::value& row : rows.as_array()) request.inputs.emplace_back(std::string(row.at("text").as_string()));
  const auto reply = embedTexts(model, request);
  ASSERT_TRUE(reply) << reply.error().describe();
  for (std::size_t i = 0; i < rows.as_array().size(); ++i) {
    const json::value& row = rows.as_array()[i];
    const auto wanted = floatsOf(std::string_view(row.at("embedding").as_string()));
    ASSERT_EQ(reply->embeddings[i].size(), wanted.size());
    EXPECT_EQ(reply->tokens[i], static_cast<int>(row.at("ids").as_array().size()));
    EXPECT_NEAR(cosine(reply->embeddings[i], wanted), 1.0, 1e-3) << i;
    for (std::size_t j = 0; j < wanted.size(); ++j) ASSERT_NEAR(reply->embeddings[i][j], wanted[j], 1e-3) << i << " " << j;
  }
}

// A decoder's embedding is made beside chats, in chunks, from prompts that share a beginning with cached ones.
TEST_F(Embedding, ADecodersEmbeddingDoesNotDependOnItsNeighbours) {
  const char* models = std::getenv("HEARTH_TEST_MODELS");
  const fs::path path = fs::path(models == nullptr ? "" : models) / "smollm2-135m-instruct-q4_1.gguf";
  if (models == nullptr || !fs::exists(path)) GTEST_SKIP() << "no smollm2 in HEARTH_TEST_MODELS";
  EngineOptions options;
  options.contextTokens = 1024;
  options.stepTokens = 64;
  const auto loaded = s_pool->load("smollm2", path, options);
  ASSERT_TRUE(loaded) << loaded.error().describe();
  std::string longText;
  for (int i = 0; i < 60; ++i) longText += "Sentence number " + std::to_string(i) + " of a long text. ";
  const auto alone = embedTexts(*loaded, texts({longText}));
  ASSERT_TRUE(alone) << alone.error().describe();
  EXPECT_EQ(alone->embeddings[0].size(), 576U);

  std::promise<std::string> answered;
  std::string answer;
  EngineRequest chat;
  chat.prompt = (*loaded)->engine->tokenizer().encode(longText);
  chat.sampling.temperature = 0;
  chat.maxTokens = 24;
  chat.ignoreEnd = true;
  chat.sink = [&](const EngineEvent& event) {
    answer += event.text;
    if (event.kind == EngineEvent::Kind::Finished) answered.set_value(answer);
    return true;
  };
  auto again = chat;
  ASSERT_TRUE((*loaded)->engine->submit(std::move(chat)));
  const auto beside = embedTexts(*loaded, texts({longText, "a cat", longText, "a dog"}));
  ASSERT_TRUE(beside) << beside.error().describe();
  const std::string together = answered.get_future().get();
  EXPECT_EQ(beside->embeddings[0], alone->embeddings[0]);
  EXPECT_EQ(beside->embeddings[2], alone->embeddings[0]);
  answered = {};
  answer.clear();
  ASSERT_TRUE((*loaded)->engine->submit(std::move(again)));
  EXPECT_EQ(answered.get_future().get(), together) << "nor the chat on the embeddings";
}

}  // namespace
}  // namespace hearth
