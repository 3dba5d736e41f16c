#include "core/server/api/router.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace hearth::api {
namespace {

void one(const ApiContext&, http::ExchangePtr, const Arguments&) {}
void two(const ApiContext&, http::ExchangePtr, const Arguments&) {}

constexpr std::array kTable{
    Route{"GET", "/", Access::Public, one},
    Route{"GET", "/a/{id}", Access::Chat, one},
    Route{"DELETE", "/a/{id}", Access::Admin, two},
    Route{"GET", "/a/list", Access::Chat, two},
    Route{"POST", "/a/{id}/b/{id}", Access::Chat, one},
    Route{"GET", "/files/{rest}", Access::Public, one},
    Route{"GET", "/files/{id}/info", Access::Public, two},
    Route{"GET", "/blob/{id}", Access::Chat, one},
    Route{"HEAD", "/blob/{id}", Access::Chat, two},
    Route{"PUT", "/blob/{id}", Access::Chat, two},
    Route{"PATCH", "/a/list", Access::Admin, two},
};

RouteMatch find(std::string_view method, std::string_view path) { return matchRoute(kTable, method, path); }

TEST(Router, TakesPathsApart) {
  EXPECT_EQ(find("GET", "/").route, &kTable[0]);
  EXPECT_EQ(find("GET", "/a/x%20y%2Fz").arguments, Arguments{"x y/z"});
  EXPECT_EQ(find("POST", "/a/1/b/2").arguments, (Arguments{"1", "2"}));
  EXPECT_EQ(find("GET", "/files/a/b%20/c").arguments, Arguments{"a/b /c"});
  EXPECT_EQ(find("GET", "/files/a").route, &kTable[5]);
}

TEST(Router, TextWinsOverVariables) {
  EXPECT_EQ(find("GET", "/a/list").route, &kTable[3]);
  EXPECT_EQ(find("GET", "/a/other").route, &kTable[1]);
  EXPECT_EQ(find("GET", "/files/x/info").route, &kTable[6]);
  EXPECT_EQ(find("DELETE", "/a/list").route, &kTable[2]) << "a path with text does not hide the other's methods";
}

TEST(Router, RefusesWhatDoesNotFit) {
  for (const char* path : {"", "/a", "/a/", "/a//b/1", "/a/1/b/", "/a/1/b", "/a/1/b/2/", "/A/1", "//", "/files/", "/files/x/", "/a/%zz", "/a/%00", "a/1"})
    EXPECT_TRUE(find("GET", path).pattern.empty()) << path;
}

TEST(Router, KnowsMethods) {
  EXPECT_EQ(find("HEAD", "/a/1").route, &kTable[1]) << "GET answers HEAD";
  EXPECT_EQ(find("HEAD", "/blob/1").route, &kTable[8]) << "… unless it has its own";
  EXPECT_EQ(find("GET", "/blob/1").route, &kTable[7]);
  EXPECT_EQ(find("PATCH", "/a/list").route, &kTable[10]);
  const RouteMatch wrong = find("PUT", "/a/list");
  EXPECT_EQ(wrong.route, nullptr);
  EXPECT_EQ(wrong.pattern, "/a/list");
  EXPECT_EQ(wrong.allow, "OPTIONS, GET, HEAD, PATCH, DELETE");
  EXPECT_EQ(find("get", "/").route, nullptr);
}

TEST(Router, TheTableIsSound) {
  std::set<std::string> seen;
  for (const Route& route : routes()) {
    const std::string name = std::string(route.method) + " " + std::string(route.path);
    EXPECT_TRUE(seen.insert(name).second) << name << " stands twice";
    EXPECT_TRUE(std::set<std::string_view>({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}).contains(route.method)) << name;
    EXPECT_TRUE(route.path.starts_with('/')) << name;
    EXPECT_TRUE(route.path == "/" || route.path == "/ui/" || !route.path.ends_with('/')) << name;
    EXPECT_NE(route.controller, nullptr) << name;
    const std::size_t rest = route.path.find("{rest}");
    EXPECT_TRUE(rest == std::string_view::npos || rest + 6 == route.path.size()) << name;
    const auto found = matchRoute(routes(), route.method, route.path);  // "{id}" is a segment like any other
    EXPECT_EQ(found.route, &route) << name << " is hidden by another route";
  }
}

}  // namespace
}  // namespace hearth::api
