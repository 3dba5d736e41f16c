#include <gtest/gtest.h>

#include <openssl/ssl.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/base/platform/network.h"
#include "core/server/tls/identity_files.h"
#include "core/server/tls/server_context.h"
#include "core/server/transport/listener.h"
#include "tests/server/malformed_requests.h"
#include "tests/server/raw_client.h"
#include "tests/server/tls_client.h"

namespace hearth {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using test::RawClient;
using test::TlsClient;

const tls::Time kNow = std::chrono::system_clock::now();
const tls::ServerNames kNames{{"localhost", "maple.local"}, {"127.0.0.1", "::1", "192.168.7.5"}};

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "hearth-tls-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void spit(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

TEST(Certificate, TheAuthoritySignsAndNobodyElseDoes) {
  const auto authority = tls::makeAuthority("Hearth on maple", kNow);
  ASSERT_TRUE(authority.has_value()) << authority.error().describe();
  const auto other = tls::makeAuthority("Hearth on maple", kNow);
  const auto server = tls::makeServerCertificate(*authority, kNames, kNow);
  ASSERT_TRUE(server.has_value()) << server.error().describe();
  EXPECT_TRUE(tls::isSignedBy(server->certificate, authority->certificate));
  EXPECT_FALSE(tls::isSignedBy(server->certificate, other->certificate)) << "the same name is not the same key";
  EXPECT_TRUE(tls::isKeyOf(*server));
  EXPECT_FALSE(tls::isKeyOf({server->certificate, authority->key}));

  const auto info = tls::readCertificate(server->certificate);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->names.dns, kNames.dns);
  EXPECT_EQ(info->names.addresses, (std::vector<std::string>{"127.0.0.1", "192.168.7.5", "::1"}));
  EXPECT_FALSE(info->authority);
  EXPECT_LT(info->notBefore, kNow - 1h);
  EXPECT_GT(info->notAfter, kNow + 390 * 24h);
  EXPECT_LT(info->notAfter, kNow + 398 * 24h) << "clients refuse longer ones";
  EXPECT_EQ(info->fingerprint.size(), 32U * 3 - 1);
  const auto issuer = tls::readCertificate(authority->certificate);
  EXPECT_TRUE(issuer->authority);
  EXPECT_NE(issuer->fingerprint, tls::readCertificate(other->certificate)->fingerprint);
}

TEST(Certificate, RefusesNamesThatAreNone) {
  const auto authority = tls::makeAuthority("x", kNow);
  for (const char* bad : {"", "a b", "a,DNS:evil.example", "a\nb", "*.local", ".a", "-a", "a/b", "é"}) {
    const auto made = tls::makeServerCertificate(*authority, {{bad}, {}}, kNow);
    ASSERT_FALSE(made.has_value()) << bad;
    EXPECT_EQ(made.error().code, ErrorCode::InvalidArgument) << bad;
  }
  for (const char* bad : {"", "1.2.3", "1.2.3.256", "::g", "localhost"})
    EXPECT_FALSE(tls::makeServerCertificate(*authority, {{"a"}, {bad}}, kNow).has_value()) << bad;
  EXPECT_FALSE(tls::makeServerCertificate(*authority, {}, kNow).has_value());
  EXPECT_EQ(tls::makeServerCertificate({authority->certificate, "nonsense"}, kNames, kNow).error().code, ErrorCode::Corrupt);
  EXPECT_FALSE(tls::readCertificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").has_value());
}

TEST(Certificate, OpensslVerifiesTheChain) {
  const Folder folder;
  const auto identity = tls::ensureIdentity(folder.path, kNames, kNow);
  ASSERT_TRUE(identity.has_value()) << identity.error().describe();
  if (std::system("command -v openssl >/dev/null 2>&1") != 0) GTEST_SKIP() << "no openssl program here";
  const std::string base =
      "openssl verify -x509_strict -purpose sslserver -CAfile " + (folder.path / "ca.pem").string() + " ";
  const std::string file = (folder.path / "server.pem").string() + " >/dev/null 2>&1";
  EXPECT_EQ(std::system((base + "-verify_hostname maple.local " + file).c_str()), 0);
  EXPECT_EQ(std::system((base + "-verify_ip 192.168.7.5 " + file).c_str()), 0);
  EXPECT_EQ(std::system((base + "-verify_ip ::1 " + file).c_str()), 0);
  EXPECT_NE(std::system((base + "-verify_ip 192.168.7.6 " + file).c_str()), 0);
  EXPECT_NE(std::system((base + "-verify_hostname oak.local " + file).c_str()), 0);
}

TEST(IdentityFiles, KeepsTheAuthorityAndRenewsTheServer) {
  const Folder folder;
  const fs::path dir = folder.path / "tls";
  const auto first = tls::ensureIdentity(dir, kNames, kNow);
  ASSERT_TRUE(first.has_value()) << first.error().describe();
  for (const char* key : {"ca.key", "server.key"}) {
    struct stat status{};
    ASSERT_EQ(::stat((dir / key).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U) << key;
  }
  const auto again = tls::ensureIdentity(dir, kNames, kNow + 1h);
  EXPECT_EQ(again->info.fingerprint, first->info.fingerprint);
  auto fewer = kNames;
  fewer.addresses.pop_back();
  EXPECT_EQ(tls::ensureIdentity(dir, fewer, kNow)->info.fingerprint, first->info.fingerprint)
      << "one name less needs no new certificate";
  auto more = kNames;
  more.addresses.push_back("10.0.0.9");
  const auto moved = tls::ensureIdentity(dir, more, kNow);
  EXPECT_NE(moved->info.fingerprint, first->info.fingerprint);
  EXPECT_EQ(moved->authority, first->authority);
  const auto late = tls::ensureIdentity(dir, more, kNow + 368 * 24h);
  EXPECT_NE(late->info.fingerprint, moved->info.fingerprint) << "thirty days before its end";
  EXPECT_EQ(late->authority, first->authority);
  // Another's certificate in our place.
  const auto stranger = tls::makeAuthority("stranger", kNow);
  const auto strange = tls::makeServerCertificate(*stranger, more, kNow);
  spit(dir / "server.pem", strange->certificate);
  spit(dir / "server.key", strange->key);
  EXPECT_TRUE(tls::isSignedBy(tls::ensureIdentity(dir, more, kNow)->server.certificate, first->authority));
  // A crash between the two files.
  fs::remove(dir / "server.pem");
  EXPECT_TRUE(tls::ensureIdentity(dir, more, kNow).has_value());
}

TEST(IdentityFiles, NeverReplacesAnAuthoritySilently) {
  const Folder folder;
  ASSERT_TRUE(tls::ensureIdentity(folder.path, kNames, kNow).has_value());
  const std::string key = slurp(folder.path / "ca.key");
  const std::string certificate = slurp(folder.path / "ca.pem");
  const auto expectCorrupt = [&](const char* what) {
    const auto result = tls::ensureIdentity(folder.path, kNames, kNow);
    ASSERT_FALSE(result.has_value()) << what;
    EXPECT_EQ(result.error().code, ErrorCode::Corrupt) << what;
    EXPECT_FALSE(result.error().find("path").empty()) << what;
  };
  fs::remove(folder.path / "ca.key");
  expectCorrupt("no key");
  spit(folder.path / "ca.key", key.substr(0, key.size() / 2));
  expectCorrupt("half a key");
  spit(folder.path / "ca.key", key);
  spit(folder.path / "ca.pem", std::string(2'000'000, 'x'));
  EXPECT_FALSE(tls::ensureIdentity(folder.path, kNames, kNow).has_value());
  spit(folder.path / "ca.pem", certificate);
  EXPECT_TRUE(tls::ensureIdentity(folder.path, kNames, kNow).has_value());
  EXPECT_FALSE(tls::ensureIdentity(folder.path, kNames, kNow + 3651 * 24h).has_value()) << "over";
}

TEST(IdentityFiles, TakesTheOperatorsOwn) {
  const Folder folder;
  const auto authority = tls::makeAuthority("company", kNow);
  const auto server = tls::makeServerCertificate(*authority, kNames, kNow);
  spit(folder.path / "c.pem", server->certificate + authority->certificate);
  spit(folder.path / "k.pem", server->key);
  const auto own = tls::readIdentity(folder.path / "c.pem", folder.path / "k.pem");
  ASSERT_TRUE(own.has_value()) << own.error().describe();
  EXPECT_EQ(own->info.subject, "localhost");
  EXPECT_TRUE(own->authority.empty());
  EXPECT_EQ(tls::readIdentity(folder.path / "none.pem", folder.path / "k.pem").error().code, ErrorCode::NotFound);
  spit(folder.path / "other.pem", authority->key);
  const auto wrong = tls::readIdentity(folder.path / "c.pem", folder.path / "other.pem");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().code, ErrorCode::Corrupt);
  EXPECT_EQ(wrong.error().find("path"), (folder.path / "other.pem").string());
}

TEST(Network, KnowsItself) {
  const std::string name = platform::hostName();
  EXPECT_FALSE(name.empty());
  EXPECT_EQ(name.find('.'), std::string::npos);
  for (const std::string& address : platform::networkAddresses()) {
    EXPECT_EQ(platform::addressText(platform::addressBytes(address)), address);
    EXPECT_FALSE(address.starts_with("127.")) << address;
    EXPECT_FALSE(address.starts_with("fe80")) << address;
  }
}

class TlsTransport : public ::testing::Test {
 protected:
  TlsTransport() {
    m_options.limits.handshakeDeadline = 400ms;
    m_options.limits.headDeadline = 400ms;
    m_options.limits.keepAliveIdle = 20s;
    m_options.limits.stopGrace = 500ms;
    m_options.handler = [](const http::ExchangePtr& exchange) {
      http::Response response;
      response.body = exchange->request().method + " " + exchange->request().path +
                      (exchange->request().secure ? " by TLS " : " plainly ") + exchange->takeBody();
      exchange->respond(std::move(response));
    };
    m_authority = *tls::makeAuthority("test", kNow);
    m_server = *tls::makeServerCertificate(m_authority, kNames, kNow);
    m_options.tls = *tls::ServerContext::create(m_server);
    m_trusting.authority = m_authority.certificate;
  }
  void start() {
    auto listener = http::Listener::start(m_options);
    ASSERT_TRUE(listener.has_value()) << listener.error().describe();
    m_listener = std::move(*listener);
  }
  [[nodiscard]] std::uint16_t port() const { return m_listener->port(); }

  http::ListenerOptions m_options;
  tls::KeyPair m_authority, m_server;
  TlsClient::Options m_trusting;
  std::unique_ptr<http::Listener> m_listener;
};

TEST_F(TlsTransport, Answers) {
  start();
  EXPECT_EQ(m_listener->address(), "https://127.0.0.1:" + std::to_string(port()));
  for (const char* name : {"localhost", "maple.local", "127.0.0.1", "192.168.7.5"}) {
    auto options = m_trusting;
    options.name = name;
    TlsClient client(port(), options);
    ASSERT_TRUE(client.connected()) << name << ": " << client.problem();
    EXPECT_EQ(client.protocol(), "TLSv1.3");
    client.send(test::get("/one") + test::postJson("/two", std::string(100'000, 'x')) +
                "GET /three HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    bool clean = false;
    const std::string all = client.readAll(&clean);
    EXPECT_TRUE(clean) << "a connection that is cut off must not look finished";
    EXPECT_NE(all.find("GET /one by TLS"), std::string::npos);
    EXPECT_NE(all.find("POST /two by TLS " + std::string(100'000, 'x')), std::string::npos);
    EXPECT_NE(all.find("GET /three"), std::string::npos);
  }
  auto wrong = m_trusting;
  wrong.name = "oak.local";
  EXPECT_FALSE(TlsClient(port(), wrong).connected());
  wrong = {};
  wrong.authority = tls::makeAuthority("test", kNow)->certificate;
  EXPECT_FALSE(TlsClient(port(), wrong).connected());
}

TEST_F(TlsTransport, SpeaksTls12AndNothingOlder) {
  start();
  auto options = m_trusting;
  options.newestVersion = TLS1_2_VERSION;
  TlsClient client(port(), options);
  ASSERT_TRUE(client.connected()) << client.problem();
  EXPECT_EQ(client.protocol(), "TLSv1.2");
  client.send(test::get("/x"));
  EXPECT_NE(client.readUntil("GET /x by TLS").find("200 OK"), std::string::npos);
  for (const int old : {TLS1_VERSION, TLS1_1_VERSION}) {
    options.newestVersion = old;
    EXPECT_FALSE(TlsClient(port(), options).connected()) << old;
  }
}

TEST_F(TlsTransport, AgreesOnHttp11Alone) {
  start();
  auto options = m_trusting;
  options.alpn = "http/1.1";
  TlsClient client(port(), options);
  ASSERT_TRUE(client.connected()) << client.problem();
  EXPECT_EQ(client.alpn(), "http/1.1");
  options.alpn = "h2";
  EXPECT_FALSE(TlsClient(port(), options).connected());
}

TEST_F(TlsTransport, PlainHttpIsToldWhereToGo) {
  start();
  RawClient browser(port());
  browser.send("GET /a?b=c HTTP/1.1\r\nHost: maple.local:1234\r\n\r\n");
  const auto redirect = browser.readResponse();
  ASSERT_TRUE(redirect.has_value());
  EXPECT_EQ(redirect->status, 307);
  EXPECT_EQ(redirect->headers.at("location"), "https://maple.local:1234/a?b=c");
  EXPECT_TRUE(browser.closedByPeer(5s));
  RawClient poster(port());
  poster.send(test::postJson("/v1/chat/completions", "{}"));
  const auto refused = poster.readResponse();
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 400) << "a body has gone in the clear already: it must not be repeated unseen";
  EXPECT_NE(refused->body.find("https://"), std::string::npos);
  RawClient garbage(port());
  garbage.send("\x80\x2e\x01\x03\x01 garbage\r\n\r\n");
  const auto told = garbage.readResponse();
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->status, 400);
}

TEST_F(TlsTransport, BrokenHandshakesCostNothing) {
  start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (const std::string& bytes :
       {std::string("\x16\x03\x01", 3),
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(64, 'z'),
        std::string("\x16") + std::string(40'000, 'q'), std::string{}, std::string("\x16\x03\x03\xff\xff\xff")}) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->send(bytes);
  }
  for (auto& client : clients) {
    (void)client->readAll(5s);  // an alert, where there is one to send
    EXPECT_TRUE(client->closedByPeer(5s));
  }
  // One byte at a time is no reason to wait longer than the deadline.
  RawClient drip(port());
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100 && drip.send("\x16"); ++i) std::this_thread::sleep_for(20ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
  EXPECT_TRUE(test::eventually([&] { return m_listener->connections() == 0; }));
  TlsClient good(port(), m_trusting);
  EXPECT_TRUE(good.connected()) << good.problem();
}

TEST_F(TlsTransport, RefusesMalformedRequestsHereToo) {
  start();
  for (const auto& bad : test::malformedRequests()) {
    TlsClient client(port(), m_trusting);
    ASSERT_TRUE(client.connected()) << client.problem();
    client.send(bad.bytes);
    bool clean = false;
    const std::string answer = client.readAll(&clean);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(bad.status))) << bad.name << ": " << answer.substr(0, 100);
    EXPECT_TRUE(clean) << bad.name;
  }
}

TEST_F(TlsTransport, AnotherCertificateLeavesConnectionsAlone) {
  start();
  TlsClient before(port(), m_trusting);
  ASSERT_TRUE(before.connected());
  const auto renewed = *tls::makeServerCertificate(m_authority, kNames, kNow);
  m_listener->replaceTls(*tls::ServerContext::create(renewed));
  TlsClient after(port(), m_trusting);
  ASSERT_TRUE(after.connected());
  EXPECT_EQ(after.peerCertificate(), renewed.certificate);
  EXPECT_EQ(before.peerCertificate(), m_server.certificate);
  for (TlsClient* client : {&before, &after}) {
    client->send(test::get("/still"));
    EXPECT_FALSE(client->readUntil("GET /still by TLS").empty());
  }
}

TEST_F(TlsTransport, StreamsArriveWholeAndASlowReaderIsDropped) {
  std::atomic<int> aborts{0};
  std::atomic<bool> ended{false};
  m_options.limits.writeStall = 400ms;
  m_options.handler = [&](const http::ExchangePtr& exchange) {
    const bool slow = exchange->request().path == "/slow";
    if (slow)
      exchange->onAbort([&](http::AbortReason reason) { aborts += reason == http::AbortReason::SlowReader ? 1 : 100; });
    exchange->startStream({200, "text/plain", {}, {}});
    std::thread([&aborts, &ended, exchange, slow] {
      for (int i = 0; i < (slow ? 20'000 : 300); ++i) {
        if (!exchange->write(std::string(1000, static_cast<char>('a' + i % 26)))) break;
        std::this_thread::sleep_for(50us);
      }
      if (slow) test::eventually([&] { return aborts != 0; });
      exchange->finish();
      if (slow) ended = true;
    }).detach();
  };
  start();
  TlsClient slow(port(), m_trusting);
  slow.send(test::get("/slow"));
  TlsClient good(port(), m_trusting);
  good.send("GET /good HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  bool clean = false;
  const std::string all = good.readAll(&clean);
  EXPECT_TRUE(clean);
  EXPECT_TRUE(all.ends_with("0\r\n\r\n"));
  EXPECT_EQ(std::count(all.begin(), all.end(), 'q'),
            11'000 + std::count(all.begin(), all.begin() + static_cast<long>(all.find("\r\n\r\n")), 'q'));
  EXPECT_TRUE(test::eventually([&] { return aborts == 1; })) << aborts;
  EXPECT_TRUE(test::eventually([&] { return ended.load(); }));
}

TEST_F(TlsTransport, ListensOnEveryInterfaceWithTlsOnly) {
  m_options.host = "*";
  m_options.tls = nullptr;
  const auto refused = http::Listener::start(m_options);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
  m_options.tls = *tls::ServerContext::create(m_server);
  start();
  EXPECT_EQ(m_listener->address(), "https://localhost:" + std::to_string(port()));
  TlsClient client(port(), m_trusting);
  ASSERT_TRUE(client.connected()) << client.problem();
  client.send(test::get("/x"));
  EXPECT_FALSE(client.readUntil("GET /x").empty());
  auto second = m_options;
  second.port = port();
  const auto taken = http::Listener::start(second);
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().code, ErrorCode::PortInUse);
}

TEST_F(TlsTransport, StopsInTheMiddleOfAHandshake) {
  m_options.limits.handshakeDeadline = 20s;
  start();
  RawClient half(port());
  half.send("\x16\x03\x01");
  ASSERT_TRUE(test::eventually([&] { return m_listener->connections() == 1; }));
  const auto begin = std::chrono::steady_clock::now();
  m_listener->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 400ms);
}

}  // namespace
}  // namespace hearth
