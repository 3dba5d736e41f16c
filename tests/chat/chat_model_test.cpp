#include <boost/json.hpp>

#include <cstdlib>
#include <future>

#include "tests/chat/chat_fixture.h"

namespace hearth {
namespace {

using Kind = ChatEvent::Kind;

constexpr const char* kCoder = "qwen2.5-coder-1.5b-instruct-q4_k_m";
constexpr const char* kTools = R"([
  {"type":"function","function":{"name":"get_weather","description":"Current weather of a city.","parameters":{"type":"object",
    "properties":{"city":{"type":"string"},"unit":{"type":"string","enum":["celsius","fahrenheit"]}},"required":["city"]}}},
  {"type":"function","function":{"name":"add","description":"Adds two numbers.","parameters":{"type":"object",
    "properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"]}}}])";

struct Answer {
  std::string text;
  std::vector<ToolCallDelta> calls;  // put together
  int deltas = 0;
  ChatEvent last;
};

/// Qwen2.5-Coder-1.5B, which answers with a fenced object where its template asks for <tool_call>, uses two functions.
class ChatModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("HEARTH_TEST_MODELS");
    if (folder == nullptr) GTEST_SKIP() << "HEARTH_TEST_MODELS is not set";
    if (!std::filesystem::exists(std::filesystem::path(folder) / (std::string(kCoder) + ".gguf")))
      GTEST_SKIP() << kCoder << " is not there";
    m_library = Library::create(folder, {});
    auto opened = Store::open(m_folder / "hearth.db");
    ASSERT_TRUE(opened) << opened.error().describe();
    m_store = std::move(*opened);
    m_pool = EnginePool::create({});
    EngineOptions options;
    options.contextTokens = 2048;
    options.maxSequences = 2;
    m_chat =
        ChatService::create(*m_pool, *m_library, *m_store, nullptr, [options](const InstalledModel&) { return options; });
  }
  static ChatRequest request(const std::string& text) {
    ChatRequest made;
    made.model = kCoder;
    made.messages.push_back({Role::User, text, {}, {}});
    made.toolsJson = kTools;
    made.sampling.temperature = 0;
    made.maxTokens = 96;
    return made;
  }
  Answer answer(const ChatRequest& request) {
    const auto done = std::make_shared<std::promise<void>>();
    const auto got = std::make_shared<Answer>();
    const auto task = m_chat->complete(request, [done, got](const ChatEvent& event) {
      if (event.kind == Kind::Text) got->text += event.text;
      if (event.kind == Kind::ToolCall) {
        ++got->deltas;
        if (!event.toolCall.name.empty()) {
          got->calls.push_back(event.toolCall);
        } else {
          got->calls.at(static_cast<std::size_t>(event.toolCall.index)).arguments += event.toolCall.arguments;
        }
      }
      if (event.kind == Kind::Finished || event.kind == Kind::Failed) {
        got->last = event;
        done->set_value();
      }
      return true;
    });
    EXPECT_TRUE(task) << task.error().describe();
    if (task) done->get_future().wait();
    EXPECT_FALSE(got->last.error) << got->last.error->describe();
    return *got;
  }

  ScratchFolder m_folder;
  std::unique_ptr<Library> m_library;
  std::unique_ptr<Store> m_store;
  std::unique_ptr<EnginePool> m_pool;
  std::unique_ptr<ChatService> m_chat;
};

TEST_F(ChatModelTest, AToolsetOfTwoFunctionsIsUsedAndItsAnswerUnderstood) {
  ChatRequest weather = request("What is the weather in Paris right now, in celsius?");
  const Answer asked = answer(weather);
  ASSERT_EQ(asked.calls.size(), 1U) << asked.text;
  EXPECT_EQ(asked.calls[0].name, "get_weather");
  EXPECT_EQ(boost::json::parse(asked.calls[0].arguments).at("city"), "Paris");
  EXPECT_GT(asked.deltas, 3) << "the arguments came as they were written";
  EXPECT_EQ(asked.text, "");
  EXPECT_EQ(asked.last.toolCalls, 1);
  EXPECT_EQ(asked.last.reason, FinishReason::Stop);

  const Answer sum = answer(request("Use the tool to add 17.5 and 24."));
  ASSERT_EQ(sum.calls.size(), 1U) << sum.text;
  EXPECT_EQ(sum.calls[0].name, "add");
  EXPECT_EQ(boost::json::parse(sum.calls[0].arguments), boost::json::parse(R"({"a": 17.5, "b": 24})"));

  boost::json::object call{{"id", asked.calls[0].id}, {"type", "function"}};
  call["function"] = {{"name", asked.calls[0].name}, {"arguments", asked.calls[0].arguments}};
  weather.messages.push_back(
      {Role::Assistant, "", {}, boost::json::serialize(boost::json::object{{"tool_calls", boost::json::array{call}}})});
  weather.messages.push_back({Role::Tool, R"({"temperature": 31, "sky": "clear"})", "get_weather",
                              R"({"tool_call_id":")" + asked.calls[0].id + "\"}"});
  weather.toolChoice.kind = ToolChoice::Kind::None;  // so small a model likes to ask again
  const Answer told = answer(weather);
  EXPECT_TRUE(told.calls.empty());
  EXPECT_NE(told.text.find("31"), std::string::npos) << told.text;
}

TEST_F(ChatModelTest, AQuestionThatNeedsNoToolIsAnsweredInText) {
  ChatRequest none = request("What is the weather in Paris right now?");
  none.toolChoice.kind = ToolChoice::Kind::None;
  const Answer answered = answer(none);
  EXPECT_TRUE(answered.calls.empty());
  EXPECT_FALSE(answered.text.empty());
}

}  // namespace
}  // namespace hearth
