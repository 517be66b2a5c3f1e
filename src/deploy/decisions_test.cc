// deploy/decisions_test.cc: tables of restart pauses and rollout orders.
#include <gtest/gtest.h>

#include <string>

#include "deploy/restart_policy.h"
#include "deploy/rollout.h"

namespace spillway::deploy {
namespace {

constexpr Instant start = Instant::from_nanoseconds(1'000'000'000);

TEST(RestartPolicy, the_first_restart_is_at_once_and_the_next_back_off) {
  RestartPolicy policy({.pause = 1s, .pause_max = 5s});
  const Duration expected[] = {0s, 1s, 2s, 4s, 5s, 5s, 5s};
  for (const Duration pause : expected) EXPECT_EQ(policy.ended(start, 0s), start + pause);
}

TEST(RestartPolicy, a_proven_replica_starts_afresh) {
  RestartPolicy policy({.pause = 1s, .pause_max = 5s});
  for (int i = 0; i < 4; ++i) policy.ended(start, 1s);
  EXPECT_EQ(policy.ended(start, RestartPolicy::proven_after), start);
  EXPECT_EQ(policy.ended(start, RestartPolicy::proven_after - 1ns), start + 1s);
  policy.forgive();
  EXPECT_EQ(policy.ended(start, 0s), start);
}

TEST(RestartPolicy, gives_up_after_so_many_failures) {
  RestartPolicy policy({.pause = 1s, .pause_max = 5s, .give_up = 3});
  EXPECT_TRUE(policy.ended(start, 0s).has_value());
  EXPECT_TRUE(policy.ended(start, 0s).has_value());
  EXPECT_FALSE(policy.ended(start, 0s).has_value());
  policy.forgive();
  EXPECT_TRUE(policy.ended(start, 0s).has_value());
}

TEST(RestartPolicy, a_pause_above_its_maximum_is_the_maximum) {
  RestartPolicy policy({.pause = 10s, .pause_max = 5s});
  policy.ended(start, 0s);
  EXPECT_EQ(policy.ended(start, 0s), start + 5s);
}

// "1" replace slot 1 with the new version, "-1" with the old, "." wait, "t" wait until, "#" end.
std::string steps(Rollout& rollout, Instant now = start) {
  std::string result;
  while (true) {
    const Rollout::Step step = rollout.next(now);
    switch (step.kind) {
      case Rollout::Step::Kind::wait: return result + ".";
      case Rollout::Step::Kind::wait_until: return result + "t";
      case Rollout::Step::Kind::finished: return result + "#";
      case Rollout::Step::Kind::replace: break;
    }
    result += (step.to_new ? "" : "-") + std::to_string(step.slot);
  }
}

TEST(Rollout, replaces_one_after_the_other) {
  Rollout rollout(3, {.parallel = 1}, true);
  EXPECT_EQ(steps(rollout), "1.");
  rollout.succeeded(1, start);
  EXPECT_EQ(steps(rollout), "2.");
  rollout.succeeded(2, start);
  EXPECT_EQ(steps(rollout), "3.");
  rollout.succeeded(3, start);
  EXPECT_EQ(steps(rollout), "#");
  EXPECT_EQ(rollout.state(), Rollout::State::done);
}

TEST(Rollout, replaces_as_many_at_a_time_as_allowed) {
  Rollout rollout(5, {.parallel = 2}, true);
  EXPECT_EQ(steps(rollout), "12.");
  rollout.succeeded(2, start);
  EXPECT_EQ(steps(rollout), "3.");
  rollout.succeeded(1, start);
  rollout.succeeded(3, start);
  EXPECT_EQ(steps(rollout), "45.");
}

TEST(Rollout, pauses_after_each_success) {
  Rollout rollout(2, {.parallel = 1, .pause = 10s}, true);
  EXPECT_EQ(steps(rollout), "1.");
  rollout.succeeded(1, start);
  EXPECT_EQ(steps(rollout, start + 9s), "t");
  EXPECT_EQ(steps(rollout, start + 10s), "2.");
}

TEST(Rollout, a_failure_at_first_keeps_everything_old) {
  Rollout rollout(3, {.parallel = 1}, true);
  EXPECT_EQ(steps(rollout), "1.");
  rollout.failed(1);
  EXPECT_EQ(steps(rollout), "#");
  EXPECT_EQ(rollout.state(), Rollout::State::rolled_back);
}

TEST(Rollout, a_later_failure_takes_the_replaced_ones_back) {
  Rollout rollout(4, {.parallel = 2, .pause = 10s}, true);
  EXPECT_EQ(steps(rollout), "12.");
  rollout.succeeded(1, start);
  rollout.succeeded(2, start);
  EXPECT_EQ(steps(rollout, start + 10s), "34.");
  rollout.failed(3);
  EXPECT_EQ(steps(rollout), "-1.") << "slot 4 is still turning, so one goes back beside it";
  rollout.succeeded(4, start);
  EXPECT_EQ(steps(rollout), "-2.");
  rollout.succeeded(1, start);
  rollout.succeeded(2, start);
  EXPECT_EQ(steps(rollout), "-4.");
  rollout.succeeded(4, start);
  EXPECT_EQ(steps(rollout), "#");
  EXPECT_EQ(rollout.state(), Rollout::State::rolled_back);
  EXPECT_EQ(rollout.replaced(), 0u);
}

TEST(Rollout, stops_where_it_is_when_there_is_no_way_back) {
  Rollout rollout(3, {.parallel = 1}, false);
  EXPECT_EQ(steps(rollout), "1.");
  rollout.succeeded(1, start);
  EXPECT_EQ(steps(rollout), "2.");
  rollout.failed(2);
  EXPECT_EQ(steps(rollout), "#");
  EXPECT_EQ(rollout.state(), Rollout::State::stopped);
  EXPECT_EQ(rollout.replaced(), 1u);
}

TEST(Rollout, stops_when_the_way_back_fails_too) {
  Rollout rollout(3, {.parallel = 1}, true);
  EXPECT_EQ(steps(rollout), "1.");
  rollout.succeeded(1, start);
  EXPECT_EQ(steps(rollout), "2.");
  rollout.failed(2);
  EXPECT_EQ(steps(rollout), "-1.");
  rollout.failed(1);
  EXPECT_EQ(steps(rollout), "#");
  EXPECT_EQ(rollout.state(), Rollout::State::stopped);
}

TEST(Rollout, of_nothing_is_done) {
  Rollout rollout(0, {}, true);
  EXPECT_EQ(steps(rollout), "#");
  EXPECT_EQ(rollout.state(), Rollout::State::done);
}

}  // namespace
}  // namespace spillway::deploy
