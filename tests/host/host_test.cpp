#include "core/host/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <mutex>

#include "core/host/settings.h"
#include "tests/host/real_model.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

using ::testing::HasSubstr;

class HostTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Host>> make() {
    HostOptions options;
    options.dataDir = (m_folder / "data").string();
    return Host::create(options);
  }
  ScratchFolder m_folder;
};

/// Waits for one chat's end and keeps its text.
struct Answer {
  ChatSink sink() {
    return [this](const ChatEvent& event) {
      const std::lock_guard lock(mutex);
      text += event.text;
      if (event.kind == ChatEvent::Kind::Finished || event.kind == ChatEvent::Kind::Failed) {
        last = event;
        changed.notify_all();
      }
      return true;
    };
  }
  bool wait() {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(120), [&] { return last.has_value(); });
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::string text;
  std::optional<ChatEvent> last;
};

TEST_F(HostTest, MakesItsFolderAndASecondProcessIsToldWhoHasIt) {
  auto first = make();
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_TRUE(std::filesystem::exists((*first)->paths().database()));
  EXPECT_TRUE(std::filesystem::is_directory((*first)->paths().models()));
  const auto second = make();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(second.error().find("pid"), std::to_string(::getpid()));
  first->reset();
  EXPECT_TRUE(make()) << "the lock goes with the host";
}

TEST_F(HostTest, ADataFolderThatCannotBeIsATypedError) {
  std::ofstream(m_folder / "data") << "a file where the folder should be";
  EXPECT_FALSE(make());
  HostOptions options;
  options.dataDir = (m_folder / "other").string();
  options.threads = -1;
  EXPECT_EQ(Host::create(options).error().code, ErrorCode::InvalidArgument);
}

TEST_F(HostTest, ADamagedDatabaseKeepsTheHostFromStartingAndReleasesTheLock) {
  std::filesystem::create_directories(m_folder / "data");
  std::ofstream(m_folder / "data/hearth.db") << std::string(5000, 'x');
  const auto refused = make();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Corrupt);
  std::filesystem::remove(m_folder / "data/hearth.db");
  EXPECT_TRUE(make());
}

TEST_F(HostTest, TheContextIsTheCommandLinesElseTheSettingsAndNeverMoreThanTheModelWasTrainedFor) {
  InstalledModel model;
  model.config.emplace();
  model.config->trainedContext = 8192;
  {
    auto host = make();
    ASSERT_TRUE(host);
    EXPECT_EQ((*host)->engineOptions(model).contextTokens, 0) << "automatic";
    ASSERT_TRUE((*host)->store().setSetting(settings::kContextTokens, "4096"));
    EXPECT_EQ((*host)->engineOptions(model).contextTokens, 0) << "not applied yet";
    ASSERT_TRUE((*host)->applySettings());
    EXPECT_EQ((*host)->engineOptions(model).contextTokens, 4096);
  }
  {
    auto host = make();
    ASSERT_TRUE(host);
    EXPECT_EQ((*host)->engineOptions(model).contextTokens, 4096) << "kept";
    ASSERT_TRUE((*host)->store().setSetting(settings::kContextTokens, "131072"));
    ASSERT_TRUE((*host)->applySettings());
    EXPECT_EQ((*host)->engineOptions(model).contextTokens, 8192);
  }
  HostOptions options;
  options.dataDir = (m_folder / "data").string();
  options.contextTokens = 2048;
  auto host = Host::create(options);
  ASSERT_TRUE(host);
  EXPECT_EQ((*host)->engineOptions(model).contextTokens, 2048);
  host->reset();
  options.contextTokens = -1;
  EXPECT_EQ(Host::create(options).error().code, ErrorCode::InvalidArgument);
}

TEST_F(HostTest, FoldersAreRememberedBetweenStarts) {
  std::filesystem::create_directories(m_folder / "mine");
  {
    auto host = make();
    ASSERT_TRUE(host);
    ASSERT_TRUE((*host)->library().addFolder(m_folder / "mine"));
  }
  {
    auto host = make();
    ASSERT_TRUE(host);
    ASSERT_EQ((*host)->library().folders().size(), 1U);
    (*host)->library().removeFolder((*host)->library().folders().front());
  }
  auto host = make();
  ASSERT_TRUE(host);
  EXPECT_TRUE((*host)->library().folders().empty());
}

TEST_F(HostTest, EndsCleanlyWithTheServerRunning) {
  auto host = make();
  ASSERT_TRUE(host);
  ServerOptions options;
  options.port = 0;
  const auto started = (*host)->server().start(options);
  ASSERT_TRUE(started) << started.error().describe();
  EXPECT_THAT((*host)->server().address(), HasSubstr("http://127.0.0.1:"));
  EXPECT_THAT((*host)->metrics().text(), HasSubstr("hearth_models_loaded 0"));
  host->reset();
}

TEST_F(HostTest, ARealModelAnswersAndIsMeasured) {
  const auto models = realModelsFolder();
  if (!models) GTEST_SKIP() << "HEARTH_TEST_MODELS has no small model";
  auto host = make();
  ASSERT_TRUE(host);
  ASSERT_TRUE((*host)->library().addFolder(*models));
  ChatRequest request;
  request.model = kSmallModel;
  request.messages.push_back({Role::User, "What color is the sky?", {}, {}});
  request.sampling.temperature = 0;
  request.maxTokens = 32;
  Answer first;
  ASSERT_TRUE((*host)->chat().complete(request, first.sink()));
  ASSERT_TRUE(first.wait());
  ASSERT_EQ(first.last->kind, ChatEvent::Kind::Finished) << first.last->error->describe();
  EXPECT_THAT(first.text, HasSubstr("blue")) << "small as it is, the model knows this one with any kernels";
  EXPECT_GT(first.last->promptTokens, 30) << "with the system text that this model's template adds";
  EXPECT_GT(first.last->generatedTokens, 0);
  EXPECT_GT(first.last->firstTokenSeconds, 0);
  Answer second;
  ASSERT_TRUE((*host)->chat().complete(request, second.sink()));
  ASSERT_TRUE(second.wait());
  EXPECT_EQ(second.text, first.text);

  const std::string metrics = (*host)->metrics().text();
  for (const char* name : {"hearth_requests_total", "hearth_generation_tokens_total", "hearth_time_to_first_token_seconds_bucket",
                           "hearth_requests_running", "hearth_kv_cache_usage_ratio", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc",
                           "vllm:request_success_total", "vllm:generation_tokens_total", "hearth_speculation_drafted_tokens_total", "vllm:spec_decode_num_accepted_tokens_total", "hearth_models_loaded 1", "vllm:prefix_cache_queries_total", "vllm:request_prompt_tokens_bucket", "hearth_inter_token_latency_seconds_count",
                           "hearth_user_generation_tokens_total{user=\"local\"}", "hearth_cpu_usage_ratio", "hearth_memory_available_bytes", "hearth_disk_free_bytes"}) {
    EXPECT_THAT(metrics, HasSubstr(name));
  }
}

TEST_F(HostTest, ClosingInTheMiddleOfAReplyKeepsItsText) {
  const auto models = realModelsFolder();
  if (!models) GTEST_SKIP() << "HEARTH_TEST_MODELS has no small model";
  MessageId reply = 0;
  {
    auto host = make();
    ASSERT_TRUE(host);
    ASSERT_TRUE((*host)->library().addFolder(*models));
    const auto conversation = (*host)->store().createConversation("", kSmallModel);
    ASSERT_TRUE(conversation);
    std::mutex mutex;
    std::condition_variable changed;
    int pieces = 0;
    const auto sent = (*host)->chat().send(conversation->id, 0, "Tell me a very long story about a lighthouse.", {}, [&](const ChatEvent& event) {
      const std::lock_guard lock(mutex);
      if (event.kind == ChatEvent::Kind::Text) ++pieces;
      changed.notify_all();
      return true;
    });
    ASSERT_TRUE(sent) << sent.error().describe();
    reply = sent->assistant.id;
    {
      std::unique_lock lock(mutex);
      ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(120), [&] { return pieces >= 5; }));
    }
    host->reset();
  }
  auto host = make();
  ASSERT_TRUE(host);
  const auto stored = (*host)->store().message(reply);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->state, MessageState::Interrupted);
  EXPECT_FALSE(stored->text.empty());
}

}  // namespace
}  // namespace hearth
