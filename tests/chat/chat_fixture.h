#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/chat/chat_service.h"
#include "core/library/library.h"
#include "tests/chat/fake_pool.h"
#include "tests/library/tiny_model.h"
#include "tests/support/scratch_folder.h"

namespace hearth {

/// Collects the events of one chat and waits for its end.
class Events {
 public:
  ChatSink sink() {
    return [state = m_state](const ChatEvent& event) {
      const std::lock_guard lock(state->mutex);
      state->events.push_back(event);
      state->changed.notify_all();
      return state->wanted;
    };
  }
  bool waitFor(const std::function<bool(const std::vector<ChatEvent>&)>& condition) {
    std::unique_lock lock(m_state->mutex);
    return m_state->changed.wait_for(lock, std::chrono::seconds(20), [&] { return condition(m_state->events); });
  }
  bool waitForEnd() {
    return waitFor([](const auto& events) {
      return !events.empty() && (events.back().kind == ChatEvent::Kind::Finished || events.back().kind == ChatEvent::Kind::Failed);
    });
  }
  bool waitForText() {
    return waitFor([](const auto& events) { return !events.empty() && events.back().kind == ChatEvent::Kind::Text; });
  }
  std::vector<ChatEvent> all() const {
    const std::lock_guard lock(m_state->mutex);
    return m_state->events;
  }
  ChatEvent last() const { return all().empty() ? ChatEvent{} : all().back(); }
  std::string text() const {
    std::string text;
    for (const auto& event : all()) text += event.text;
    return text;
  }
  void refuse() {
    const std::lock_guard lock(m_state->mutex);
    m_state->wanted = false;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<ChatEvent> events;
    bool wanted = true;
  };
  std::shared_ptr<State> m_state = std::make_shared<State>();
};

inline constexpr const char* kChatMl =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/// A service over a real store and library and a fake engine; the model "tiny" is loaded unless the test unloads it.
class ChatFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    FakeEngine::s_destroyedOnOwnThread = false;
    writeModel(m_folder / "models/tiny.gguf");
    m_library = Library::create(m_folder / "models", {});
    auto opened = Store::open(m_folder / "hearth.db");
    ASSERT_TRUE(opened) << opened.error().describe();
    m_store = std::move(*opened);
    m_engine = std::make_shared<FakeEngine>();
    m_chat = ChatService::create(m_pool, *m_library, *m_store);
    useTemplate(kChatMl);
  }
  void TearDown() override {
    m_chat.reset();
    m_pool.loaded.clear();
    m_engine.reset();
    EXPECT_FALSE(FakeEngine::s_destroyedOnOwnThread) << "an engine was destroyed by its own thread";
  }
  LoadedModelPtr model(const std::string& source, const std::string& problem = {}) {
    auto made = std::make_shared<LoadedModel>();
    made->id = "tiny";
    made->engine = m_engine;
    made->templateSource = source;
    made->templateProblem = problem;
    if (!source.empty() && problem.empty()) {
      auto parsed = ChatTemplate::parse(source);
      EXPECT_TRUE(parsed) << parsed.error().describe();
      if (parsed) made->chatTemplate = std::make_shared<const ChatTemplate>(std::move(*parsed));
    }
    return made;
  }
  void useTemplate(const std::string& source, const std::string& problem = {}) { m_pool.loaded["tiny"] = model(source, problem); }
  static ChatRequest ask(const std::string& text) {
    ChatRequest request;
    request.model = "tiny";
    request.messages.push_back({Role::User, text, {}, {}});
    return request;
  }
  Conversation conversation() {
    const auto made = m_store->createConversation("", "tiny");
    EXPECT_TRUE(made);
    return made.value_or(Conversation{});
  }

  ScratchFolder m_folder;
  std::unique_ptr<Library> m_library;
  std::unique_ptr<Store> m_store;
  std::shared_ptr<FakeEngine> m_engine;
  FakePool m_pool;
  std::unique_ptr<ChatService> m_chat;
};

}  // namespace hearth
