// upstream/cluster_health_test.cc: probes, panic, slow start, ejection and breakers together.
#include <gtest/gtest.h>

#include "upstream/cluster.h"
#include "upstream/cluster_testing.h"

namespace spillway::upstream {
namespace {

using Kind = Outcome::Kind;

ClusterConfig probed() {
  return {.health = HealthConfig{.every = 10s, .failures = 1}, .slow_start = 0s};
}

TEST(ClusterHealth, leaves_out_an_unhealthy_endpoint_until_it_is_well) {
  ClusterWorld world(probed(), "abcd");
  for (const char* name : {"a", "b", "c", "d"}) EXPECT_TRUE(world.probe(name, true));
  EXPECT_TRUE(world.probe("a", false));
  EXPECT_EQ(world.of("a").state, EndpointState::unhealthy);
  EXPECT_EQ(world.of("a").last_probe, "refused");
  EXPECT_EQ(world.serve(200)["a"], 0);
  world.probe("a", true);
  EXPECT_GT(world.serve(200)["a"], 20);
}

TEST(ClusterHealth, serves_before_the_first_probe_has_answered) {
  ClusterWorld world(probed(), "ab");
  EXPECT_EQ(world.of("a").state, EndpointState::starting);
  EXPECT_TRUE(world.pick());
}

TEST(ClusterHealth, gives_an_added_endpoint_nothing_until_it_is_well_or_proven) {
  ClusterWorld world(probed(), "ab");
  world.probe("a", true);
  world.probe("b", true);
  EndpointSpec proven = spec_of("d");
  proven.is_proven = true;
  const EndpointSpec specs[] = {spec_of("a"), spec_of("b"), spec_of("c"), proven};
  world.cluster.set_endpoints(specs, world.now);
  auto times = world.serve(300);
  EXPECT_EQ(times["c"], 0);
  EXPECT_GT(times["d"], 50);
  world.probe("c", true);
  EXPECT_GT(world.serve(300)["c"], 30);
}

TEST(ClusterHealth, panics_and_uses_all_when_probes_flap_all_replicas_away) {
  ClusterWorld world(probed(), "abcd");
  for (const char* name : {"a", "b", "c", "d"}) world.probe(name, true);
  world.probe("a", false);
  world.probe("b", false);
  EXPECT_FALSE(world.cluster.status(world.now).is_in_panic);  // Half is left.
  world.probe("c", false);
  EXPECT_TRUE(world.cluster.status(world.now).is_in_panic);
  auto times = world.serve(400);
  for (const char* name : {"a", "b", "c", "d"}) EXPECT_NEAR(times[name], 100, 40) << name;
  world.probe("d", false);
  EXPECT_EQ(world.serve(100)["none_fit"], 0);
  EXPECT_GT(world.cluster.status(world.now).counters.picks_in_panic, 499U);
}

TEST(ClusterHealth, refuses_when_none_is_fit_and_panic_is_off) {
  ClusterConfig config = probed();
  config.health->panic = Share::percent(0);
  ClusterWorld world(config, "a");
  world.probe("a", false);
  EXPECT_EQ(world.pick().error(), PickRefusal::none_fit);
  EXPECT_EQ(world.cluster.slots_free(world.now), 0U);
}

TEST(ClusterHealth, probes_each_endpoint_in_its_time_and_sick_ones_sooner) {
  ClusterWorld world(probed(), "ab");
  EXPECT_EQ(world.cluster.take_due_probes(world.random, world.now).size(), 2U);
  EXPECT_TRUE(world.cluster.take_due_probes(world.random, world.now).empty());
  EXPECT_EQ(world.cluster.next_probe_at(), Instant::max());  // Both are out.
  world.probe("a", true);
  EXPECT_GE(world.cluster.next_probe_at(), world.now + 900ms);
  world.now = world.now + 1s;
  auto due = world.cluster.take_due_probes(world.random, world.now);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].name, "a");
  world.probe("a", true);
  world.probe("b", false);
  EXPECT_LE(world.cluster.next_probe_at(), world.now + 1s);
  world.now = world.now + 1s;
  due = world.cluster.take_due_probes(world.random, world.now);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].name, "b");
}

TEST(ClusterHealth, forgets_probes_of_endpoints_that_are_gone) {
  ClusterWorld world(probed(), "a");
  const EndpointId a = world.id("a");
  world.list("b");
  EXPECT_FALSE(world.cluster.record_probe(a, false, "late", world.now));
  EXPECT_EQ(world.of("b").state, EndpointState::starting);
}

TEST(ClusterSlowStart, does_not_flood_a_recovered_replica) {
  for (const char* balance : {"round_robin", "least_requests", "random_two"}) {
    ClusterConfig config = probed();
    config.balance = *Balance::parse(balance);
    config.slow_start = 10s;
    ClusterWorld world(config, "abcd");
    for (const char* name : {"a", "b", "c", "d"}) world.probe(name, true);
    world.now = world.now + 1min;
    world.probe("a", false);
    world.serve(10);
    world.probe("a", true);
    EXPECT_LT(world.serve(1'000)["a"], 80) << balance;  // A full share is 250.
    EXPECT_EQ(world.of("a").ramp, 100U);
    world.now = world.now + 5s;
    const int halfway = world.serve(1'000)["a"];
    EXPECT_GT(halfway, 50) << balance;
    EXPECT_LT(halfway, 230) << balance;
    world.now = world.now + 5s;
    EXPECT_NEAR(world.serve(1'000)["a"], 250, 60) << balance;
  }
}

TEST(ClusterSlowStart, does_not_hold_back_those_that_start_together) {
  ClusterWorld world({.slow_start = 10s}, "abcd");
  for (const auto& [name, times] : world.serve(400)) EXPECT_NEAR(times, 100, 40) << name;
  EXPECT_EQ(world.of("a").ramp, 1000U);
}

TEST(ClusterEjection, leaves_out_an_endpoint_that_fails_and_takes_it_back) {
  ClusterWorld world({.slow_start = 0s}, "abcd");
  world.serve(100, "a");
  EXPECT_EQ(world.of("a").state, EndpointState::ejected);
  EXPECT_EQ(world.of("a").counters.failed_connect, 5U);
  EXPECT_EQ(world.of("a").counters.ejections, 1U);
  EXPECT_EQ(world.of("a").last_error, "failed_connect");
  EXPECT_EQ(world.serve(100)["a"], 0);
  world.now = world.now + 10s;
  EXPECT_GT(world.serve(100)["a"], 5);
}

TEST(ClusterEjection, never_ejects_more_than_its_share_and_not_the_only_one) {
  ClusterConfig config{.ejection = EjectionConfig{.share = Share::percent(25)}};
  ClusterWorld world(config, "abcd");
  world.serve(1'000, "abcd");
  int ejected = 0;
  for (const EndpointStatus& endpoint : world.cluster.status(world.now).endpoints) {
    ejected += endpoint.state == EndpointState::ejected ? 1 : 0;
  }
  EXPECT_EQ(ejected, 1);
  ClusterWorld single({}, "a");
  EXPECT_EQ(single.serve(1'000, "a")["a"], 1'000);
}

TEST(ClusterEjection, finds_the_first_replica_that_is_back_after_all_were_down) {
  ClusterWorld world({}, "ab");
  world.serve(200, "ab");
  EXPECT_TRUE(world.cluster.status(world.now).is_in_panic);
  for (const std::string still_down : {"a", "b"}) {
    world.now = world.now + 1s;
    auto times = world.serve(200, still_down);
    const std::string back = still_down == "a" ? "b" : "a";
    EXPECT_GT(times[back], 150) << back << " is back and must be found";
    EXPECT_EQ(world.of(still_down).state, EndpointState::ejected);
    world.serve(200, "ab");  // Down again.
  }
}

TEST(ClusterEjection, counts_neither_client_aborts_nor_client_errors) {
  ClusterWorld world({}, "ab");
  world.serve(100, "a", {Kind::client_aborted});
  world.serve(100, "a", Outcome::answered(404));
  EXPECT_EQ(world.of("a").state, EndpointState::healthy);
  EXPECT_EQ(world.of("a").counters.failures(), 0U);
}

ClusterConfig with_breaker() {
  return {.breaker = BreakerConfig{.error_share = Share{0.5}, .requests = 20, .open = 30s},
          .ejection = {},
          .slow_start = 0s};
}

TEST(ClusterBreaker, opens_for_failing_answers_and_tries_once) {
  ClusterWorld world(with_breaker(), "a");
  world.serve(20, "a", Outcome::answered(503));
  EXPECT_EQ(world.pick().error(), PickRefusal::none_fit);
  EXPECT_EQ(world.of("a").breaker, CircuitBreaker::State::open);
  EXPECT_EQ(world.of("a").counters.breaker_openings, 1U);
  EXPECT_EQ(world.of("a").last_error, "answered 503");
  world.now = world.now + 30s;
  const auto trial = world.pick();
  ASSERT_TRUE(trial);
  EXPECT_EQ(world.pick().error(), PickRefusal::none_fit);
  world.cluster.learn(*trial, Outcome::answered(200), world.now);  // A long answer begins well.
  EXPECT_TRUE(world.pick());
  world.cluster.settle(*trial, {Kind::nothing_learned}, world.now + 1h);
  EXPECT_EQ(world.of("a").breaker, CircuitBreaker::State::closed);
}

TEST(ClusterBreaker, does_not_count_client_aborts_as_failures) {
  ClusterWorld world(with_breaker(), "a");
  EXPECT_EQ(world.serve(1'000, "a", {Kind::client_aborted})["a"], 1'000);
  EXPECT_EQ(world.of("a").breaker, CircuitBreaker::State::closed);
  EXPECT_EQ(world.of("a").counters.client_aborted, 1'000U);
}

TEST(ClusterBreaker, may_be_asked_by_a_core_whose_clock_lags) {
  ClusterWorld world(with_breaker(), "a");
  world.serve(20, "a", {Kind::timed_out});
  world.now = world.now + 30s;
  EXPECT_GT(world.cluster.slots_free(world.now), 0U);  // Seen as ready for its trial.
  world.now = world.now - 5ms;
  const auto trial = world.pick();
  ASSERT_TRUE(trial && trial->is_trial);
  world.cluster.settle(*trial, Outcome::answered(200), world.now);
  EXPECT_EQ(world.of("a").breaker, CircuitBreaker::State::closed);
}

TEST(ClusterBreaker, hands_its_trial_back_when_the_client_leaves) {
  ClusterWorld world(with_breaker(), "a");
  world.serve(20, "a", {Kind::timed_out});
  world.now = world.now + 30s;
  const auto trial = world.pick();
  world.cluster.settle(*trial, {Kind::client_aborted}, world.now);
  EXPECT_TRUE(world.pick());
}

}  // namespace
}  // namespace spillway::upstream
