#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>

#include "core/server/api/page_policy.h"
#include "core/server/api/router.h"
#include "core/server/page/page_files.h"
#include "core/server/transport/listener.h"
#include "tests/server/fakes.h"
#include "tests/server/raw_client.h"

namespace hearth::api {
namespace {

using test::RawClient;
using test::RawResponse;

TEST(PageFiles, AreInOrderAndReferToWhatIsThere) {
  std::set<std::string, std::less<>> names;
  for (const PageFile& file : pageFiles()) {
    EXPECT_FALSE(file.bytes.empty()) << file.path;
    EXPECT_TRUE(names.emplace(file.path).second) << file.path;
    EXPECT_LT(file.zipped.size(), file.bytes.size()) << file.path;
    if (!file.zipped.empty()) {
      EXPECT_TRUE(file.zipped.starts_with("\x1f\x8b")) << file.path;
    }
  }
  EXPECT_TRUE(std::ranges::is_sorted(pageFiles(), {}, &PageFile::path));
  ASSERT_TRUE(names.contains("index.html"));
  // Every import and every stylesheet is a file of ours.
  for (const PageFile& file : pageFiles()) {
    if (file.path.starts_with("vendor/") || !file.path.ends_with(".js")) continue;
    const std::string text(file.bytes);
    const std::regex import(R"((?:from|import\()\s*'(\.[^']+)')");
    for (std::sregex_iterator it(text.begin(), text.end(), import), end; it != end; ++it) {
      std::string folder(file.path.substr(0, file.path.rfind('/') + 1));
      std::string target = (*it)[1];
      if (target.starts_with("./")) target.erase(0, 2);
      while (target.starts_with("../")) {
        target.erase(0, 3);
        folder.erase(folder.rfind('/', folder.size() - 2) + 1);
      }
      EXPECT_TRUE(names.contains(folder + target)) << file.path << " imports " << (*it)[1];
    }
  }
}

TEST(PagePolicy, BrowsersAskForHtmlAndClientsDoNot) {
  EXPECT_TRUE(prefersHtml("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
  EXPECT_TRUE(prefersHtml("application/json, text/html;q=0.3"));
  EXPECT_FALSE(prefersHtml("*/*"));
  EXPECT_FALSE(prefersHtml("application/json"));
  EXPECT_FALSE(prefersHtml(""));
  EXPECT_FALSE(prefersHtml("text/html;q=0"));
  EXPECT_FALSE(prefersHtml("text/html; q=0.000, */*"));
  EXPECT_FALSE(prefersHtml("text/htmlx"));
  EXPECT_TRUE(acceptsGzip("gzip, deflate, br"));
  EXPECT_FALSE(acceptsGzip("br, gzip;q=0"));
  EXPECT_FALSE(acceptsGzip("identity"));
}

/// The page over a real socket.
class Page : public ::testing::Test {
 protected:
  Page() {
    http::ListenerOptions options;
    options.handler = [this](const http::ExchangePtr& exchange) { route(m_context, exchange); };
    auto listener = http::Listener::start(std::move(options));
    EXPECT_TRUE(listener.has_value());
    m_listener = std::move(*listener);
  }
  ~Page() override { m_listener->stop(); }

  RawResponse get(const std::string& path, const std::string& headers = {}, const std::string& method = "GET") {
    RawClient client(m_listener->port());
    client.send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
    return client.readResponse(method == "HEAD").value_or(RawResponse{});
  }
  static std::string header(const RawResponse& response, const std::string& name) {
    const auto found = response.headers.find(name);
    return found == response.headers.end() ? std::string{} : found->second;
  }
  static std::string text(std::string_view path) {
    for (const PageFile& file : pageFiles()) {
      if (file.path == path) return std::string(file.bytes);
    }
    return {};
  }

  test::FakeChat m_chat;
  test::FakePool m_pool;
  test::FakeLibrary m_library;
  test::FakeMetrics m_metrics;
  ApiContext m_context{.chat = m_chat, .pool = m_pool, .library = m_library, .metrics = m_metrics, .defaultModel = "tiny", .version = "1.2.3"};
  std::unique_ptr<http::Listener> m_listener;
};

constexpr const char* kBrowser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";

TEST_F(Page, BrowsersGetThePageAndClientsTheBanner) {
  const RawResponse page = get("/", kBrowser);
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(header(page, "content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.body, text("index.html"));
  EXPECT_EQ(get("/ui/").body, page.body);
  EXPECT_EQ(get("/ui").status, 308);
  EXPECT_NE(get("/", "Accept: */*\r\n").body, page.body);
  EXPECT_NE(get("/").body, page.body);
}

TEST_F(Page, EveryAnswerCarriesThePolicy) {
  const std::string folder = "/ui/" + std::string(pageVersion());
  for (const RawResponse& response : {get("/", kBrowser), get("/ui/"), get(folder + "/js/main.js"), get(folder + "/no.js")}) {
    const std::string policy = header(response, "content-security-policy");
    EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_EQ(policy.find("http"), std::string::npos);
    EXPECT_EQ(header(response, "x-content-type-options"), "nosniff");
    EXPECT_EQ(header(response, "referrer-policy"), "no-referrer");
    EXPECT_EQ(header(response, "cross-origin-opener-policy"), "same-origin");
  }
}

TEST_F(Page, FilesAreKeptForEverAndThePageIsAskedForAgain) {
  const std::string folder = "/ui/" + std::string(pageVersion());
  const RawResponse script = get(folder + "/js/main.js");
  EXPECT_EQ(script.status, 200);
  EXPECT_EQ(script.body, text("js/main.js"));
  EXPECT_EQ(header(script, "content-type"), "text/javascript; charset=utf-8");
  EXPECT_NE(header(script, "cache-control").find("immutable"), std::string::npos);
  EXPECT_NE(text("index.html").find(folder + "/js/main.js"), std::string::npos);

  const RawResponse page = get("/ui/");
  EXPECT_EQ(header(page, "cache-control"), "no-cache");
  const std::string etag = header(page, "etag");
  ASSERT_FALSE(etag.empty());
  const RawResponse again = get("/ui/", "If-None-Match: " + etag + "\r\n");
  EXPECT_EQ(again.status, 304);
  EXPECT_TRUE(again.body.empty());
  EXPECT_EQ(get("/ui/", "If-None-Match: \"other\"\r\n").status, 200);
}

TEST_F(Page, IsZippedForThoseWhoTakeIt) {
  const std::string path = "/ui/" + std::string(pageVersion()) + "/js/main.js";
  const RawResponse zipped = get(path, "Accept-Encoding: gzip, br\r\n");
  EXPECT_EQ(header(zipped, "content-encoding"), "gzip");
  EXPECT_LT(zipped.body.size(), text("js/main.js").size());
  EXPECT_NE(header(zipped, "etag"), header(get(path), "etag"));
}

TEST_F(Page, OtherPathsAreNotFiles) {
  const std::string folder = "/ui/" + std::string(pageVersion());
  for (const std::string path : {"/ui/0123456789abcdef/js/main.js", "/ui/js/main.js", "/ui/x"}) EXPECT_EQ(get(path).status, 404) << path;
  for (const std::string path : {"/index.html", "/js", "/js/", "/../js/main.js", "/js/../js/main.js", "/js%2fmain.js/x", "/js/main.js%00", "/API.md", "/package.json"}) {
    const int status = get(folder + path).status;
    EXPECT_TRUE(status == 404 || status == 400) << path << " " << status;
  }
  EXPECT_EQ(get("/ui/", "Content-Length: 0\r\n", "POST").status, 405);
  EXPECT_EQ(get("/ui/", {}, "HEAD").status, 200);
}

}  // namespace
}  // namespace hearth::api
