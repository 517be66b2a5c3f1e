// gateway/explain_test.cc: what is said of a request's route, and that it is what happens.
#include "gateway/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace spillway::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RouteConfig route(std::string_view host, std::string_view path, std::string service,
                  const std::vector<std::string>& methods = {}) {
  RouteConfig result{.service = std::move(service)};
  if (!host.empty()) result.host = *HostPattern::parse(host);
  result.path = *PathPattern::parse(path);
  for (const std::string& method : methods) result.methods.push_back(*Method::parse(method));
  return result;
}

std::vector<std::string> passed(const Explanation& explanation) {
  std::vector<std::string> result;
  for (const RoutePassed& each : explanation.passed)
    result.push_back(each.label + ": " + each.reason);
  return result;
}

TEST(Explain, tells_which_condition_kept_each_earlier_route_from_matching) {
  std::vector<RouteConfig> routes;
  routes.push_back(route("", "/admin/*", "a"));
  routes.push_back(route("", "/*", "b", {"POST"}));
  routes.push_back(route("", "/*", "c"));
  routes.back().headers = {{"x-beta", "1"}};
  routes.push_back(route("", "/*", "d"));
  routes.back().query = {{"v", "*"}};
  routes.push_back(route("", "/exact", "e"));
  routes.push_back(route("", "/*", "f"));
  routes.push_back(route("", "/*", "never"));
  const GatewayConfig config{.routes = std::move(routes)};
  const auto explanation = explain_route(config, {.url = "/shop", .fields = {{"X-Beta", "2"}}});
  ASSERT_TRUE(explanation);
  EXPECT_EQ(explanation->service, "f");
  EXPECT_EQ(explanation->route, 5u);
  EXPECT_THAT(explanation->reasons, ElementsAre("host: any", "path: any"));
  EXPECT_THAT(
      passed(*explanation),
      ElementsAre("/admin/*: path: /shop is not below /admin/",
                  "POST /*: methods: GET is not one of POST", "/*: headers: x-beta is not \"1\"",
                  "/*: query: there is no v", "/exact: path: /shop is not /exact"));
}

TEST(Explain, tells_that_a_more_specific_host_goes_first) {
  std::vector<RouteConfig> routes;
  routes.push_back(route("", "/*", "any"));
  routes.push_back(route("*.shop.example", "/*", "wild"));
  routes.push_back(route("a.shop.example", "/x", "exact"));
  routes.push_back(route("other.example", "/*", "other"));
  const GatewayConfig config{.routes = std::move(routes)};
  const auto explanation = explain_route(config, {.url = "http://A.shop.example/y"});
  ASSERT_TRUE(explanation);
  EXPECT_EQ(explanation->service, "wild");
  EXPECT_THAT(explanation->reasons, ElementsAre("host: ends in .shop.example", "path: any"));
  EXPECT_THAT(passed(*explanation), ElementsAre("/*: host: any host is less specific",
                                                "a.shop.example/x: path: /y is not /x"));
}

TEST(Explain, normalises_the_path_once_and_refuses_what_a_request_would_be_refused_for) {
  std::vector<RouteConfig> routes;
  routes.push_back(route("", "/a/*", "a", {"GET"}));
  const GatewayConfig config{.routes = std::move(routes)};
  const auto normal = explain_route(config, {.url = "/x/../a//%62?q=1"});
  EXPECT_EQ(normal->path, "/a/b");
  EXPECT_EQ(normal->query, "q=1");
  EXPECT_EQ(normal->service, "a");
  EXPECT_EQ(explain_route(config, {.url = "/../etc"})->refused_status, 400);
  EXPECT_EQ(explain_route(config, {.url = "/b"})->refused_status, 404);
  const auto method = explain_route(config, {.method = "PUT", .url = "/a/b"});
  EXPECT_EQ(method->refused_status, 405);
  EXPECT_THAT(method->refusal, HasSubstr("GET, HEAD"));
  EXPECT_EQ(explain_route(config, {.method = "TRACE"})->refused_status, 405);
}

TEST(Explain, refuses_questions_that_make_no_sense) {
  const GatewayConfig config;
  for (const char* url : {"", "shop", "ftp://x/", "http://u@x/", "/a b", "/a#b", "http:///"}) {
    EXPECT_FALSE(explain_route(config, {.url = url})) << url;
  }
  EXPECT_FALSE(explain_route(config, {.method = "get it"}));
  EXPECT_FALSE(explain_route(config, {.url = "/" + std::string(9000, 'a')}));
  EXPECT_FALSE(parse_header_argument("nothing"));
  EXPECT_FALSE(parse_header_argument("a b: c"));
  EXPECT_FALSE(parse_header_argument("a: b\r\nc: d"));
  EXPECT_EQ(parse_header_argument("x-a:  b ")->second, "b");
}

TEST(Explain, adds_what_the_service_says_the_routes_own_timeouts_first) {
  RouteConfig config = route("", "/*", "a");
  config.timeouts.total = 5s;
  upstream::ClusterConfig service;
  service.concurrency = 8;
  Explanation explanation;
  explain_service(config, service, explanation);
  EXPECT_THAT(explanation.timeouts,
              testing::Contains(ExplainedSetting("total", "5s (the route's own)")));
  EXPECT_THAT(explanation.timeouts, testing::Contains(ExplainedSetting("connect", "3s")));
  EXPECT_THAT(explanation.limits,
              testing::Contains(ExplainedSetting("concurrency",
                                                 "8 per endpoint, then 1000 wait for at most 1s")));
}

// Whatever the config, a reason is found for every route that was asked before the chosen one.
TEST(Explain, finds_a_reason_in_random_tables) {
  const std::vector<std::string> hosts = {"", "a.x", "*.x", "b.a.x"};
  const std::vector<std::string> paths = {"/*", "/a", "/a/*", "/a/b", "/b/*"};
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<RouteConfig> routes;
    const uint64_t count = random.below(6);
    for (uint64_t i = 0; i < count; ++i) {
      routes.push_back(route(
          hosts[random.below(hosts.size())], paths[random.below(paths.size())], std::to_string(i),
          random.chance(0.3) ? std::vector<std::string>{"POST"} : std::vector<std::string>{}));
    }
    const GatewayConfig config{.routes = std::move(routes)};
    for (const char* url : {"http://a.x/a/b", "http://b.a.x/a", "http://c/b/c", "/"}) {
      const auto explanation = explain_route(config, {.url = url});
      ASSERT_TRUE(explanation);
      const size_t earlier = explanation->route.value_or(config.routes.size());
      std::vector<bool> is_named(config.routes.size());
      for (const RoutePassed& each : explanation->passed) is_named[each.number] = true;
      for (size_t i = 0; i < earlier; ++i) EXPECT_TRUE(is_named[i]) << url << " route " << i;
    }
  }
}

}  // namespace
}  // namespace spillway::gateway
