#include "tests/chat/chat_fixture.h"

namespace hearth {
namespace {

using ::testing::ElementsAre;
using Kind = ChatEvent::Kind;

std::vector<Kind> kinds(const Events& events) {
  std::vector<Kind> all;
  for (const auto& event : events.all()) all.push_back(event.kind);
  return all;
}

using ChatServiceTest = ChatFixture;

TEST_F(ChatServiceTest, EventsComeInOrderWithTheirFigures) {
  m_engine->queued = true;
  Events events;
  const auto task = m_chat->complete(ask("hi"), events.sink());
  ASSERT_TRUE(task) << task.error().describe();
  ASSERT_TRUE(events.waitForEnd());
  EXPECT_THAT(kinds(events), ElementsAre(Kind::Queued, Kind::Started, Kind::Text, Kind::Text, Kind::Finished));
  const auto all = events.all();
  EXPECT_EQ(all[0].queuePosition, 3);
  EXPECT_GT(all[1].promptTokens, 0);
  EXPECT_EQ(all[1].contextTokens, 4096);
  EXPECT_EQ(all[1].cachedTokens, 2);
  EXPECT_FALSE(all[1].plainFormat);
  EXPECT_EQ(events.text(), "Hello");
  EXPECT_EQ(all[4].reason, FinishReason::Stop);
  EXPECT_EQ(all[4].generatedTokens, 2);
  EXPECT_DOUBLE_EQ(all[4].firstTokenSeconds, 0.125);
  EXPECT_DOUBLE_EQ(all[4].tokensPerSecond, 2.0) << "one token in 0.5 s: the first came from prefill";
}

TEST_F(ChatServiceTest, ARequestForAModelThatIsNotLoadedLoadsItAndTellsTheProgress) {
  const auto loaded = m_pool.loaded["tiny"];
  m_pool.loaded.clear();
  Events events;
  ASSERT_TRUE(m_chat->complete(ask("hi"), events.sink()));
  ASSERT_EQ(m_pool.waitingLoads(), 1U);
  ASSERT_TRUE(events.waitFor([](const auto& all) { return !all.empty(); }));
  m_pool.tellProgress("tiny", 0.5);
  m_pool.tellProgress("another", 0.9);
  m_pool.finishLoads(loaded);
  ASSERT_TRUE(events.waitForEnd());
  EXPECT_THAT(kinds(events), ElementsAre(Kind::Loading, Kind::Loading, Kind::Started, Kind::Text, Kind::Text, Kind::Finished));
  EXPECT_DOUBLE_EQ(events.all()[1].loadProgress, 0.5);
}

TEST_F(ChatServiceTest, AFailedLoadIsAFailedEvent) {
  m_pool.loaded.clear();
  Events events;
  ASSERT_TRUE(m_chat->complete(ask("hi"), events.sink()));
  m_pool.finishLoads(fail(ErrorCode::OutOfMemory, "too big", {{"needed_bytes", "9"}}));
  ASSERT_TRUE(events.waitForEnd());
  EXPECT_EQ(events.last().kind, Kind::Failed);
  ASSERT_TRUE(events.last().error);
  EXPECT_EQ(events.last().error->code, ErrorCode::OutOfMemory);
  EXPECT_EQ(events.last().error->find("needed_bytes"), "9");
}

TEST_F(ChatServiceTest, CancelWhileLoadingEndsAtOnceAndTheLoadGoesOn) {
  const auto loaded = m_pool.loaded["tiny"];
  m_pool.loaded.clear();
  Events events;
  Events other;
  const auto task = m_chat->complete(ask("hi"), events.sink());
  ASSERT_TRUE(task);
  ASSERT_TRUE(m_chat->complete(ask("other"), other.sink()));
  (*task)->cancel();
  (*task)->cancel();
  ASSERT_TRUE(events.waitForEnd());
  EXPECT_EQ(events.last().kind, Kind::Finished);
  EXPECT_EQ(events.last().reason, FinishReason::Cancelled);
  m_pool.finishLoads(loaded);
  ASSERT_TRUE(other.waitForEnd());
  EXPECT_EQ(other.text(), "Hello");
  EXPECT_EQ(m_engine->prompts.size(), 1U) << "the cancelled request went to the engine";
}

TEST_F(ChatServiceTest, CancelWhileRunningAndAfterTheEnd) {
  m_engine->endless = true;
  m_engine->pause = std::chrono::milliseconds(1);
  Events events;
  const auto task = m_chat->complete(ask("hi"), events.sink());
  ASSERT_TRUE(task);
  ASSERT_TRUE(events.waitForText());
  (*task)->cancel();
  ASSERT_TRUE(events.waitForEnd());
  EXPECT_EQ(events.last().reason, FinishReason::Cancelled);
  (*task)->cancel();
}

TEST_F(ChatServiceTest, AConsumerThatIsGoneEndsItsRequest) {
  m_engine->endless = true;
  m_engine->pause = std::chrono::milliseconds(1);
  Events events;
  events.refuse();
  ASSERT_TRUE(m_chat->complete(ask("hi"), events.sink()));
  ASSERT_TRUE(events.waitFor([](const auto& all) { return !all.empty(); }));
  m_chat->shutdown();  // returns only when the run has ended
  EXPECT_EQ(events.all().size(), 1U) << "it was called again after it said no";
}

TEST_F(ChatServiceTest, WhatIsWrongWithTheRequestIsAnErrorAtOnce) {
  const auto code = [&](const ChatRequest& request) {
    Events events;
    const auto task = m_chat->complete(request, events.sink());
    EXPECT_TRUE(events.all().empty());
    return task ? ErrorCode::Internal : task.error().code;
  };
  ChatRequest request = ask("hi");
  request.model = "absent";
  EXPECT_EQ(code(request), ErrorCode::NotFound);
  request.model = "";
  EXPECT_EQ(code(request), ErrorCode::InvalidArgument);
  request = ask("hi");
  request.messages.clear();
  EXPECT_EQ(code(request), ErrorCode::InvalidArgument);
  for (const char* bad : {"{", "[1]", "7", "\"text\""}) {
    request = ask("hi");
    request.messages[0].extraJson = bad;
    EXPECT_EQ(code(request), ErrorCode::InvalidArgument) << bad;
    request = ask("hi");
    request.templateVariablesJson = bad;
    EXPECT_EQ(code(request), ErrorCode::InvalidArgument) << bad;
  }
  request = ask("hi");
  request.toolsJson = "{}";
  EXPECT_EQ(code(request), ErrorCode::InvalidArgument);
  request.toolsJson = std::string(100'000, '[');
  EXPECT_EQ(code(request), ErrorCode::InvalidArgument);
  request = ask("hi");
  request.sampling.temperature = -1;
  EXPECT_EQ(code(request), ErrorCode::InvalidArgument);
  request = ask("hi");
  request.stop = {""};
  EXPECT_EQ(code(request), ErrorCode::InvalidArgument);
  request.stop.assign(17, "x");
  EXPECT_EQ(code(request), ErrorCode::InvalidArgument);
  request = ask("hi");
  request.maxTokens = 0;
  EXPECT_EQ(code(request), ErrorCode::InvalidArgument);
  m_engine->refusal = Error{ErrorCode::QueueFull, "full", {}};
  EXPECT_EQ(code(ask("hi")), ErrorCode::QueueFull);
}

TEST_F(ChatServiceTest, APromptInsteadOfMessagesIsContinuedAsItStands) {
  ChatRequest tokens = ask("");
  tokens.messages.clear();
  tokens.promptTokens = std::vector<TokenId>{3, 1, 2};
  Events events;
  ASSERT_TRUE(m_chat->complete(tokens, events.sink()));
  ASSERT_TRUE(events.waitForEnd());
  ASSERT_EQ(m_engine->prompts.size(), 1U);
  EXPECT_THAT(m_engine->prompts[0], ElementsAre(3, 1, 2));

  ChatRequest text = ask("");
  text.messages.clear();
  text.prompt = "hi";
  const auto rendered = m_chat->render(*m_pool.loaded["tiny"], text);
  ASSERT_TRUE(rendered) << rendered.error().describe();
  EXPECT_EQ(rendered->text, "hi") << "no template";
  EXPECT_FALSE(rendered->tokens.empty());

  tokens.prompt = "both";
  EXPECT_FALSE(m_chat->complete(tokens, events.sink()));
  tokens.prompt.reset();
  for (const TokenId wrong : {-1, 1'000'000}) {
    tokens.promptTokens = std::vector<TokenId>{wrong};
    const auto refused = m_chat->complete(tokens, events.sink());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().find("field"), "prompt");
  }
  tokens.promptTokens->clear();
  EXPECT_FALSE(m_chat->complete(tokens, events.sink()));
}

TEST_F(ChatServiceTest, AnOverlongPromptIsAnErrorWithBothNumbers) {
  m_engine->context = 100;
  Events events;
  const auto task = m_chat->complete(ask(std::string(200, 'x')), events.sink());
  ASSERT_FALSE(task);
  EXPECT_EQ(task.error().code, ErrorCode::ContextOverflow);
  EXPECT_EQ(task.error().find("context_tokens"), "100");
  EXPECT_GT(std::stoi(std::string(task.error().find("prompt_tokens"))), 200);
  EXPECT_TRUE(m_engine->prompts.empty());
}

TEST_F(ChatServiceTest, AnEngineThatFailsIsAFailedEvent) {
  m_engine->failure = Error{ErrorCode::Corrupt, "weights gave NaN", {}};
  Events events;
  ASSERT_TRUE(m_chat->complete(ask("hi"), events.sink()));
  ASSERT_TRUE(events.waitForEnd());
  EXPECT_EQ(events.last().kind, Kind::Failed);
  EXPECT_EQ(events.last().error->code, ErrorCode::Corrupt);
}

TEST_F(ChatServiceTest, AConsumerThatThrowsHurtsOnlyItself) {
  Events fine;
  ASSERT_TRUE(m_chat->complete(ask("hi"), [](const ChatEvent&) -> bool { throw std::runtime_error("mine"); }));
  ASSERT_TRUE(m_chat->complete(ask("hi"), fine.sink()));
  ASSERT_TRUE(fine.waitForEnd());
  EXPECT_EQ(fine.text(), "Hello");
}

TEST_F(ChatServiceTest, TheLastHolderOfAnEngineIsNeverItsOwnThread) {
  m_engine->pause = std::chrono::milliseconds(5);
  Events events;
  ASSERT_TRUE(m_chat->complete(ask("hi"), events.sink()));
  m_pool.loaded.clear();
  m_engine.reset();  // now only the run holds it
  ASSERT_TRUE(events.waitForEnd());
  m_chat->shutdown();
  m_engine = std::make_shared<FakeEngine>();
}

TEST_F(ChatServiceTest, AfterShutdownNothingStartsAndALateLoadDoesNoHarm) {
  const auto loaded = m_pool.loaded["tiny"];
  m_pool.loaded.clear();
  Events events;
  ASSERT_TRUE(m_chat->complete(ask("hi"), events.sink()));
  m_chat->shutdown();
  EXPECT_EQ(events.last().kind, Kind::Finished);
  EXPECT_EQ(m_chat->complete(ask("hi"), events.sink()).error().code, ErrorCode::ShuttingDown);
  m_chat.reset();
  m_pool.finishLoads(loaded);
  EXPECT_TRUE(m_engine->prompts.empty());
}

TEST_F(ChatServiceTest, AStormOfRequestsAndCancelsEndsEachExactlyOnce) {
  m_engine->script.assign(5, "x");
  m_engine->pause = std::chrono::milliseconds(1);
  std::atomic<int> ended{0};
  std::atomic<int> afterEnd{0};
  for (int i = 0; i < 200; ++i) {
    const auto done = std::make_shared<std::atomic<bool>>(false);
    const auto task = m_chat->complete(ask("hi"), [&, done](const ChatEvent& event) {
      if (*done) ++afterEnd;
      if (event.kind == Kind::Finished || event.kind == Kind::Failed) {
        *done = true;
        ++ended;
      }
      return true;
    });
    ASSERT_TRUE(task);
    if (i % 3 == 0) (*task)->cancel();
  }
  m_chat->shutdown();
  EXPECT_EQ(ended, 200);
  EXPECT_EQ(afterEnd, 0);
}

}  // namespace
}  // namespace hearth
