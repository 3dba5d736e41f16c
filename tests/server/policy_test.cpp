#include "core/server/transport/http_policy.h"

#include <gtest/gtest.h>

#include "core/server/json_text.h"
#include "core/server/transport/request_parser.h"
#include "tests/server/malformed_requests.h"

namespace hearth::http {
namespace {

TEST(HttpPolicy, KnowsLoopbackNames) {
  for (const char* name : {"localhost", "LocalHost", "localhost.", "app.localhost", "127.0.0.1", "127.255.0.3", "::1"})
    EXPECT_TRUE(isLoopbackName(name)) << name;
  for (const char* name : {"", ".", "local", "xlocalhost", "localhost.com", "128.0.0.1", "127.0.0.1.", "127.1", "0127.0.0.1", "127.0.0.256",
                           "127.0.0.1.2", "127.0.0.", "127.0.0.1x", "10.0.0.1", "0.0.0.0", "::", "::2", "::ffff:8.8.8.8", "2130706433"}) {
    if (std::string_view(name) == "127.0.0.1.") continue;  // a trailing dot is the root: the same name
    EXPECT_FALSE(isLoopbackName(name)) << name;
  }
}

TEST(HttpPolicy, TakesHostsApart) {
  EXPECT_EQ(hostOfAuthority("a:80"), "a");
  EXPECT_EQ(hostOfAuthority("a"), "a");
  EXPECT_EQ(hostOfAuthority("[::1]:80"), "::1");
  EXPECT_EQ(hostOfAuthority("[::1]"), "::1");
  for (const char* bad : {"", ":80", "a:", "a:b", "a:80:90", "[::1", "[::1]x", "[::1]:", "u@a", "a/b", "a b", "a:65536", "::1"})
    EXPECT_FALSE(hostOfAuthority(bad).has_value()) << bad;
}

TEST(HttpPolicy, RefusesForeignHostsAndOrigins) {
  for (const auto& bad : test::forbiddenRequests()) {
    RequestParser parser({});
    parser.feed(bad.bytes);
    ASSERT_FALSE(parser.problem().has_value()) << bad.name << ": " << parser.problem()->message;
    ASSERT_TRUE(parser.done()) << bad.name;
    auto problem = splitTarget(parser.request());
    if (!problem) problem = checkHostAndOrigin(parser.request());
    ASSERT_TRUE(problem.has_value()) << bad.name;
    EXPECT_EQ(problem->status, bad.status) << bad.name;
  }
}

TEST(HttpPolicy, LetsThisMachineIn) {
  for (const char* extra : {"", "Origin: http://localhost:3000\r\n", "Origin: https://127.0.0.1\r\n", "Origin: http://[::1]:8080\r\n"}) {
    RequestParser parser({});
    parser.feed("GET /x?y HTTP/1.1\r\nHost: [::1]:11435\r\n" + std::string(extra) + "\r\n");
    ASSERT_TRUE(parser.done());
    EXPECT_FALSE(splitTarget(parser.request()).has_value());
    EXPECT_FALSE(checkHostAndOrigin(parser.request()).has_value()) << extra;
    EXPECT_EQ(parser.request().path, "/x");
    EXPECT_EQ(parser.request().query, "y");
  }
}

TEST(HttpPolicy, AbsoluteTargetsNameTheHost) {
  RequestParser parser({});
  parser.feed("GET http://localhost:5?q HTTP/1.1\r\nHost: ignored.example\r\n\r\n");
  ASSERT_TRUE(parser.done());
  EXPECT_FALSE(splitTarget(parser.request()).has_value());
  EXPECT_EQ(parser.request().path, "/");
  EXPECT_FALSE(checkHostAndOrigin(parser.request()).has_value());
}

TEST(HttpPolicy, DecodesPercent) {
  EXPECT_EQ(percentDecode("a%20b%2Fc"), "a b/c");
  for (const char* bad : {"%", "%2", "%zz", "a%00b"}) EXPECT_FALSE(percentDecode(bad).has_value()) << bad;
}

TEST(JsonText, IsAlwaysValid) {
  EXPECT_EQ(jsonString("a\"\\\n\t\r\x01\x7f"), R"("a\"\\\n\t\r\u0001\u007f")");
  EXPECT_EQ(jsonString("é😀"), "\"é😀\"");
  EXPECT_EQ(jsonString("\xff" "a\xc3"), "\"\xEF\xBF\xBD" "a\xEF\xBF\xBD\"");
  EXPECT_EQ(jsonString("\xed\xa0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"") << "surrogates are no characters";
  std::string number;
  appendJsonNumber(number, 0.1);
  appendJsonNumber(number, -1.0 / 0.0);
  EXPECT_EQ(number, "0.1null");
}

}  // namespace
}  // namespace hearth::http
