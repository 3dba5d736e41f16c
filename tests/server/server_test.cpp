#include "core/server/server.h"

#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "tests/server/fakes.h"
#include "tests/server/raw_client.h"

namespace hearth {
namespace {

using namespace std::chrono_literals;
using test::RawClient;

class ServerTest : public ::testing::Test {
 protected:
  test::FakeChat m_chat;
  test::FakePool m_pool;
  test::FakeLibrary m_library;
  test::FakeMetrics m_metrics;
  std::unique_ptr<Server> m_server = Server::create({m_chat, m_pool, m_library, m_metrics});
  ServerOptions m_options{.host = "127.0.0.1", .port = 0, .threads = 2, .defaultModel = "tiny"};
};

TEST_F(ServerTest, StartsStopsAndStartsAgain) {
  EXPECT_FALSE(m_server->running());
  EXPECT_EQ(m_server->address(), "");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(m_server->start(m_options).has_value());
    EXPECT_TRUE(m_server->running());
    EXPECT_EQ(m_server->address(), "http://127.0.0.1:" + std::to_string(m_server->port()));
    RawClient client(m_server->port());
    client.send(test::get("/health"));
    EXPECT_TRUE(client.readResponse().has_value());
    const auto twice = m_server->start(m_options);
    ASSERT_FALSE(twice.has_value());
    EXPECT_EQ(twice.error().code, ErrorCode::AlreadyExists);
    m_server->stop();
    m_server->stop();
    EXPECT_FALSE(m_server->running());
    EXPECT_EQ(m_server->port(), 0);
  }
}

TEST_F(ServerTest, SaysWhenThePortIsTaken) {
  ASSERT_TRUE(m_server->start(m_options).has_value());
  const auto other = Server::create({m_chat, m_pool, m_library, m_metrics});
  m_options.port = m_server->port();
  const auto result = other->start(m_options);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::PortInUse);
  EXPECT_EQ(result.error().find("host"), "127.0.0.1");
  EXPECT_FALSE(other->running());
  m_options.port = 0;
  EXPECT_TRUE(other->start(m_options).has_value()) << "a failed start leaves nothing behind";
}

TEST_F(ServerTest, LogsRequestsAndCountsThem) {
  std::mutex mutex;
  std::vector<RequestRecord> records;
  m_server->setRequestListener([&](const RequestRecord& record) {
    const std::lock_guard lock(mutex);
    records.push_back(record);
  });
  m_chat.script = [](const test::FakeChat::Call& call) {
    call.sink(test::startedEvent(5, 2));
    call.sink(test::textEvent("x"));
    call.sink(test::finishedEvent(1));
  };
  ASSERT_TRUE(m_server->start(m_options).has_value());
  RawClient client(m_server->port());
  client.send(test::postJson("/v1/chat/completions?q=1", R"({"messages":[{"role":"user","content":"x"}]})"));
  ASSERT_EQ(client.readResponse()->status, 200);
  ASSERT_TRUE(test::eventually([&] {
    const std::lock_guard lock(mutex);
    return records.size() == 2;
  }));
  client.send(test::get("/none"));
  ASSERT_EQ(client.readResponse()->status, 404);
  // The end is reported after the answer is out: wait for it, so that the order below is certain.
  ASSERT_TRUE(test::eventually([&] {
    const std::lock_guard lock(mutex);
    return records.size() == 4;
  }));
  RawClient bad(m_server->port());
  bad.send("garbage\r\n\r\n");
  ASSERT_EQ(bad.readResponse()->status, 400);
  m_server->stop();

  ASSERT_EQ(records.size(), 5U) << "a start and an end for each request; what cannot be parsed only ends";
  EXPECT_FALSE(records[0].finished);
  EXPECT_EQ(records[0].status, 0);
  EXPECT_EQ(records[0].method, "POST");
  EXPECT_EQ(records[0].target, "/v1/chat/completions?q=1");
  EXPECT_TRUE(records[0].client.starts_with("127.0.0.1:"));
  EXPECT_GT(records[0].time, 1.7e9);
  EXPECT_TRUE(records[1].finished);
  EXPECT_EQ(records[1].id, records[0].id);
  EXPECT_EQ(records[1].status, 200);
  EXPECT_EQ(records[1].model, "tiny");
  EXPECT_EQ(records[1].promptTokens, 5);
  EXPECT_EQ(records[1].generatedTokens, 1);
  EXPECT_EQ(records[3].status, 404);
  EXPECT_FALSE(records[3].error.empty());
  EXPECT_FALSE(records[3].errorCode.empty());
  EXPECT_EQ(records[4].status, 400);
  EXPECT_EQ(m_metrics.value("hearth_http_requests_total,route=/v1/chat/completions,method=POST,status=200"), 1);
  EXPECT_EQ(m_metrics.value("hearth_http_requests_total,route=none,method=GET,status=404"), 1);
  EXPECT_EQ(m_metrics.value("hearth_http_requests_total,route=none,method=other,status=400"), 1);
  EXPECT_EQ(m_metrics.value("hearth_http_prompt_tokens_total,model=tiny"), 5);
  EXPECT_EQ(m_metrics.value("hearth_http_cached_prompt_tokens_total,model=tiny"), 2);
  EXPECT_EQ(m_metrics.value("hearth_http_generated_tokens_total,model=tiny"), 1);
  EXPECT_EQ(m_metrics.value("hearth_http_time_to_first_token_seconds_count,model=tiny"), 1);
  EXPECT_EQ(m_metrics.value("hearth_http_request_seconds_count,route=/v1/chat/completions"), 1);
}

}  // namespace
}  // namespace hearth
