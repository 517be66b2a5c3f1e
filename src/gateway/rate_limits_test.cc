// gateway/rate_limits_test.cc: limits of requests as clients meet them.
#include <gmock/gmock.h>

#include "gateway/gateway_testing.h"
#include "redis/server_testing.h"
#include "runtime/blocking_pool.h"

namespace spillway::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RateLimitTest : public GatewayTest {
 protected:
  RateLimitTest() { endpoints = {origin.address()}; }

  void add(const std::string& name, const char* rate, const char* by) {
    limit_configs[name] = {.rate = *upstream::RateRule::parse(rate), .by = *LimitKey::parse(by)};
    route.limit.push_back(name);
  }
  // One request on a connection of its own; what the client gets.
  std::string ask(const std::string& fields = "") {
    runtime::Peer peer = connect();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + "\r\n");
    std::optional<runtime::Peer> asked;
    runtime::turn_until(loop, [&] {
      if (!asked) asked = origin.try_accept();
      return asked || peer.has_ended();
    });
    if (asked) {
      asked->take_head();
      asked->send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    }
    return peer.take_rest();
  }

  runtime::PeerListener origin{loop};
};

TEST_F(RateLimitTest, lets_as_many_through_as_the_plan_says_and_tells_each_where_it_stands) {
  add("bids", "2 per 1m", "ip");
  const std::string first = ask();
  EXPECT_THAT(first, HasSubstr("200 OK"));
  EXPECT_THAT(first, HasSubstr("ratelimit-policy: \"bids\";q=2;w=60\r\n"));
  EXPECT_THAT(first, HasSubstr("ratelimit: \"bids\";r=1;t=60\r\n"));
  EXPECT_THAT(ask(), HasSubstr("r=0;"));
  const std::string refused = ask();
  EXPECT_THAT(refused, HasSubstr("HTTP/1.1 429 Too Many Requests\r\n"));
  EXPECT_THAT(refused, HasSubstr("retry-after: 60\r\n"));
  EXPECT_THAT(refused, HasSubstr("ratelimit: \"bids\";r=0;t=60\r\n"));
  EXPECT_THAT(refused, HasSubstr("Too many requests, please try again later"));
}

TEST_F(RateLimitTest, counts_clients_apart_and_ipv6_by_its_prefix) {
  add("bids", "1 per 1m", "ip");
  EXPECT_THAT(ask(), HasSubstr("200 OK"));
  client.peer = *SocketAddress::parse("192.0.2.8:1");
  EXPECT_THAT(ask(), HasSubstr("200 OK"));
  client.peer = *SocketAddress::parse("[2001:db8:1:2::1]:1");
  EXPECT_THAT(ask(), HasSubstr("200 OK"));
  client.peer = *SocketAddress::parse("[2001:db8:1:2:ffff::9]:1");
  EXPECT_THAT(ask(), HasSubstr("429"));
  client.peer = *SocketAddress::parse("[2001:db8:1:3::1]:1");
  EXPECT_THAT(ask(), HasSubstr("200 OK"));
}

TEST_F(RateLimitTest, counts_by_header_or_cookie_and_without_one_by_address) {
  add("tenant", "1 per 1m", "header:x-tenant");
  EXPECT_THAT(ask("X-Tenant: a\r\n"), HasSubstr("200 OK"));
  EXPECT_THAT(ask("X-Tenant: a\r\n"), HasSubstr("429"));
  EXPECT_THAT(ask("X-Tenant: b\r\n"), HasSubstr("200 OK"));
  EXPECT_THAT(ask(), HasSubstr("200 OK"));
  EXPECT_THAT(ask(), HasSubstr("429"));
}

TEST_F(RateLimitTest, counts_by_cookie) {
  add("session", "1 per 1m", "cookie:id");
  EXPECT_THAT(ask("Cookie: a=1; id=x\r\n"), HasSubstr("200 OK"));
  EXPECT_THAT(ask("Cookie: id=x\r\n"), HasSubstr("429"));
  EXPECT_THAT(ask("Cookie: id=y\r\n"), HasSubstr("200 OK"));
}

TEST_F(RateLimitTest, a_request_that_one_limit_refuses_takes_nothing_from_the_others) {
  add("all", "10 per 1m", "all");
  add("each", "1 per 1m", "ip");
  EXPECT_THAT(ask(), HasSubstr("\"all\";r=9"));
  for (int i = 0; i < 5; ++i) EXPECT_THAT(ask(), HasSubstr("429"));
  client.peer = *SocketAddress::parse("192.0.2.8:1");
  EXPECT_THAT(ask(), HasSubstr("\"all\";r=8"));
}

TEST_F(RateLimitTest, speaks_the_dialect_that_the_plan_wants) {
  add("bids", "5/s burst 4", "ip");
  limit_configs["bids"].headers = LimitHeaders::legacy;
  limit_configs["bids"].message = "{\"error\":\"slow down\"}";
  const std::string first = ask();
  EXPECT_THAT(first, HasSubstr("x-ratelimit-limit: 5\r\n"));
  EXPECT_THAT(first, HasSubstr("x-ratelimit-remaining: 4\r\n"));
  EXPECT_THAT(first, HasSubstr("x-ratelimit-reset: 1\r\n"));
  EXPECT_THAT(first, Not(HasSubstr("ratelimit-policy")));
  for (int i = 0; i < 4; ++i) EXPECT_THAT(ask(), HasSubstr("200 OK"));
  const std::string refused = ask();
  EXPECT_THAT(refused, HasSubstr("content-type: application/json\r\n"));
  EXPECT_THAT(refused, HasSubstr("{\"error\":\"slow down\"}"));
}

// With a real Redis behind the gateway.
class SharedRateLimitTest : public RateLimitTest {
 protected:
  void SetUp() override {
    if (!redis::has_redis_server()) {
      GTEST_SKIP() << "redis-server is not installed: nothing is tested";
    }
    GatewayConfig plan;
    server = std::make_unique<redis::RedisServer>();
    plan.redis = *redis::RedisConfig::parse("redis://127.0.0.1:" + std::to_string(server->port()));
    plan.redis->timeout = 2s;
    shared.use(plan);
    turn();
    shared_limits = &shared;
  }
  void TearDown() override {
    for (auto& connection : connections) connection->cut();
    finish();
    run(shared.close(soon()));
  }
  void add_shared(const std::string& name, const char* rate, const char* by) {
    add(name, rate, by);
    limit_configs[name].shared = true;
  }
  double count_of_decisions(const std::string& result) {
    for (const auto& family : registry.snapshot()) {
      if (family.spec.name != "spillway_rate_limit_shared_total") continue;
      for (const auto& series : family.series) {
        if (series.labels.at(1) == result) return series.value;
      }
    }
    return -1;
  }

  struct NoLines final : telemetry::LogSink {
    void write_line(std::string_view) override {}
  } no_lines;
  telemetry::Log quiet{no_lines, [this] { return loop.wall_now(); }, telemetry::LogLevel::error,
                       telemetry::LogFormat::json};
  runtime::BlockingPool pool;
  runtime::Resolver resolver{pool};
  RedisReach reach{quiet};
  SharedLimits shared{loop, resolver, families, reach};
  std::unique_ptr<redis::RedisServer> server;
};

TEST_F(SharedRateLimitTest, redis_counts_what_clients_are_told) {
  add_shared("bids", "2 per 1m", "ip");
  const std::string first = ask();
  EXPECT_THAT(first, HasSubstr("200 OK"));
  EXPECT_THAT(first, HasSubstr("ratelimit-policy: \"bids\";q=2;w=60\r\n"));
  EXPECT_THAT(first, HasSubstr("ratelimit: \"bids\";r=1;t=60\r\n"));
  EXPECT_THAT(ask(), HasSubstr("r=0;"));
  const std::string refused = ask();
  EXPECT_THAT(refused, HasSubstr("HTTP/1.1 429 Too Many Requests\r\n"));
  EXPECT_THAT(refused, HasSubstr("retry-after: 60\r\n"));
  EXPECT_EQ(count_of_decisions("shared"), 3);
  EXPECT_EQ(count_of_decisions("local_fallback"), 0);
  EXPECT_EQ(server->ask({"DBSIZE"}).integer, 1);
}

TEST_F(SharedRateLimitTest, goes_on_alone_from_what_redis_told_and_is_shared_again_later) {
  add_shared("bids", "4 per 1m", "ip");
  EXPECT_THAT(ask(), HasSubstr("r=3;"));
  // Another instance has had two.
  const std::string key = server->ask({"KEYS", "*"}).items.at(0).text;
  server->ask({"HINCRBY", key, "used", "2"});
  EXPECT_THAT(ask(), HasSubstr("r=0;"));
  server->stop();
  EXPECT_THAT(ask(), HasSubstr("429"));
  client.peer = *SocketAddress::parse("192.0.2.8:1");
  EXPECT_THAT(ask(), HasSubstr("r=3;"));
  EXPECT_GE(count_of_decisions("local_fallback"), 2);
  server->start();
  EXPECT_TRUE(runtime::turn_until(loop, [&] {
    (void)ask();
    return server->ask({"DBSIZE"}).integer == 1;
  }));
  EXPECT_GT(count_of_decisions("shared"), 2);
}

TEST_F(SharedRateLimitTest, what_redis_refuses_takes_nothing_from_the_counts_of_this_instance) {
  add("all", "10 per 1m", "all");
  add_shared("each", "1 per 1m", "ip");
  EXPECT_THAT(ask(), HasSubstr("\"all\";r=9"));
  for (int i = 0; i < 5; ++i) EXPECT_THAT(ask(), HasSubstr("429"));
  client.peer = *SocketAddress::parse("192.0.2.8:1");
  EXPECT_THAT(ask(), HasSubstr("\"all\";r=8"));
  server->stop();
  client.peer = *SocketAddress::parse("192.0.2.7:1");
  EXPECT_THAT(ask(), HasSubstr("429"));
  client.peer = *SocketAddress::parse("192.0.2.9:1");
  EXPECT_THAT(ask(), HasSubstr("\"all\";r=7"));
}

TEST_F(SharedRateLimitTest, asks_redis_again_for_limits_by_user_or_header) {
  add_shared("tenant", "1 per 1m", "header:x-tenant");
  EXPECT_THAT(ask("X-Tenant: a\r\n"), HasSubstr("200 OK"));
  EXPECT_THAT(ask("X-Tenant: a\r\n"), HasSubstr("429"));
  EXPECT_THAT(ask("X-Tenant: b\r\n"), HasSubstr("200 OK"));
  EXPECT_THAT(ask(), HasSubstr("200 OK"));
  EXPECT_THAT(ask(), HasSubstr("429"));
}

TEST_F(SharedRateLimitTest, ends_the_question_when_the_client_leaves) {
  add_shared("bids", "2 per 1m", "ip");
  EXPECT_THAT(ask(), HasSubstr("200 OK"));
  server->freeze();
  {
    runtime::Peer peer = connect();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    turn();
  }
  finish();  // Long before the time is up.
  server->thaw();
}

TEST(RateLimits, go_on_counting_over_a_reload_that_leaves_them_as_they_are) {
  Random random(1);
  std::map<std::string, LimitConfig> configs = {
      {"a", {.rate = *upstream::RateRule::parse("1 per 1m")}},
      {"b", {.rate = *upstream::RateRule::parse("1 per 1m")}}};
  const RateLimits before = make_rate_limits(configs, {}, random);
  configs["b"].rate = *upstream::RateRule::parse("2 per 1m");
  const RateLimits after = make_rate_limits(configs, before, random);
  EXPECT_EQ(after.at("a"), before.at("a"));
  EXPECT_NE(after.at("b"), before.at("b"));
}

TEST(LimitKey, reads_what_it_writes) {
  for (const char* text : {"ip", "user", "route", "all", "header:x-tenant", "cookie:Session"}) {
    ASSERT_TRUE(LimitKey::parse(text)) << text;
    EXPECT_EQ(to_string(*LimitKey::parse(text)), text);
  }
  EXPECT_EQ(LimitKey::parse("header:X-Tenant")->name, "x-tenant");
  for (const char* text : {"", "IP", "header", "header:", "header:a b", "cookie:a=b", "users"}) {
    EXPECT_FALSE(LimitKey::parse(text)) << text;
  }
}

}  // namespace
}  // namespace spillway::gateway
