// gateway/shared_limits_test.cc: limits counted in a real Redis, and what holds while it is away.
#include "gateway/shared_limits.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/gateway_testing.h"
#include "redis/server_testing.h"
#include "runtime/blocking_pool.h"

namespace spillway::gateway {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

upstream::RateRule rule(const char* text) { return *upstream::RateRule::parse(text); }

class KeptLines final : public telemetry::LogSink {
 public:
  void write_line(std::string_view line) override { text += line; }
  std::string text;
};

// Instances that share one Redis, as far as limits go: all on one loop.
class SharedLimitsTest : public GatewayTest {
 protected:
  void SetUp() override {
    if (!redis::has_redis_server()) {
      GTEST_SKIP() << "redis-server is not installed: nothing is tested";
    }
  }
  void TearDown() override {
    for (auto& one : instances) run(one->close(soon()));
  }

  GatewayConfig plan_with(const std::string& at, Duration timeout = 5s) {
    GatewayConfig plan;
    plan.name = "shop";
    plan.redis = *redis::RedisConfig::parse(at);
    plan.redis->timeout = timeout;
    return plan;
  }
  static std::string url(const redis::RedisServer& server) {
    return "redis://127.0.0.1:" + std::to_string(server.port());
  }
  SharedLimits& instance(const GatewayConfig& plan) {
    instances.push_back(std::make_unique<SharedLimits>(loop, resolver, families, reach));
    instances.back()->use(plan);
    EXPECT_TRUE(runtime::turn_until(loop, [&] { return instances.back()->is_in_use(); }));
    return *instances.back();
  }
  RateLimit& limit(const std::string& name, const char* rate) {
    limits_made.push_back(std::make_unique<RateLimit>(
        name, LimitConfig{.rate = rule(rate), .shared = true}, SipHash::Key{1, 2}));
    return *limits_made.back();
  }
  // One request of `who` under these limits.
  SharedAnswers take(SharedLimits& shared, std::vector<RateLimit*> limits,
                     std::vector<std::string> who = {}) {
    who.resize(limits.size(), "192.0.2.7");
    run(take_into(shared, std::move(limits), std::move(who)));
    return std::exchange(answers, {});
  }
  runtime::Task<void> take_into(SharedLimits& shared, std::vector<RateLimit*> limits,
                                std::vector<std::string> who) {
    std::vector<SharedAsk> asks;
    for (size_t i = 0; i < limits.size(); ++i) {
      asks.push_back({.limit = limits[i], .kind = LimitKey::Kind::header, .value = who[i]});
    }
    runtime::Interruption interruption;
    auto taken = co_await shared.take(asks, interruption);
    failure = taken ? "" : taken.error().detail;
    if (taken) answers = *taken;
  }

  // The value of spillway_redis_NAME.
  double gauge(const std::string& name) {
    for (const auto& family : registry.snapshot()) {
      if (family.spec.name == "spillway_redis_" + name) return family.series.at(0).value;
    }
    return -1;
  }

  runtime::BlockingPool pool;
  runtime::Resolver resolver{pool};
  KeptLines lines;
  telemetry::Log shared_log{lines, [this] { return loop.wall_now(); }, telemetry::LogLevel::debug,
                            telemetry::LogFormat::json};
  RedisReach reach{shared_log};
  std::vector<std::unique_ptr<SharedLimits>> instances;
  std::vector<std::unique_ptr<RateLimit>> limits_made;
  SharedAnswers answers;
  std::string failure;
};

TEST_F(SharedLimitsTest, two_instances_have_one_window) {
  const redis::RedisServer server;
  const GatewayConfig plan = plan_with(url(server));
  SharedLimits& one = instance(plan);
  SharedLimits& other = instance(plan);
  RateLimit& bids = limit("bids", "3 per 1m");
  EXPECT_EQ(take(one, {&bids}).of[0]->remaining, 2u);
  const SharedAnswers second = take(other, {&bids});
  EXPECT_EQ(second.of[0]->remaining, 1u);
  EXPECT_THAT(second.of[0]->reset, AllOf(testing::Gt(50s), testing::Le(60s)));
  EXPECT_TRUE(take(one, {&bids}).of[0]->allowed);
  const SharedAnswers refused = take(other, {&bids});
  EXPECT_EQ(refused.refused, 0u);
  EXPECT_FALSE(refused.of[0]->allowed);
  EXPECT_THAT(refused.of[0]->retry_after, AllOf(testing::Gt(50s), testing::Le(60s)));
  EXPECT_TRUE(take(one, {&bids}, {"192.0.2.8"}).of[0]->allowed) << "another client";
}

TEST_F(SharedLimitsTest, keys_end_with_their_windows_and_hide_whose_they_are) {
  const redis::RedisServer server;
  RateLimit& bids = limit("bids", "1 per 200ms");
  SharedLimits& shared = instance(plan_with(url(server)));
  EXPECT_TRUE(take(shared, {&bids}, {"secret-key"}).of[0]->allowed);
  const redis::Reply keys = server.ask({"KEYS", "*"});
  ASSERT_EQ(keys.items.size(), 1);
  EXPECT_THAT(keys.items[0].text, HasSubstr("spillway:shop:limit:bids:1/200000:{"));
  EXPECT_THAT(keys.items[0].text, Not(HasSubstr("secret")));
  const int64_t left = server.ask({"PTTL", keys.items[0].text}).integer;
  EXPECT_LE(left, 200);
  EXPECT_EQ(take(shared, {&bids}, {"secret-key"}).refused, 0u);
  let_pass(210ms);
  EXPECT_TRUE(take(shared, {&bids}, {"secret-key"}).of[0]->allowed);
}

TEST_F(SharedLimitsTest, gcra_lets_the_burst_through_and_then_one_in_its_turn) {
  const redis::RedisServer server;
  SharedLimits& shared = instance(plan_with(url(server)));
  RateLimit& slow = limit("slow", "3/m burst 2");
  for (const uint64_t remaining : {2, 1, 0}) {
    const SharedAnswers taken = take(shared, {&slow});
    EXPECT_TRUE(taken.of[0]->allowed);
    EXPECT_EQ(taken.of[0]->remaining, remaining);
  }
  const SharedAnswers refused = take(shared, {&slow});
  EXPECT_EQ(refused.refused, 0u);
  EXPECT_THAT(refused.of[0]->retry_after, AllOf(testing::Gt(15s), testing::Le(20s)));
  EXPECT_THAT(refused.of[0]->reset, AllOf(testing::Gt(55s), testing::Le(60s)));
  RateLimit& fast = limit("fast", "30/s burst 0");
  EXPECT_TRUE(take(shared, {&fast}).of[0]->allowed);
  EXPECT_EQ(take(shared, {&fast}).refused, 0u);
  let_pass(35ms);
  EXPECT_TRUE(take(shared, {&fast}).of[0]->allowed);
}

TEST_F(SharedLimitsTest, one_that_refuses_takes_nothing_from_the_others) {
  const redis::RedisServer server;
  SharedLimits& shared = instance(plan_with(url(server)));
  RateLimit& all = limit("all", "10 per 1m");
  RateLimit& slow = limit("slow", "3/m burst 5");
  RateLimit& each = limit("each", "1 per 1m");
  EXPECT_EQ(take(shared, {&all, &slow, &each}).of[0]->remaining, 9u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(take(shared, {&all, &slow, &each}).refused, 2u);
  const SharedAnswers taken = take(shared, {&all, &slow});
  EXPECT_EQ(taken.of[0]->remaining, 8u);
  EXPECT_EQ(taken.of[1]->remaining, 4u);
}

TEST_F(SharedLimitsTest, a_cluster_gives_back_what_another_node_refuses) {
  redis::RedisCluster cluster;
  GatewayConfig plan = plan_with(url(cluster.node(0)));
  plan.redis->cluster = true;
  SharedLimits& shared = instance(plan);
  EXPECT_TRUE(runtime::turn_until(loop, [&] { return gauge("workers_connected") == 1; }));
  RateLimit& all = limit("all", "10 per 1m");
  RateLimit& slow = limit("slow", "3/m burst 5");
  RateLimit& each = limit("each", "1 per 1m");
  // Sixteen clients have keys on all nodes.
  for (int i = 0; i < 16; ++i) {
    const std::string who = std::to_string(i);
    EXPECT_FALSE(take(shared, {&all, &slow, &each}, {"all" + who, "slow" + who, who}).refused);
    EXPECT_EQ(take(shared, {&all, &slow, &each}, {"all" + who, "slow" + who, who}).refused, 2u);
    EXPECT_TRUE(runtime::turn_until(loop, [&] { return shared.is_settled(); }));
    const SharedAnswers taken = take(shared, {&all, &slow}, {"all" + who, "slow" + who});
    EXPECT_EQ(taken.of[0]->remaining, 8u) << who;
    EXPECT_EQ(taken.of[1]->remaining, 4u) << who;
  }
}

TEST_F(SharedLimitsTest, says_once_that_redis_is_away_and_once_that_it_is_back) {
  redis::RedisServer server;
  const GatewayConfig plan = plan_with(url(server));
  SharedLimits& one = instance(plan);
  SharedLimits& other = instance(plan);
  RateLimit& bids = limit("bids", "3 per 1m");
  take(one, {&bids});
  take(other, {&bids});
  server.stop();
  const auto logs = [this](const char* text) { return lines.text.contains(text); };
  EXPECT_TRUE(runtime::turn_until(loop, [&] { return logs("Redis is away"); }));
  let_pass(200ms);
  take(one, {&bids});
  EXPECT_THAT(failure, HasSubstr("is away"));
  server.start();
  EXPECT_TRUE(runtime::turn_until(loop, [&] { return logs("Redis is back"); }));
  EXPECT_TRUE(runtime::turn_until(loop, [&] { return gauge("connections_open") == 1; }));
  take(other, {&bids});
  EXPECT_EQ(failure, "");
  EXPECT_EQ(lines.text.find("Redis is away"), lines.text.rfind("Redis is away"));
  EXPECT_EQ(lines.text.find("Redis is back"), lines.text.rfind("Redis is back"));
}

TEST_F(SharedLimitsTest, goes_over_to_another_redis_with_the_plan) {
  const redis::RedisServer first;
  const redis::RedisServer second;
  SharedLimits& shared = instance(plan_with(url(first)));
  RateLimit& bids = limit("bids", "1 per 1m");
  EXPECT_TRUE(take(shared, {&bids}).of[0]->allowed);
  shared.use(plan_with(url(second)));
  turn();
  EXPECT_TRUE(take(shared, {&bids}).of[0]->allowed);
  EXPECT_EQ(second.ask({"DBSIZE"}).integer, 1);
  shared.use({});
  turn();
  EXPECT_FALSE(shared.is_in_use());
}

TEST(LimitScript, refuses_answers_that_make_no_sense) {
  using Kind = redis::Reply::Kind;
  const auto numbers = [](const std::vector<int64_t>& values) {
    redis::Reply reply{.kind = Kind::array};
    for (const int64_t value : values) {
      reply.items.push_back({.kind = Kind::integer, .integer = value});
    }
    return reply;
  };
  EXPECT_TRUE(read_taken(numbers({1, 5, 100, 0, 7}), 1).has_value());
  EXPECT_EQ(read_taken(numbers({1, 5, 100, 0, 7, 0, 0, 9, 9, 0}), 3)->count, 2u);
  for (const redis::Reply& reply :
       {numbers({}), numbers({1, 5, 100, 0}), numbers({1, 5, 100, 0, 7, 1}),
        numbers({1, 5, 100, 0, 7}), numbers({0, 0, 9, 9, 0, 1, 5, 100, 0, 7}),
        redis::Reply{.kind = Kind::error, .text = "OOM command not allowed"}}) {
    EXPECT_EQ(read_taken(reply, 2).error().code, Error::Code::protocol);
  }
}

}  // namespace
}  // namespace spillway::gateway
