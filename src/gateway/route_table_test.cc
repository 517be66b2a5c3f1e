// gateway/route_table_test.cc: tables of routes and the requests they take.
#include "gateway/route_table.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/random.h"

namespace spillway::gateway {
namespace {

RouteConfig route(std::string_view host, std::string_view path,
                  const std::vector<std::string>& methods = {}) {
  RouteConfig result;
  if (!host.empty()) result.host = *HostPattern::parse(host);
  result.path = *PathPattern::parse(path);
  for (const std::string& method : methods) result.methods.push_back(*Method::parse(method));
  return result;
}

// Owns what a question looks at.
struct Asked {
  std::string host = "a.example";
  std::string path = "/";
  std::string method = "GET";
  std::string query;
  http::HeaderList fields;

  RouteQuestion question() const {
    return {.host = host,
            .path = path,
            .query = query,
            .method = http::method_from(method),
            .method_text = method,
            .fields = &fields};
  }
};

constexpr int none = -1;
int match(const RouteTable& table, const Asked& asked) {
  const size_t number = table.match(asked.question());
  return number == RouteTable::none ? none : static_cast<int>(number);
}

TEST(RouteTable, prefers_the_exact_host_then_the_longest_wildcard_then_any) {
  const RouteTable table({route("", "/*"), route("*.example", "/*"), route("*.shops.example", "/*"),
                          route("x.shops.example", "/*"), route("10.0.0.1", "/*"),
                          route("[::1]", "/*")});
  const std::pair<const char*, int> cases[] = {
      {"x.shops.example", 3},   {"X.SHOPS.Example", 3},
      {"x.shops.example.", 3},  {"y.shops.example", 2},
      {"z.y.shops.example", 2}, {"shops.example", 1},
      {"a.example", 1},         {"example", 0},
      {"other.org", 0},         {"", 0},
      {"10.0.0.1", 4},          {"[::1]", 5},
      {"xshops.example", 1},    {".", 0},
  };
  for (const auto& [host, expected] : cases) {
    EXPECT_EQ(match(table, {.host = host}), expected) << host;
  }
  EXPECT_EQ(match(table, {.host = std::string(300, 'a') + ".example"}), 0);
}

TEST(RouteTable, takes_the_first_route_from_the_top_within_a_host) {
  const RouteTable table({route("", "/api/v1/*"), route("", "/api/*"), route("", "/api/v1/exact"),
                          route("", "/exact"), route("", "/*"), route("", "/late")});
  const std::pair<const char*, int> cases[] = {
      {"/api/v1/x", 0}, {"/api/v1/x/y/z", 0}, {"/api/v1/exact", 0}, {"/api/v2", 1}, {"/api/v1", 1},
      {"/api", 4},      {"/exact", 3},        {"/exact/", 4},       {"/late", 4},   {"/", 4},
      {"/apiary", 4},
  };
  for (const auto& [path, expected] : cases) {
    EXPECT_EQ(match(table, {.path = path}), expected) << path;
  }
}

TEST(RouteTable, goes_on_to_a_less_specific_host_when_nothing_fits) {
  const RouteTable table({route("a.example", "/only"), route("", "/*")});
  EXPECT_EQ(match(table, {.path = "/only"}), 0);
  EXPECT_EQ(match(table, {.path = "/other"}), 1);
}

TEST(RouteTable, matches_nothing_where_nothing_fits) {
  const RouteTable table({route("a.example", "/x/*")});
  EXPECT_EQ(match(table, {.path = "/x/"}), 0);
  EXPECT_EQ(match(table, {.path = "/x"}), none);
  EXPECT_EQ(match(table, {.host = "b.example", .path = "/x/y"}), none);
  EXPECT_EQ(match(RouteTable({}), {}), none);
}

TEST(RouteTable, looks_at_the_method) {
  const RouteTable table(
      {route("", "/a", {"GET"}), route("", "/a", {"POST", "PURGE"}), route("", "/a", {"DELETE"})});
  const std::pair<const char*, int> cases[] = {{"GET", 0},    {"HEAD", 0},   {"POST", 1},
                                               {"PURGE", 1},  {"DELETE", 2}, {"PUT", none},
                                               {"BREW", none}};
  for (const auto& [method, expected] : cases) {
    EXPECT_EQ(match(table, {.path = "/a", .method = method}), expected) << method;
  }
}

TEST(RouteTable, names_all_methods_that_would_do) {
  const RouteTable table({route("", "/a", {"GET"}), route("", "/a", {"POST"}),
                          route("", "/*", {"GET", "OPTIONS"}), route("", "/b", {"PATCH"})});
  EXPECT_EQ(table.allowed_methods(Asked{.path = "/a", .method = "PUT"}.question()),
            "GET, HEAD, OPTIONS, POST");
  EXPECT_EQ(RouteTable({route("", "/a")}).allowed_methods(Asked{.path = "/b"}.question()), "");
}

TEST(RouteTable, looks_at_fields_and_query) {
  RouteConfig beta = route("", "/*");
  beta.headers = {{"x-beta", "1"}};
  RouteConfig version = route("", "/*");
  version.query = {{"version", "2"}};
  RouteConfig both = route("", "/*");
  both.headers = {{"x-any", "*"}};
  both.query = {{"debug", "*"}};
  const RouteTable table({beta, version, both, route("", "/*")});

  Asked asked;
  EXPECT_EQ(match(table, asked), 3);
  ASSERT_TRUE(asked.fields.add("X-Beta", "0"));
  EXPECT_EQ(match(table, asked), 3);
  ASSERT_TRUE(asked.fields.add("X-Beta", "1"));
  EXPECT_EQ(match(table, asked), 0);

  Asked queried{.query = "a=1&version=2"};
  EXPECT_EQ(match(table, queried), 1);
  queried.query = "version=%32";
  EXPECT_EQ(match(table, queried), 1);
  queried.query = "version=22&xversion=2";
  EXPECT_EQ(match(table, queried), 3);
  queried.query = "debug";
  EXPECT_EQ(match(table, queried), 3);
  ASSERT_TRUE(queried.fields.add("x-any", ""));
  EXPECT_EQ(match(table, queried), 2);
}

// What the index must give, said in the plainest way.
int match_slowly(const std::vector<RouteConfig>& routes, const Asked& asked) {
  const auto specificity = [&](const RouteConfig& one) -> int {
    if (one.host.is_any()) return 0;
    if (!one.host.is_wildcard()) return one.host.text == asked.host ? 1000 : none;
    const std::string_view suffix = one.host.suffix();
    const bool is_below = asked.host.size() > suffix.size() && asked.host.ends_with(suffix);
    return is_below ? static_cast<int>(suffix.size()) : none;
  };
  int best = none;
  int best_specificity = none;
  for (size_t i = 0; i < routes.size(); ++i) {
    const PathPattern& path = routes[i].path;
    const bool fits =
        path.is_prefix() ? asked.path.starts_with(path.prefix()) : asked.path == path.text;
    if (!fits || specificity(routes[i]) <= best_specificity) continue;
    best = static_cast<int>(i);
    best_specificity = specificity(routes[i]);
  }
  return best;
}

TEST(RouteTable, agrees_with_a_plain_search) {
  Random random(7);
  const std::vector<std::string> hosts{"", "a.b", "*.b", "x.a.b", "*.a.b"};
  const std::vector<std::string> segments{"/a", "/b", "/c"};
  const auto some_path = [&] {
    std::string path;
    for (uint64_t i = random.below(4); i > 0; --i) path += segments[random.below(3)];
    return path;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<RouteConfig> routes;
    for (uint64_t i = 1 + random.below(12); i > 0; --i) {
      std::string path = some_path();
      if (random.chance(0.5)) {
        path += "/*";
      } else if (path.empty()) {
        path = "/";
      }
      routes.push_back(route(hosts[random.below(hosts.size())], path));
    }
    const RouteTable table(routes);
    for (int i = 0; i < 50; ++i) {
      Asked asked{.host = std::vector<std::string>{"a.b", "x.a.b", "y.a.b", "c"}[random.below(4)],
                  .path = some_path()};
      if (asked.path.empty() || random.chance(0.2)) asked.path += "/";
      ASSERT_EQ(match(table, asked), match_slowly(routes, asked)) << asked.host << asked.path;
    }
  }
}

}  // namespace
}  // namespace spillway::gateway
