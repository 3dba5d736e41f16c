#include "core/server/transport/listener.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "core/server/transport/spooled_body.h"
#include "tests/server/malformed_requests.h"
#include "tests/server/raw_client.h"

namespace hearth::http {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::RawClient;

/// A listener with short deadlines, whose handler the test sets.
class Transport : public ::testing::Test {
 protected:
  Transport() {
    m_options.limits.headDeadline = 300ms;
    m_options.limits.bodyStall = 300ms;
    m_options.limits.keepAliveIdle = 600ms;
    m_options.limits.writeStall = 400ms;
    m_options.limits.stopGrace = 500ms;
    m_options.handler = [](const ExchangePtr& exchange) {
      Response response;
      response.body = exchange->request().method + " " + exchange->request().path + " " + exchange->takeBody();
      exchange->respond(std::move(response));
    };
    m_options.observer = [this](const ExchangeRecord& record) {
      const std::lock_guard lock(m_mutex);
      m_records.push_back(record);
    };
  }
  void start() {
    auto listener = Listener::start(m_options);
    ASSERT_TRUE(listener.has_value()) << listener.error().describe();
    m_listener = std::move(*listener);
  }
  [[nodiscard]] std::uint16_t port() const { return m_listener->port(); }
  /// Opens `most` connections, expects `status` for one more, and room again when one of them is closed.
  void expectRoomFor(int most, int status, const char* why) {
    m_options.limits.keepAliveIdle = 20s;
    start();
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < most; ++i) {
      clients.push_back(std::make_unique<RawClient>(port()));
      clients.back()->send(test::get("/"));
      ASSERT_TRUE(clients.back()->readResponse().has_value());
    }
    RawClient extra(port());
    const auto refused = extra.readResponse();
    ASSERT_TRUE(refused.has_value());
    EXPECT_EQ(refused->status, status);
    EXPECT_EQ(refused->headers.at("retry-after"), "2");
    extra.close();
    clients.pop_back();
    EXPECT_TRUE(eventually([&] {
      RawClient again(port());
      again.send(test::get("/"));
      const auto response = again.readResponse();
      return response && response->status == 200;
    })) << why;
  }
  std::vector<ExchangeRecord> records() {
    const std::lock_guard lock(m_mutex);
    return m_records;
  }

  ListenerOptions m_options;
  std::mutex m_mutex;
  std::vector<ExchangeRecord> m_records;
  std::unique_ptr<Listener> m_listener;
};

TEST_F(Transport, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  start();
  RawClient client(port());
  std::string burst;
  for (int i = 0; i < 50; ++i) burst += i % 2 == 0 ? test::get(std::string("/") + std::to_string(i)) : test::postJson(std::string("/") + std::to_string(i), std::string(1000, 'x'));
  ASSERT_TRUE(client.send(burst));
  for (int i = 0; i < 50; ++i) {
    const auto response = client.readResponse();
    ASSERT_TRUE(response && response->complete) << i;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->headers.at("connection"), "keep-alive");
    const std::string expected = i % 2 == 0 ? "GET /" + std::to_string(i) + " " : "POST /" + std::to_string(i) + " " + std::string(1000, 'x');
    EXPECT_EQ(response->body, expected);
  }
}

TEST_F(Transport, HttpOneZeroAndConnectionCloseEndTheConnection) {
  start();
  for (const char* request : {"GET /a HTTP/1.0\r\nHost: localhost\r\n\r\n", "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"}) {
    RawClient client(port());
    client.send(request);
    const auto response = client.readResponse();
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->headers.at("connection"), "close");
    EXPECT_EQ(response->body, "GET /a ");
    EXPECT_TRUE(client.closedByPeer(2s));
  }
}

TEST_F(Transport, HeadHasNoBody) {
  start();
  RawClient client(port());
  client.send("HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\n" + test::get("/b"));
  const auto head = client.readResponse(true);
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->headers.at("content-length"), "8");
  const auto next = client.readResponse();
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->body, "GET /b ");
}

TEST_F(Transport, AnswersAClientThatHasFinishedSending) {
  start();
  RawClient client(port());
  client.send(test::get("/x"));
  client.shutdownSend();
  const auto response = client.readResponse();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->body, "GET /x ");
}

TEST_F(Transport, RefusesMalformedRequestsAndCloses) {
  start();
  auto corpus = test::malformedRequests();
  const auto forbidden = test::forbiddenRequests();
  corpus.insert(corpus.end(), forbidden.begin(), forbidden.end());
  for (const auto& bad : corpus) {
    RawClient client(port());
    client.send(bad.bytes);
    const auto response = client.readResponse();
    ASSERT_TRUE(response.has_value()) << bad.name;
    EXPECT_EQ(response->status, bad.status) << bad.name;
    EXPECT_EQ(response->headers.at("connection"), "close") << bad.name;
    EXPECT_NE(response->body.find(R"({"error":{"message":)"), std::string::npos) << bad.name;
    EXPECT_FALSE(response->headers.contains("access-control-allow-origin")) << bad.name;
    EXPECT_TRUE(client.closedByPeer(2s)) << bad.name;
  }
}

TEST_F(Transport, ALargeBodyIsToldWhyEvenWhileItIsSent) {
  start();
  RawClient client(port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40000000\r\n\r\n");
  const std::string piece(1'000'000, 'x');
  for (int i = 0; i < 40; ++i) client.send(piece);
  const auto response = client.readResponse();
  ASSERT_TRUE(response.has_value()) << "a reset must not destroy the answer";
  EXPECT_EQ(response->status, 413);
}

TEST_F(Transport, TakesABodyOfTheLimitAndContinues) {
  start();
  RawClient client(port());
  client.send("POST /b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16777216\r\nExpect: 100-continue\r\n\r\n");
  const auto interim = client.readResponse(true);
  ASSERT_TRUE(interim.has_value());
  EXPECT_EQ(interim->status, 100);
  ASSERT_TRUE(client.send(std::string(16777216, 'y')));
  const auto response = client.readResponse();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body.size(), 16777216U + 8);
}

TEST_F(Transport, SlowHeadersAreCutOff) {
  start();
  RawClient client(port());
  const auto begin = std::chrono::steady_clock::now();
  client.send("GET / HTTP/1.1\r\n");
  std::thread drip([&] {
    for (int i = 0; i < 20 && client.send("X-" + std::to_string(i) + ": 1\r\n"); ++i) std::this_thread::sleep_for(50ms);
  });
  const auto response = client.readResponse();
  const auto took = std::chrono::steady_clock::now() - begin;
  drip.join();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 408);
  EXPECT_GE(took, 290ms);
  EXPECT_LT(took, 3s);
}

TEST_F(Transport, StalledBodiesAreCutOff) {
  start();
  RawClient client(port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  const auto response = client.readResponse();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 408);
  EXPECT_TRUE(client.closedByPeer(2s));
}

TEST_F(Transport, IdleConnectionsAreClosedQuietly) {
  start();
  RawClient fresh(port());
  RawClient used(port());
  used.send(test::get("/"));
  ASSERT_TRUE(used.readResponse().has_value());
  EXPECT_TRUE(fresh.closedByPeer(5s));
  EXPECT_TRUE(used.closedByPeer(5s));
}

TEST_F(Transport, ConnectionsBeyondTheLimitGet503) {
  m_options.limits.connections = 3;
  expectRoomFor(3, 503, "room is given back");
}

TEST_F(Transport, StreamsChunksAndKeepsTheConnection) {
  m_options.handler = [](const ExchangePtr& exchange) {
    EXPECT_TRUE(exchange->startStream({200, "text/plain", {}, {}}));
    std::thread([exchange] {
      for (int i = 0; i < 100; ++i) EXPECT_TRUE(exchange->write("piece " + std::to_string(i) + "\n"));
      exchange->finish();
      EXPECT_FALSE(exchange->write("too late"));
    }).detach();
  };
  start();
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += "piece " + std::to_string(i) + "\n";
  RawClient client(port());
  for (int round = 0; round < 3; ++round) {
    client.send(test::get("/"));
    const auto response = client.readResponse();
    ASSERT_TRUE(response && response->complete);
    EXPECT_EQ(response->body, expected);
  }
  RawClient old(port());
  old.send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
  const auto response = old.readResponse();
  ASSERT_TRUE(response.has_value());
  EXPECT_FALSE(response->headers.contains("transfer-encoding"));
  EXPECT_EQ(response->body, expected);
}

TEST_F(Transport, ABrokenStreamDoesNotLookComplete) {
  m_options.handler = [](const ExchangePtr& exchange) {
    exchange->startStream({200, "text/plain", {}, {}});
    exchange->write("half");
    exchange->abandon();
  };
  start();
  RawClient client(port());
  client.send(test::get("/"));
  const auto response = client.readResponse();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->body, "half");
  EXPECT_FALSE(response->complete);
}

TEST_F(Transport, AForgottenRequestGets500) {
  m_options.handler = [](const ExchangePtr&) {};
  start();
  RawClient client(port());
  client.send(test::get("/") + test::get("/"));
  for (int i = 0; i < 2; ++i) {
    const auto response = client.readResponse();
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->status, 500);
  }
}

TEST_F(Transport, AThrowingHandlerGets500) {
  m_options.handler = [](const ExchangePtr&) { throw std::runtime_error("secret detail"); };
  start();
  RawClient client(port());
  client.send(test::get("/"));
  const auto response = client.readResponse();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 500);
  EXPECT_EQ(response->body.find("secret"), std::string::npos);
}

TEST_F(Transport, ASlowReaderIsDroppedAndOthersAreNot) {
  std::atomic<int> aborts{0};
  std::atomic<bool> refused{false};
  std::atomic<bool> producerEnded{false};
  std::atomic<std::size_t> accepted{0};
  m_options.handler = [&](const ExchangePtr& exchange) {
    if (exchange->request().path != "/stream") return exchange->respond({});
    exchange->onAbort([&](AbortReason reason) { aborts += reason == AbortReason::SlowReader ? 1 : 100; });
    exchange->startStream({200, "text/plain", {}, {}});
    std::thread([&, exchange] {
      const std::string piece(1024, 'z');
      for (int i = 0; i < 64 * 1024 && !refused; ++i) {
        if (!exchange->write(piece)) refused = true;
        accepted += piece.size();
        std::this_thread::sleep_for(20us);
      }
      eventually([&] { return aborts != 0; });
      producerEnded = true;
    }).detach();
  };
  start();
  RawClient slow(port(), 4096);
  slow.send(test::get("/stream"));
  EXPECT_TRUE(eventually([&] { return refused.load(); }));
  EXPECT_TRUE(eventually([&] { return aborts == 1; })) << aborts;
  EXPECT_TRUE(eventually([&] { return producerEnded.load(); }));
  EXPECT_LT(accepted, 4U * 1024 * 1024) << "our buffer and the kernel's are both bounded";
  RawClient other(port());
  other.send(test::get("/"));
  EXPECT_TRUE(other.readResponse().has_value());
}

TEST_F(Transport, AStalledReaderIsDroppedEvenWithLittleToRead) {
  std::atomic<int> aborts{0};
  m_options.handler = [&](const ExchangePtr& exchange) {
    exchange->onAbort([&](AbortReason reason) { aborts += reason == AbortReason::SlowReader ? 1 : 100; });
    exchange->startStream({200, "text/plain", {}, {}});
    // More than the kernel holds, less than our own buffer, then silence.
    std::thread([exchange] {
      for (int i = 0; i < 40; ++i) {
        if (!exchange->write(std::string(16 * 1024, 'z'))) return;
        std::this_thread::sleep_for(2ms);
      }
      std::this_thread::sleep_for(2s);
      exchange->finish();
    }).detach();
  };
  m_options.limits.streamBufferBytes = 8 * 1024 * 1024;
  start();
  RawClient slow(port(), 2048);
  slow.send(test::get("/"));
  EXPECT_TRUE(eventually([&] { return aborts == 1; }, 3s)) << aborts;
  std::this_thread::sleep_for(2100ms);  // the writer's thread ends before its captures do
}

TEST_F(Transport, ADisconnectIsSeenWhileTheRequestWaitsAndWhileItStreams) {
  std::atomic<int> aborts{0};
  std::mutex keptMutex;
  std::vector<ExchangePtr> kept;
  m_options.handler = [&](const ExchangePtr& exchange) {
    exchange->onAbort([&aborts](AbortReason reason) { aborts += reason == AbortReason::Disconnected ? 1 : 100; });
    if (exchange->request().path == "/stream") exchange->startStream({200, "text/plain", {}, {}});
    const std::lock_guard lock(keptMutex);
    kept.push_back(exchange);
  };
  start();
  for (const char* path : {"/waiting", "/stream"}) {
    const int before = aborts;
    const std::size_t had = kept.size();
    {
      RawClient client(port());
      client.send(test::get(path));
      ASSERT_TRUE(eventually([&] {
        const std::lock_guard lock(keptMutex);
        return kept.size() > had;
      }));
    }
    EXPECT_TRUE(eventually([&] { return aborts == before + 1; }, 2s)) << path;
    kept.back()->abandon();
    EXPECT_FALSE(kept.back()->write("x")) << path;
  }
  EXPECT_TRUE(eventually([&] { return m_listener->connections() == 0; }, 5s));
  // The log is written after the sinks were told, in whatever order the two connections end.
  const auto ended = [&](const std::string& target, int status) {
    return eventually([&] {
      const auto all = records();
      return std::ranges::any_of(all, [&](const ExchangeRecord& r) { return r.finished && r.target == target && r.status == status; });
    }, 5s);
  };
  EXPECT_TRUE(ended("/waiting", 499)) << "never answered";
  EXPECT_TRUE(ended("/stream", 200));
}

TEST_F(Transport, TicksComeUntilTheEnd) {
  std::atomic<int> ticks{0};
  m_options.handler = [&](const ExchangePtr& exchange) {
    exchange->every(20ms, 10ms, [&ticks, weak = std::weak_ptr(exchange)] {
      if (++ticks == 5) {
        if (const auto alive = weak.lock()) alive->respond({});
      }
    });
    std::thread([exchange] { std::this_thread::sleep_for(3s); }).detach();
  };
  start();
  RawClient client(port());
  client.send(test::get("/"));
  EXPECT_TRUE(client.readResponse().has_value());
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(ticks, 5);
}

TEST_F(Transport, StopEndsStreamsWithAWordAndIdleOnesWithout) {
  m_options.handler = [](const ExchangePtr& exchange) {
    exchange->startStream({200, "text/plain", {}, {}});
    exchange->write("begun ");
    exchange->onAbort([exchange](AbortReason reason) {
      exchange->write(reason == AbortReason::Stopping ? "stopping" : "?");
      exchange->finish();
    });
  };
  start();
  RawClient streaming(port());
  streaming.send(test::get("/"));
  ASSERT_FALSE(streaming.readUntil("begun").empty());
  RawClient idle(port());
  const auto begin = std::chrono::steady_clock::now();
  m_listener->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
  EXPECT_NE(streaming.readAll().find("stopping"), std::string::npos);
  EXPECT_TRUE(idle.closedByPeer());
  EXPECT_FALSE(RawClient(port()).connected());
  m_listener->stop();
}

TEST_F(Transport, StopDoesNotWaitForAHandlerThatHangsOn) {
  ExchangePtr kept;
  std::atomic<bool> arrived{false};
  m_options.handler = [&](const ExchangePtr& exchange) {
    kept = exchange;
    arrived = true;
  };
  start();
  RawClient client(port());
  client.send(test::get("/"));
  ASSERT_TRUE(eventually([&] { return arrived.load(); }));
  const auto begin = std::chrono::steady_clock::now();
  m_listener->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
  m_listener.reset();
  kept->respond({});  // long after the listener is gone: does nothing
  EXPECT_FALSE(kept->startStream({}));
}

TEST_F(Transport, RefusesOtherAddressesAndTakenPorts) {
  start();
  ListenerOptions second = m_options;
  second.port = port();
  const auto taken = Listener::start(second);
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().code, ErrorCode::PortInUse);
  EXPECT_EQ(taken.error().find("port"), std::to_string(port()));
  for (const char* host : {"0.0.0.0", "192.168.1.1", "::", "example.com", "", "8.8.8.8"}) {
    second.host = host;
    second.port = 0;
    const auto refused = Listener::start(second);
    ASSERT_FALSE(refused.has_value()) << host;
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument) << host;
  }
  m_listener->stop();
  second.host = "localhost";
  second.port = port();
  EXPECT_TRUE(Listener::start(second).has_value()) << "a stopped server's port can be had at once";
}

TEST_F(Transport, OneAddressGetsItsShareOfConnections) {
  m_options.limits.connectionsPerAddress = 4;
  expectRoomFor(4, 429, "room is given back, and refusals take none");
}

TEST_F(Transport, TheJudgeDecidesBeforeTheBody) {
  const auto folder = std::filesystem::temp_directory_path() / ("hearth-spool-" + std::to_string(::getpid()));
  m_options.spoolFolder = folder;
  m_options.judge = [](const Request& head) {
    Verdict verdict;
    verdict.notes.route = "judged";
    if (head.path == "/no") verdict.refusal = Response{401, "text/plain", {}, "who?"};
    if (head.path == "/small") verdict.bodyBytes = 10;
    if (head.path == "/large") verdict.bodyBytes = 40ULL * 1024 * 1024;
    verdict.spool = head.path == "/file";
    if (verdict.spool) verdict.bodyBytes = 100ULL * 1024 * 1024;
    return verdict;
  };
  std::filesystem::path spooled;
  m_options.handler = [&](const ExchangePtr& exchange) {
    Response response;
    const auto& file = exchange->request().file;
    if (file) spooled = file->path();
    response.body = file ? std::to_string(std::filesystem::file_size(file->path())) : std::to_string(exchange->takeBody().size());
    exchange->respond(std::move(response));
  };
  start();
  RawClient client(port());
  client.send(test::get("/no") + test::get("/yes"));
  EXPECT_EQ(client.readResponse()->status, 401);
  EXPECT_EQ(client.readResponse()->status, 200) << "nothing was in the way of the next request";
  client.send("POST /no HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
  EXPECT_EQ(client.readResponse()->status, 401) << "without waiting for the body";
  EXPECT_TRUE(client.closedByPeer(5s));
  for (const auto& [request, status] : {std::pair{test::postJson("/small", "0123456789"), 200}, {test::postJson("/small", "0123456789a"), 413},
                                        {std::string("POST /small HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n01234567\r\n8\r\n01234567\r\n0\r\n\r\n"), 413},
                                        {test::postJson("/large", std::string(20'000'000, 'x')), 200}, {test::postJson("/other", std::string(20'000'000, 'x')), 413}}) {
    RawClient one(port());
    one.send(request);
    const auto response = one.readResponse();
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->status, status) << request.substr(0, 60);
  }
  RawClient uploader(port());
  uploader.send(test::postJson("/file", std::string(30'000'000, 'x')) + test::get("/yes"));
  const auto stored = uploader.readResponse();
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->body, "30000000");
  EXPECT_EQ(uploader.readResponse()->status, 200);
  EXPECT_FALSE(spooled.empty());
  EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(spooled); })) << "nobody took it";
  {
    RawClient gone(port());
    gone.send("POST /file HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + std::string(5000, 'x'));
    EXPECT_TRUE(eventually([&] { return !std::filesystem::is_empty(folder); }));
  }
  EXPECT_TRUE(eventually([&] { return std::filesystem::is_empty(folder); })) << "half an upload is removed";
  std::filesystem::remove_all(folder);
}

TEST_F(Transport, ManyConnectionsAtOnce) {
  start();
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        RawClient client(port());
        client.send(test::postJson("/p", std::string(static_cast<std::size_t>(i) * 500, 'q')));
        const auto response = client.readResponse();
        if (response && response->body.size() == static_cast<std::size_t>(i) * 500 + 8) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 320);
}

}  // namespace
}  // namespace hearth::http
